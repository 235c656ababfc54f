"""Published rows as the frames that expectations are judged on; see schemas.expectations.

A view has columns of one length, some of them DERIVED from what the files hold, and knows for each
of its rows the key by which a person finds it in the table.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schemas.expectations import LENGTH_OF
from schemas.label_tables import RELAXED, relaxed_column
from schemas.table import Column

Values = pa.Array | pa.ChunkedArray | np.ndarray
LIST_KEY = ("request_id", "method", "model_version")
"""What identifies a list of rankings."""
BY_RULE = tuple(relaxed_column(rule) for rule in RELAXED)
"""The columns of teacher_labels that count what each rule gave way."""


def elements(lists: pa.ChunkedArray) -> pa.Array:
    """Return the elements of a list column, row after row."""
    return lists.combine_chunks().flatten()


def lengths(lists: pa.ChunkedArray) -> np.ndarray:
    """Return how many elements each row has; none where there is no list."""
    return pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)


class View:
    """Named columns of one length."""

    def __init__(self, rows: pa.Table, key: tuple[str, ...]) -> None:
        """View one row as one row; `key` names the columns by which it is found."""
        self.rows, self.key = rows, key
        self.named = key

    def __len__(self) -> int:
        """How many rows the view has."""
        return self.rows.num_rows

    def column(self, name: str) -> Values:
        """Return a column, stored or derived."""
        if name in self.rows.column_names:
            return self.rows[name]
        if name.startswith(LENGTH_OF):
            return pc.list_value_length(self.rows[name.removeprefix(LENGTH_OF)])
        return DERIVED[name].compute(self)

    def where(self, index: int) -> str:
        """Return the key of a row in words."""
        return ", ".join(f"{name} {short(self.rows[name][index].as_py())}" for name in self.key)

    def example(self, names: Collection[str], index: int) -> str:
        """Say what stands in some columns of a row, and where; key and flags say nothing new."""
        told = [
            n for n in names if n not in self.named and not (n in DERIVED and DERIVED[n].is_flag)
        ]
        values = [self.column(name)[index] for name in told]
        words = [short(v.as_py() if isinstance(v, pa.Scalar) else v) for v in values]
        if len(words) > 1:
            words = [f"{name} {word}" for name, word in zip(told, words, strict=True)]
        return " at ".join(part for part in (", ".join(words), self.where(index)) if part)

    def cells(self, index: int) -> dict[str, object]:
        """Return what was read of a row."""
        return {
            name: self.rows[name][index].as_py()
            for name in self.rows.column_names
            if not pa.types.is_list(self.rows[name].type)
        }

    def frame(self, names: Collection[str]) -> pd.DataFrame:
        """Return some columns for Great Expectations."""
        columns = {name: judged(self.column(name)) for name in names}
        return pd.DataFrame(columns, index=pd.RangeIndex(len(self)), copy=False)


class ListView(View):
    """The elements of parallel lists, one a row; rows whose lists differ in length are left out."""

    def __init__(self, rows: pa.Table, key: tuple[str, ...], lists: tuple[Column, ...]) -> None:
        """Flatten the lists that the rows have."""
        self.lists = [column for column in lists if column.name in rows.column_names]
        counts = [pc.list_value_length(rows[column.name]) for column in self.lists]
        whole = pa.array(np.ones(rows.num_rows, bool))
        for count in counts:
            whole = pc.and_(whole, pc.fill_null(pc.equal(count, counts[0]), False))
        super().__init__(rows.filter(whole), key)
        self.named = (*key, "item_id")
        self.counts = lengths(self.rows[self.lists[0].name])
        self.parent = np.repeat(np.arange(self.rows.num_rows), self.counts)
        self.elements = {column.name: elements(self.rows[column.name]) for column in self.lists}

    def __len__(self) -> int:
        """How many elements there are."""
        return len(self.parent)

    @property
    def place(self) -> np.ndarray:
        """Which element of its list each one is, from 0."""
        return np.arange(len(self)) - np.repeat(np.cumsum(self.counts) - self.counts, self.counts)

    @property
    def candidate(self) -> np.ndarray:
        """Which candidate of its row each element belongs to, from 0."""
        return self.place // int(np.prod(self.lists[0].shape[1:], dtype=int))

    def column(self, name: str) -> Values:
        """Return a list's elements, a derived column, or a scalar of each element's row."""
        if name in self.elements:
            return self.elements[name]
        if name in DERIVED:
            return DERIVED[name].compute(self)
        return self.rows[name].take(pa.array(self.parent))

    def cells(self, index: int) -> dict[str, object]:
        """Return what was read of the element's row, and of the element."""
        row = super().cells(int(self.parent[index]))
        return row | {name: values[index].as_py() for name, values in self.elements.items()}

    def where(self, index: int) -> str:
        """Return the row's key and the item, or the place in the list."""
        row = super().where(int(self.parent[index]))
        if "item_id" in self.elements:
            return f"{row}, item_id {short(self.elements['item_id'][index].as_py())}"
        word = "candidate" if len(self.lists[0].shape) > 1 else "place"
        return f"{row}, {word} {self.candidate[index]}"


