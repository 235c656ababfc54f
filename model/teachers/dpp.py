"""Fast greedy MAP of a determinantal point process (Chen, Zhang and Zhou 2018, arXiv 1709.05135).

The kernel is L = diag(q) (S + 1e-3 I) diag(q), q_i = exp(alpha f_i), S_ij = (1 + cos_ij) / 2. With
alpha = 1 / (2 lambda), which is the paper's trade-off theta / (2 (1 - theta)) at theta =
1 / (1 + lambda),

    lambda log det L_R = sum of f over R + lambda log det (S + 1e-3 I)_R,

so that a gain is f_i + lambda log r_i, with r_i the squared residual of i against the picks: the
difference of lambda log det L, in float64 and free of overflow for any lambda. lambda = 0 is top-K
by f.

Without the constant in S and the 1e-3 the determinant would vanish after d picks. With them r_i
stays at 1e-3 or above, and once all that is left lies in the span, f decides.
"""

from model.config import TeacherConfig
from model.teachers.lazy_greedy import pick_by
from model.teachers.novelty import LOG, Novelty
from model.teachers.requests import Picks, Requests
from model.teachers.rules import Rules

CONSTANT = 1.0
JITTER = 1e-3


def pick(requests: Requests, config: TeacherConfig, rules: Rules | None = None) -> Picks:
    """Pick by the greedy log-determinant; `config.window` latest picks repel (0: all).

    Chen's sliding window counts the new item too, so that his w is `config.window` + 1.
    """
    novelty = Novelty(
        LOG,
        float(config.diversity_weight),
        constant=CONSTANT,
        jitter=JITTER,
        window=config.window,
    )
    return pick_by(novelty, requests, config.k, interest=config.interest, rules=rules)
