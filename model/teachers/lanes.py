"""Candidates in blocks of 16, side by side, so that one instruction serves all of a block.

A block is [d, 16] float32: column l holds the vector of the block's l-th candidate. Numba does not
vectorise the plain loop over it, for it cannot know that the sums do not lie inside of the block;
written as vector operations it takes a quarter of the time, in float64 as fast as in float32.
"""

from math import sqrt

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.base import BaseContext
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

LANES = 16
"""Candidates in a block."""


@intrinsic
def dot_lanes(
    typing: BaseContext, block: types.Array, vector: types.Array, out: types.Array
) -> tuple:
    """Write into `out` [16] float64 the dot products of a block's columns with `vector` [d].

    Each is the fused sum over d from the first to the last in float64, so equal columns give equal
    bits wherever they stand; products of float32 lose nothing.
    """

    def generate(
        context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: list
    ) -> ir.Value:
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        index, wide = ir.IntType(64), ir.VectorType(ir.DoubleType(), LANES)
        narrow = ir.VectorType(ir.FloatType(), LANES)
        fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(wide, [wide] * 3), f"llvm.fma.v{LANES}f64"
        )
        total = cgutils.alloca_once_value(builder, ir.Constant(wide, None))
        with cgutils.for_range(builder, cgutils.unpack_tuple(builder, arrays[0].shape)[0]) as loop:
            line = builder.gep(arrays[0].data, [builder.mul(loop.index, index(LANES))])
            column = builder.load(builder.bitcast(line, narrow.as_pointer()), align=4)
            weight = builder.load(builder.gep(arrays[1].data, [loop.index]))
            spread = builder.insert_element(ir.Constant(wide, None), weight, index(0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)
            spread = builder.shuffle_vector(spread, ir.Constant(wide, None), zeros)
            terms = [builder.fpext(column, wide), spread, builder.load(total)]
            builder.store(builder.call(fma, terms), total)
        target = builder.bitcast(arrays[2].data, wide.as_pointer())
        builder.store(builder.load(total), target, align=8)
        return context.get_dummy_value()

    return types.void(block, vector, out), generate


@njit(cache=True, nogil=True)
def gather(
    table: np.ndarray,
    row: np.ndarray,
    member: np.ndarray,
    u: np.ndarray,
    cosine: bool,
    block: np.ndarray,
    per_length: np.ndarray,
) -> None:
    """Fill a block with the vectors e of its members, and `per_length` with 1 / |e * u| or 1.

    What `weigh` returns times 1 / |e * u| is then a cosine; a zero vector gets 0. Lanes without a
    member keep what they had.
    """
    for lane in range(len(member)):
        r = row[member[lane]]
        length = 0.0
        for d in range(table.shape[1]):
            block[d, lane] = table[r, d]
        if cosine:
            for d in range(table.shape[1]):
                weighed = np.float64(table[r, d]) * u[d]
                length += weighed * weighed
            per_length[lane] = 1.0 / sqrt(length) if length > 0.0 else 0.0
        else:
            per_length[lane] = 1.0


@njit(cache=True, nogil=True)
def weigh(table: np.ndarray, r: int, u: np.ndarray, scale: float, out: np.ndarray) -> None:
    """Write e_r * u * u [d] into `out`, whose product with e_i is s_ir without touching e_i * u.

    With a scale kappa > 0 it is kappa * e_r * u * u / |e_r * u|, or 0 for a zero vector.
    """
    length = 0.0
    for d in range(table.shape[1]):
        weighed = np.float64(table[r, d]) * u[d]
        out[d] = weighed * u[d]
        length += weighed * weighed
    if scale > 0.0:
        factor = scale / sqrt(length) if length > 0.0 else 0.0
        for d in range(table.shape[1]):
            out[d] *= factor
