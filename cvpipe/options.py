"""The types of options that stages share: the annotation of a field is its check, its schema and its help."""

from __future__ import annotations

from typing import Annotated, Final

from annotated_types import Ge, Gt, Interval

Count = Annotated[int, Ge(1)]
"""A whole number of at least 1."""

NonNegative = Annotated[float, Ge(0)]
"""A number of at least 0."""

Positive = Annotated[float, Gt(0)]
"""A number above 0."""

Fraction = Annotated[float, Interval(gt=0, lt=1)]
"""A number strictly between 0 and 1."""

IS_PATH: Final = "path"
"""Marks text that names a file or a folder."""

PathText = Annotated[str, IS_PATH]
"""A path as text; a relative one starts at the working folder, and is absolute in a resolved spec."""

IS_PATH_OR_WORD: Final = "path or word"
"""Marks text that may name a file."""

PathOrWord = Annotated[str, IS_PATH_OR_WORD]
"""A word, or a path as text; the path of a file that exists is absolute in a resolved spec."""

Seed = Annotated[int, Ge(0)] | None
"""A seed; None takes one derived from the seed of the run and the name of the stage."""

POLICIES: Final = ("fail", "skip")
"""What `on_bad_image` may be: what is done where an image cannot be decoded."""
