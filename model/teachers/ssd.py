"""Sliding spectrum decomposition, greedy by Gram-Schmidt (Huang et al. 2021, arXiv 2107.05204).

A gain is f_i + gamma P |rho_i|: rho_i is what is left of i's vector (length one, a constant
coordinate appended as in section 5.3) after projecting out the picks of the window, P the volume
that those picks span, or 1 (SSD*, Eq. 12) without `config.volume`. P is at most 1 and falls with
each pick, and diversity with it: leave it out where K is large.

When a pick leaves the window, its part of the volume is rotated out and residuals are those of an
exact projection on the rest, at the price of one more product a candidate. `config.add_back` gives
instead the cheaper-looking update of the paper's algorithm, which adds the oldest direction back
although later ones were made orthogonal to it: the same for the first window + 1 picks, then an
approximation.
"""

from model.config import TeacherConfig
from model.teachers.lazy_greedy import pick_by
from model.teachers.novelty import LENGTH, Novelty
from model.teachers.requests import Picks, Requests
from model.teachers.rules import Rules

CONSTANT = 1.0


def pick(requests: Requests, config: TeacherConfig, rules: Rules | None = None) -> Picks:
    """Pick by f plus `diversity_weight` (gamma) times the novelty against the window's picks."""
    novelty = Novelty(
        LENGTH,
        float(config.diversity_weight),
        constant=CONSTANT,
        window=config.window,
        volume=config.volume,
        add_back=config.add_back,
    )
    return pick_by(novelty, requests, config.k, interest=config.interest, rules=rules)
