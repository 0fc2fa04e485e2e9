"""What the types that flow between stages have in common: a few arrays over n images.

Some arrays have one row per image, others are ragged: image i owns rows `offsets[i]:offsets[i + 1]`. There are no
arrays of objects, so every batch can be cut, joined and written to a file by the same few lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar, Self, cast

import numpy as np

from cvpipe.data.images import Images
from cvpipe.errors import RunError
from cvpipe.wording import shown


class Batch:
    """Arrays over n images; the subclasses are frozen dataclasses of arrays.

    `per_row` names the ragged arrays, which need an `offsets` array of shape (n + 1,); all other fields have n rows.
    """

    per_row: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise RunError(problems, where=type(self).__name__)

    def _problems(self) -> list[str]:
        values = {f.name: getattr(self, f.name) for f in fields(cast(Any, self))}
        wrong = [f"{name} must be an array of numbers, got {shown(value)}" for name, value in values.items()
                 if not isinstance(value, np.ndarray | Images) or _of_objects(value)]  # fmt: skip
        if wrong:
            return wrong
        rows = self._rows()
        per_row = [f"{name} has {len(getattr(self, name))} rows, offsets end at {rows}"
                   for name in self.per_row if len(getattr(self, name)) != rows]  # fmt: skip
        per_image = [f"{name} has {len(getattr(self, name))} rows for {len(self)} images"
                     for name in self._per_image() if len(getattr(self, name)) != len(self)]  # fmt: skip
        return per_row + per_image

    @classmethod
    def _per_image(cls) -> list[str]:
        return [f.name for f in fields(cast(Any, cls)) if f.name not in (*cls.per_row, "offsets")]

    def _rows(self) -> int:
        return int(cast(Any, self).offsets[-1]) if self.per_row else 0

    def __len__(self) -> int:
        if self.per_row:
            return len(cast(Any, self).offsets) - 1
        return len(getattr(self, self._per_image()[0]))

    @property
    def shape(self) -> tuple[int]:
        """(n,): the number of images."""
        return (len(self),)

    @property
    def counts(self) -> np.ndarray:
        """(n,) number of rows that each image owns."""
        return np.diff(cast(Any, self).offsets)

    def rows(self, image: int) -> slice:
        """The rows of one image, as a slice into the ragged arrays."""
        offsets = cast(Any, self).offsets
        return slice(int(offsets[image]), int(offsets[image + 1]))

    def __getitem__(self, key: Any) -> Self:
        """The images at a slice, an index array, a list or a mask, in that order."""
        index = np.arange(len(self))[key]
        picked = {name: getattr(self, name)[index] for name in self._per_image()}
        if self.per_row:
            spans = _spans(cast(Any, self).offsets, index)
            picked |= {name: _joined(getattr(self, name), spans) for name in self.per_row}
            picked["offsets"] = offsets_of(self.counts[index])
        return type(self)(**picked)

    def take_rows(self, rows: np.ndarray, images: np.ndarray | None = None) -> Self:
        """The same images, or some of them, with only some of their rows; `rows` and `images` are sorted index arrays,
        and all rows are of these images."""
        offsets = np.searchsorted(rows, cast(Any, self).offsets).astype(np.int64)
        kept = {name: np.take(getattr(self, name), rows, axis=0) for name in self.per_row}
        if images is None:
            kept |= {name: getattr(self, name) for name in self._per_image()}
        else:
            kept |= {name: getattr(self, name)[images] for name in self._per_image()}
            offsets = offsets_of(np.diff(offsets)[images])
        return type(self)(**kept | {"offsets": offsets})

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """One batch after the other. At least one part is needed, since an array knows its width and type."""
        if len(parts) == 1:
            return parts[0]
        names = (*cls.per_row, *cls._per_image())
        joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        if cls.per_row:
            joined["offsets"] = offsets_of(np.concatenate([part.counts for part in parts]))
        return cls(**joined)

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array by name: what a file holds."""
        return {f.name: getattr(self, f.name) for f in fields(cast(Any, self))}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], images: Images) -> Self:
        """The batch that `arrays` came from; `images` are the n images it was made from."""
        return cls(**arrays)


def _of_objects(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "O"


def offsets_of(counts: Sequence[int] | np.ndarray) -> np.ndarray:
    """(n + 1,) int64 row offsets of n images with so many rows each."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _spans(offsets: np.ndarray, index: np.ndarray) -> list[slice]:
    """The rows that the images at `index` own, image after image; neighbours together, since copying few long spans
    takes a third of the time of copying row by row."""
    ends = np.flatnonzero(np.diff(index) != 1) + 1
    runs = np.split(index, ends) if len(index) else []
    return [slice(int(offsets[run[0]]), int(offsets[run[-1] + 1])) for run in runs]


def _joined(array: np.ndarray, spans: list[slice]) -> np.ndarray:
    """A copy, even of no rows: a view would keep all of the array alive."""
    return np.concatenate([array[:0], *(array[span] for span in spans)])
