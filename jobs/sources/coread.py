"""Item vectors from who read what: two items are alike where the same users read both.

They serve as the reference that ILAD is measured with. They are made of the whole source, later
days included, and so must never reach a model; every day gets the same ones.
"""

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import LinearOperator, eigsh

WIDTH = 32


def coread_vectors(users: np.ndarray, read: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Return [len(items), WIDTH] float32, zero where an item was never read.

    Rows of the user x item matrix are tf-idf weighted and scaled to length 1, so that neither
    popular items nor heavy readers decide; an item's vector is its column in the space of the
    leading left singular vectors.
    """
    user_ids, user = np.unique(users, return_inverse=True)
    item_ids, item = np.unique(read, return_inverse=True)
    counts = csr_matrix((np.ones(len(user)), (user, item)), (len(user_ids), len(item_ids)))
    counts.data[:] = 1.0
    readers = np.asarray(counts.sum(axis=0)).ravel()
    # 1 + U in the numerator keeps the weight of an item that everybody read above 0.
    weighted = counts @ diags(np.log((1 + len(user_ids)) / readers))
    norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    weighted = diags(1 / norms) @ weighted
    vectors = np.zeros((len(item_ids) + 1, WIDTH), np.float32)
    width = min(WIDTH, min(weighted.shape) - 1)
    if width >= 1:
        left = leading_left(weighted, width)
        largest = left[np.abs(left).argmax(axis=0), np.arange(width)]
        vectors[:-1, :width] = weighted.T @ (left * np.sign(largest))
    place = np.minimum(np.searchsorted(item_ids, items), max(len(item_ids) - 1, 0))
    is_read = item_ids[place] == items if len(item_ids) else np.zeros(len(items), bool)
    return vectors[np.where(is_read, place, -1)]


def leading_left(matrix: csr_matrix, width: int) -> np.ndarray:
    """Return the leading left singular vectors [rows, width], the largest first.

    By the eigenvectors of the smaller Gram matrix, since svds cannot be seeded where it restarts.
    """
    is_wide = matrix.shape[0] <= matrix.shape[1]
    one = matrix if is_wide else matrix.T
    n = one.shape[0]
    gram = LinearOperator((n, n), matvec=lambda x: one @ (one.T @ x), dtype=np.float64)
    size, vectors = eigsh(gram, k=width, v0=np.ones(n), rng=0)
    order = np.argsort(-size, kind="stable")
    vectors = vectors[:, order]
    if is_wide:
        return vectors
    length = np.sqrt(np.maximum(size[order], np.finfo(np.float64).tiny))
    return matrix @ vectors / length
