"""Settings of student and training: refusals of one line, and old models keep their name."""

import pytest

from jobs.errors import Refused
from jobs.profile.keys import keys
from jobs.profile.load import load_profile
from model.learning_config import ModelConfig, TrainingConfig


@pytest.mark.parametrize(
    ("section", "line", "message"),
    [
        (
            "model",
            'selection = "soft"',
            "selection = 'soft' .* hard, straight_through, relaxed, th",
        ),
        ("model", 'encoder = "none"', "encoder = 'none' .* one of contrastive, attention"),
        ("model", 'cross = "v3"', "cross = 'v3' .* one of v1, v2"),
        ("model", 'student = "none"', "student = 'none' .* one of cdm, better_context, wear"),
        (
            "model",
            'student = "wear"\nencoder = "attention"',
            "encoder = 'attention' .* left out, for the student wear does not read it",
        ),
        ("model", "landmarks = -1", "landmarks = -1 .* at least 0; 0 is all"),
        (
            "model",
            'encoder = "attention"\nselection = "relaxed"',
            "selection = 'relaxed' .* left out, for the encoder attention does not select",
        ),
        ("training", "unknown_share = -0.1", "unknown_share = -0.1 .* from 0 to below 1"),
        ("training", "unknown_share = 1", "unknown_share = 1.0 .* from 0 to below 1"),
        ("training", "temperature = 0", "temperature = 0.0 .* above 0"),
        ("training", "temperature_end = 0", "temperature_end = 0.0 .* above 0"),
        (
            "training",
            "temperature_end = 2",
            "temperature_end = 2.0 .* at most training.temperature = 1",
        ),
        ("training", "temperature_hold = 0", "temperature_hold = 0.0 .* above 0 and at most 1"),
        (
            "training",
            'precision = "half"',
            "precision = 'half' .* one of float32, bfloat16, float16",
        ),
        ("training", 'device = "gpu"', "device = 'gpu' .* one of auto, cpu, cuda"),
        ("training", "temperature_hold = 1.5", "temperature_hold = 1.5 .* above 0 and at most 1"),
    ],
)
def test_what_is_not_allowed_is_told_in_one_line(tmp_path, section, line, message):
    path = tmp_path / "shop.toml"
    path.write_text(f'name = "shop"\n[{section}]\n{line}\n')
    with pytest.raises(Refused, match=rf"{section}\.{message}"):
        load_profile(str(path))


def test_a_profile_can_ask_for_the_paper(tmp_path):
    path = tmp_path / "shop.toml"
    path.write_text('name = "shop"\n[model]\nselection = "relaxed"\n[training]\ntemperature = 2\n')
    profile = load_profile(str(path))
    assert profile.model.selection == "relaxed"
    assert profile.training.temperature == 2.0


def test_the_keys_are_told():
    told = keys("model") + keys("training")
    assert (
        '    selection: "hard" or "straight_through" or "relaxed" or "threshold" = "hard"' in told
    )
    for name in (*ModelConfig.__slots__, *TrainingConfig.__slots__):
        assert f"    {name}: " in told
