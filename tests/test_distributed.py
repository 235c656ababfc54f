"""Several processes come to what one comes to: threads that meet stand in for them here.

Each thread trains a model of its own on its part of every batch; only torch's all_reduce is
replaced, by one through memory. Real processes are in test_train_processes.
"""

import threading
from collections.abc import Callable
from dataclasses import fields, replace
from types import SimpleNamespace

import pytest
import torch
from candidate_sets import batch, shape

from model import distributed
from model.batch import CandidateBatch
from model.cdm import CDM
from model.distributed import ALONE, Processes
from model.learning_config import ModelConfig, TrainingConfig
from model.training import Diverged, Epoch, fit

# Without dropout the first loss of a base DCN is a function of its weights and its batch alone.
SMALL = ModelConfig(embedding_width=4, width=6, hidden=(8, 8), context_size=3, dropout=0.0)
CONFIG = TrainingConfig(epochs=3, patience=3, learning_rate=0.02, targets=4, seed=3)


class Meeting:
    """all_reduce of `world` threads; without one of them the others give up in half a minute."""

    def __init__(self, world: int) -> None:
        self.barrier, self.given = threading.Barrier(world, timeout=30), {}
        self.local = threading.local()

    def all_reduce(self, tensor: torch.Tensor, async_op: bool = False) -> SimpleNamespace:
        self.given[self.local.rank] = tensor.clone()
        self.barrier.wait()
        # In order of rank, so that each thread comes to the same bits.
        total = sum(self.given[rank] for rank in sorted(self.given))
        self.barrier.wait()
        tensor.copy_(total)
        return SimpleNamespace(wait=lambda: None)


@pytest.fixture
def together(monkeypatch) -> Callable[..., list]:
    """Run a function as each of some processes; return what each returned or raised."""

    def run(world: int, work: Callable[[Processes], object]) -> list:
        meeting, found = Meeting(world), [None] * world
        monkeypatch.setattr(distributed, "dist", meeting)

        def one(rank: int) -> None:
            meeting.local.rank = rank
            try:
                found[rank] = work(Processes(rank, world))
            except Exception as error:
                found[rank] = error

        threads = [threading.Thread(target=one, args=(rank,)) for rank in range(world)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in threads)
        return found

    return run


def learnable(seed: int, requests: int = 12) -> CandidateBatch:
    """Requests that all show all of their eight candidates, of which the even are clicked."""
    drawn = batch([8] * requests, seed)
    even = (drawn.item_tokens[..., 0] % 2 == 0).float()
    return replace(drawn, exposed=drawn.valid, label=even, win=even)


def part(whole: CandidateBatch, cuts: list[int], rank: int) -> CandidateBatch:
    rows = slice(cuts[rank], cuts[rank + 1])
    named = {f.name: getattr(whole, f.name) for f in fields(whole)}
    given = {name: values for name, values in named.items() if values is not None}
    return CandidateBatch(**{name: values[rows] for name, values in given.items()})


SEEDED = threading.Lock()


def make_model(win_rate: float = 0.0) -> CDM:
    """The same weights in each thread: they share torch's generator."""
    with SEEDED:
        torch.manual_seed(0)
        return CDM(shape(win_rate), SMALL)


def trained(cuts: list[int], processes: Processes, win_rate: float = 0.0) -> tuple:
    """Train on the parts that the cuts give to this process; return history and weights."""
    model = make_model(win_rate)
    batches = [part(learnable(seed), cuts, processes.rank) for seed in range(3)]
    judged = [part(learnable(9), cuts, processes.rank)]
    history = fit(
        model,
        lambda epoch: batches,
        lambda: judged,
        CONFIG,
        lambda epoch: None,
        3,
        processes=processes,
    )
    return history, model.state_dict()


def numbers(history: list[Epoch]) -> list[float]:
    return [
        x
        for epoch in history
        for losses in (epoch.training, epoch.validation)
        for x in (losses.click, losses.distillation, losses.contrastive)
    ]


@pytest.mark.parametrize("cuts", [[0, 6, 12], [0, 1, 12], [0, 12, 12], [0, 5, 5, 12]])
def test_a_base_model_of_several_processes_is_that_of_one(together, cuts):
    """Parts of any size, also without a request."""
    history, weights = trained([0, 12], ALONE)
    assert history[-1].training.click < history[0].training.click
    found = together(len(cuts) - 1, lambda processes: trained(cuts, processes))
    for one in found:
        assert numbers(one[0]) == pytest.approx(numbers(history), abs=1e-5)
        for name, value in weights.items():
            torch.testing.assert_close(one[1][name], value, atol=2e-4, rtol=1e-3)
    assert all(torch.equal(found[0][1][name], found[-1][1][name]) for name in weights)


@pytest.mark.parametrize("cuts", [[0, 6, 12], [0, 12, 12]])
def test_a_student_of_several_processes_learns_alike(together, cuts):
    """Its noise is another in each process, so it is alike and not the same."""
    history, _ = trained([0, 12], ALONE, 0.5)
    found = together(2, lambda processes: trained(cuts, processes, 0.5))
    assert numbers(found[0][0]) == numbers(found[1][0])
    assert numbers(found[0][0]) == pytest.approx(numbers(history), rel=0.05)
    for name, value in found[0][1].items():
        assert torch.equal(value, found[1][1][name]), name


def test_the_mean_counts_requests_and_ignores_who_has_none(together):
    given = {0: ([1.0, 5.0], 3), 1: ([2.0, 1.0], 1), 2: ([float("nan"), float("nan")], 0)}

    def mean(processes: Processes) -> tuple:
        losses, requests = given[processes.rank]
        return processes.mean(torch.tensor(losses), requests)

    for losses, everyone in together(3, mean):
        assert losses.tolist() == [1.25, 4.0]
        assert everyone == 4


def test_gradients_are_weighed_by_requests_and_missing_ones_are_zero(together):
    given = {0: ([1.0, 5.0], 3), 1: (None, 1), 2: ([float("nan"), float("nan")], 0)}

    def average(processes: Processes) -> list[float]:
        gradient, requests = given[processes.rank]
        parameter = torch.nn.Parameter(torch.zeros(2))
        parameter.grad = None if gradient is None else torch.tensor(gradient)
        processes.average_gradients([parameter], requests, 4)
        return parameter.grad.tolist()

    assert together(3, average) == [[0.75, 3.75]] * 3


def test_a_loss_that_diverges_in_one_process_is_told_by_all(together):
    good = learnable(0)
    broken = replace(good, dense=torch.full_like(good.dense, float("nan")))

    def work(processes: Processes) -> object:
        batches = [good, broken if processes.rank == 1 else good]
        return fit(
            make_model(),
            lambda _: batches,
            lambda: [good],
            CONFIG,
            print,
            2,
            processes=processes,
        )

    found = together(2, work)
    assert [type(error) for error in found] == [Diverged, Diverged]
    assert {str(error) for error in found} == {"the loss is nan in batch 2 of epoch 1"}


def test_one_process_alone_changes_nothing():
    losses = torch.tensor([1.0, 2.0])
    assert ALONE.mean(losses, 3) == (losses, 3)
    parameter = torch.nn.Parameter(torch.zeros(2))
    ALONE.average_gradients([parameter], 3, 3)
    assert parameter.grad is None
