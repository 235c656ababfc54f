"""The better-context student: a target against the candidates of a higher f, and only these.

    w_ij = kappa cos(W_1 e_i, W_1 e_j) + alpha clip(l_j - l_i)     j better-scored, l the logit of f
    C_i  = sum_j softmax_j(w_ij) e_j, with one null slot of value 0, for who has nobody above
    y    = sigmoid(MLP[e, C, e * C, logsumexp w, max cos, redundancy, l])

redundancy_i = max_j cos(e_i * u, e_j * u), what MMR asks of an item. The cosine, because vectors
are scaled for export once training is over. It learns the teacher's picks and reads all that f
shares with it detached: f trains as a DCN alone. There is no dropout, which would draw from the
stream of f's.
"""

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from model.batch import CandidateBatch
from model.learning_config import ModelConfig, TrainingConfig
from model.losses import distillation_loss, sample_targets
from model.rankers.better import best_first, better, of
from model.relaxed_top_k import MASKED
from model.students.student import CandidateView, Student, named_alone

FAR = 5.0
"""Where l_j - l_i is clipped: odds of 150 to one are as far as any."""
NOBODY = -1.0
"""The greatest cosine with nobody: the least there is."""


class BetterContext(Student):
    """Attention over better-scored candidates, and an MLP."""

    def __init__(self, config: ModelConfig, win_rate: float) -> None:
        """Make the networks; `win_rate` is K/N, from which the bias starts."""
        super().__init__()
        d = config.width
        self.landmarks = self.most_selected = config.landmarks
        self.compare = nn.Linear(d, d, bias=False)
        self.kappa = nn.Parameter(torch.tensor(4.0))
        self.alpha = nn.Parameter(torch.tensor(1.0))
        self.null = nn.Parameter(torch.tensor(0.0))
        self.head = nn.Sequential(nn.Linear(3 * d + 4, d), nn.ReLU(), nn.Linear(d, 1))
        nn.init.constant_(self.head[-1].bias, math.log(win_rate / (1 - win_rate)))

    def win_logits(self, view: CandidateView, targets: Tensor) -> Tensor:
        """Return logits [B, T] of y of the targets [B, T]."""
        order = best_first(view.logits, view.logits, view.valid)
        who, before = better(order, self.landmarks, targets)
        view, targets, who = named_alone(view, targets, who)
        e, l = of(view.e, targets), of(view.logits, targets)  # noqa: E741 - l as in METHODS
        compared = F.normalize(self.compare(view.e), dim=-1)
        alike = of(compared, targets) @ of(compared, who).transpose(1, 2)
        lead = (of(view.logits, who)[:, None] - l[..., None]).clamp(-FAR, FAR)
        weight = (self.kappa * alike + self.alpha * lead).masked_fill(~before, MASKED)
        weight = torch.cat([weight, self.null.expand_as(l)[..., None]], dim=-1)
        context = torch.softmax(weight, dim=-1)[..., :-1] @ of(view.e, who)
        seen = F.normalize(view.e * view.u[:, None], dim=-1)
        redundancy = of(seen, targets) @ of(seen, who).transpose(1, 2)
        numbers = [weight.logsumexp(-1), _most(alike, before), _most(redundancy, before), l]
        inputs = torch.cat([e, context, e * context, torch.stack(numbers, dim=-1)], dim=-1)
        return self.head(inputs).squeeze(-1)

    def losses(
        self,
        view: CandidateView,
        batch: CandidateBatch,
        config: TrainingConfig,
        generator: Generator,
        tau: float,
    ) -> tuple[Tensor, Tensor]:
        """Return distillation loss (Eq. 18), and 0: there is one context and no contrast."""
        count = config.targets if self.training else 0
        targets, weight = sample_targets(batch.win, batch.valid, count, generator)
        win = batch.win.gather(1, targets)
        loss = distillation_loss(self.win_logits(view.detached(), targets), win, weight)
        return loss, loss.new_zeros(())

    def score(self, view: CandidateView, targets: Tensor) -> Tensor:
        """Return y [B, T]."""
        return torch.sigmoid(self.win_logits(view, targets))


def _most(cosine: Tensor, before: Tensor) -> Tensor:
    """Return the greatest of those before [B, T], of cosines [B, T, M]."""
    return F.pad(cosine.masked_fill(~before, NOBODY), (0, 1), value=NOBODY).amax(-1)
