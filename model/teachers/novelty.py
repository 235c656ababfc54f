"""What is new in a candidate beside the picks before it: the forms of novelty of five teachers.

A pick adds a direction, an eviction from a window another one. What the picks leave of a candidate
is one number, its state, which each direction changes by way of its product x with the candidate:

    form     state                                 gain - f, times the weight
    SIGMOID  max of x = s or kappa * cos           sigmoid(-state)
    COSINE   max of x = cos                        1 - state
    MEAN     sum of x = cos                        1 - state / picks
    LOG      squared residual, less x^2            log state
    LENGTH   squared residual, less x^2            sqrt state

For LOG and LENGTH a candidate's vector is v = [e * u at length one; c] / sqrt(1 + c^2): a constant
c lifts the rank to d + 1, and opposite vectors are not taken for copies. Its residual depends on
the span of the window's picks alone, so each direction of an orthonormal basis takes x^2 away and
an eviction gives one direction's back, without an N x K matrix. A zero vector has the cosine 0 with
all, and a residual as if it had a dimension of its own; a jitter gives all such a dimension.
"""

from math import exp, inf, log, sqrt
from typing import NamedTuple

from model.teachers.compiled import compiled, inner
from model.teachers.span import SPANNED

SIGMOID, COSINE, MEAN, LOG, LENGTH = range(5)
"""The forms of novelty."""


class Novelty(NamedTuple):
    """What is new in a candidate, and how much it counts."""

    form: int
    weight: float
    """Of novelty against f."""
    scale: float = 1.0
    """kappa of SIGMOID's cosines; 0 takes plain products."""
    constant: float = 0.0
    """c, the coordinate that is appended to vectors of length one."""
    jitter: float = 0.0
    """Added to the squared length of every vector, in a dimension of its own."""
    window: int = 0
    """How many of the latest picks a residual is taken against; 0 is all."""
    volume: bool = False
    """Whether novelty is multiplied by the lengths of the picks' residuals in the window."""
    add_back: bool = False
    """Whether an eviction adds the oldest pick's own direction back (approximate)."""


@compiled
def diversity(max_similarity: float) -> float:
    """Return Div = 1 - sigmoid(max s) as sigmoid(-max s), which keeps its tail (Eq. 3)."""
    # Past 700 float64 has no room for e^s; that far out all are equally alike.
    return 1.0 / (1.0 + exp(min(max_similarity, 700.0)))


@inner
def gain_of(form: int, weight: float, f: float, state: float, picks: int) -> float:
    """Return the gain of a candidate after so many picks."""
    if form == SIGMOID:
        return f + weight * diversity(state)
    if form == COSINE:
        return f + weight * (1.0 - state)
    if form == MEAN:
        return f + weight * (1.0 - state / picks)
    if form == LOG:
        return f + weight * log(max(state, SPANNED))
    return f + weight * sqrt(max(state, 0.0))


@inner
def state_of_the_new(novelty: Novelty) -> float:
    """Return the state of what is as unlike the picks as can be."""
    if novelty.form == SIGMOID:
        return -novelty.scale if novelty.scale > 0.0 else -inf
    if novelty.form == COSINE:
        return -1.0
    return 0.0 if novelty.form == MEAN else 1.0 + novelty.jitter


@inner
def ceiling_of(novelty: Novelty, weight: float) -> float:
    """Return what novelty adds to f at most."""
    if novelty.form == MEAN:
        return 2.0 * weight
    return gain_of(novelty.form, weight, 0.0, state_of_the_new(novelty), 1)


@inner
def per_length_of(novelty: Novelty, square: float) -> float:
    """Return what turns a product into x, given the candidate's squared length."""
    if novelty.form == SIGMOID and novelty.scale == 0.0:
        return 1.0
    square *= 1.0 + novelty.constant**2
    return 1.0 / sqrt(square) if square > 0.0 else 0.0
