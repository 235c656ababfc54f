"""The paper's student as it serves on a CPU: the y_stu of its encoder, for a fraction of the cost.

Without noise and dropout the linear maps of Eq. 11, 15 and 17 can change places:

    w_ti = e_t . (W_1' W_2 e_i) / sqrt(d)
    h_t  = b_1 + sum_i omega+_ti A+_i + sum_i omega-_ti A-_i     A_i = F_1 (u * W_3 e_i), M rows
    q_t . C_t = relu(h_t) . (F_2' W_1 e_t) + b_2 . W_1 e_t       F_1, F_2 are the fusion's layers

What is left of a target are two products of a matrix with e_t, its k nearest and k farthest
landmarks, and their rows of A. Letters: B requests, N candidates, T targets, M landmarks, d width,
I numbers that e is made from, H = 2 d.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from model.cache_blocks import CANDIDATES
from model.context_encoder import ContextEncoder
from model.rankers.better import of
from model.runs import everyone
from model.students.context_kernel import context_products


class Maps(NamedTuple):
    """The products of an encoder's maps, P being that of x to e."""

    to_e: Tensor  # [d, I], P
    to_key: Tensor  # [d, I], W_2' W_1 P / sqrt(d)
    to_value: Tensor  # [d, d], W_3
    to_table: Tensor  # [d, 2 H], F_1 of either side
    bias: np.ndarray  # [H], b_1, a view of the weight
    read: Tensor  # [I, H + 1], P' W_1' of F_2 and of b_2


class FoldedMaps:
    """The maps of an encoder, made again where one of its weights is another or has changed."""

    def __init__(self) -> None:
        """Know none yet."""
        self._weights: tuple[Tensor, ...] = ()
        self._state: tuple = ()
        self._maps: Maps | None = None

    def of(self, encoder: ContextEncoder, item_map: Tensor) -> Maps:
        """Return them, for an encoder that reads e, or e and the logit of f; P_I is [d, F d_e]."""
        first, last = encoder.fusion[0], encoder.fusion[-1]
        attention = (encoder.query.weight, encoder.key.weight, encoder.value.weight)
        weights = (item_map, *attention, first.weight, first.bias, last.weight, last.bias)
        # That these are held keeps their addresses from being another's.
        state = tuple((id(w), w.data_ptr(), w._version) for w in weights)
        if state != self._state:
            self._weights, self._state, self._maps = weights, state, _fold(*weights)
        return self._maps


def _fold(
    item_map: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    first: Tensor,
    first_bias: Tensor,
    last: Tensor,
    last_bias: Tensor,
) -> Maps:
    to_e = item_map
    if query.shape[1] > len(item_map):
        to_e = torch.block_diag(item_map, item_map.new_ones(1, 1))
    return Maps(
        to_e=to_e,
        to_key=key.T @ query @ to_e / len(query) ** 0.5,
        to_value=value.T,
        to_table=torch.cat(first.chunk(2, dim=1)).T,
        bias=first_bias.numpy(),
        read=(query @ to_e).T @ torch.cat([last, last_bias[:, None]], dim=1),
    )


class ServedContexts:
    """What all targets of some requests share."""

    def __init__(
        self,
        encoder: ContextEncoder,
        maps: Maps,
        x: Tensor,
        u: Tensor,
        valid: Tensor,
        among: Tensor,
    ) -> None:
        """Let contexts be drawn from the candidates `among` [B, M], where padding comes last.

        What the encoder reads of all candidates is x [B, N, I] times P; `u` is [B, d] and `valid`
        [B, N]. All are float32 and on the CPU.
        """
        b, m = among.shape
        self.x, self.among, self.bias = x, among.numpy(), maps.bias
        self.size, self.include_self = encoder.context_size, encoder.include_self
        self.count = valid.gather(1, among).sum(1).tolist()
        e = x[torch.arange(b)[:, None], among] @ maps.to_e.T
        tables = ((e @ maps.to_value) * u[:, None]) @ maps.to_table
        self.tables = tables.view(b, m, 2, -1).numpy()
        """A of either side, [B, M, 2, H]."""
        read = maps.read.expand(b, -1, -1)
        self.columns = torch.cat([read, (e @ maps.to_key).transpose(1, 2)], dim=-1)
        """What x_t is multiplied by, [B, I, H + 1 + M]: one product is one call."""

    def products(self, targets: Tensor) -> Tensor:
        """Return q . C [B, T] of targets [B, T], which are different candidates."""
        found = np.empty(targets.shape, np.float32)
        x, rows = self._targets(targets)
        for b, m in enumerate(self.count):
            columns = self.columns[b, :, : len(self.bias) + 1 + m]
            for start in range(0, x.shape[1], CANDIDATES):
                part = slice(start, start + CANDIDATES)
                context_products(
                    (x[b, part] @ columns).numpy(),
                    rows[b, :m] - start,
                    self.size,
                    self.tables[b, :m],
                    self.bias,
                    found[b, part],
                )
        return torch.from_numpy(found)

    def _targets(self, targets: Tensor) -> tuple[Tensor, np.ndarray]:
        """Return x [B, T, I] of the targets, and which of them each landmark is [B, M].

        That is a negative number for none; where a target may stand in its own context, all are.
        """
        b, n = self.x.shape[:2]
        row = np.full((b, n), -1)
        if targets.shape[1] == n and torch.equal(targets, everyone(targets)):
            return self.x, row[:, : self.among.shape[1]] if self.include_self else self.among
        request = np.arange(b)[:, None]
        if not self.include_self:
            row[request, targets.numpy()] = np.arange(targets.shape[1])
        return of(self.x, targets), row[request, self.among]
