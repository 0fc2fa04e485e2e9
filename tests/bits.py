"""A line for every stage that runs compiled kernels: a hash of what it gives for some photographs, to the last bit.

    python tests/bits.py

Two processes are to print the same, whether they compile the kernels or find them compiled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from test_stage_laws import EDGES, apply, batch_of, labels, lesson

from cvpipe.conductor.sources import closure
from cvpipe.data import Batch, Images
from cvpipe.stage import Learner, Stage

SIDE = 200
"""Pixels along a side of the images."""


def photographs() -> Images:
    """Crops of two photographs, five of each."""
    from skimage import data

    found = []
    for photo in (data.coffee(), data.astronaut()):
        found += [np.ascontiguousarray(photo[:SIDE, x : x + SIDE]) for x in range(0, 5 * 64, 64)]
    return Images.from_arrays(found)


def bits(batch: Batch) -> str:
    """A hash of all arrays."""
    found = hashlib.sha256()
    for _, array in sorted(batch.arrays().items()):
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def compiled_edges() -> Iterator[tuple[type[Stage], type]]:
    """Stages with kernels, and what they take."""
    for edge in EDGES:
        stage, kind = edge.values
        if "cvpipe.vision.compiled" in (closure(stage.__module__) or ()):
            yield stage, kind


def main() -> None:
    """Print the lines."""
    for stage, kind in compiled_edges():
        batch, made = photographs() if kind is Images else batch_of(kind), stage()
        if isinstance(made, Learner):
            made.fit(lesson(made, batch), np.sort(labels()))
        print(f"{stage.name} {kind.__name__} {bits(apply(made, batch))}", flush=True)


if __name__ == "__main__":
    main()
