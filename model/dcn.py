"""The backbone on field embeddings: Deep & Cross, v1 (ADKDD'17) or v2 (WWW'21), Wang et al."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from model.cache_blocks import CANDIDATES, serves_on_cpu
from model.learning_config import ModelConfig


class Embeddings(nn.Module):
    """Shared embedding tables: raw user and item vectors, and their maps to the width d."""

    def __init__(self, user_sizes: list[int], item_sizes: list[int], config: ModelConfig) -> None:
        """Make one table a field; index 0 is padding and stays zero."""
        super().__init__()
        self.user = nn.ModuleList(self._table(size, config) for size in user_sizes)
        self.item = nn.ModuleList(self._table(size, config) for size in item_sizes)
        self.user_map = nn.Linear(len(user_sizes) * config.embedding_width, config.width)
        self.item_map = nn.Linear(
            len(item_sizes) * config.embedding_width, config.width, bias=False
        )
        # u weighs the d dimensions of e in e_i * u: start from even weights, not from noise.
        nn.init.ones_(self.user_map.bias)
        # Keeps the angles between raw item vectors, on which the first teacher's s stands.
        nn.init.orthogonal_(self.item_map.weight)

    @staticmethod
    def _table(size: int, config: ModelConfig) -> nn.Embedding:
        table = nn.Embedding(size, config.embedding_width, padding_idx=0)
        nn.init.normal_(table.weight, std=config.embedding_std)
        with torch.no_grad():
            table.weight[0].zero_()
        return table

    def raw_user(self, tokens: Tensor) -> Tensor:
        """Return x_u [..., U * d_e] of tokens [..., U]."""
        return torch.cat([t(tokens[..., i]) for i, t in enumerate(self.user)], dim=-1)

    def raw_item(self, tokens: Tensor) -> Tensor:
        """Return x_i [..., F * d_e] of tokens [..., F]."""
        return torch.cat([t(tokens[..., i]) for i, t in enumerate(self.item)], dim=-1)

    def user_vector(self, tokens: Tensor) -> Tensor:
        """Return u = P_U x_u [..., d]."""
        return self.user_map(self.raw_user(tokens))

    def item_vector(self, tokens: Tensor) -> Tensor:
        """Return e = P_I x_i [..., d]."""
        return self.item_map(self.raw_item(tokens))


class CrossLayer(nn.Module):
    """x_{l+1} = x_0 (x_l . w_l) + b_l + x_l."""

    def __init__(self, width: int) -> None:
        """Make the layer for inputs [..., width]."""
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x0: Tensor, x: Tensor) -> Tensor:
        """Return the next x, [..., width]."""
        return x0 * (x @ self.weight).unsqueeze(-1) + self.bias + x


class MatrixCrossLayer(nn.Module):
    """The layer of v2: x_{l+1} = x_0 * (W_l x_l + b_l) + x_l."""

    def __init__(self, width: int) -> None:
        """Make the layer for inputs [..., width]."""
        super().__init__()
        self.linear = nn.Linear(width, width)

    def forward(self, x0: Tensor, x: Tensor) -> Tensor:
        """Return the next x, [..., width]."""
        return x0 * self.linear(x) + x


class DCN(nn.Module):
    """The click model f(u, i): cross network beside an MLP of ReLU layers (section 4.1.4)."""

    def __init__(self, inputs: int, config: ModelConfig) -> None:
        """Make the network for rows [x_u; x_i; dense] of width `inputs`."""
        super().__init__()
        layer = CrossLayer if config.cross == "v1" else MatrixCrossLayer
        self.cross = nn.ModuleList(layer(inputs) for _ in range(config.cross_layers))
        widths = [inputs, *config.hidden]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(config.dropout)]
        self.mlp = nn.Sequential(*layers)
        self.head = nn.Linear(inputs + widths[-1], 1)

    def forward(self, x0: Tensor) -> Tensor:
        """Return the logit of f [...] of rows x0 [..., inputs]."""
        if not serves_on_cpu(x0):
            return self._logits(x0)
        parts = [self._logits(rows) for rows in x0.flatten(0, -2).split(CANDIDATES)]
        return torch.cat(parts).view(x0.shape[:-1])

    def _logits(self, x0: Tensor) -> Tensor:
        x = x0
        for layer in self.cross:
            x = layer(x0, x)
        return self.head(torch.cat([x, self.mlp(x0)], dim=-1)).squeeze(-1)
