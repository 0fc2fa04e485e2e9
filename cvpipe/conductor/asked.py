"""What a run is asked for, checked before any pixel is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any

from cvpipe.conductor.metrics import scores_among
from cvpipe.data import Dataset
from cvpipe.errors import SpecError, did_you_mean, listed
from cvpipe.options import POLICIES
from cvpipe.splits.kinds import SPLITS, Split
from cvpipe.wording import shown

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


def checked_metrics(metrics: Any) -> list[str]:
    """The metrics, if there are such. Raises `SpecError`."""
    if isinstance(metrics, str) or not isinstance(metrics, Iterable):
        raise SpecError(f"metrics are a list, such as ['accuracy', 'macro_f1'], got {shown(metrics)}")
    asked = list(metrics)
    scores_among(asked)
    return asked


def as_split(split: Split | Mapping[str, Any]) -> Split:
    """A split from its form in a spec: `{"kfold": 5}`; its values are not checked. Raises `SpecError`."""
    if isinstance(split, Split):
        return split
    if not isinstance(split, Mapping):
        raise SpecError(f"a split is one of {listed(SPLITS)}, such as {{'kfold': 5}}, got {split!r}")
    words = [word for word in split if word in SPLITS]
    if len(words) > 1:
        raise SpecError(f"a split is one of {listed(SPLITS)}, got {listed([repr(w) for w in words], 'and')}")
    if not words:
        near = did_you_mean(str(next(iter(split), "")), SPLITS)
        raise SpecError(f"a split is one of {listed(SPLITS)}, got {dict(split)}{near}")
    kind = SPLITS[words[0]]
    unknown = [option for option in split if option not in kind.parameters()]
    if unknown:
        near = did_you_mean(unknown[0], kind.parameters())
        raise SpecError(f"unknown option '{unknown[0]}' of split '{words[0]}'{near}")
    return kind(**split)


def number_problems(seed: Any, jobs: Any) -> list[str]:
    """What is wrong with a seed and a number of workers; None is what there is by default."""
    found = []
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, Integral) or int(seed) < 0):
        found.append(f"seed must be a whole number of at least 0, got {shown(seed)}")
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, Integral) or jobs == 0):
        found.append(f"jobs must be a whole number other than 0, -1 is one for each core, got {shown(jobs)}")
    return found
