"""What is kept of each image of an audit. Images are decoded once, a chunk at a time in threads; a grey copy of 1 kB of
each is kept, to find those that look alike."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvpipe.conductor import workers
from cvpipe.conductor.chunks import CHUNK
from cvpipe.conductor.progress import Progress
from cvpipe.data import Images
from cvpipe.data.kind import kind_of
from cvpipe.errors import BadImage
from cvpipe.vision import perceptual_hash


@dataclass(frozen=True)
class Look:
    """What is kept of one image: either a reason why it cannot be decoded, or all the others."""

    reason: str = ""
    token: str = ""
    """Hash of its shape and pixels."""
    width: int = 0
    height: int = 0
    kind: str = ""
    grey: np.ndarray | None = None


def looks_at(images: Images, jobs: int, progress: Progress) -> list[Look]:
    """One for each image, in their order; `jobs` threads."""
    parts = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    progress.begin("images", len(images))
    looks: list[Look] = []
    with workers.over(jobs, _looks, parts) as done:
        for some in done:
            looks += some
            progress.advance("images", len(some))
    progress.end("images")
    return looks


def _looks(images: Images) -> list[Look]:
    return [_look(item) for item in images.items]


def _look(item: Any) -> Look:
    try:
        pixels = item.read()
    except BadImage as error:
        return Look(reason=error.problems[0].message)
    height, width = pixels.shape[:2]
    token = hashlib.sha1(f"{height} {width} ".encode() + pixels.tobytes(), usedforsecurity=False).hexdigest()
    return Look("", token, width, height, kind_of(item), perceptual_hash.look(pixels))
