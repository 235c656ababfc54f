"""What every teacher reads and returns: ragged requests over one table of item vectors.

Letters: R requests, C candidates of all of them, I items, d vector width.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Requests:
    """A batch of ragged requests whose candidates address one table of item vectors.

    Making one checks all of it but the vectors, which `check_vectors` reads once for many batches:
    a kernel trusts what it is given, and a row outside the table would be read from wild memory.
    """

    ends: np.ndarray
    """[R] int64, where each request's candidates end."""
    row: np.ndarray
    """[C] int64, each candidate's row in the table. Rows stand in the order of the item ids, so
    the lower row wins a tie."""
    f: np.ndarray
    """[C] float64, the teacher's click probabilities."""
    table: np.ndarray
    """[I, d] float32, C-contiguous and finite: e."""
    u: np.ndarray | None
    """[R, d] float32, the users; None where a teacher does not use them."""
    category_ends: np.ndarray
    """[C] int64, where each candidate's categories end."""
    category: np.ndarray
    """[*] int64 from 0 on, the categories of the candidates, one after the other."""

    def __post_init__(self) -> None:
        """Raise ValueError that names the request and what is wrong with it."""
        for name in ("ends", "row", "category_ends", "category"):
            array = getattr(self, name)
            _require(array.dtype == np.int64 and array.ndim == 1, f"{name} is not a list of int64")
        _require(self.f.dtype == np.float64 and self.f.ndim == 1, "f is not a list of float64")
        table = self.table
        _require(table.dtype == np.float32 and table.ndim == 2, "table is not float32 of [I, d]")
        _require(table.flags.c_contiguous, "table is not C-contiguous")
        self._check_lengths()
        self._refuse("f is not finite", ~np.isfinite(self.f))
        outside = (self.row < 0) | (self.row >= len(table))
        self._refuse(f"row is outside of the table of {len(table)} items", outside)
        if self.u is not None:
            shape = (len(self.ends), table.shape[1])
            _require(self.u.shape == shape, f"u has shape {self.u.shape}, not {shape}")
            _require(self.u.dtype == np.float32, f"u is {self.u.dtype}, not float32")
            self._refuse_request("u is not finite", ~np.isfinite(self.u).all(axis=1))
        self._make_read_only()

    def _make_read_only(self) -> None:
        """Let numba see one type, whether an array was made here or mapped from a file."""
        for name in self.__slots__:
            array = getattr(self, name)
            if array is not None:
                view = np.asarray(array).view(np.ndarray)
                view.flags.writeable = False
                object.__setattr__(self, name, view)

    def _check_lengths(self) -> None:
        counts = np.diff(self.ends, prepend=0)
        self._refuse_request("it has no candidates", counts < 1)
        known = self.ends[-1] if len(self.ends) else 0
        for name in ("row", "f", "category_ends"):
            n = len(getattr(self, name))
            _require(
                n == known, f"request {len(counts) - 1}: it ends at {known}, but {name} at {n}"
            )
        self._refuse("category_ends falls", np.diff(self.category_ends, prepend=0) < 0)
        named = self.category_ends[-1] if known else 0
        n = len(self.category)
        _require(n == named, f"category_ends ends at {named}, category at {n}")
        _require(not n or self.category.min() >= 0, "category holds numbers below 0")

    def _refuse(self, what: str, bad: np.ndarray) -> None:
        """Raise for the first of the candidates that are bad."""
        if bad.any():
            first = int(np.argmax(bad))
            request = int(np.searchsorted(self.ends, first, side="right"))
            place = first - (int(self.ends[request - 1]) if request else 0)
            raise ValueError(f"request {request}: {what} at its candidate {place}")

    def _refuse_request(self, what: str, bad: np.ndarray) -> None:
        """Raise for the first of the requests that are bad."""
        if bad.any():
            raise ValueError(f"request {int(np.argmax(bad))}: {what}")


@dataclass(frozen=True, slots=True)
class Picks:
    """What a teacher picked, candidate by candidate."""

    order: np.ndarray
    """[C] int32: 1 for the first pick of a request and so on, 0 for what was not picked."""
    gain: np.ndarray
    """[C] float64: the gain at its pick; nan for what was not picked."""
    relaxed: np.ndarray | None = None
    """[R, 4] int32: how often a request's list breaks each of `rules.RULES`; None without rules."""


def check_vectors(requests: Requests) -> None:
    """Raise ValueError that names the first request with a vector that is not finite.

    It reads the whole table, so call it once a table and not once a batch.
    """
    bad = ~np.isfinite(requests.table).all(axis=1)
    requests._refuse("the item vector is not finite", bad[requests.row])


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
