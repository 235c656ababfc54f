"""IPW as the paper has it: clicks weigh more in categories that a user seldom meets (METHODS B.4).

p_u(c) = (n_uc + a) / (sum n_uc' + a C), a = 1, n_uc the user's exposures on the training days; a
click weighs min(p_u(c)^-1/2, 10), all clicks together what they weighed before.
"""

import numpy as np

from jobs.study.arena import Requests

SMOOTHING, POWER, MOST = 1.0, 0.5, 10.0


def click_weights(requests: Requests) -> np.ndarray:
    """Return the weight of each candidate's click loss [C] float32; 1 where it was not clicked.

    A candidate of several categories has the propensity of the one met most often, and one of none
    the propensity 1.
    """
    user = np.repeat(requests.encoded.user_tokens[:, 0], requests.encoded.lengths)
    names = len(requests.categories.names)
    owned = np.diff(requests.categories.ends, prepend=0)
    candidate = np.repeat(np.arange(len(owned)), owned)
    pair = user[candidate].astype(np.int64) * names + requests.categories.code
    shown = requests.exposed[candidate] > 0
    count = np.bincount(pair[shown], minlength=(int(user.max()) + 1) * names).astype(np.float64)
    total = count.reshape(-1, names).sum(axis=1)
    chance = (count[pair] + SMOOTHING) / (total[user[candidate]] + SMOOTHING * names)
    most = np.zeros(len(owned))
    np.maximum.at(most, candidate, chance)
    weight = np.minimum(np.where(owned > 0, most, 1.0) ** -POWER, MOST)
    clicked = (requests.label > 0) & (requests.exposed > 0)
    weight = np.where(clicked, weight / weight[clicked].mean(), 1.0)
    return weight.astype(np.float32)
