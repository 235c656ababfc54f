"""What lists are worth and what they score, counted slowly and from nothing of ours."""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np


def worths(truth: dict, category: dict[int, str], k: int) -> Iterator[float]:
    """The value of every list that could be the best: so many of each category, its best ones.

    Inside a category a better p first is never worse, and the examination falls, so the value of a
    choice of counts is that of its worths in falling order. Every choice of counts is tried.
    """
    groups: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for item, p, wear in zip(truth["item_id"], truth["p"], truth["wear"], strict=True):
        groups[category[item]].append((p, wear))
    ladders = []
    for members in groups.values():
        members.sort(reverse=True)
        ladders.append([p * wear**n for n, (p, wear) in enumerate(members[:k])])

    def choose(ladders: list[list[float]], left: int) -> Iterator[list[float]]:
        if not ladders:
            if left == 0:
                yield []
            return
        for count in range(min(left, len(ladders[0])) + 1):
            for rest in choose(ladders[1:], left - count):
                yield ladders[0][:count] + rest

    for chosen in choose(ladders, min(k, len(truth["p"]))):
        yield sum(v * w for v, w in zip(truth["examination"], sorted(chosen)[::-1], strict=False))


def worth(items: list[int], truth: dict, category: dict[int, str]) -> float:
    """V of a list: v_r * p * wear ** (how many of its category stood before)."""
    p = dict(zip(truth["item_id"], truth["p"], strict=True))
    wear = dict(zip(truth["item_id"], truth["wear"], strict=True))
    total, shown = 0.0, defaultdict(int)
    for place, item in enumerate(items):
        total += truth["examination"][place] * p[item] * wear[item] ** shown[category[item]]
        shown[category[item]] += 1
    return total


def by_hand(items: list[int], clicked: set[int], category, vector, k: int) -> dict[str, float]:
    items = items[:k]
    found: dict[str, float] = {}
    if clicked:
        hits = [rank for rank, item in enumerate(items, start=1) if item in clicked]
        found["recall"] = len(hits) / len(clicked)
        found["mrr"] = 1 / hits[0] if hits else 0.0
        ideal = sum(1 / math.log2(r + 1) for r in range(1, min(k, len(clicked)) + 1))
        found["ndcg"] = sum(1 / math.log2(rank + 1) for rank in hits) / ideal
    pairs = list(itertools.combinations(items, 2))
    found["ilad_category"] = sum(category[a] != category[b] for a, b in pairs) / len(pairs)
    cosines = [
        np.dot(vector[a], vector[b]) / np.linalg.norm(vector[a]) / np.linalg.norm(vector[b])
        for a, b in pairs
    ]
    found["ilad_reference"] = 1 - sum(cosines) / len(pairs)
    found["distinct_categories"] = len({category[item] for item in items})
    return found
