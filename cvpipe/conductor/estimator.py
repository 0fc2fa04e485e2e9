"""scikit-learn's protocol for a row of stages: parameters by name, `clone`, and what kind of estimator it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from cvpipe.errors import SpecError, did_you_mean
from cvpipe.stage import Stage

PARAMETERS = ("stages", "seed", "jobs", "cache")
"""What a pipeline's constructor takes."""


class Estimator:
    """Has `stages` and the other `PARAMETERS`, and `fitted_` once it is fitted."""

    stages: Sequence[Stage]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; with `deep` also each stage as `word` and its options as `word__option`."""
        params = {name: getattr(self, name) for name in PARAMETERS}
        if deep:
            for word, stage in self._words().items():
                params[word] = stage
                params |= {f"{word}__{option}": value for option, value in stage.get_params().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Change parameters in place: `seed`, `stages`, a stage by its word, `word__option`. Raises `SpecError`."""
        for key, value in params.items():
            word, _, option = key.partition("__")
            if word in PARAMETERS:
                setattr(self, word, value)
            elif word not in self._words():
                near = did_you_mean(word, [*self._words(), *PARAMETERS])
                raise SpecError(f"no stage '{word}' in this pipeline{near}")
            elif option:
                self._words()[word].set_params(**{option: value})
            else:
                old = self._words()[word]
                self.stages = [value if stage is old else stage for stage in self.stages]
        return self

    def _words(self) -> dict[str, Stage]:
        """Stages by word; a word that occurs again gets a number: `l2`, `l2_2`."""
        words: dict[str, Stage] = {}
        for stage in self.stages:
            same = sum(other.name == stage.name for other in words.values())
            words[f"{stage.name}_{same + 1}" if same else stage.name] = stage
        return words

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(two_d_array=False),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "fitted_")
