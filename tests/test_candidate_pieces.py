"""Candidate sets in pieces: every request once, in pieces as large as asked, in small batches."""

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.candidate_pieces import READ_REQUESTS, Piece, batches, pieces

COUNTS = st.lists(st.integers(1, 30), min_size=1, max_size=30)
COLUMNS = ["request_id", "item_id"]


def write(path: Path, first: int, counts: list[int], row_group_size: int) -> Path:
    """Write requests numbered from `first` with so many candidates each."""
    columns = {
        # Begins as the column does whose values are counted.
        "item_id_of": ["x"] * len(counts),
        "request_id": list(range(first, first + len(counts))),
        "item_id": [list(range(n)) for n in counts],
    }
    pq.write_table(pa.table(columns), path, row_group_size=row_group_size)
    return path


def candidates(piece: Piece) -> int:
    return sum(len(batch["item_id"].flatten()) for batch in batches(piece, COLUMNS))


@given(st.lists(COUNTS, min_size=1, max_size=3), st.integers(1, 7), st.integers(1, 80))
@settings(max_examples=40)
def test_pieces_hold_every_request_once_and_as_many_as_fit(tmp_path_factory, files, size, most):
    folder, paths, first = tmp_path_factory.mktemp("sets"), [], 0
    for number, counts in enumerate(files):
        paths.append(write(folder / f"{number}.parquet", first, counts, size))
        first += len(counts)
    cut = pieces(paths, most)
    read = [batch for piece in cut for batch in batches(piece, COLUMNS)]
    assert [n for batch in read for n in batch["request_id"].to_pylist()] == list(range(first))
    for piece in cut:
        assert len(piece.row_groups) == 1 or candidates(piece) <= most
    for one, two in pairwise(cut):
        if one.path == two.path:
            assert candidates(one) + candidates(Piece(two.path, two.row_groups[:1])) > most


def test_a_batch_is_bounded_in_requests_and_never_spans_row_groups(tmp_path):
    path = write(tmp_path / "sets.parquet", 0, [2] * 900, 600)
    found = [batch.num_rows for batch in batches(Piece(path, (0, 1)), COLUMNS)]
    assert found == [READ_REQUESTS, READ_REQUESTS, 600 - 2 * READ_REQUESTS, READ_REQUESTS, 44]
