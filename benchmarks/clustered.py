"""Requests to time teachers on: clustered as a retrieval stage leaves them."""

import numpy as np

from model.teachers.requests import Requests


def clustered(n: int, d: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return f [N], about 0.1 on average, and e [N, d] of one request.

    N / 15 categories (20 at least) of Zipf(0.8) sizes; |e| about 1.8, 2.3 the product of two e of
    one category; f follows the user's affinity to the category.
    """
    count = max(20, n // 15)
    share = np.arange(1, count + 1) ** -0.8
    category = rng.choice(count, n, p=share / share.sum())
    centre = rng.normal(size=(count, d))
    centre *= np.sqrt(2.3) / np.linalg.norm(centre, axis=1, keepdims=True)
    e = centre[category] + rng.normal(size=(n, d)) * np.sqrt((1.8**2 - 2.3) / d)
    affinity = rng.normal(size=count)[category]
    f = 1 / (1 + np.exp(2.6 - 0.9 * affinity - 0.7 * rng.normal(size=n)))
    return f, e.astype(np.float32)


def batch(n: int, d: int, requests: int) -> Requests:
    """Return clustered requests over a table of their own."""
    rng = np.random.default_rng(n + d)
    f, e = zip(*(clustered(n, d, rng) for _ in range(requests)), strict=True)
    total = n * requests
    return Requests(
        ends=np.arange(1, requests + 1) * n,
        row=np.arange(total),
        f=np.concatenate(f),
        table=np.concatenate(e),
        u=rng.normal(size=(requests, d)).astype(np.float32),
        category_ends=np.zeros(total, np.int64),
        category=np.zeros(0, np.int64),
    )
