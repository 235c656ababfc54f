"""The ablation's attention: the softmax of w over everyone else."""

import numpy as np
import torch

from model.attention import Contexts
from model.learning_config import ModelConfig
from model.losses import contrastive_loss
from model.plain_encoder import PlainEncoder


def run(encoder: PlainEncoder, e: torch.Tensor, valid: torch.Tensor, u: torch.Tensor) -> Contexts:
    targets = torch.arange(e.shape[1]).expand(len(e), -1)
    return encoder(e, u, valid, targets)


def make_encoder(**config: object) -> PlainEncoder:
    torch.manual_seed(2)
    return PlainEncoder(ModelConfig(width=4, encoder="attention", **config)).double().eval()


def test_equation_11_over_everyone_else_by_hand():
    encoder, e, u = make_encoder(), torch.randn(1, 5, 4).double(), torch.randn(1, 4).double()
    found = run(encoder, e, torch.tensor([[True] * 4 + [False]]), u)
    query, key, value = (
        e[0].numpy() @ part.weight.detach().numpy().T
        for part in (encoder.query, encoder.key, encoder.value)
    )
    for target in range(4):
        others = [i for i in range(4) if i != target]
        share = np.exp(query[target] @ key[others].T / 2.0)
        expected = share / share.sum() @ value[others]
        np.testing.assert_allclose(found.positive[0, target].detach(), expected, rtol=1e-12)
    fused = encoder.fusion(u[:, None] * found.positive)
    torch.testing.assert_close(found.fused, fused)
    torch.testing.assert_close(found.query[0].detach(), torch.from_numpy(query))


def test_a_lone_candidate_has_no_context_and_itself_only_where_asked():
    e, u = torch.randn(2, 3, 4).double(), torch.ones(2, 4).double()
    valid = torch.tensor([[True, False, False]] * 2)
    assert not run(make_encoder(), e, valid, u).positive[:, 0].any()
    encoder = make_encoder(include_self=True)
    torch.testing.assert_close(run(encoder, e, valid, u).positive[:, 0], encoder.value(e)[:, 0])


def test_there_is_nothing_to_contrast():
    found = run(
        make_encoder(), torch.randn(1, 3, 4).double(), torch.ones(1, 3).bool(), torch.ones(1, 4)
    )
    assert found.negative is None
    assert contrastive_loss(found, torch.ones(1, 3), 8.0).item() == 0.0
