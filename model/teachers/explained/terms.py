"""What an explanation is made of: one request, what its candidates add, and which pick is nearest.

Letters: N candidates of one request, d vector width, j an earlier pick.
"""

from dataclasses import dataclass

import numpy as np

from model.teachers.requests import Requests


@dataclass(frozen=True, slots=True)
class Terms:
    """What each candidate of a request adds after some picks."""

    gain: np.ndarray
    """[N] float64."""
    parts: dict[str, np.ndarray]
    """[N] each, what the gain is made of beside f, by the names of `formula`; nan for none."""
    nearest: np.ndarray | None = None
    """[N] int64, the most similar of what a candidate is compared with, as an index of a candidate;
    -1 for none. None where the teacher compares no pairs."""


@dataclass(frozen=True, slots=True)
class OneRequest:
    """One request as a float64 reference reads it: C categories."""

    f: np.ndarray
    """[N]."""
    row: np.ndarray
    """[N], which breaks ties."""
    e: np.ndarray
    """[N, d]."""
    e_u: np.ndarray | None
    """[N, d], e * u; None where the request has no u."""
    member: np.ndarray
    """[N, C], 1 / m for each of an item's m categories."""

    @classmethod
    def of(cls, requests: Requests) -> "OneRequest":
        """Return the request of a batch of one; raise ValueError for another batch."""
        if len(requests.ends) != 1:
            raise ValueError(f"one request is explained at a time, not {len(requests.ends)}")
        e, u = requests.table[requests.row].astype(np.float64), requests.u
        count = np.diff(requests.category_ends, prepend=0)
        member = np.zeros((len(e), requests.category.max(initial=-1) + 1))
        member[np.repeat(np.arange(len(e)), count), requests.category] = 1.0
        return cls(
            requests.f,
            requests.row,
            e,
            None if u is None else e * u[0].astype(np.float64),
            member / np.maximum(member.sum(axis=1, keepdims=True), 1.0),
        )

    @property
    def as_seen(self) -> np.ndarray:
        """The vectors e * u; raises ValueError without u."""
        if self.e_u is None:
            raise ValueError("this teacher compares items by e * u, and the request has no u")
        return self.e_u


def cosine(vectors: np.ndarray) -> np.ndarray:
    """Return cos [N, N]; 0 of a zero vector with everything."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return unit @ unit.T


def most_similar(similarity: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest similarity [N] to what `among` [N, N] marks, nan for none; and to which.

    Of equals it names the first, and -1 for none.
    """
    compared = np.where(among, similarity, -np.inf)
    nearest = np.where(among.any(axis=1), compared.argmax(axis=1), -1)
    return np.where(nearest >= 0, compared.max(axis=1), np.nan), nearest


def to_picks(similarity: np.ndarray, picked: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest similarity [N] to earlier picks, nan for none; and to which, or -1."""
    among = np.zeros(similarity.shape, np.bool_)
    among[:, picked] = True
    return most_similar(similarity, among)
