"""The types on a pipeline's edges. Coordinates are in pixels with (0, 0) at the centre of the first pixel, x before
y."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from cvpipe.data.batch import Batch
from cvpipe.data.images import Images


@dataclass(frozen=True, eq=False)
class Keypoints(Batch):
    """Places in images that a detector chose, and the images, for the descriptor that comes next."""

    offsets: np.ndarray
    """(n + 1,) int64; image i owns rows offsets[i]:offsets[i + 1]."""
    xy: np.ndarray
    """(M, 2) float32, px."""
    scale: np.ndarray
    """(M,) float32, the Gaussian sigma of the scale at which the point was found, px."""
    angle: np.ndarray
    """(M,) float32, rad in [0, 2 pi), from the x axis towards the y axis (down); -1 where the detector gives none."""
    response: np.ndarray
    """(M,) float32, strength; larger is better, comparable within one detector only."""
    size: np.ndarray
    """(n, 2) int32, height and width of the image, px."""
    images: Images
    """The n images that the points lie in, decoded on demand. Not written to files: `from_arrays` is given them
    again."""
    per_row: ClassVar[tuple[str, ...]] = ("xy", "scale", "angle", "response")

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array by name, without the images."""
        return {name: value for name, value in super().arrays().items() if name != "images"}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], images: Images) -> Self:
        """The batch that `arrays` came from, with its images again."""
        return cls(**arrays, images=images)

    @classmethod
    def concat(cls, parts: Any) -> Self:
        """One batch after the other."""
        arrays = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in (*cls.per_row, "size")
        }
        counts = np.concatenate([part.counts for part in parts])
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(offsets=offsets, images=Images.concat([part.images for part in parts]), **arrays)


@dataclass(frozen=True, eq=False)
class Patches(Batch):
    """Small windows cut out of images, or out of maps of C channels."""

    offsets: np.ndarray
    """(n + 1,) int64; image i owns rows offsets[i]:offsets[i + 1]."""
    pixels: np.ndarray
    """(M, h, w, 3) uint8 RGB; of maps (M, h, w, C) float32."""
    xy: np.ndarray
    """(M, 2) float32, centres, px; of maps, positions."""
    size: np.ndarray
    """(n, 2) int32, height and width of the image, px; of maps, positions."""
    per_row: ClassVar[tuple[str, ...]] = ("pixels", "xy")


@dataclass(frozen=True, eq=False)
class Descriptors(Batch):
    """Vectors that each describe a neighbourhood of an image."""

    offsets: np.ndarray
    """(n + 1,) int64; image i owns rows offsets[i]:offsets[i + 1]. An image may own none."""
    values: np.ndarray
    """(M, D) float32 or uint8."""
    xy: np.ndarray
    """(M, 2) float32, centres of the neighbourhoods, px."""
    scale: np.ndarray
    """(M,) float32, Gaussian sigma of the neighbourhoods, px."""
    size: np.ndarray
    """(n, 2) int32, height and width of the image, px."""
    per_row: ClassVar[tuple[str, ...]] = ("values", "xy", "scale")


@dataclass(frozen=True, eq=False)
class BinaryDescriptors(Batch):
    """Strings of bits that each describe a neighbourhood of an image, compared by the number of bits that differ.

    A type of its own: their bytes are no numbers, so means, roots and Euclidean distances of them mean nothing.
    """

    offsets: np.ndarray
    """(n + 1,) int64; image i owns rows offsets[i]:offsets[i + 1]. An image may own none."""
    values: np.ndarray
    """(M, B) uint8, eight bits in a byte, the first one highest (`np.packbits`)."""
    xy: np.ndarray
    """(M, 2) float32, centres of the neighbourhoods, px."""
    scale: np.ndarray
    """(M,) float32, Gaussian sigma of the neighbourhoods, px."""
    size: np.ndarray
    """(n, 2) int32, height and width of the image, px."""
    per_row: ClassVar[tuple[str, ...]] = ("values", "xy", "scale")


@dataclass(frozen=True, eq=False)
class Maps(Batch):
    """Dense responses: one stack of C maps for each image."""

    offsets: np.ndarray
    """(n + 1,) int64; image i owns rows offsets[i]:offsets[i + 1], its h * w positions in row-major order."""
    values: np.ndarray
    """(sum of h * w, C) float32."""
    size: np.ndarray
    """(n, 2) int32, height and width of the maps."""
    per_row: ClassVar[tuple[str, ...]] = ("values",)

    def stack(self, image: int) -> np.ndarray:
        """(h, w, C) float32, a view of one image's maps."""
        height, width = self.size[image]
        return self.values[self.rows(image)].reshape(height, width, self.values.shape[1])


@dataclass(frozen=True, eq=False)
class Features(Batch):
    """One vector for each image."""

    values: np.ndarray
    """(n, D) float32."""


@dataclass(frozen=True, eq=False)
class Predictions(Batch):
    """A score for each image and class; the class with the highest score is the label."""

    scores: np.ndarray
    """(n, k) float32, larger is more likely; column j belongs to classes[j]."""
    classes: np.ndarray
    """(k,) class names, sorted."""

    @classmethod
    def _per_image(cls) -> list[str]:
        return ["scores"]

    def __getitem__(self, key: Any) -> Self:
        return type(self)(scores=self.scores[np.arange(len(self))[key]], classes=self.classes)

    @classmethod
    def concat(cls, parts: Any) -> Self:
        """One batch after the other; all have the same classes."""
        return cls(scores=np.concatenate([part.scores for part in parts]), classes=parts[0].classes)

    @property
    def labels(self) -> np.ndarray:
        """(n,) the class of the highest score; the first of equal ones."""
        return self.classes[self.scores.argmax(axis=1)]
