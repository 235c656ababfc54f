"""Reference vectors of a source's items: a file's, or who clicked and read what together."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import Refused
from jobs.sources.config import RawFiles
from jobs.sources.coread import coread_vectors
from jobs.sources.raw_files import Piece, read
from jobs.sources.raw_values import finite, ids
from jobs.sources.sheet import Sheet
from schemas.arrow import ARROW_TYPES
from schemas.table import Fields

ROWS_AT_ONCE = 16_384


def read_history(files: RawFiles, pieces: list[Piece], fields: Fields) -> tuple[pa.Array, pa.Array]:
    """Return (user, item) of everything that was read before the logs; bad ids are left out."""
    users, items = [], []
    for piece in pieces:
        for raw in read(files, piece, ROWS_AT_ONCE):
            sheet, columns = Sheet(raw), files.columns
            user, _ = ids(sheet.values(columns["user_id"]), fields.user_id, "user_id")
            if sheet.is_list(columns["item_id"]):
                values, lengths = sheet.lists(columns["item_id"])
            else:
                values, lengths = sheet.values(columns["item_id"]), np.ones(len(user), np.int64)
            item, _ = ids(values, fields.item_id, "item_id")
            users.append(user.take(pa.array(np.repeat(np.arange(len(user)), lengths))))
            items.append(item)
    return _joined(users, fields.user_id), _joined(items, fields.item_id)


def coclick(users: pa.Array, items: pa.Array, wanted: pa.Array) -> np.ndarray:
    """Return [len(wanted), width] vectors; users and items run in parallel."""
    known = pc.and_(users.is_valid(), items.is_valid())
    users, items = users.filter(known), items.filter(known)
    every = pa.chunked_array([items, wanted]).combine_chunks().unique()
    every = every.take(pc.sort_indices(every))
    code = pc.index_in(items, every).to_numpy(zero_copy_only=False)
    order = users.unique()
    order = order.take(pc.sort_indices(order))
    user = pc.index_in(users, order).to_numpy(zero_copy_only=False)
    return coread_vectors(user, code, pc.index_in(wanted, every).to_numpy(zero_copy_only=False))


def read_vectors(
    files: RawFiles, pieces: list[Piece], fields: Fields, wanted: pa.Array
) -> np.ndarray:
    """Return [len(wanted), width] vectors from a file, zero where it has none."""
    vectors: np.ndarray | None = None
    width = 1
    for piece in pieces:
        for raw in read(files, piece, ROWS_AT_ONCE):
            sheet = Sheet(raw)
            item, bad = ids(sheet.values(files.columns["item_id"]), fields.item_id, "item_id")
            values, lengths = sheet.lists(files.columns["vector"])
            numbers, infinite = finite(values, "vector")
            width = lengths[0] if vectors is None and len(lengths) else width
            if bad or infinite or raw.torn or (lengths != width).any() or width == 0:
                raise Refused(
                    f"{raw.path}: rows {raw.number[0]} to {raw.number[-1]} hold an id or a number "
                    "that is none, or vectors of different lengths; mend the file, or take "
                    "source.vectors out of the profile"
                )
            if not len(lengths):
                continue
            if vectors is None:
                vectors = np.zeros((len(wanted), width), np.float32)
            place = pc.index_in(item, wanted)
            rows = numbers.to_numpy().reshape(-1, width)
            hit = place.is_valid().to_numpy(zero_copy_only=False)
            vectors[place.drop_null().to_numpy()] = rows[hit]
    return np.zeros((len(wanted), width), np.float32) if vectors is None else vectors


def _joined(arrays: list[pa.Array], kind: str) -> pa.Array:
    return pa.concat_arrays(arrays) if arrays else pa.array([], ARROW_TYPES[kind])
