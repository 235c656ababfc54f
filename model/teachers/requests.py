"""What goes into a teacher and what comes out: a batch of ragged requests, and its picks.

Letters: R requests, C candidates of all of them, I items, d vector width.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Requests:
    """A batch of ragged requests whose candidates address one table of item vectors."""

    ends: np.ndarray
    """[R] int64, where each request's candidates end."""
    row: np.ndarray
    """[C] int64, rows of the table; they stand in item-id order, so the lower row wins a tie."""
    f: np.ndarray
    """[C] float64, click probabilities of the teacher."""
    table: np.ndarray
    """[I, d] float32, C-contiguous, finite."""
    u: np.ndarray | None
    """[R, d] float32; None where a teacher does not use it."""
    category_ends: np.ndarray
    """[C] int64, where each candidate's categories end."""
    category: np.ndarray
    """[*] int64, the categories of the candidates, one after the other."""


@dataclass(frozen=True, slots=True)
class Picks:
    """What was picked, in the order of the candidates."""

    order: np.ndarray
    """[C] int32: 1 for the first pick of a request, ...; 0 for what was not picked."""
    gain: np.ndarray
    """[C] float64: the gain at its pick; nan for what was not picked."""
