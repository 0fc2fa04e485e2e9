"""A data set from the one word or path that people type."""

from __future__ import annotations

from dataclasses import MISSING
from pathlib import Path
from typing import Any

from cvpipe.data import Dataset
from cvpipe.datasets._source import Source
from cvpipe.errors import SpecError, did_you_mean, listed
from cvpipe.files import user_path
from cvpipe.help import option_defaults
from cvpipe.registry import dataset_class, dataset_names


def load_dataset(name_or_path: str | Path, **options: Any) -> Dataset:
    """`load_dataset("textures")`, `load_dataset("path/to/class-folders")`, `load_dataset("labels.csv")`.

    Options go to the data set: `load_dataset("torchvision", dataset="MNIST", root="data")`. Lists the
    images and labels, decodes nothing. Raises `SpecError` for an unknown name or option, or `DataError`.
    """
    return find_source(name_or_path, **options).load()


def find_source(name_or_path: str | Path, **options: Any) -> Source:
    """The data set, not yet loaded. A name wins over a path: write `./textures` for a folder of that name."""
    word = str(name_or_path)
    kind: type[Source]
    if isinstance(name_or_path, str) and word in dataset_names():
        kind = dataset_class(word)
    elif word.lower().endswith(".csv"):
        kind, options = dataset_class("csv"), {"file": word, **options}
    elif (word and user_path(word).exists()) or "/" in word or isinstance(name_or_path, Path):
        kind, options = dataset_class("folder"), {"path": word, **options}
    else:
        near = did_you_mean(word, dataset_names())
        raise SpecError(f"'{word}' is no data set{near} and no folder; there are {listed(dataset_names())}")
    unknown = [f"unknown option '{option}' of data set '{kind.name}'{did_you_mean(option, kind.parameters())}"
               for option in options if option not in kind.parameters()]  # fmt: skip
    if unknown:
        raise SpecError(unknown)
    try:
        return kind(**options)
    except TypeError as error:  # an option without a default is missing
        defaults = option_defaults(kind)
        needed = [name for name in kind.parameters() if defaults[name] is MISSING]
        raise SpecError(f"data set '{kind.name}' needs {listed(needed, 'and')}") from error