def short(value: object) -> str:
    """Return a value as a message shows it."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def judged(values: Values) -> pd.Series | np.ndarray:
    """Return values as pandas has them: numbers in 64 bits, words by category, NaN as infinity."""
    if isinstance(values, np.ndarray):
        return values
    if pa.types.is_string(values.type):
        words = values.dictionary_encode()
        if isinstance(words, pa.ChunkedArray):
            words = words.unify_dictionaries()
        return words.to_pandas()
    if pa.types.is_floating(values.type):
        # pandas knows no difference between NaN and null, the tables do.
        values = values.cast(pa.float64())
        values = pc.if_else(pc.is_nan(values), float("inf"), values)
    elif pa.types.is_integer(values.type):
        # Narrower integers would be compared one by one in Python.
        values = values.cast(pa.int64())
    return values.to_pandas()


@dataclass(frozen=True, slots=True)
class Derived:
    """A column that no file holds, and the columns that it is made of."""

    sources: tuple[str, ...]
    compute: Callable[[View], Values]
    is_flag: bool = True
    """Whether its value tells a reader nothing."""


def misplaced(view: ListView) -> np.ndarray:
    """Say which candidates belong before the one that they follow: score down, then item id up."""
    score = view.column("score").to_numpy(zero_copy_only=False)
    item = view.column("item_id")
    follows = view.parent[1:] == view.parent[:-1]
    lower_id = pc.fill_null(pc.less(item.slice(1), item.slice(0, max(len(item) - 1, 0))), False)
    tied = (score[1:] == score[:-1]) & lower_id.to_numpy(zero_copy_only=False)
    found = np.zeros(len(view), np.int64)
    found[1:] = follows & ((score[1:] > score[:-1]) | tied)
    return found


def wins(view: View) -> np.ndarray:
    """Count the winners of each row."""
    lists = view.rows["win"]
    won = pc.fill_null(elements(lists), 0).to_numpy(zero_copy_only=False)
    total = np.concatenate([[0], np.cumsum(won, dtype=np.int64)])
    ends = np.cumsum(lengths(lists))
    return total[ends] - total[ends - lengths(lists)]


def relaxations(view: View) -> np.ndarray:
    """Add what each rule of the policy gave way."""
    return sum(pc.fill_null(view.rows[name], 0).to_numpy() for name in BY_RULE)


def is_padding(view: ListView) -> np.ndarray:
    """Say which elements lie behind the candidates that their row has."""
    kept = view.column("n_candidates").to_numpy(zero_copy_only=False)
    return (view.candidate >= kept).astype(np.int64)


def after_gap(view: View) -> np.ndarray:
    """Say which ranks do not follow the one before in their list, or are first and not 1."""
    rows = view.rows.select([*LIST_KEY, "rank"])
    order = pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in rows.column_names])
    rows = rows.take(order)
    rank = rows["rank"].to_numpy()
    goes_on = np.ones(max(len(rank) - 1, 0), bool)
    for name in LIST_KEY:
        values = rows[name].combine_chunks()
        same = pc.fill_null(pc.equal(values[1:], values[:-1]), False)
        goes_on &= same.to_numpy(zero_copy_only=False)
    before = np.zeros(len(rank), rank.dtype)
    before[1:] = np.where(goes_on, rank[:-1], 0)
    found = np.zeros(len(rank), np.int64)
    found[order.to_numpy()] = rank > before + 1
    return found


DERIVED = {
    "row": Derived((), lambda view: view.parent),
    "misplaced": Derived(("score", "item_id"), misplaced),
    "wins": Derived(("win",), wins, is_flag=False),
    "relaxations": Derived(BY_RULE, relaxations, is_flag=False),
    "is_padding": Derived(("n_candidates",), is_padding),
    "after_gap": Derived((*LIST_KEY, "rank"), after_gap),
}


def sources(name: str) -> tuple[str, ...]:
    """Return the columns of the files that a view's column is made of."""
    return DERIVED[name].sources if name in DERIVED else (name.removeprefix(LENGTH_OF),)
