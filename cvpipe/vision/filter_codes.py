"""What becomes of the responses of filters: codes. All work on (n, K) float32 and may overwrite what they are given."""

from __future__ import annotations

from typing import Literal

import numpy as np

Sign = Literal["split", "absolute"]
"""What becomes of signs."""


def sigmoid(responses: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)), written over z."""
    from cvpipe.vision import _codes_kernel

    _codes_kernel.sigmoid(responses)
    return responses


def rectified(responses: np.ndarray, threshold: float = 0.0) -> np.ndarray:
    """max(0, z - threshold), written over z."""
    if threshold:
        responses -= np.float32(threshold)
    return np.maximum(responses, 0, out=responses)


def unsigned(responses: np.ndarray, sign: Sign, threshold: float = 0.0) -> np.ndarray:
    """Responses without negative ones, `threshold` nearer to 0: `absolute` (n, K), sizes; `split` (n, 2 K), the
    positive ones and then the negative ones as positive.

    Source: Coates & Ng, "The importance of encoding versus training with sparse coding and vector quantization", ICML
    2011, section 3.2.
    """
    if sign == "absolute":
        return rectified(np.abs(responses, out=responses), threshold)
    from cvpipe.vision import _codes_kernel

    codes = np.empty((len(responses), 2 * responses.shape[1]), np.float32)
    _codes_kernel.split(responses, np.float32(threshold), codes)
    return codes


def winner(responses: np.ndarray) -> np.ndarray:
    """1 for the largest response of a row, the first of equal ones, 0 for the others; written over the responses."""
    best = responses.argmax(axis=1)
    responses[:] = 0
    responses[np.arange(len(responses)), best] = 1
    return responses


def distance_table(centres: np.ndarray) -> np.ndarray:
    """(d + 2, K) float32 whose product with rows (x, 1, |x|^2) is the squared distances to (K, d) centres."""
    norms = np.einsum("kd,kd->k", centres, centres, dtype=np.float64)
    return np.vstack([-2.0 * centres.T, norms, np.ones(len(centres))]).astype(np.float32)


def triangle(rows: np.ndarray, table: np.ndarray) -> np.ndarray:
    """max(0, mean distance of the row - distance) to each centre: (n, d) rows -> (n, K).

    `table` is that of `distance_table`. About half of the codes are 0.

    Source: Coates, Lee & Ng, "An analysis of single-layer networks in unsupervised feature learning", AISTATS 2011,
    section 3.2.3, equation 4.
    """
    from cvpipe.vision import _codes_kernel

    longer = np.ones((len(rows), rows.shape[1] + 2), np.float32)
    longer[:, :-2] = rows
    np.einsum("nd,nd->n", rows, rows, out=longer[:, -1])
    distance = longer @ table
    _codes_kernel.triangle(distance)
    return distance
