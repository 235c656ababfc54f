"""Lists beside the candidates: which were clicked or shown, and the labels of a shorter list."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.sources.config import RawColumn
from jobs.sources.raw_values import ids, problem
from jobs.sources.sheet import Sheet
from schemas.table import Fields


def codes(mine: pa.Array, theirs: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return small integers that are equal where the values of two arrays are."""
    both = pa.chunked_array([mine, theirs]).combine_chunks().dictionary_encode()
    found = pc.fill_null(both.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return found[: len(mine)], found[len(mine) :]


class ListMatches:
    """Finds the candidates of a sheet's rows in other lists of the same rows."""

    def __init__(self, sheet: Sheet, items: pa.Array, row: np.ndarray, fields: Fields) -> None:
        """Take the candidates and the source row of each."""
        self.sheet, self.items, self.row, self.fields = sheet, items, row, fields

    def among(self, spec: RawColumn, *, alone: bool) -> np.ndarray:
        """Return which candidates are in a list.

        Unless a row is one candidate `alone`, reject rows whose list has items that are none.
        """
        values, lengths = self.sheet.lists(spec)
        listed, _ = ids(values, self.fields.item_id, "item_id")
        owner = np.repeat(self.sheet.every, lengths)
        mine, theirs = self._keys(listed, owner)
        if alone:
            return np.isin(mine, theirs)
        known = listed.is_valid().to_numpy(zero_copy_only=False)
        stray = ~np.isin(theirs, mine) & np.isin(owner, self.row) & known
        reason = f"{spec.column} has an item that is no candidate"
        self.sheet.rejects.add(problem(stray, reason), owner, listed)
        return np.isin(mine, theirs)

    def values_of(self, spec: RawColumn) -> pa.Array:
        """Return the values of a list that runs parallel to the items `of` another list.

        A candidate that is not in that list gets null.
        """
        items, wanted = self.sheet.lists(spec.of)
        values, lengths = self.sheet.lists(spec)
        uneven = lengths != wanted
        reason = f"{spec.column} and {spec.of.column} are lists of different lengths"
        self.sheet.rejects.add_rows(
            np.flatnonzero(uneven), reason, lambda row: f"{lengths[row]} and {wanted[row]}"
        )
        values = values.filter(pa.array(np.repeat(~uneven, lengths)))
        items = items.filter(pa.array(np.repeat(~uneven, wanted)))
        listed, _ = ids(items, self.fields.item_id, "item_id")
        mine, theirs = self._keys(listed, np.repeat(self.sheet.every, wanted * ~uneven))
        if not len(theirs):
            return pa.nulls(len(mine), values.type)
        order = np.argsort(theirs, kind="stable")
        place = order[np.minimum(np.searchsorted(theirs[order], mine), len(theirs) - 1)]
        return values.take(pa.array(place, mask=theirs[place] != mine))

    def _keys(self, listed: pa.Array, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return numbers of (source row, item) for the candidates and for the listed items."""
        mine, theirs = codes(self.items, listed)
        size = len(mine) + len(theirs) + 1
        return self.row * size + mine, owner * size + theirs
