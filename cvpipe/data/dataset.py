"""A data set: images with their labels, and what a split has to respect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvpipe.data.images import Images, as_images
from cvpipe.data.labels import as_labels


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images with labels. Lists become what the fields say: of paths or arrays `Images`, of words arrays.

    Raises `ValueError` if the arrays do not have one row per image, and `DataError` for labels that are missing.
    """

    name: str
    """What reports call it."""
    images: Images
    """n images."""
    labels: np.ndarray
    """(n,) class names, str."""
    groups: np.ndarray | None = None
    """(n,) str; images of one group are kept on one side of a split. None: every image is its own group."""
    given: np.ndarray | None = None
    """(n,) `train` or `test`: the split that the data set brings. None: it brings none."""
    note: str = ""
    """A remark for the report: where the images come from, what was left out."""
    warnings: tuple[str, ...] = ()
    """What a reader of scores has to know about how the images were found."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", as_images(self.images))
        for what in ("labels", "groups", "given"):
            rows = getattr(self, what)
            if rows is None and what != "labels":
                continue
            rows = as_labels(rows, what)
            object.__setattr__(self, what, rows)
            if len(rows) != len(self.images):
                raise ValueError(f"{len(rows)} {what} for {len(self.images)} images")

    @property
    def classes(self) -> np.ndarray:
        """(k,) class names, sorted."""
        return np.unique(self.labels)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: Any) -> Dataset:
        """The part at a slice, an index array or a mask."""
        index = np.arange(len(self))[key]
        groups = None if self.groups is None else self.groups[index]
        given = None if self.given is None else self.given[index]
        return Dataset(
            self.name, self.images[index], self.labels[index], groups, given, self.note, self.warnings
        )
