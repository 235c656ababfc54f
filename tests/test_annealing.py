"""tau over a training: from its start, exponentially, to its end, where it stays."""

from itertools import pairwise

import pytest

from model.annealing import temperature
from model.learning_config import TrainingConfig

USUAL = TrainingConfig()


def test_it_starts_ends_and_holds():
    found = [temperature(USUAL, step, 100) for step in range(100)]
    assert found[0] == 1.0
    assert found[35] == pytest.approx(0.1**0.5), "half of the way is the geometric mean"
    assert found[69] > 0.1
    assert found[70:] == pytest.approx([0.1] * 30)
    ratios = [after / before for before, after in pairwise(found[:71])]
    assert ratios == pytest.approx([ratios[0]] * 70)


def test_one_step_and_a_constant():
    assert temperature(USUAL, 0, 1) == 1.0
    constant = TrainingConfig(temperature=0.5, temperature_end=0.5)
    assert {temperature(constant, step, 7) for step in range(7)} == {0.5}
