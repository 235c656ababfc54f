"""What a table is: columns with meaning, type, range and shape, under the fields of a data set."""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["string", "int64", "int32", "float64", "float32", "timestamp"]
IdKind = Literal["int64", "string"]
ID_KINDS = get_args(IdKind)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it means and which values it may hold.

    `shape` is () for a scalar, (None,) for one value per candidate (ragged), (n, m) for n*m values
    stored flat in row-major order, which is the only form of a matrix that Petastorm delivers.
    `low` and `high` are inclusive; a float column never holds NaN or an infinity. Lists of one
    shape run in parallel unless they stand `apart`: a user's vector is as ragged as the candidates
    are and has nothing to do with them.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    nullable: bool = False
    shape: tuple[int | None, ...] = ()
    apart: bool = False

    @property
    def length(self) -> int | None:
        """How many values one row holds: None where ragged, 1 for a scalar."""
        size = 1
        for n in self.shape:
            if n is None:
                return None
            size *= n
        return size

    @property
    def is_list(self) -> bool:
        """Whether a row holds a list of values."""
        return self.shape != ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: its columns, the columns that identify a row, and the partition keys."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partition: tuple[str, ...] = ("dt",)
    may_be_empty: bool = False
    """Whether a partition without rows says something: that there were none."""

    def __getitem__(self, name: str) -> Column:
        """Return the column of that name; raise KeyError naming the known ones."""
        for column in self.columns:
            if column.name == name:
                return column
        known = ", ".join(self.names)
        raise KeyError(f"{self.name} has no column {name!r}; its columns are {known}")

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in declared order."""
        return tuple(column.name for column in self.columns)

    def per_candidate(self) -> tuple[Column, ...]:
        """The columns that hold one value per candidate."""
        return tuple(c for c in self.columns if c.shape == (None,) and not c.apart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The fields of one data set, as its profile names them; the tables depend on nothing else."""

    request_id: IdKind = "string"
    """Type of the requests' ids."""
    user_id: IdKind = "int64"
    """Type of the users' ids."""
    item_id: IdKind = "int64"
    """Type of the items' ids."""
    item: tuple[str, ...] = ()
    """Names of what is known of an item, such as its category and brand."""
    context: tuple[str, ...] = ()
    """Names of what is known of a request when it is made, such as its query and the user's age."""
    dense: tuple[str, ...] = ()
    """Numbers that the model is told as numbers: `score`, and columns of their own."""
    category: str = ""
    """The field of `item` that diversity is counted on; without one by reference vectors alone."""
    category_separator: str = ""
    """What stands between the values of a category of several, such as "|"."""

    @property
    def dense_columns(self) -> tuple[str, ...]:
        """The dense features that are columns of their own (`score` always is one)."""
        return tuple(name for name in self.dense if name != "score")

    @property
    def user_tokens(self) -> tuple[str, ...]:
        """The U categorical inputs that a request has: user, then context fields."""
        return ("user_id", *self.context)

    @property
    def item_tokens(self) -> tuple[str, ...]:
        """The F categorical inputs that a candidate has: item, then item fields."""
        return ("item_id", *self.item)
