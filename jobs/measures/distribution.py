"""How far a day's distribution is from that of the trailing days, by PSI, and how far is too far.

The population stability index of shares p (today) and q (before) is sum (p - q) ln(p / q). Where
nothing changed, PSI / (1/n + 1/m) of n and m independent values follows chi-square with bins - 1
degrees of freedom, since (p - q) ln(p / q) is about (p - q)^2 / q (B. Yurdakul, Statistical
Properties of Population Stability Index, 2018). Candidates of one request are alike, so n is how
many independent values they are worth, their number over the mean design effect of the bins, and
where these effects differ there are fewer degrees of freedom (J. Rao and A. Scott, On Chi-Squared
Tests for Multiway Contingency Tables with Cell Proportions Estimated from Survey Data, 1984: the
corrections of first and second order).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jobs.measures.measured import Measured

POINTS = 500
"""Quantiles that are kept: shares of bins are then known to 1 in 500."""
BINS = 10
CATEGORIES = 20
"""The largest ones are compared, all others together."""
KEPT_CATEGORIES = 2_000
MEDIAN_WORTH = 2 / np.pi
"""What a median of normal values is worth of their mean."""
OTHER = ""


def numbers(name: str, values: np.ndarray, request: np.ndarray) -> Measured:
    """Summarise values [n], each of one request [n] int64; those that are not finite are left out.

    The quantiles are values that occur, so that ties stay ties.
    """
    finite = np.isfinite(values)
    values, request = values[finite], request[finite]
    if not len(values):
        return Measured(name, 0.0)
    ordered = np.sort(values)
    count = min(POINTS, len(ordered))
    points = ordered[((np.arange(count) + 0.5) * len(ordered) / count).astype(np.int64)]
    edges = np.unique(points[(np.arange(1, BINS) * count) // BINS])
    bins = np.searchsorted(edges, values, side="left")
    n, spread = worth(bins, request, len(edges) + 1)
    return Measured(name, n, spread=spread, points=tuple(points.tolist()))


def categories(name: str, codes: np.ndarray, request: np.ndarray, names: Sequence[str]) -> Measured:
    """Count codes [n], places in `names`, each of one request [n]; rare ones are counted as one."""
    counts = np.bincount(codes, minlength=len(names))
    largest = np.array(sorted(range(len(names)), key=lambda place: (-counts[place], names[place])))
    bins = np.minimum(np.argsort(largest), CATEGORIES - 1)[codes]
    n, spread = worth(bins, request, CATEGORIES)
    kept = [place for place in largest[:KEPT_CATEGORIES] if counts[place]]
    rest = int(counts.sum() - counts[kept].sum())
    return Measured(
        name,
        n,
        spread=spread,
        bins=(*(names[place] for place in kept), *([OTHER] if rest else [])),
        counts=(*counts[kept].astype(float).tolist(), *([float(rest)] if rest else [])),
    )


class Worth(NamedTuple):
    """What values of requests are worth in some bins."""

    n: float
    """Independent values: at most as many as there are."""
    spread: float
    """1 + the squared coefficient of variation of the design effects; 1 where they are equal."""


def worth(bins: np.ndarray, request: np.ndarray, size: int) -> Worth:
    """Return what values [n] in `size` bins are worth, each of one request [n] int64.

    Of one request nothing is known about how requests differ: it is worth one value.
    """
    count = len(bins)
    _, place = np.unique(request, return_inverse=True)
    requests = int(place.max(initial=-1)) + 1
    if requests < 2:
        return Worth(float(requests), 1.0)
    table = np.bincount(place * size + bins, minlength=requests * size).reshape(requests, size)
    share = table.sum(0) / count
    table, share = table[:, share > 0], share[share > 0]
    if len(share) < 2:
        return Worth(float(requests), 1.0)
    away = (table - table.sum(1, keepdims=True) * share) / np.sqrt(share)
    # [J, J]; its eigenvalues are the design effects, and one that is 0.
    effects = away.T @ away * requests / (requests - 1) / count
    mean = float(np.trace(effects)) / (len(share) - 1)
    square = float((effects**2).sum()) / (len(share) - 1)
    # Requests of one composition leave nothing but rounding errors.
    return Worth(count / max(mean, 1.0), max(square / mean**2, 1.0) if mean > 1e-9 else 1.0)


class Compared(NamedTuple):
    """A day's distribution beside that of the trailing days."""

    psi: float
    chance: float
    """PSI that chance alone exceeds as rarely as was asked for."""
    usual: float
    """PSI of the trailing days against their median: three in four are nearer."""
    n: float
    """The fewer independent values of the two sides."""
    new: float | None = None
    """Share of today in categories that no trailing day had; None where not all are kept."""
    gone: float | None = None
    """Share that categories had on the trailing days which are empty today."""


