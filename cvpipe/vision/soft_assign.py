"""Kernel codebooks: a row counts for every word, the nearer the more."""

from __future__ import annotations

import numpy as np

from cvpipe.vision.assign import closeness

TINY = float(np.finfo(np.float32).tiny)
"""A width of 0 counts as this: all but the nearest words are then out of reach."""


def soft_shares(rows: np.ndarray, words: np.ndarray, sigma: float) -> np.ndarray:
    """(n, k) float32 shares of each row, which sum to 1: exp(-|x - w|^2 / (2 sigma^2)) over its sum for all words.

    rows (n, d) of any real type, words (k, d) float32, sigma >= 0 in the unit of the rows; 0 gives all to the nearest.
    |x|^2 is the same for all words and cancels.

    Source: van Gemert, Veenman, Smeulders & Geusebroek, "Visual word ambiguity", PAMI 2010, equation 10 (codeword
    uncertainty, the best of its kernel codebooks).
    """
    shares = np.empty((len(rows), len(words)), np.float32)
    scale = np.float32(1 / max(sigma**2, TINY))
    for here, _, products in closeness(rows, words):
        products -= products.max(axis=1, keepdims=True)
        with np.errstate(over="ignore"):  # far beyond the range of float32 is a share of 0
            np.exp(products * scale, out=shares[here])
    return np.divide(shares, shares.sum(axis=1, keepdims=True), out=shares)
