"""The day's model while it learns: from which feeds, and what is told of it."""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import torch

from jobs.build_examples import TRAINING, VALIDATION
from jobs.cli import Task
from jobs.errors import Refused
from jobs.feed import Feed, open_feed
from jobs.scalars import Scalars
from jobs.training_plan import Plan
from model.batch import CandidateBatch
from model.cdm import CDM
from model.distributed import Processes
from model.epochs import Epoch
from model.learning_config import TrainingConfig
from model.precision import NoDevice, device_of
from model.training import Diverged, fit
from model.unfinished import Unfinished


def training_device(training: TrainingConfig) -> torch.device:
    """Return the device to train on; refuse one that is not here."""
    try:
        return device_of(training.device)
    except NoDevice as missing:
        raise Refused(str(missing)) from missing


def feeds(plan: Plan, task: Task, kind: str, processes: Processes) -> tuple[Feed, Feed]:
    """Return what the model learns from and what judges it; refuse a split without requests."""
    training, files = task.profile.training, plan.source.files()
    learn_from, judge = (
        open_feed(
            kind,
            [path for path in files if path.name.startswith(split)],
            plan.source.table,
            batch_size=training.batch_size,
            seed=training.seed,
            rank=processes.rank,
            world=processes.world,
        )
        for split in (TRAINING, VALIDATION)
    )
    if not learn_from.rows or not judge.rows:
        raise Refused(
            f"{plan.source.name} has {learn_from.rows} requests to train on and {judge.rows} to "
            "stop early by; both are needed. Add days or users, or change training.validation_share"
        )
    return learn_from, judge


def fit_day(
    plan: Plan,
    task: Task,
    model: CDM,
    both: tuple[Feed, Feed],
    processes: Processes,
    unfinished: Unfinished | None,
    tensorboard: Path | None,
) -> list[Epoch]:
    """Fit the model, tell how it goes, and return its learning curve; refuse a loss that is NaN."""
    training, (learn_from, judge) = task.profile.training, both
    steps, is_first = learn_from.steps, processes.rank == 0

    def batches(epoch: int) -> Iterator[CandidateBatch]:
        for at, batch in enumerate(learn_from.epoch(epoch, shuffle=True), start=1):
            yield batch
            if is_first:
                task.progress((epoch - 1) * steps + at, training.epochs * steps, "batches")

    def report(epoch: Epoch) -> None:
        losses = (
            f"{epoch.training.total(training):.4f}, held-out {epoch.validation.total(training):.4f}"
        )
        if is_first:
            task.say(f"epoch {epoch.number} of at most {training.epochs}: loss {losses}")
        if scalars is not None:
            scalars.add(epoch)

    wanted = tensorboard if is_first else None
    try:
        with closing(Scalars(wanted, training)) if wanted else nullcontext() as scalars:
            return fit(
                model,
                batches,
                lambda: judge.epoch(0, shuffle=False),
                training,
                report,
                steps,
                processes=processes,
                device=training_device(training),
                unfinished=unfinished,
            )
    except Diverged as diverged:
        told = divergence(diverged, task.profile.fields.dense, unfinished)
        raise Refused(f"{plan.source.name}: {told}") from diverged


def divergence(diverged: Diverged, dense: tuple[str, ...], unfinished: Unfinished | None) -> str:
    """Return where the loss left the numbers, whether its input had before, and what is kept."""
    names = {f"dense[{i}]": f"dense feature {name!r}" for i, name in enumerate(dense)}
    bad = ", ".join(names.get(column, f"column {column}") for column in diverged.columns)
    cause = f"not finite there: {bad}" if bad else "every value in it is finite"
    move = "build the examples again" if bad else "lower training.learning_rate"
    kept = "no epoch was over before it, so no weights are kept"
    if unfinished is None:
        kept = "several processes keep no state"
    elif unfinished.epoch:
        kept = f"the weights after epoch {unfinished.epoch} are kept in {unfinished.folder}"
    return f"{diverged}; {cause}; {kept}; {move}"
