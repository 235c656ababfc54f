"""Maximal marginal relevance, interest-aware (Eq. 1-4) or classic and of the items alone.

    mmr       gain_i = f_i + lambda * sigmoid(-max_j s_ij),  s_ij = (e_i * u)(e_j * u)
    mmr_item  gain_i = f_i + lambda * (1 - max_j cos(e_i, e_j))  (Carbonell and Goldstein 1998)

Both over the picks j so far; the first pick is the largest f, and its gain is f. With a cosine
scale kappa > 0 s_ij is kappa * cos of the same two vectors. The trade-off theta of the classic form
theta * f - (1 - theta) * max cos is 1 / (1 + lambda). A zero vector has the cosine 0 with all.
"""

from model.config import TeacherConfig
from model.teachers.lazy_greedy import pick_by
from model.teachers.novelty import COSINE, SIGMOID, Novelty
from model.teachers.requests import Picks, Requests
from model.teachers.rules import Rules


def pick(requests: Requests, config: TeacherConfig, rules: Rules | None = None) -> Picks:
    """Pick min(K, N) candidates of each request greedily.

    Equal gains go to the higher f, then to the lower row.
    """
    item, weight = config.name == "mmr_item", float(config.diversity_weight)
    if not item and requests.u is None:
        raise ValueError("teacher.name = 'mmr' needs the users' vectors u")
    novelty = Novelty(COSINE, weight) if item else Novelty(SIGMOID, weight, config.cosine_scale)
    return pick_by(novelty, requests, config.k, interest=not item, rules=rules)
