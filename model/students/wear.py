"""The wear student: how repetition wears, learned from the pages that users saw; no teacher.

    P(click at place r) = s * v_r * f_i * exp(-w_ui * n_i)      n_i = likeness to what stood above
    w_ui = softplus(b_0 + b_1 logit f_i + MLP[u, e_i])

`likeness` is that of `model.students.repeats`, its shares a >= 0 with the sum 1, for w has the
scale. s * v_r is examination, free at each place but for v_1 = 1 >= v_r. What f shares is read
detached: f trains as a DCN alone. There is no dropout, which would draw from the stream of f's.
Serving counts n over the candidates of a higher f, and y = exp(-w n) is what they leave of f.
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from model.batch import CandidateBatch
from model.learning_config import ModelConfig, TrainingConfig
from model.rankers.better import best_first, of
from model.students.repeats import likeness, repeats
from model.students.student import Array, CandidateView, Student

PLACES = 64
"""Places with an examination of their own; those below share the last."""
SURE = -1e-6
"""The largest log P of which 1 - P is told."""


class Wear(Student):
    """Shares of likeness, a rate of wear by user and item, and examination by place."""

    formula = "f * y_stu^{gamma:g}"

    def __init__(self, config: ModelConfig, item_fields: int) -> None:
        """Make the parameters: equal shares, wear .1 for everybody, examination nearly even."""
        super().__init__()
        d = config.width
        self.landmarks = self.most_selected = config.landmarks
        self.raw_share = nn.Parameter(torch.zeros(item_fields + 1))
        self.base = nn.Parameter(torch.tensor(-2.25))
        self.by_logit = nn.Parameter(torch.tensor(0.0))
        self.by_taste = nn.Sequential(nn.Linear(2 * d, d), nn.ReLU(), nn.Linear(d, 1, bias=False))
        nn.init.zeros_(self.by_taste[-1].weight)
        self.log_scale = nn.Parameter(torch.tensor(0.0))
        self.raw_examination = nn.Parameter(torch.full((PLACES - 1,), -2.0))

    @property
    def share(self) -> Tensor:
        """Return a [F + 1], the item fields and then the cosine."""
        positive = F.softplus(self.raw_share)
        return positive / positive.sum()

    @property
    def log_examination(self) -> Tensor:
        """Return log v_r [PLACES] of the places from 1."""
        return F.pad(-F.softplus(self.raw_examination), (1, 0))

    def rate(self, e: Tensor, u: Tensor, logits: Tensor) -> Tensor:
        """Return w [B, T] of candidates with e [B, T, d] and logits of f [B, T]."""
        taste = self.by_taste(torch.cat([u[:, None].expand_as(e), e], dim=-1)).squeeze(-1)
        return F.softplus(self.base + self.by_logit * logits + taste)

    def losses(
        self,
        view: CandidateView,
        batch: CandidateBatch,
        config: TrainingConfig,
        generator: Generator,
        tau: float,
    ) -> tuple[Tensor, Tensor]:
        """Return BCE of the clicks on the pages that were shown, and 0: there is no contrast."""
        view = view.detached()
        who, place, shown = pages(batch, view.logits)
        page = view.of(who)
        e, tokens, logits = page.e, page.item_tokens, page.logits
        above = e.new_ones(who.shape[1], who.shape[1]).tril(-1)
        n = (likeness(tokens, e, tokens, e, self.share) * above).sum(-1)
        log_v = self.log_scale + self.log_examination[place.clamp_max(PLACES) - 1]
        log_p = log_v + F.logsigmoid(logits) - self.rate(e, view.u, logits) * n
        # A product of free factors may exceed 1, where no click has a likelihood.
        log_p = log_p.clamp_max(SURE)
        label = of(batch.label, who)
        each = label * log_p + (1 - label) * torch.log(-torch.expm1(log_p))
        loss = -(each * shown).sum() / shown.sum().clamp_min(1)
        return loss, loss.new_zeros(())

    def score(self, view: CandidateView, targets: Tensor) -> Tensor:
        """Return y = exp(-w n) [B, T], which is 1 where nothing better is alike."""
        asked = view.logits, view.item_tokens, view.e, view.valid, self.share
        n = repeats(*asked, targets, self.landmarks)
        return torch.exp(-self.rate(of(view.e, targets), view.u, of(view.logits, targets)) * n)

    @staticmethod
    def fuse(f: Array, y: Array, gamma: float) -> Array:
        """Return f * y^gamma [...]: at gamma = 1 the click model of a worn user, at 0 f."""
        return f * y**gamma


def pages(batch: CandidateBatch, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return who stood on each page [B, P], at which place from 1, and which of these P there are.

    A page is the exposed candidates by shown rank. Where a request knows no rank it is all that
    are exposed, by f; where it knows some, those without one are left out.
    """
    on_page, place = batch.exposed, torch.zeros_like(batch.exposed, dtype=torch.int64)
    if batch.shown_rank is not None:
        ranked = on_page & (batch.shown_rank > 0)
        on_page = torch.where(ranked.any(1, keepdim=True), ranked, on_page)
        place = batch.shown_rank * ranked
    order = best_first(-place.to(logits.dtype), logits, on_page)
    count = on_page.sum(1)
    who = order[:, : int(count.max())]
    index = torch.arange(who.shape[1], device=who.device).expand_as(who)
    place = place.gather(1, who)
    return who, torch.where(place > 0, place, index + 1), index < count[:, None]
