"""Products of matrices inside compiled kernels: BLAS's `sgemm`, as SciPy hands it to compiled code.

numba's own `@` wants contiguous matrices, makes new ones, and adds nothing to old ones. Import it with numba only,
which takes a while.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.core import cgutils

from cvpipe.vision.compiled import compiled

intrinsic: Any = extending.intrinsic

SGEMM: int = extending.get_cython_function_address("scipy.linalg.cython_blas", "sgemm")
"""Where it is in the memory of this process. Kernels outlive processes, so they are told when they are called."""
TURNED, STRAIGHT = ord("T"), ord("N")
SIZE = 4
"""Bytes of a number."""


@compiled()
def _apart(matrix: np.ndarray) -> int:
    """Numbers from one row to the next; what NumPy says of a single row means nothing."""
    return max(matrix.strides[0] // SIZE, matrix.shape[1], 1)


@compiled()
def product(
    sgemm: int, left: np.ndarray, left_turned: bool, right: np.ndarray, right_turned: bool, factor: np.float32,
    kept: np.float32, out: np.ndarray,
) -> None:  # fmt: skip
    """out (m, n) = factor * left right + kept * out; left is (m, k), or (k, m) if it is turned, and so on.

    float32 matrices whose rows are contiguous and may lie apart. BLAS counts columns first, to which they look
    transposed: out' = right' left'.
    """
    m, n = out.shape
    k = left.shape[0] if left_turned else left.shape[1]
    _sgemm(
        sgemm, TURNED if right_turned else STRAIGHT, TURNED if left_turned else STRAIGHT, n, m, k, factor,
        right.ctypes.data, _apart(right), left.ctypes.data, _apart(left), kept, out.ctypes.data, _apart(out),
    )  # fmt: skip


@intrinsic
def _sgemm(
    context: Any, address: Any, turn_a: Any, turn_b: Any, m: Any, n: Any, k: Any, alpha: Any, a: Any, lda: Any,
    b: Any, ldb: Any, beta: Any, c: Any, ldc: Any,
) -> Any:  # fmt: skip
    """Call the function at an address; it takes everything by reference, as Fortran does."""
    whole, real, place = types.int32, types.float32, types.intp
    signature = types.void(
        place, types.int8, types.int8, whole, whole, whole, real, place, whole, place, whole, real, place, whole
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        numbers = ir.FloatType().as_pointer()
        given = [
            builder.inttoptr(value, numbers) if kind is place else cgutils.alloca_once_value(builder, value)
            for kind, value in zip(signature.args[1:], values[1:], strict=True)
        ]
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in given])
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), given)
        return context.get_dummy_value()

    return signature, generate
