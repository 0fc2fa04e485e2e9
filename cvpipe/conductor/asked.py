"""What a run is asked for, checked before any pixel is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cvpipe.conductor.pipeline import number_problems
from cvpipe.data import Dataset
from cvpipe.errors import SpecError, did_you_mean, listed
from cvpipe.options import POLICIES
from cvpipe.splits.kinds import SPLITS, Split

if TYPE_CHECKING:
    from cvpipe.conductor.pipeline import Pipeline


def checked_split(
    pipeline: Pipeline, dataset: Any, split: Split | Mapping[str, Any] | None, seed: Any, jobs: Any,
    on_bad_image: Any,
) -> Split:  # fmt: skip
    """The split, if a run can be what is asked for. Reads no pixel. Raises `SpecError`."""
    chosen = as_split({"kfold": 5} if split is None else split)
    if wrong := number_problems(seed, jobs):
        raise SpecError(wrong)
    pipeline.check(chosen)
    if not isinstance(dataset, Dataset):
        said = "such as cvpipe.load_dataset('textures') gives, or Dataset(name, images, labels)"
        raise SpecError(f"a pipeline runs on a `Dataset`, {said}; got a {type(dataset).__name__}")
    if on_bad_image not in POLICIES:
        near = did_you_mean(str(on_bad_image), POLICIES)
        raise SpecError(f"on_bad_image must be one of {listed(POLICIES)}, got {on_bad_image!r}{near}")
    return chosen


def as_split(split: Split | Mapping[str, Any]) -> Split:
    """A split from its form in a spec: `{"kfold": 5}`; its values are not checked. Raises `SpecError`."""
    if isinstance(split, Split):
        return split
    if not isinstance(split, Mapping):
        raise SpecError(f"a split is one of {listed(SPLITS)}, such as {{'kfold': 5}}, got {split!r}")
    words = [word for word in split if word in SPLITS]
    if len(words) != 1:
        near = did_you_mean(str(next(iter(split), "")), SPLITS)
        raise SpecError(f"a split is one of {listed(SPLITS)}, got {dict(split)}{near}")
    kind = SPLITS[words[0]]
    unknown = [option for option in split if option not in kind.parameters()]
    if unknown:
        near = did_you_mean(unknown[0], kind.parameters())
        raise SpecError(f"unknown option '{unknown[0]}' of split '{words[0]}'{near}")
    return kind(**split)
