"""Small data, and stages that write down what the conductor does with them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from cvpipe.data import Dataset, Descriptors, Features, Images, Predictions, offsets_of
from cvpipe.options import Count, Seed
from cvpipe.stage import Classifier, Learner, Stage

CLASSES = ("across", "down", "grain")


def stripes(count: int = 70, side: int = 16, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Noisy images of stripes across, of stripes down, of grain, in turn, and their labels.

    The first pixel of image i is (i % 256, i // 256, 0): a stage can tell which image it sees.
    """
    rng = np.random.default_rng(seed)
    labels = np.array([CLASSES[i % 3] for i in range(count)])
    lines = np.repeat(np.arange(side // 2) % 2, 2) * 120
    pictures = []
    for i, label in enumerate(labels):
        grain = rng.integers(0, 120, (side, side, 3))
        plain = {"across": lines[:, None, None], "down": lines[None, :, None], "grain": 0}[label]
        pixels = (grain + plain).astype(np.uint8)
        pixels[0, 0] = i % 256, i // 256, 0
        pictures.append(pixels)
    return pictures, labels


def striped(count: int = 70, side: int = 16, seed: int = 0) -> Dataset:
    """The same as a data set."""
    pictures, labels = stripes(count, side, seed)
    return Dataset("stripes", Images.from_arrays(pictures), labels)


def number(image: np.ndarray) -> int:
    """Which image of `stripes` this is."""
    return int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])


class Slopes(Stage):
    """(n, 3): mean absolute differences down and across, and the number of the image."""

    gain: float = 1.0  # factor on the differences

    transformed: ClassVar[list[int]] = []
    """The number of every image that went through."""

    def transform(self, images: Images) -> Features:
        """Images -> features."""
        rows = np.zeros((len(images), 3), np.float32)
        for row, image in zip(rows, images, strict=True):
            grey = image[1:].mean(axis=2)
            row[:2] = self.gain * np.abs(np.diff(grey, axis=0)).mean(), np.abs(np.diff(grey, axis=1)).mean()
            row[2] = number(image)
            self.transformed.append(number(image))
        return Features(values=rows)


class Spots(Stage):
    """Image i has `10 * (i % 5)` descriptors (number, place): every fifth has none."""

    transformed: ClassVar[list[int]] = []

    def transform(self, images: Images) -> Descriptors:
        """Images -> descriptors."""
        numbers = [number(image) for image in images]
        self.transformed.extend(numbers)
        counts = [10 * (n % 5) for n in numbers]
        places = np.concatenate([np.empty(0), *map(np.arange, counts)]).astype(np.float32)
        values = np.stack([np.repeat(numbers, counts).astype(np.float32), places], axis=1)
        return Descriptors(
            offsets=offsets_of(counts),
            values=values,
            xy=values.copy(),
            scale=places,
            size=np.zeros((len(images), 2)),
        )


class Centre(Learner):
    """Differences less their training mean, without the number."""

    power: float = 1.0  # does nothing: another key, the same numbers

    mean_: np.ndarray

    fits: ClassVar[list[tuple[list[int], list[Any]]]] = []
    """(numbers of the images, labels) of every fit."""

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Learn the mean."""
        assert labels is not None
        self.fits.append((features.values[:, 2].astype(int).tolist(), labels.tolist()))
        self.mean_ = features.values[:, :2].mean(axis=0)
        return self

    def transform(self, features: Features) -> Features:
        """Features -> features."""
        return Features(values=features.values[:, :2] - self.mean_)


class Sampled(Learner):
    """Learns from about `rows` descriptors; gives their mean number for each image."""

    rows: Count = 100  # asked of the conductor
    seed: Seed = None  # of the draw

    mean_: np.ndarray

    fits: ClassVar[list[tuple[Descriptors, list[Any]]]] = []

    @property
    def fit_rows(self) -> int:
        """As many as were asked for."""
        return self.rows

    def fit(self, descriptors: Descriptors, labels: np.ndarray | None = None) -> Self:
        """Write down what there is."""
        assert labels is not None
        self.fits.append((descriptors, labels.tolist()))
        self.mean_ = descriptors.values.mean(axis=0)
        return self

    def transform(self, descriptors: Descriptors) -> Features:
        """Descriptors -> features."""
        totals = np.zeros((len(descriptors), 2), np.float32)
        for i in range(len(descriptors)):
            totals[i] = descriptors.values[descriptors.rows(i)].sum(axis=0)
        return Features(values=totals - self.mean_)


class Centroid(Classifier):
    """The nearest class mean."""

    shift: float = 0.0  # added to all scores

    means_: np.ndarray

    fits: ClassVar[list[list[Any]]] = []

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Learn a mean for each class."""
        assert labels is not None
        self.fits.append(labels.tolist())
        self.classes_ = np.unique(labels)
        self.means_ = np.stack([features.values[labels == label].mean(axis=0) for label in self.classes_])
        return self

    def predict(self, features: Features) -> Predictions:
        """Features -> predictions."""
        apart = ((features.values[:, None] - self.means_[None]) ** 2).sum(axis=2)
        return Predictions(scores=(self.shift - apart).astype(np.float32), classes=self.classes_)


def forget() -> None:
    """Empty all notes."""
    for notes in (Slopes.transformed, Spots.transformed, Centre.fits, Sampled.fits, Centroid.fits):
        notes.clear()  # type: ignore[attr-defined]
