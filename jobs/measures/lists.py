"""Measure the rankings of a day by method: lengths, scores, items, what differs from DCN."""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.measures.catalogue import DRIFT
from jobs.measures.distribution import numbers
from jobs.measures.measured import Measured, number, ratio
from jobs.measures.tally import floats

COLUMNS = ["request_id", "method", "item_id", "f", "win_probability", "final_score"]
BASE = "dcn"
OF_F, OF_STUDENT = (BASE, "promoted"), ("cdm", "promoted")
"""Of all methods' scores these tell everything: each f once, each student once."""
SWEPT = "@"
"""In the name of a method that stands beside itself under another weight."""


def measure(pieces: Iterable[pa.Table]) -> list[Measured]:
    """Measure rankings; the part of each measure is its method, those of a sweep left out."""
    rows = pa.concat_tables([_unswept(rows) for rows in pieces])
    request, item, method = (_codes(rows[name]) for name in ("request_id", "item_id", "method"))
    own = {name: np.flatnonzero(method[0] == code) for code, name in enumerate(method[1])}
    # Of equal sums of 64 random bits an item the items are equal, but for a chance of 2^-64.
    bits = np.random.default_rng(0).integers(2**64, size=len(item[1]), dtype=np.uint64)
    held: dict[str, np.ndarray] = {}
    for name, at in own.items():
        held[name] = np.zeros(len(request[1]), np.uint64)
        np.add.at(held[name], request[0][at], bits[item[0][at]])
    found = [number("rows", len(rows), len(rows))] if len(rows) else []
    for name, at in sorted(own.items()):
        lists = np.unique(request[0][at])
        differs = held[name][lists] != held[BASE][lists] if BASE in own and name != BASE else []
        of_method = [
            ratio("length_mean", len(at), len(lists)),
            number("items", len(np.unique(item[0][at])), len(at)),
            ratio("changed", np.sum(differs), len(differs)),
            *_of_scores(name, rows.take(pa.array(at)), request[0][at]),
        ]
        found += [dataclasses.replace(one, part=name) for one in of_method]
    return found


def _unswept(rows: pa.Table) -> pa.Table:
    """Return the rows of methods that are followed, without those whose key has a null."""
    keep = pc.invert(pc.match_substring(rows["method"], SWEPT))
    for name in ("request_id", "item_id"):
        keep = pc.and_(keep, pc.is_valid(rows[name]))
    return rows.filter(pc.fill_null(keep, False))


def _codes(column: pa.ChunkedArray) -> tuple[np.ndarray, list]:
    """Return a column as places in its different values, and these."""
    coded = column.combine_chunks().dictionary_encode()
    return coded.indices.to_numpy(), coded.dictionary.to_pylist()


def _of_scores(method: str, rows: pa.Table, request: np.ndarray) -> Iterator[Measured]:
    """Measure what the lists of a method were sorted by, where no other method has the same."""
    if method in OF_F:
        yield _mean("f_mean", floats(rows["f"]))
        yield numbers(f"{DRIFT}f", floats(rows["f"]), request)
    if method in OF_STUDENT:
        yield _mean("win_mean", floats(rows["win_probability"]))
        yield numbers(f"{DRIFT}final_score", floats(rows["final_score"]), request)


def _mean(name: str, values: np.ndarray) -> Measured:
    finite = values[np.isfinite(values)]
    return ratio(name, finite.sum(), len(finite))
