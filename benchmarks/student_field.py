"""Who takes part where the student's cost is measured: models, closed forms and training steps.

Models are DCN as the paper has it with five fields of width 16, three of them the item's, and a
student beside it. They are untrained, but for embeddings as far apart as trained ones: what a
product or a selection costs does not hang on what was learned.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from benchmarks.clustered import batch as clustered
from benchmarks.teachers import WEIGHT, in_a_batch, teacher
from benchmarks.turns import Contestant
from jobs.request_scores import AT_ONCE
from model.batch import CandidateBatch
from model.cdm import CDM, Shape
from model.config import TeacherConfig
from model.epochs import Losses
from model.learning_config import ModelConfig, TrainingConfig
from model.rankers.category_decay import category_decay
from model.rankers.one_pass import one_pass_mmr
from model.runs import everyone
from model.step_losses import batch_losses
from model.teachers import category_decay as decay_teacher
from model.teachers import dpp, mmr, one_pass
from model.teachers.requests import Requests
from model.training_run import TrainingRun

USER_SIZES, ITEM_SIZES = (300, 50), (12_000, 400, 50)
"""Tokens by field."""
K, SHOWN, TARGETS, LANDMARKS = 50, 20, 64, 128
DCN, PLAIN = "DCN", "CDM, full context, by its equations"
PLAIN_N = 2000
"""Up to which it is run: it holds N x N weights of each request a dozen times."""
STUDENTS: dict[str, dict[str, object]] = {
    "CDM, 32 landmarks": {"landmarks": 32},
    "CDM, 128 landmarks": {"landmarks": LANDMARKS},
    "CDM, full context (the paper's)": {},
    "Better context, 128 landmarks": {"student": "better_context", "landmarks": LANDMARKS},
    "Learned wear, 128 landmarks": {"student": "wear", "landmarks": LANDMARKS},
}
"""What differs from the default model."""
BESIDE_DCN = (*STUDENTS, PLAIN)
"""These cost what they take more than DCN alone."""


def model_of(**changes: object) -> CDM:
    """Return a model; without a student where `win_rate` is 0."""
    torch.manual_seed(1)
    win_rate = changes.pop("win_rate", 0.1)
    shape = Shape(user_sizes=USER_SIZES, item_sizes=ITEM_SIZES, dense=0, win_rate=win_rate)
    return CDM(shape, ModelConfig(embedding_std=0.3, **changes))


def candidates(n: int, requests: int) -> CandidateBatch:
    """Return random requests of n candidates, each with K winners and a page of 20."""
    rng = np.random.default_rng(n)
    rank = torch.from_numpy(rng.random((requests, n))).argsort(1).argsort(1)
    shown_rank = torch.where(rank < SHOWN, rank + 1, 0)
    return CandidateBatch(
        user_tokens=torch.from_numpy(rng.integers(2, USER_SIZES, (requests, 2))),
        item_tokens=torch.from_numpy(rng.integers(2, ITEM_SIZES, (requests, n, 3))),
        dense=torch.zeros(requests, n, 0),
        valid=torch.ones(requests, n, dtype=torch.bool),
        exposed=shown_rank > 0,
        label=torch.from_numpy((rng.random((requests, n)) < 0.1).astype(np.float32)),
        win=torch.from_numpy((rng.random((requests, n)).argsort(1) < K).astype(np.float32)),
        shown_rank=shown_rank,
    )


def in_turn(model: CDM, batch: CandidateBatch) -> Callable:
    """Return a run that scores one request after the other, as the step `score` does."""
    alone = [
        CandidateBatch(*(values[b : b + 1] for values in (batch.user_tokens, *_items(batch))))
        for b in range(len(batch))
    ]

    def run(requests: Requests, k: int) -> None:
        for one in alone:
            model.score(one, AT_ONCE)

    return run


def _items(batch: CandidateBatch) -> tuple[torch.Tensor, ...]:
    return batch.item_tokens, batch.dense, batch.valid


def one_by_one(n: int) -> tuple[Requests, list[Contestant]]:
    """Return the requests of n candidates, and DCN and students that score each by itself."""
    many = in_a_batch(n)
    batch = candidates(n, many)
    models = {DCN: model_of(win_rate=0.0)}
    models |= {name: model_of(**changes) for name, changes in STUDENTS.items()}
    field = [Contestant(name, DCN, in_turn(model, batch)) for name, model in models.items()]
    return clustered(n, 1, many), field


def with_categories(requests: Requests) -> Requests:
    """Return the requests with one category an item, one in fifteen of a request's candidates."""
    total, n = len(requests.f), int(requests.ends[0])
    codes = np.random.default_rng(n).integers(0, max(20, n // 15), total)
    return replace(requests, category_ends=np.arange(1, total + 1), category=codes)


def scoring(n: int) -> tuple[Requests, list[Contestant]]:
    """Return the requests of n candidates and who scores or re-ranks them."""
    many = in_a_batch(n)
    requests, batch = with_categories(clustered(n, 64, many)), candidates(n, many)

    def scored(model: CDM) -> Callable:
        return lambda requests, k: model.score(batch)

    f = torch.from_numpy(requests.f.copy()).view(many, n)
    e = torch.from_numpy(requests.table.copy()).view(many, n, -1)
    u, code = torch.from_numpy(requests.u.copy()), torch.from_numpy(requests.category + 1)
    code = code.view(many, n, 1)
    closed = {
        "One-pass MMR, as it serves": lambda requests, k: one_pass_mmr(
            f, e, u, batch.valid, WEIGHT, context=k
        ),
        "Category decay, as it serves": lambda requests, k: category_decay(
            f, code, batch.valid, 0.9
        ),
        "One-pass MMR, kernel": teacher(one_pass.pick, "one_pass"),
        "Category decay, kernel": _decay,
        "MMR, kernel": teacher(mmr.pick, "mmr_item"),
        "DPP, kernel": teacher(dpp.pick, "dpp"),
    }
    field = [
        Contestant(DCN, DCN, scored(model_of(win_rate=0.0))),
        *(Contestant(name, DCN, scored(model_of(**changes))) for name, changes in STUDENTS.items()),
        Contestant(PLAIN, DCN, _plainly(batch), lambda n, k: n - PLAIN_N),
        *(Contestant(name, DCN, run) for name, run in closed.items()),
    ]
    return requests, [one for one in field if one.work(n, K) <= 0]


def _plainly(batch: CandidateBatch) -> Callable:
    """Return a run of the paper's student as it learns: Eq. 5 to 17 one after the other."""
    model = model_of().eval()

    @torch.no_grad()
    def run(requests: Requests, k: int) -> None:
        view = model.view(batch, logits=model.click_logits(batch))
        model.student.win_logits(model.student.contexts(view, everyone(view.valid)))

    return run


def _decay(requests: Requests, k: int) -> None:
    decay_teacher.pick(requests, TeacherConfig(name="category_decay", decay=0.9, k=k))


def stepping(n: int, many: int) -> tuple[Requests, list[Contestant]]:
    """Return so many requests, to be counted, and who learns from as many of n candidates."""
    batch = candidates(n, many)
    field = [Contestant(DCN, DCN, step_of(model_of(win_rate=0.0), batch))]
    for name, changes in STUDENTS.items():
        field.append(Contestant(name, DCN, step_of(model_of(**changes), batch)))
    return clustered(n, 1, many), field


def step_of(model: CDM, batch: CandidateBatch) -> Callable:
    """Return a run of one training step, as the loop of `model.training` takes it."""
    run = TrainingRun(model, TrainingConfig(targets=TARGETS))

    def step(requests: object = None, k: int = 0) -> None:
        model.train()
        losses = batch_losses(model, batch, run.config, run.generator, 0.5)
        run.optimizer.zero_grad()
        Losses(*losses).total(run.config).backward()
        run.optimizer.step()

    return step
