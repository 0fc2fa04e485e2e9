"""A map of test images in the space of each candidate's features."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvpipe.comparison.feature_rows import FeatureRows, read_features
from cvpipe.comparison.places import with_places
from cvpipe.comparison.result import Comparison

MOST = 6
"""Candidates, the first in rank; each takes some 15 kB of the page."""
FEWEST = 8
"""Images; fewer make no map."""
MARGIN = 0.04
"""Share of the map that stays free at each side: pictures have a size."""


def maps_of(comparison: Comparison) -> list[dict[str, Any]]:
    """For each candidate with features: ids, classes, places in [0, 1] by PCA and t-SNE, and how well neighbours
    fit."""
    known = [(c, found) for c in comparison.ranked if (found := read_features(c.folder)) is not None]
    return [
        _map(c.name, with_places(c.folder, found)) for c, found in known[:MOST] if len(found.ids) >= FEWEST
    ]


def _map(name: str, found: FeatureRows) -> dict[str, Any]:
    assert found.tsne is not None
    return {
        "name": name,
        "ids": found.ids,
        "labels": found.labels,
        "dimension": found.dimension,
        "explained": float(found.explained[:2].sum()),
        "purity": purity(found.values, np.array(found.labels)),
        "pca": _unit(found.values[:, :2]),
        "tsne": _unit(found.tsne),
    }


def purity(values: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose nearest other image (Euclid, the first of equal ones) is of the same class."""
    squares = (values.astype(np.float64) ** 2).sum(axis=1)
    distances = squares[:, None] + squares - 2.0 * values.astype(np.float64) @ values.T.astype(np.float64)
    np.fill_diagonal(distances, np.inf)
    return float((labels[distances.argmin(axis=1)] == labels).mean())


def _two(values: np.ndarray) -> np.ndarray:
    """The first two columns; zeros where there is one only."""
    return np.pad(values[:, :2], ((0, 0), (0, 2 - min(2, values.shape[1]))))


def _unit(places: np.ndarray) -> list[list[float]]:
    """(n, 2) places in [0, 1], the longer side filled but for a margin, y upwards, three decimals."""
    places = _two(np.asarray(places, np.float64))
    low, high = places.min(axis=0), places.max(axis=0)
    scaled = (places - (low + high) / 2) / max(float((high - low).max()), 1e-12)
    return np.round(0.5 + (1 - 2 * MARGIN) * scaled, 3).tolist()
