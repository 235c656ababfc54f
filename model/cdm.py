"""CDM: the click model f, and a student beside it on the same embedding tables."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from model.batch import CandidateBatch
from model.cache_blocks import serves_on_cpu
from model.dcn import DCN, Embeddings
from model.learning_config import ModelConfig
from model.runs import ALL, AtOnce, in_runs, runs
from model.students.choice import make_student
from model.students.student import Array, CandidateView

READ = AtOnce(candidates=16_384)
"""What the student reads f of at once, in a training step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What a model's weights depend on besides its configuration."""

    user_sizes: tuple[int, ...]
    """Vocabulary sizes of user and context fields."""
    item_sizes: tuple[int, ...]
    """Vocabulary sizes of the item fields."""
    dense: int
    """Dense features a candidate."""
    win_rate: float = 0.0
    """K/N, from which the student's bias starts; 0 for a base DCN, which has no student."""


class CDM(nn.Module):
    """DCN backbone with or without a student."""

    def __init__(self, shape: Shape, config: ModelConfig) -> None:
        """Make the networks; without a win rate the model is the backbone alone."""
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(list(shape.user_sizes), list(shape.item_sizes), config)
        fields = len(shape.user_sizes) + len(shape.item_sizes)
        self.backbone = DCN(fields * config.embedding_width + shape.dense, config)
        self.student = (
            make_student(config, shape.win_rate, len(shape.item_sizes)) if shape.win_rate else None
        )
        self.register_buffer("export_scale", torch.ones(()))

    @property
    def has_student(self) -> bool:
        """Whether there is more than f."""
        return self.student is not None

    def click_logits(
        self, batch: CandidateBatch, chosen: Tensor | None = None, raw: Tensor | None = None
    ) -> Tensor:
        """Return logits of f: [B, N], or [M] for the M candidates that `chosen` [B, N] marks.

        `raw` item vectors [B, N, F d_e] of all may be given where they are known.
        """
        user = self.embeddings.raw_user(batch.user_tokens)
        if chosen is None:
            item = self.embeddings.raw_item(batch.item_tokens) if raw is None else raw
            dense = batch.dense
            user = user[:, None].expand(-1, item.shape[1], -1)
        else:
            item = self.embeddings.raw_item(batch.item_tokens[chosen])
            user, dense = user[chosen.nonzero()[:, 0]], batch.dense[chosen]
        return self.backbone(torch.cat([user, item, dense], -1))

    @torch.no_grad()
    def _served_logits(self, batch: CandidateBatch) -> Tensor:
        """Return logits of f [B, N] as they would serve: the student reads them, it teaches none.

        Dropout is off, or the student would learn from another f than it is going to see.
        """
        was_training = self.backbone.training
        self.backbone.eval()
        # On a GPU all go at once; elsewhere a step's memory does not grow with N.
        width = READ.of_candidates(len(batch)) if serves_on_cpu(batch.valid) else 0
        logits = torch.cat([self.click_logits(part) for part in batch.in_runs(width)], dim=1)
        self.backbone.train(was_training)
        return logits

    def view(
        self,
        batch: CandidateBatch,
        *,
        stop_gradient: bool = False,
        logits: Tensor | None = None,
        raw: Tensor | None = None,
    ) -> CandidateView:
        """Return what the student reads of the requests.

        `stop_gradient` keeps gradients out of the shared tables; `logits` of f [B, N] and `raw`
        item vectors [B, N, F d_e] may be given where they are known.
        """

        def shared(vectors: Tensor) -> Tensor:
            return vectors.detach() if stop_gradient else vectors

        if not self.student.reads_f:
            logits = None
        elif logits is None:
            logits = self._served_logits(batch)
        return CandidateView(
            u=self.embeddings.user_map(shared(self.embeddings.raw_user(batch.user_tokens))),
            item_tokens=batch.item_tokens,
            valid=batch.valid,
            logits=logits,
            raw_item=lambda tokens: shared(self.embeddings.raw_item(tokens)),
            item_map=self.embeddings.item_map,
            raw=raw,
        )

    @torch.no_grad()
    def score(self, batch: CandidateBatch, at_once: AtOnce = ALL) -> tuple[Tensor, Tensor | None]:
        """Return f [B, N] and the student's y [B, N], or None without one; 0 in padding."""
        if self.training:
            self.eval()  # which asks every module, each time
        size, n = batch.valid.shape
        width = at_once.of_candidates(size)
        raw = self.embeddings.raw_item(batch.item_tokens)
        parts = zip(batch.in_runs(width), runs(raw, width), strict=True)
        logits = torch.cat([self.click_logits(part, raw=x) for part, x in parts], dim=1)
        f = torch.sigmoid(logits) * batch.valid
        if self.student is None:
            return f, None
        score = self.student.scoring(self.view(batch, logits=logits, raw=raw))
        width = at_once.of_pairs(size, self.student.landmarks or n)
        return f, in_runs(score, f, width) * batch.valid

    def fuse(self, f: Array, y: Array | None, gamma: float) -> Array:
        """Return the final ranking score [...] of f and y [...]; without a student it is f."""
        return f if self.student is None else self.student.fuse(f, y, gamma)

    @torch.no_grad()
    def user_vectors(self, user_tokens: Tensor) -> Tensor:
        """Return u [B, d]."""
        self.eval()
        return self.embeddings.user_vector(user_tokens)

    @torch.no_grad()
    def item_vectors(self, item_tokens: Tensor) -> Tensor:
        """Return the exported e [..., d] of items [..., F]: P_I x_i times the export scale."""
        self.eval()
        return self.embeddings.item_vector(item_tokens) * self.export_scale

    @torch.no_grad()
    def calibrate_export(self, batches: Iterable[CandidateBatch], mean_square: float) -> None:
        """Choose the export scale that makes the mean of |e_i * u|^2 over candidates `mean_square`.

        The plain dot product of Eq. 3 grows with the norms of whatever training left, until the
        sigmoid says the same of every pair. One scale for all items keeps the
        equation as it is, and its teacher comparable from day to day.
        """
        total, count = torch.zeros((), dtype=torch.float64), 0
        for batch in batches:
            e = self.embeddings.item_vector(batch.item_tokens)
            u = self.embeddings.user_vector(batch.user_tokens)
            square = ((e * u[:, None]) ** 2).sum(-1)[batch.valid]
            total, count = total + square.double().sum(), count + len(square)
        self.export_scale.fill_((mean_square * count / total.clamp_min(1e-30)).sqrt().item())
