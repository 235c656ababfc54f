"""Products of items' vectors, read where they stand in the table."""

import numpy as np

from model.teachers.compiled import inner

# Sums may be cut into lanes: how follows from d alone, never from the row that is read, and all
# products come out of these loops. So equal rows get equal bits and tie, as they must.
_SUMS = {"reassoc", "contract", "nsz"}


@inner(fastmath=_SUMS)
def product(table: np.ndarray, row: int, direction: np.ndarray) -> float:
    """Return the float64 product of a row [d] of the table and the first d of a direction."""
    total = 0.0
    for j in range(table.shape[1]):
        total += table[row, j] * direction[j]
    return total


@inner(fastmath=_SUMS)
def product_and_square(
    table: np.ndarray, row: int, direction: np.ndarray, u_squared: np.ndarray
) -> tuple[float, float]:
    """Return `product` and `squared_length` of a row that is read once."""
    total, square = 0.0, 0.0
    for j in range(table.shape[1]):
        e = np.float64(table[row, j])
        total += e * direction[j]
        square += e * e * u_squared[j]
    return total, square


@inner(fastmath=_SUMS)
def squared_length(table: np.ndarray, row: int, u_squared: np.ndarray) -> float:
    """Return |e * u|^2 of a row."""
    total = 0.0
    for j in range(table.shape[1]):
        total += np.float64(table[row, j]) * table[row, j] * u_squared[j]
    return total


@inner
def weigh(
    table: np.ndarray, row: int, u_squared: np.ndarray, factor: float, out: np.ndarray
) -> None:
    """Write factor * e * u * u into the first d of `out`: its product with e_i needs no e_i * u."""
    for j in range(table.shape[1]):
        out[j] = factor * u_squared[j] * table[row, j]
