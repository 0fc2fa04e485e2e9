"""What an audit of a data set found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Audit:
    """What was found. Images are named by their ids; sets of images are in the order of the data."""

    name: str
    note: str
    """What listing the data left out."""
    images: int
    """Those that can be decoded."""
    classes: dict[str, int]
    """Class -> images that can be decoded."""
    sizes: dict[str, int]
    """`256 x 256` (width x height, px) -> images, the most frequent first."""
    kinds: dict[str, int]
    """`JPEG, RGB` -> images, the most frequent first; empty where images lie in no files."""
    unreadable: list[dict[str, str]]
    """`{id, reason}`."""
    equal: list[list[str]]
    """Sets of images with the same pixels."""
    contradicting: list[list[str]]
    """Those of `equal` that carry more than one class."""
    alike: list[list[str]]
    """Sets of images that look alike, without being equal: scaled or compressed again, or of the same place."""
    across: list[list[str]]
    """[test image, training image] with the same pixels on two sides of a split; empty without one."""
    alike_across: list[list[str]]
    """[test image, training image] that look alike."""
    split: str
    """The split that was looked at, as in a spec; empty if none."""
    brings_split: bool
    """Whether the data bring a split of their own."""
    warnings: list[str]
    """What to do about it, the gravest first."""

    def summary(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)
