"""Grey-level co-occurrence: how often do two grey levels lie side by side?

Source: Haralick, Shanmugam & Dinstein, "Textural features for image classification", IEEE Trans. Systems, Man, and
Cybernetics 1973, section III and appendix I.
"""

from __future__ import annotations

import numpy as np

DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""(y, x) steps: right, down and right, down, down and left. Opposite ones count with them."""
PROPERTIES = ("contrast", "homogeneity", "energy", "correlation", "entropy")


def cooccurrence(level: np.ndarray, levels: int, distance: int) -> np.ndarray:
    """(4, levels, levels) float64: the share of pixel pairs with levels i and j, in each of four directions.

    level: (H, W) integers below `levels`. A diagonal pair is `distance` px apart in x and in y. Symmetric; zero
    where no pair fits into the image.
    """
    tables = np.zeros((len(DIRECTIONS), levels, levels))
    height, width = level.shape
    for table, (down, right) in zip(tables, DIRECTIONS, strict=True):
        y, x = down * distance, right * distance
        if y >= height or abs(x) >= width:
            continue
        one = level[: height - y, max(-x, 0) : width - max(x, 0)]
        other = level[y:, max(x, 0) : width + min(x, 0)]
        pairs = np.bincount((one.astype(np.int64) * levels + other).ravel(), minlength=levels**2)
        table += pairs.reshape(levels, levels)
        table += table.T.copy()
        table /= table.sum()
    return tables


def properties(tables: np.ndarray) -> np.ndarray:
    """(t, levels, levels) shares -> (5, t): contrast, homogeneity, energy, correlation, entropy of each table.

    contrast: mean of (i - j)^2, levels^2. homogeneity: mean of 1 / (1 + (i - j)^2). energy: root of the sum of
    squared shares. correlation of i and j, -1 to 1; 1 if there is one level only. entropy: bits. A table of zeros
    gives zeros.
    """
    levels = np.arange(tables.shape[1])
    gap = (levels[:, None] - levels) ** 2
    filled = tables.any(axis=(1, 2))
    mean = (tables.sum(axis=2) @ levels)[:, None]
    variance = ((levels - mean) ** 2 * tables.sum(axis=2)).sum(axis=1)
    covariance = np.einsum("ti,tj,tij->t", levels - mean, levels - mean, tables)
    varies = variance > 1e-15  # as in scikit-image
    correlation = np.where(varies, covariance / np.where(varies, variance, 1), 1.0) * filled
    logs = np.log2(tables, out=np.zeros_like(tables), where=tables > 0)
    return np.stack(
        [
            (tables * gap).sum(axis=(1, 2)),
            (tables / (1 + gap)).sum(axis=(1, 2)),
            np.sqrt((tables**2).sum(axis=(1, 2))),
            correlation,
            -(tables * logs).sum(axis=(1, 2)),
        ]
    )
