"""Category decay as one sort: rank by f_i * delta ** n_i.

n_i counts the candidates of i's category with a better f. Where every item has one category, that
is the greedy list of `model.teachers.category_decay`, for inside of a category its gains fall in
the order of f. With several categories an item, n_i is the largest of their counts, and then it is
not the greedy list any more: the greedy counts what it has picked, which a better f does not
ensure, and this counts every better candidate.
"""

import torch
from torch import Tensor

from model.rankers.better import best_first, of, run_starts


def category_decay(f: Tensor, category: Tensor, valid: Tensor, delta: float) -> Tensor:
    """Return final scores [B, N] in the type of f, -inf in padding.

    `f` and `valid` are [B, N]; `category` [B, N, G] holds the codes of an item's categories, each
    once, and 0 where it has no more. Equal f count as they come; equal scores are left so, to be
    ordered by f and then as they come. Two sorts, O(N G log(N G)).
    """
    worn = earlier_of_category(best_first(f, f, valid), category)
    # By a table, for equal n are to leave equal bits.
    left = delta ** torch.arange(f.shape[1], dtype=f.dtype)
    return (f * left[worn * valid]).masked_fill(~valid, -torch.inf)


def earlier_of_category(order: Tensor, category: Tensor) -> Tensor:
    """Return n [B, N] int64: how many of a category come before in `order` [B, N], padding last."""
    codes = of(category, order).flatten(1)  # [B, N G], best first
    # Equal codes side by side, each run best first: a member's place in its run is its count.
    by_code = codes.argsort(dim=1, stable=True)
    runs = codes.gather(1, by_code)
    index = torch.arange(runs.shape[1], device=runs.device)
    count = (index - run_starts(runs)) * (runs > 0)
    count = torch.zeros_like(count).scatter(1, by_code, count)
    most = count.view(category.shape).amax(-1)
    return torch.zeros_like(most).scatter(1, order, most)
