"""What a stage is: a map over images, with its parameters as annotated fields.

A stage author writes a class with annotated fields (its parameters) and one method `transform` that takes a batch of a
few images and gives a batch for the same images. The annotations of that method are the stage's typed edge. A `Learner`
adds `fit`, and names what it learns in fields that end in an underscore. A `Classifier` ends a pipeline with `predict`.

Stages follow scikit-learn's estimator protocol without importing it: a constructor only stores, `get_params` and
`set_params` see every field, `clone` works. What a value may be is in its annotation and is checked before a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self, TypeGuard, cast

import numpy as np

from cvpipe import data, options
from cvpipe.configurable import Configurable
from cvpipe.data import Predictions
from cvpipe.data.exhibits import Exhibit
from cvpipe.data.seeds import generator
from cvpipe.errors import NotFitted
from cvpipe.help import NAMES


class Stage(Configurable):
    """A map over images: `transform(concat(a, b)) == concat(transform(a), transform(b))`."""

    role = "stage"
    cached: ClassVar[bool] = True
    """False where computing the output again costs less than reading it back from disk."""
    row_by_row: ClassVar[bool] = False
    """True where each row (a descriptor, a patch) becomes a row that depends on it and its image alone, to the bit:
    rows for a learner may then be drawn before this stage instead of after it."""
    gpu_only: ClassVar[tuple[str, ...]] = ()
    """Libraries that it imports on a GPU only."""

    def rng(self, *address: str | int) -> np.random.Generator:
        """A generator for this stage's draws at an address, such as an image's id. Needs a parameter `seed`."""
        return generator(cast(Any, self).seed, self.name, *address)

    def transform(self, batch: Any) -> Any:
        """The output for each image of a batch. Every stage but a classifier writes its own, with annotations."""
        raise NotImplementedError(f"stage '{self.name}' has no transform")

    @property
    def output_type(self) -> type | None:
        """Of the types that `transform` may give, the one on which the options settle; None where they do not."""
        return None

    sealed = ""
    """Of a stage that comes fitted out of a saved model: the hash of what it is there. It is not fitted again."""

    def reads(self) -> Sequence[Path]:
        """Files or folders beside the images that decide what it gives, such as weights. Their contents become part of
        its key."""
        return ()

    def built_from(self) -> Sequence[str]:
        """Modules that its options name and that decide what it gives, such as that of a network of the user's. Their
        sources, and what these import, become part of its key."""
        return ()

    def exhibits(self) -> Sequence[Exhibit]:
        """What the report shows of it, once it is fitted: galleries, curves, facts. Made from what it learned."""
        return ()


@dataclass(frozen=True)
class Part:
    """What a stage that is an option of a stage takes and gives: `encoder: Annotated[Stage, Part(Descriptors,
    Features)]`."""

    takes: type
    gives: type


class Learner(Stage):
    """A stage that learns from training images before it transforms. What it learns is in fields ending in `_`."""

    @classmethod
    def learned(cls) -> list[str]:
        """The names of the fields that `fit` sets."""
        return [f.name for f in fields(cast(Any, cls)) if not f.init]

    @property
    def fit_rows(self) -> int | None:
        """How many rows (descriptors, patches) `fit` needs in all; None for everything.

        The runner draws them by image first, then by row, so that memory does not grow with the data set.
        """
        return None

    @property
    def sampler(self) -> Stage | None:
        """A stage whose output for the training images is what `fit` learns from; None for the learner's own input.

        So filters are learned from patches that a sampler draws, and are then laid over whole images.
        """
        return None

    def fit(self, batch: Any, labels: np.ndarray | None = None) -> Self:
        """Learn from training images; `labels` is (n,) class names or None. Every learner writes its own."""
        raise NotImplementedError(f"stage '{self.name}' has no fit")

    def state(self) -> dict[str, Any]:
        """What was learned, by name: arrays, numbers, strings. Raises `NotFitted`."""
        return {name: getattr(self, name) for name in self.learned()}

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Set what was learned, as `state` gave it."""
        for name in self.learned():
            setattr(self, name, state[name])
        return self

    def __getattr__(self, name: str) -> Any:
        # Reached only when the attribute is missing, which for a learned one means that fit has not run.
        if name.endswith("_") and not name.startswith("_") and name in type(self).learned():
            raise NotFitted(f"stage '{self.name}' is not fitted: call fit first")
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")


def learns(stage: Stage) -> TypeGuard[Learner]:
    """Whether a stage is to be fitted: it learns, and has not been taken out of a saved model."""
    return isinstance(stage, Learner) and not stage.sealed


class StandIn(Stage):
    """What stands in a pipeline for a fitted stage of a saved model; the conductor puts that stage in its place."""

    model: str  # folder of the model
    stage: str  # word of the stage in it
    content: str | None = None  # `sealed` of the stage that is expected

    def transform(self, batch: Any) -> Any:
        """Raises `NotFitted`: only a pipeline uses what it stands for."""
        raise NotFitted(f"stage '{self.name}' is used in pipelines only, which read the model")


class Classifier(Learner):
    """The last stage of a pipeline: it gives a score for each image and class. It learns `classes_`."""

    classes_: np.ndarray

    @property
    def gives_probabilities(self) -> bool:
        """Whether scores are in [0, 1] and those of an image sum to 1, as the options are."""
        return False

    def predict(self, features: Any) -> Predictions:
        """Scores for each image. Every classifier writes its own."""
        raise NotImplementedError(f"stage '{self.name}' has no predict")


NAMES.update({**vars(options), **vars(data)})
