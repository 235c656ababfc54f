"""Candidate sets of every awkward shape for Hypothesis, and seeded batches for the networks.

One candidate, K at N and beyond, ties in f, copied and zero vectors, similarities that saturate the
sigmoid, integer ids past 2**53, and string ids whose byte order is nobody's first guess.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from hypothesis import strategies as st

from model.batch import CandidateBatch, from_ragged
from model.cdm import Shape

INTEGERS = st.one_of(
    st.integers(-3, 12), st.sampled_from([2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1, -(2**63)])
)
# U+FFFD comes before U+1F600 by UTF-8 bytes and after it by UTF-16 units.
STRINGS = st.text(
    st.sampled_from("aBz09 \0é\N{REPLACEMENT CHARACTER}\N{GRINNING FACE}"), max_size=3
)
# Few values, so that ties are drawn often; any float between them as well.
F = st.one_of(st.sampled_from([0.0, -0.0, 1e-12, 0.25, 0.5, 1.0]), st.floats(0, 1))
COORDINATES = st.sampled_from([0.0, -0.0, 0.1, 1.0, -1.0, 0.75, 6.0, 40.0, -40.0])
USER_SIZES, ITEM_SIZES, DENSE = (6, 4), (30, 7), 2
"""What the batches below hold: two user fields, two item fields, two dense features."""
DIVERSITY_WEIGHTS = st.sampled_from([0.0, 0.05, 0.25, 1.0, 10.0])


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """N candidates with vectors of width d, of which K are asked for."""

    f: np.ndarray  # [N]
    vectors: np.ndarray  # [N, d]
    item_id: np.ndarray  # [N], integers or strings
    k: int

    def reordered(self, order: list[int]) -> "CandidateSet":
        """Return the same candidates in another order."""
        return replace(
            self, f=self.f[order], vectors=self.vectors[order], item_id=self.item_id[order]
        )


def item_ids(n: int) -> st.SearchStrategy[np.ndarray]:
    """Draw N different ids, all integers or all strings."""
    integers = st.lists(INTEGERS, min_size=n, max_size=n, unique=True)
    strings = st.lists(STRINGS, min_size=n, max_size=n, unique=True)
    return st.one_of(
        integers.map(lambda ids: np.array(ids, np.int64)),
        strings.map(lambda ids: np.array(ids, object)),
    )


def place_in_order(item_id: object) -> object:
    """Return what ids are compared by: integers as numbers, strings as UTF-8 bytes."""
    return item_id.encode() if isinstance(item_id, str) else int(item_id)


@st.composite
def candidate_sets(draw: st.DrawFn, max_candidates: int = 9) -> CandidateSet:
    """Draw a candidate set; its rows come from a small pool, so that copies are common."""
    n = draw(st.integers(1, max_candidates))
    d = draw(st.integers(1, 4))
    pool = draw(st.lists(st.lists(COORDINATES, min_size=d, max_size=d), min_size=1, max_size=n))
    rows = draw(st.lists(st.sampled_from(pool), min_size=n, max_size=n))
    return CandidateSet(
        np.array(draw(st.lists(F, min_size=n, max_size=n))),
        np.array(rows),
        draw(item_ids(n)),
        draw(st.one_of(st.integers(1, n), st.integers(n, n + 3))),
    )


def shape(win_rate: float = 0.2) -> Shape:
    """Return the shape of a model for `batch`; without a win rate, of a base DCN."""
    return Shape(user_sizes=USER_SIZES, item_sizes=ITEM_SIZES, dense=DENSE, win_rate=win_rate)


def batch(lengths: list[int], seed: int = 0, winners: int = 2) -> CandidateBatch:
    """Return random requests of these lengths: half exposed, a third of those clicked."""
    rng, total = np.random.default_rng(seed), sum(lengths)
    padded = from_ragged(
        np.stack([rng.integers(1, size, len(lengths)) for size in USER_SIZES], axis=1),
        np.stack([rng.integers(1, size, total) for size in ITEM_SIZES], axis=1),
        rng.normal(size=(total, DENSE)).astype(np.float32),
        np.array(lengths),
    )
    draw = torch.from_numpy(rng.random(padded.valid.shape))
    exposed = (draw < 0.5) & padded.valid
    rank = draw.masked_fill(~padded.valid, 2.0).argsort(1).argsort(1)
    return replace(
        padded,
        exposed=exposed,
        label=((draw < 0.17) & exposed).float(),
        win=((rank < winners) & padded.valid).float(),
    )
