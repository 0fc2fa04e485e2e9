"""Products of matrices inside compiled code: SciPy's BLAS, called without Python in between.

`numpy.dot` inside numba calls the same function, but takes no parts of matrices and cannot add to what is there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from cvpipe.vision.compiled import compiled

SGEMM: int = get_cython_function_address("scipy.linalg.cython_blas", "sgemm")
"""Where the function is. Kernels are given it: a kernel that holds an address cannot be kept on disk."""


@intrinsic  # type: ignore[misc]
def _sgemm(
    typing: Any, address: Any, flip_a: Any, flip_b: Any, sizes: Any, factors: Any, a: Any, b: Any, c: Any
) -> Any:
    """BLAS's sgemm on matrices in column-major order: sizes (m, n, k, lda, ldb, ldc) int64, factors (alpha, beta)."""
    signature = types.void(address, flip_a, flip_b, sizes, factors, a, b, c)
    return signature, _call


def _call(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    address, flip_a, flip_b, sizes, factors, *arrays = args

    def place(value: Any) -> Any:
        """Fortran takes everything by its address. A small int64 reads the same as an int32 there."""
        return builder.bitcast(cgutils.alloca_once_value(builder, value), pointer)

    pointer = ir.IntType(8).as_pointer()
    m, n, k, *leading = (place(size) for size in cgutils.unpack_tuple(builder, sizes))
    alpha, beta = (place(factor) for factor in cgutils.unpack_tuple(builder, factors))
    a, b, c = (
        builder.bitcast(context.make_array(kind)(context, builder, array).data, pointer)
        for kind, array in zip(signature.args[5:], arrays, strict=True)
    )
    given = [place(flip_a), place(flip_b), m, n, k, alpha, a, leading[0], b, leading[1], beta, c, leading[2]]
    function = ir.FunctionType(ir.VoidType(), [pointer] * len(given))
    builder.call(builder.inttoptr(address, function.as_pointer()), given)
    return context.get_dummy_value()


@compiled()
def multiply(
    sgemm: int,
    a: np.ndarray,
    b: np.ndarray,
    flip_a: bool,
    flip_b: bool,
    alpha: float,
    beta: float,
    out: np.ndarray,
) -> None:
    """out = alpha a b + beta out, of float32 matrices, a or b transposed if flipped, each with its rows in one piece.

    `sgemm` is `SGEMM`. Row-major matrices are the transposed ones of column-major order, so out' = b' a' is computed.
    """
    inner = a.shape[0] if flip_a else a.shape[1]
    strides = (b.strides[0] // 4, a.strides[0] // 4, out.strides[0] // 4)
    sizes = (np.int64(out.shape[1]), np.int64(out.shape[0]), np.int64(inner), *strides)
    turn, keep = np.uint8(84), np.uint8(78)  # T and N
    _sgemm(
        sgemm, turn if flip_b else keep, turn if flip_a else keep, sizes, (np.float32(alpha), np.float32(beta)),
        b, a, out,
    )  # fmt: skip
