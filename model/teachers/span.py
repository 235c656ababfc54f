"""The span of the latest picks as an orthonormal basis: what a pick adds, what an eviction takes.

A candidate's vector is v = [x; c] / sqrt(1 + c^2) with x = e * u at length one and c the appended
constant. Stored is [u * b; b_last * c / sqrt(1 + c^2)] of a direction b: its product with v is then
(1 / |v's length|) * (row of the table as it stands) . direction, plus its last coordinate.
"""

from typing import NamedTuple

import numpy as np

from model.teachers.compiled import inner
from model.teachers.products import product

SPANNED = 1e-10
"""Up to here a squared residual is rounding: such a pick adds no direction, and log stops here."""


class Span(NamedTuple):
    """The picks of the window, `slots` at most."""

    basis: np.ndarray  # [slots, d + 1]
    products: np.ndarray  # [slots], of the newest pick with the basis
    factor: np.ndarray  # [slots, slots], lower triangular: of all picks; only where picks leave


def span_for(slots: int, width: int, evicts: bool) -> Span:
    """Return room for the picks of a window."""
    side = slots if evicts else 0
    return Span(np.empty((slots, width + 1)), np.empty(slots), np.empty((side, side)))


@inner
def add_pick(
    span: Span,
    count: int,
    table: np.ndarray,
    row: int,
    scale: float,
    u_squared: np.ndarray,
    constant: float,
    rest: float,
) -> float:
    """Put the direction that a pick adds behind `count` others; return its length.

    `rest` is the pick's squared residual. A pick that the span already holds adds a zero direction
    of length 0.
    """
    d, new = table.shape[1], span.basis[count]
    for j in range(d):
        new[j] = scale * u_squared[j] * table[row, j]
    new[d] = constant * constant / (1.0 + constant * constant)
    for t in range(count):
        old = span.basis[t]
        shared = scale * product(table, row, old) + old[d]
        span.products[t] = shared
        for j in range(d + 1):
            new[j] -= shared * old[j]
    length = np.sqrt(rest) if rest > SPANNED else 0.0
    for j in range(d + 1):
        new[j] = new[j] / length if length else 0.0
    if len(span.factor):
        for t in range(count):
            span.factor[count, t] = span.products[t]
        span.factor[count, count] = length
    return length


@inner
def evict_exactly(span: Span, gone: np.ndarray) -> None:
    """Drop the oldest pick of a full basis; write the direction that leaves the span into `gone`.

    Row t of `factor` holds the products of pick t with the basis. Without row 0 each row reaches
    one past the diagonal. Givens rotations of neighbouring directions mend that, and what they
    leave in the last direction is in no remaining pick (Chen 2018, section 4.2).
    """
    basis, factor = span.basis, span.factor
    size = len(basis)
    for t in range(size - 1):
        along, past = factor[t + 1, t], factor[t + 1, t + 1]
        length = np.hypot(along, past)
        # A pick that the others span takes neither direction: what leaves moves on past it.
        spanned = length * length <= SPANNED
        cos, sin = (0.0, 1.0) if spanned else (along / length, past / length)
        for s in range(t + 1, size):
            x, y = factor[s, t], factor[s, t + 1]
            factor[s, t], factor[s, t + 1] = cos * x + sin * y, cos * y - sin * x
        for j in range(basis.shape[1]):
            x, y = basis[t, j], basis[t + 1, j]
            basis[t, j], basis[t + 1, j] = cos * x + sin * y, cos * y - sin * x
    for t in range(size - 1):
        for s in range(size - 1):
            factor[t, s] = factor[t + 1, s]
    for j in range(basis.shape[1]):
        gone[j] = basis[size - 1, j]


@inner
def evict_by_adding_back(span: Span, gone: np.ndarray) -> None:
    """Drop the oldest pick's own direction, though later ones were made orthogonal to it."""
    basis, factor = span.basis, span.factor
    size = len(basis)
    for j in range(basis.shape[1]):
        gone[j] = basis[0, j]
        for t in range(size - 1):
            basis[t, j] = basis[t + 1, j]
    for t in range(size - 1):
        for s in range(size - 1):
            factor[t, s] = factor[t + 1, s + 1]
