"""A pipeline: stages in a row, the last of them a classifier. It composes them; the conductor runs them.

It follows scikit-learn's protocol: `clone`, `get_params`, `set_params(bag_of_words__words=200)`, `GridSearchCV` and
`cross_val_score` work on it, with `Images` as X. Stages it was built from are never changed; `fitted` are copies.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from cvpipe.conductor import workers
from cvpipe.conductor.asked import number_problems
from cvpipe.conductor.edges import chain_problems
from cvpipe.conductor.estimator import Estimator
from cvpipe.conductor.flow import Flow
from cvpipe.conductor.inputs import probe_images, tokens_of
from cvpipe.conductor.ledger import Ledger
from cvpipe.conductor.links import Link
from cvpipe.conductor.progress import Progress
from cvpipe.conductor.result import RunResult
from cvpipe.conductor.scan import usable
from cvpipe.conductor.seeding import seeded
from cvpipe.conductor.stand_ins import replaced
from cvpipe.conductor.store import Nowhere, open_store
from cvpipe.configurable import Configurable
from cvpipe.data import Dataset, Images, Predictions, as_images, as_labels
from cvpipe.errors import DataError, NotFitted, SpecError
from cvpipe.files import user_path
from cvpipe.stage import Stage
from cvpipe.wording import shown


class Pipeline(Estimator):
    """Stages in a row, from `Images` to `Predictions`.

    `Pipeline([Sift(), RootSift(), BagOfWords(words=500), Svm()]).run(dataset)` trains, times and scores it.
    """

    fitted_: list[Link]
    """Fitted copies of the stages, with their keys in the cache (empty after `load`)."""
    probe_: list[np.ndarray]
    """Small images whose predictions are saved with the pipeline and compared when it is loaded."""
    about_: dict[str, Any]
    """Where a loaded pipeline comes from: run, data, what it was trained on."""

    def __init__(
        self, stages: Sequence[Stage], *, seed: int = 0, jobs: int | None = None, cache: bool = True
    ) -> None:
        self.stages = stages
        self.seed = seed
        self.jobs = jobs
        self.cache = cache

    def check(self, *others: Configurable) -> None:
        """Are all options allowed, also those of `others` such as a split, do the stages fit together?

        Raises `SpecError` with all problems. Reads no pixel.
        """
        from cvpipe.spec import option_problems

        no_stages = list(_no_stages(self.stages))
        if no_stages:
            raise SpecError(no_stages)
        problems = number_problems(self.seed, self.jobs)
        problems += [message for thing in (*others, *self.stages) for message in option_problems(thing)]
        if problems:
            raise SpecError(problems)  # with options that are not allowed, stages cannot say what they give
        problems = [message for _, message in chain_problems(replaced(self.stages))]
        if problems:
            raise SpecError(problems)

    @classmethod
    def from_yaml(cls, path: str | Path, **overrides: Any) -> Pipeline:
        """The pipeline of a spec, a path or a shipped name; `bag_of_words__words=200` overrides an option."""
        from cvpipe.spec import load_spec

        spec = load_spec(path)
        return cls(spec.stages, seed=spec.seed).set_params(**overrides)

    def run(self, dataset: Dataset, **options: Any) -> RunResult:
        """Train, time and score on splits of a data set, such as `cvpipe.load_dataset("textures")`.

        Options: see `cvpipe.conductor.conduct.conduct` (split, metrics, seed, jobs, device,
        on_bad_image, refit, name, spec, progress).
        """
        from cvpipe.conductor.conduct import conduct

        return conduct(self, dataset, **options)

    def fit(self, images: Images, labels: Any) -> Self:
        """Learn from labelled images; `labels` is (n,). Raises `DataError` for an image that cannot be decoded."""
        self.check()
        given = as_images(images)
        classes = as_labels(labels, "labels")
        if len(classes) != len(given):
            raise DataError(f"{len(classes)} labels for {len(given)} images")
        dataset = Dataset("images", given, classes)
        jobs = workers.count(self.jobs)
        with open_store(self.cache) as store:
            kept, scan, _ = usable(dataset, "fail", store, jobs, Progress())
            stages = replaced(seeded(self.stages, int(self.seed)))
            flow = Flow(kept.images, scan.tokens, store, jobs, Ledger(stages, jobs, Progress()))
            self.fitted_ = flow.fit(stages, np.arange(len(kept)), kept.labels)
            self.probe_ = probe_images(kept.images)
        return self

    def fitted_with(self, chain: list[Link], seed: int, probe: list[np.ndarray]) -> Pipeline:
        """A copy with this seed, these fitted stages and these images for the probe."""
        stages = [copy.deepcopy(stage) for stage in self.stages]  # parts of stages are fitted too
        fitted = Pipeline(stages, seed=seed, jobs=self.jobs, cache=self.cache)
        fitted.fitted_, fitted.probe_ = chain, probe
        return fitted

    def predictions(self, images: Images, progress: Progress | None = None) -> Predictions:
        """Scores for each image and class. Raises `NotFitted`, and `DataError` for an image that cannot be decoded."""
        chain, asked = self._chain(), as_images(images)
        if not len(asked):
            return Predictions(scores=np.empty((0, len(self.classes_)), np.float32), classes=self.classes_)
        jobs = workers.count(self.jobs)
        keyed = self.cache and all(link.key for link in chain)
        with open_store(True) if keyed else contextlib.nullcontext(Nowhere()) as store:
            tokens = tokens_of(asked) if keyed else [""] * len(asked)
            ledger = Ledger(self.fitted, jobs, progress or Progress())
            return Flow(asked, tokens, store, jobs, ledger).predict(chain, np.arange(len(asked)))

    def predict(self, images: Images) -> np.ndarray:
        """(n,) labels."""
        return self.predictions(images).labels

    def decision_function(self, images: Images) -> np.ndarray:
        """(n, k) scores; column j belongs to `classes_[j]`. Of two classes (n,), the second's less the first's."""
        scores = self.predictions(images).scores
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    @property
    def predict_proba(self) -> Callable[[Images], np.ndarray]:
        """`predict_proba(images)`: (n, k) probabilities; column j belongs to `classes_[j]`.

        Raises `AttributeError` where the classifier gives other scores: so scikit-learn asks whether there are any.
        """
        stages = self.fitted if hasattr(self, "fitted_") else self.stages
        last = stages[-1] if len(stages) else None
        if not getattr(last, "gives_probabilities", False):
            said = f"the scores of '{getattr(last, 'name', last)}' are no probabilities"
            raise AttributeError(f"{said}: decision_function gives them")

        def predict_proba(images: Images) -> np.ndarray:  # scikit-learn looks at its name
            return self.predictions(images).scores

        return predict_proba

    def score(self, images: Images, labels: Any) -> float:
        """Accuracy in [0, 1]; `labels` is (n,)."""
        given, truth = as_images(images), as_labels(labels, "labels")
        if len(truth) != len(given):
            raise DataError(f"{len(truth)} labels for {len(given)} images")
        if (truth.dtype.kind == "U") != (self.classes_.dtype.kind == "U"):
            got, known = shown(truth[:1].tolist()), shown(self.classes_[:1].tolist())
            raise DataError(f"labels are of another kind than those that it learned: {got}, not {known}")
        return float(np.mean(self.predict(given) == truth))

    def save(self, folder: str | Path) -> None:
        """Write the fitted pipeline into a folder: arrays, JSON and a probe, no code. `cvpipe.load` gives it back."""
        from cvpipe.conductor.save import save

        save(self, user_path(folder))

    @property
    def classes_(self) -> np.ndarray:
        """(k,) class names, sorted."""
        return self.fitted[-1].classes_  # type: ignore[attr-defined]

    @property
    def fitted(self) -> list[Stage]:
        """Fitted copies of the stages. Raises `NotFitted`."""
        return [link.stage for link in self._chain()]

    def _chain(self) -> list[Link]:
        if not hasattr(self, "fitted_"):
            raise NotFitted("the pipeline is not fitted: call fit or run first")
        return self.fitted_

    def __repr__(self) -> str:
        return f"Pipeline({list(self.stages)!r})"


def _no_stages(stages: Any) -> Iterator[str]:
    """What among the stages of a pipeline is none, and what to write instead."""
    if not isinstance(stages, Sequence) or isinstance(stages, str):
        yield f"a pipeline takes a list of stages, got {stages!r}"
        return
    for number, stage in enumerate(stages, 1):
        if isinstance(stage, type) and issubclass(stage, Stage):
            yield f"stage {number} is the class {stage.__name__}: write {stage.__name__}()"
        elif isinstance(stage, str):
            yield f"stage {number} is a word, {stage!r}: a pipeline in Python takes objects, a spec takes words"
        elif not isinstance(stage, Stage):
            yield f"stage {number} is no stage, but of type {type(stage).__name__}: {shown(stage)}"
