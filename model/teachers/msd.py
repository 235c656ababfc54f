"""Max-sum diversification (Borodin et al.): f and the mean distance to what was picked.

    gain_i = f_i + lambda * mean over the picks j of (1 - cos(e_i, e_j))

The mean and not the sum, so that lambda means the same at every step. Distances are between the
items alone, without u; a zero vector has distance 1 from everything.
"""

from model.config import TeacherConfig
from model.teachers.lazy_greedy import pick_by
from model.teachers.novelty import MEAN, Novelty
from model.teachers.requests import Picks, Requests
from model.teachers.rules import Rules


def pick(requests: Requests, config: TeacherConfig, rules: Rules | None = None) -> Picks:
    """Pick min(K, N) candidates of each request greedily; the first is the largest f.

    Equal gains go to the higher f, then to the lower row.
    """
    novelty = Novelty(MEAN, float(config.diversity_weight))
    return pick_by(novelty, requests, config.k, interest=False, rules=rules)
