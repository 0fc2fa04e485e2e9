"""Places on a map for the features of runs, by t-SNE.

Found beside the runs and not in them: scikit-learn takes over a second to import, and runs with equal features, which
differ in their classifiers, share their places.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from cvpipe.comparison.feature_rows import FeatureRows, read_features, write_features
from cvpipe.comparison.tsne import tsne
from cvpipe.errors import RunError


def get_ready() -> None:
    """Import what finds places."""
    import sklearn.manifold  # noqa: F401


def find_places(folders: Iterable[Path]) -> None:
    """Keep places on a map with the features of some runs, where there are features; nothing before `get_ready`."""
    for folder in folders if "sklearn.manifold" in sys.modules else ():
        rows = read_features(folder)
        if rows is not None:
            with_places(folder, rows)


def with_places(folder: Path | None, rows: FeatureRows) -> FeatureRows:
    """The features in the folder of a run, with places on a map, which are kept there."""
    if rows.tsne is not None:
        return rows
    placed = replace(rows, tsne=_tsne(rows.values.tobytes(), *rows.values.shape))
    with contextlib.suppress(RunError):  # then they are found again
        if folder:
            write_features(folder, placed)
    return placed


@lru_cache(64)
def _tsne(values: bytes, n: int, m: int) -> np.ndarray:
    return tsne(np.frombuffer(values, np.float32).reshape(n, m))
