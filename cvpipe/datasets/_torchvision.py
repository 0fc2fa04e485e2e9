"""torchvision's classification data sets: their parts, and where images and labels lie."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe.data.images import ArrayItem, FileItem, Item
from cvpipe.data.pixels import to_rgb8

TRAIN, TEST = "train", "test"


def _flag(**more: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(TRAIN, {"train": True, **more}), (TEST, {"train": False, **more})]


def _split(train: str = "train", test: str = "test") -> list[tuple[str, dict[str, Any]]]:
    return [*((TRAIN, {"split": word}) for word in train.split()), (TEST, {"split": test})]


WHOLE: list[tuple[str, dict[str, Any]]] = [("", {})]

# name -> its parts, each `train` or `test` with the arguments that select it. A validation part is learned
# from too, unless it is the only part with labels beside the training part.
PARTS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "Caltech101": WHOLE,
    "Caltech256": WHOLE,
    "CIFAR10": _flag(),
    "CIFAR100": _flag(),
    "Country211": _split("train valid"),
    "DTD": _split("train val"),
    "EMNIST": _flag(split="balanced"),
    "EuroSAT": WHOLE,
    "FashionMNIST": _flag(),
    "FER2013": _split(),
    "FGVCAircraft": _split("trainval"),
    "Flowers102": _split("train val"),
    "Food101": _split(),
    "GTSRB": _split(),
    "ImageNet": _split(test="val"),
    "Imagenette": _split(test="val"),
    "KMNIST": _flag(),
    "MNIST": _flag(),
    "OxfordIIITPet": _split("trainval"),
    "PCAM": _split("train val"),
    "Places365": _split("train-standard", "val"),
    "QMNIST": _flag(),
    "RenderedSST2": _split("train val"),
    "SEMEION": WHOLE,
    "StanfordCars": _split(),
    "STL10": _split(),
    "SUN397": WHOLE,
    "SVHN": _split(),
    "USPS": _flag(),
}


@dataclass(frozen=True, eq=False)
class LazyItem:
    """An image that only the data set itself can read."""

    dataset: Any
    index: int

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB. Raises `BadImage`."""
        from cvpipe.data._pillow import to_array

        image = self.dataset[self.index][0]
        return to_rgb8(to_array(image) if hasattr(image, "mode") else np.asarray(image))

    def token(self) -> str:
        """SHA-1 of the pixels."""
        pixels = self.read()
        return hashlib.sha1(str(pixels.shape).encode() + pixels.tobytes(), usedforsecurity=False).hexdigest()


def items_of(dataset: Any) -> list[Item]:
    """Where the images lie: in memory if they are there already, in files, or behind `dataset[i]`."""
    data = getattr(dataset, "data", None)
    if not isinstance(data, list) and getattr(data, "ndim", 0) in (3, 4):
        pixels = np.asarray(data)
        if pixels.ndim == 4 and pixels.shape[1] == 3 != pixels.shape[3]:
            pixels = pixels.transpose(0, 2, 3, 1)
        return [ArrayItem(image) for image in pixels]
    for name in ("samples", "_samples", "imgs", "_image_files", "_images", "data"):
        files = [entry[0] if isinstance(entry, tuple) else entry for entry in _sequence(dataset, name)]
        if len(files) == len(dataset) and files and all(isinstance(f, str | os.PathLike) for f in files):
            return [FileItem(Path(f)) for f in files]
    return [LazyItem(dataset, i) for i in range(len(dataset))]


def labels_of(dataset: Any) -> list[str]:
    """The names of the classes, one for each image."""
    names = [_plain(name) for name in _sequence(dataset, "classes") or _sequence(dataset, "categories")]
    numbers = [int(n) for n in _numbers(dataset)]
    if numbers and names and min(numbers) >= 0 and max(numbers) < len(names):
        return [names[n] for n in numbers]
    return [str(n) for n in numbers]


def _numbers(dataset: Any) -> Any:
    for name in ("targets", "labels", "_labels", "y"):
        numbers = np.asarray(getattr(dataset, name, ()))
        if len(numbers) == len(dataset) and numbers.dtype.kind in "iuf":
            return (
                numbers[:, 0] if numbers.ndim == 2 else numbers
            )  # QMNIST has more columns: writer, field, …
    for name in ("samples", "_samples"):
        entries = _sequence(dataset, name)
        if len(entries) == len(dataset) and all(isinstance(entry, tuple) for entry in entries):
            return [entry[1] for entry in entries]
    return [dataset[i][1] for i in range(len(dataset))]


def _sequence(dataset: Any, name: str) -> list:
    value = getattr(dataset, name, None)
    return list(value) if isinstance(value, list | tuple) else []


def _plain(name: Any) -> str:
    """MNIST calls its classes `0 - zero`, ImageNet has synonyms: the digit, the first word."""
    word = str(name[0] if isinstance(name, tuple | list) else name)
    digit = re.fullmatch(r"(\d) - \w+", word)
    return digit[1] if digit else word
