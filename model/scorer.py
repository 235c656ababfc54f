"""What serves: the final scores of a request's candidates, as one module that can be exported.

    tokens, dense, valid, category -> f, y, final        final by the `ranker` that is configured:

    dcn             f
    student         f and y, as the student fuses them: f + gamma y, or f y^gamma for wear
    one_pass        f_i + lambda sigmoid(-max s_ij) over the M best before i, on e and u as exported
    category_decay  f_i delta^(better candidates of i's category)

An exported program runs any number of requests and candidates. It is not written to disk: reading
one back (torch.export.load of torch 2.13) unpickles whatever the file says is pickled, and no file
of ours may be able to do that. Letters: B requests, N candidates, U and F fields, D dense features,
G categories an item at most.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from model.batch import CandidateBatch
from model.cdm import CDM
from model.config import RankingConfig
from model.rankers.category_decay import category_decay
from model.rankers.one_pass import one_pass_mmr
from model.runs import ALL, AtOnce


class Scored(NamedTuple):
    """The scores of requests, all [B, N]."""

    f: Tensor
    """Click probabilities, float32; 0 in padding."""
    y: Tensor | None
    """What the student says, float32; 0 in padding. None without a student."""
    final: Tensor
    """What is ranked by, float64; -inf in padding."""


class Scorer(nn.Module):
    """A model under a ranker."""

    def __init__(self, model: CDM, config: RankingConfig, at_once: AtOnce = ALL) -> None:
        """Take the model, the ranker with its parameters, and what may be held at once."""
        super().__init__()
        self.model, self.config, self.at_once = model.eval(), config, at_once

    @property
    def formula(self) -> str:
        """What the final score is, in symbols."""
        config, student = self.config, self.model.student
        match config.ranker:
            case "student" if student is not None:
                return student.formula.format(gamma=config.gamma)
            case "one_pass":
                return f"one-pass MMR, lambda = {config.mmr_weight:g}"
            case "category_decay":
                return f"f * {config.decay:g}^n, n better ones of the category"
        return "f" if student is not None else "f, a base DCN without a student"

    @torch.no_grad()
    def forward(
        self,
        user_tokens: Tensor,
        item_tokens: Tensor,
        dense: Tensor,
        valid: Tensor,
        category: Tensor,
    ) -> Scored:
        """Score user_tokens [B, U], item_tokens [B, N, F], dense [B, N, D] and valid [B, N].

        `category` [B, N, G] int64 holds the codes of each item's categories, each once, then 0;
        category_decay alone reads it, and G may be 0 for others. Without a student the ranker
        student is dcn.
        """
        batch = CandidateBatch(user_tokens, item_tokens, dense, valid)
        f, y = self.model.score(batch, self.at_once)
        final = self._final(f.double(), None if y is None else y.double(), batch, category)
        return Scored(f, y, final.masked_fill(~valid, -torch.inf))

    def _final(
        self, f: Tensor, y: Tensor | None, batch: CandidateBatch, category: Tensor
    ) -> Tensor:
        config = self.config
        match config.ranker:
            case "student":
                return self.model.fuse(f, y, config.gamma)
            case "one_pass":
                return one_pass_mmr(
                    f,
                    self.model.item_vectors(batch.item_tokens),
                    self.model.user_vectors(batch.user_tokens),
                    batch.valid,
                    config.mmr_weight,
                    config.mmr_cosine_scale,
                    config.context,
                    config.rounds,
                    self.at_once,
                )
            case "category_decay":
                return category_decay(f, category, batch.valid, config.decay)
        return f


class _Roomy(nn.Module):
    """A scorer whose requests have more candidates than any top k and context asks for.

    How many there are then changes no step of the program, and padding changes no score.
    """

    def __init__(self, scorer: Scorer) -> None:
        super().__init__()
        self.scorer = scorer
        student, config = scorer.model.student, scorer.config
        context = config.context if config.ranker == "one_pass" else 0
        self.room = max(context, student.most_selected if student else 0)

    def forward(
        self,
        user_tokens: Tensor,
        item_tokens: Tensor,
        dense: Tensor,
        valid: Tensor,
        category: Tensor,
    ) -> Scored:
        n, per_item = valid.shape[1], (0, 0, 0, self.room)
        found = self.scorer(
            user_tokens,
            F.pad(item_tokens, per_item),
            F.pad(dense, per_item),
            F.pad(valid, (0, self.room)),
            F.pad(category, per_item),
        )
        return Scored(*(None if score is None else score[:, :n] for score in found))


def export(scorer: Scorer, example: tuple[Tensor, ...]) -> ExportedProgram:
    """Return the scorer as a program for any B >= 1 and N >= 1.

    `example` is what `forward` takes, of at least two requests with two candidates: torch takes a
    size of 1 for a constant.
    """
    b, n = Dim("requests", min=1), Dim("candidates", min=1)
    sizes = ({0: b}, *({0: b, 1: n} for _ in example[1:]))
    return torch.export.export(_Roomy(scorer), example, dynamic_shapes=sizes)