def compare(today: Measured, past: Sequence[Measured], false_alarms: float) -> Compared:
    """Compare a distribution with the median of the trailing ones, bin by bin."""
    if today.bins:
        shares = [_shares_by_name(one) for one in (today, *past)]
        fates, bins = _fates(shares), _by_category(shares)
    else:
        fates, bins = {}, _by_number(today, past)
    # Some strange days, this one's forerunners among them, leave the median as it is.
    q = np.median(bins[1:], axis=0)
    bins, q = bins[:, (bins[0] > 0) | (q > 0)], q[(bins[0] > 0) | (q > 0)]
    m = MEDIAN_WORTH * len(past) ** 2 / sum(1 / one.n for one in past)
    first, *before = (
        psi(day, q / q.sum(), one.n, m) for day, one in zip(bins, (today, *past), strict=True)
    )
    spread = max(one.spread for one in (today, *past))
    by_chance = chance(len(q), today.n, m, spread, false_alarms)
    usual = float(np.quantile(before, 0.75))
    return Compared(first, by_chance, usual, min(today.n, m), **fates)


def psi(p: np.ndarray, q: np.ndarray, n: float, m: float) -> float:
    """Return the PSI of shares of n and m values.

    A bin without any counts as half a value: a share of 0 would be infinitely far from any other.
    """
    p, q = np.maximum(p, 0.5 / n), np.maximum(q, 0.5 / m)
    return float(((p - q) * np.log(p / q)).sum())


def chance(bins: int, n: float, m: float, spread: float, false_alarms: float) -> float:
    """Return the PSI of n against m independent values that chance exceeds this rarely."""
    from scipy.stats import chi2  # Slow to import, and most reruns do without.

    freedom = max(bins - 1, 1) / spread
    return float(chi2.isf(false_alarms, freedom)) * spread * (1 / n + 1 / m)


def _by_number(today: Measured, past: Sequence[Measured]) -> np.ndarray:
    """Return the shares [1 + days, bins] of today and of each trailing day."""
    edges = _edges([np.array(one.points) for one in past])
    return np.stack([_shares(np.array(one.points), edges) for one in (today, *past)])


def _edges(past: list[np.ndarray]) -> np.ndarray:
    """Return where bins of as many trailing values each end; a value of several bins is its own."""
    weight = np.concatenate([np.full(len(points), 1 / len(points)) for points in past])
    every = np.concatenate(past)
    order = np.argsort(every, kind="stable")
    below = np.cumsum(weight[order]) / len(past)
    wanted = np.arange(1, BINS) / BINS
    cuts = every[order][np.minimum(np.searchsorted(below, wanted), len(every) - 1)]
    values, times = np.unique(cuts, return_counts=True)
    before = np.nextafter(values[times > 1], -np.inf)
    return np.unique(np.concatenate([values, before]))


def _shares(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return which share of quantiles lies in each bin (edge, next edge]."""
    below = np.searchsorted(points, edges, side="right") / len(points)
    return np.diff(np.concatenate([[0.0], below, [1.0]]))


def _shares_by_name(one: Measured) -> dict[str, float]:
    total = sum(one.counts)
    return {name: count / total for name, count in zip(one.bins, one.counts, strict=True)}


def _fates(shares: list[dict[str, float]]) -> dict[str, float]:
    """Return what share of today, the first, is new and what share of the others is gone."""
    today, past = shares[0], shares[1:]
    before = set().union(*past)
    if OTHER in before or OTHER in today:
        return {}
    lost = sum(share for one in past for name, share in one.items() if name not in today)
    return {
        "new": sum(share for name, share in today.items() if name not in before),
        "gone": lost / len(past),
    }


def _by_category(shares: list[dict[str, float]]) -> np.ndarray:
    """Return the shares [1 + days, bins] of the trailing days' largest, all others as one."""
    q: dict[str, float] = {}
    for one in shares[1:]:
        for name, share in one.items():
            q[name] = q.get(name, 0.0) + share
    largest = sorted(q, key=lambda name: (name == OTHER, -q[name], name))[: CATEGORIES - 1]
    named = np.array([[one.get(name, 0.0) for name in largest] for one in shares])
    rest = 1.0 - named.sum(1, keepdims=True)
    # What is left of a sum of all is of the size of a rounding error.
    return np.hstack([named, rest]) if rest.max() > 1e-9 else named
