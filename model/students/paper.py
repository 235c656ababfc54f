"""The paper's student: a target against its contexts says whether the teacher picks it (Eq. 17)."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from model.alone_encoder import AloneEncoder
from model.attention import Contexts
from model.batch import CandidateBatch
from model.cache_blocks import serves_on_cpu
from model.context_encoder import ContextEncoder
from model.landmarks import choose_landmarks
from model.learning_config import ModelConfig, TrainingConfig
from model.losses import contrastive_loss, distillation_loss, sample_targets
from model.plain_encoder import PlainEncoder
from model.students.served import FoldedMaps, ServedContexts
from model.students.student import CandidateView, Student, named_alone

ENCODERS = {"contrastive": ContextEncoder, "attention": PlainEncoder, "alone": AloneEncoder}


class PaperStudent(Student):
    """Encoder and bias; its losses are those of Eq. 14 and 18."""

    def __init__(self, config: ModelConfig, win_rate: float) -> None:
        """Make the networks; `win_rate` is K/N, from which the bias starts."""
        super().__init__()
        self.encoder = ENCODERS[config.encoder](config)
        self.score_feature, self.landmarks = config.score_feature, config.landmarks
        self.most_selected = max(config.context_size, config.landmarks)
        self.reads_f = config.score_feature or config.landmarks > 0
        self.win_bias = nn.Parameter(torch.tensor(math.log(win_rate / (1 - win_rate))))
        self._folded = FoldedMaps()

    def contexts(
        self,
        view: CandidateView,
        targets: Tensor,
        noise: Generator | None = None,
        *,
        temperature: float = 0.0,
    ) -> Contexts:
        """Return the contexts of the targets [B, T].

        `noise` and `temperature` (tau) are those of a training step; serving has neither.
        """
        landmarks = None
        if 0 < self.landmarks < view.valid.shape[1]:
            landmarks = choose_landmarks(view.logits, view.valid, self.landmarks)
            view, targets, landmarks = named_alone(view, targets, landmarks)
        e = view.e
        if self.score_feature:
            e = torch.cat([e, view.logits[..., None]], dim=-1)
        return self.encoder(e, view.u, view.valid, targets, noise, temperature, landmarks)

    def win_logits(self, contexts: Contexts) -> Tensor:
        """Return logits [B, T] of y_stu = sigmoid(q . C + bias): Eq. 17 and a learned base rate."""
        return (contexts.query * contexts.fused).sum(-1) + self.win_bias

    def losses(
        self,
        view: CandidateView,
        batch: CandidateBatch,
        config: TrainingConfig,
        generator: Generator,
        tau: float,
    ) -> tuple[Tensor, Tensor]:
        """Return distillation loss (Eq. 18) and InfoNCE (Eq. 14)."""
        count = config.targets if self.training else 0
        targets, weight = sample_targets(batch.win, batch.valid, count, generator)
        contexts = self.contexts(
            view,
            targets,
            generator if self.training else None,
            temperature=tau if self.training else 0.0,
        )
        win = batch.win.gather(1, targets)
        return (
            distillation_loss(self.win_logits(contexts), win, weight),
            contrastive_loss(contexts, weight, config.nce_temperature),
        )

    def judged(
        self,
        view: CandidateView,
        batch: CandidateBatch,
        config: TrainingConfig,
        generator: Generator,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return losses and y_stu [B, N] of the same contexts, which cost most of either."""
        targets, weight = sample_targets(batch.win, batch.valid, 0, generator)
        contexts = self.contexts(view, targets)
        logits = self.win_logits(contexts)
        return (
            distillation_loss(logits, batch.win.gather(1, targets), weight),
            contrastive_loss(contexts, weight, config.nce_temperature),
            torch.sigmoid(logits),
        )

    def score(self, view: CandidateView, targets: Tensor) -> Tensor:
        """Return y_stu [B, T]."""
        return torch.sigmoid(self.win_logits(self.contexts(view, targets)))

    def scoring(self, view: CandidateView) -> Callable[[Tensor], Tensor]:
        """Return `score` of a view; folded where it can be."""
        is_single = self.win_bias.dtype == torch.float32
        if not (is_single and isinstance(self.encoder, ContextEncoder)):
            return super().scoring(view)
        if not serves_on_cpu(view.valid):
            return super().scoring(view)
        x, maps = view.x, self._folded.of(self.encoder, view.item_map.weight)
        if self.score_feature:
            x = torch.cat([x, view.logits[..., None]], dim=-1)
        if 0 < self.landmarks < view.valid.shape[1]:
            among = choose_landmarks(view.logits, view.valid, self.landmarks)
        else:
            among = (~view.valid).to(torch.uint8).argsort(dim=1, stable=True)
        served = ServedContexts(self.encoder, maps, x, view.u, view.valid, among)
        return lambda targets: torch.sigmoid(served.products(targets) + self.win_bias)
