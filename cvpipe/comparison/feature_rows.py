"""Features of a few test images, kept beside a run for a map of them: `features.safetensors`, some 50 kB.

The run has just computed them, so most come from the cache. Only their first principal components are kept: distances
in a map need no more. Places on a map by t-SNE are added later, see `places`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cvpipe.conductor.features import features
from cvpipe.conductor.result import RunResult
from cvpipe.errors import RunError
from cvpipe.files import write_whole

FILE = "features.safetensors"
MOST = 240
"""Images; a map of more is a crowd."""
COMPONENTS = 50
"""Principal components kept, as is usual before t-SNE (van der Maaten & Hinton 2008, section 4.2)."""


@dataclass(frozen=True)
class FeatureRows:
    """Features of n test images of the first split."""

    ids: list[str]
    labels: list[str]
    values: np.ndarray
    """(n, m) float32 principal components, m <= 50, the largest first, centred."""
    dimension: int
    """Of the features before."""
    explained: np.ndarray
    """(m,) share of the variance that each component has."""
    tsne: np.ndarray | None = None
    """(n, 2) float32 places on a map that keeps neighbours together; None as long as nobody has found them."""


def keep_features(result: RunResult) -> None:
    """Write the file into the folder of a run; none where the classifier gets no features. Raises `RunError`."""
    assert result.folder is not None
    rows = _spread(result.dataset.labels, result.splits[0].test)
    values = features(result.pipeline, result.dataset.images, rows)
    if values is None:
        return
    components, explained = _principal(values)
    ids = [result.dataset.images.ids[row] for row in rows]
    labels = [str(label) for label in result.dataset.labels[rows]]
    write_features(result.folder, FeatureRows(ids, labels, components, values.shape[1], explained))


def write_features(folder: Path, rows: FeatureRows) -> None:
    """Write the file into a folder, whole or not at all. Raises `RunError`."""
    from safetensors.numpy import save

    about = {"ids": rows.ids, "labels": rows.labels, "dimension": rows.dimension}
    arrays = {"values": rows.values, "explained": rows.explained}
    if rows.tsne is not None:
        arrays["tsne"] = rows.tsne
    try:
        write_whole(folder / FILE, save(arrays, metadata={"about": json.dumps(about)}))
    except OSError as error:
        raise RunError(f"cannot write the features: {error.strerror}", where=str(folder)) from error


def read_features(folder: Path | None) -> FeatureRows | None:
    """What was written; None if there is no such file, or it is damaged: a map less is no harm."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        data = (folder / FILE).read_bytes() if folder else b""
        arrays = load(data)
        head = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        about = json.loads(head["about"])
        return FeatureRows(
            about["ids"],
            about["labels"],
            arrays["values"],
            int(about["dimension"]),
            arrays["explained"],
            arrays.get("tsne"),
        )
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None


def _spread(labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """At most so many of the test rows, the same number of each class where there are enough, sorted."""
    each = max(1, MOST // max(1, len(np.unique(labels[test]))))
    rows = [np.flatnonzero(labels[test] == label)[:each] for label in np.unique(labels[test])]
    return np.sort(test[np.concatenate(rows)][:MOST])


def _principal(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, m) float32 components and (m,) shares of variance; by products of rows, which are fewer than columns."""
    centred = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    variances, vectors = np.linalg.eigh(centred @ centred.T)
    largest = np.argsort(-variances)[: min(COMPONENTS, len(values), values.shape[1])]
    kept = np.maximum(variances[largest], 0)
    total = max(float(np.maximum(variances, 0).sum()), 1e-300)
    components = vectors[:, largest] * np.sqrt(kept)
    signs = np.where(components[np.abs(components).argmax(axis=0), range(components.shape[1])] < 0, -1, 1)
    # In rows: safetensors writes memory as it lies.
    return np.ascontiguousarray(components * signs, np.float32), (kept / total).astype(np.float32)
