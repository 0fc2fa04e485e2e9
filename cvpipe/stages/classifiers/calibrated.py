"""Probabilities from the scores of any classifier."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Self

import numpy as np
from annotated_types import Ge

from cvpipe.data import Features, Predictions
from cvpipe.options import Seed
from cvpipe.stage import Classifier, Part
from cvpipe.stages.classifiers._training import classes_of, inner_folds, one_hot
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.vision import platt

PREFIX = "classifier__"
"""Before the names of what the classifier learned."""


def _linear() -> Svm:
    return Svm()  # type: ignore[call-arg]  # it is not fitted yet


class Calibrated(Classifier):
    """Probabilities of classes: a sigmoid of the classifier's score for each class, divided by their sum.

    Takes (n, D) float32, gives (n, k) float32 that sum to 1: of images with 0.8 for a class, about 80 % are of it. The
    classifier learns from all training images. The sigmoids are fitted to scores of each training image by a copy
    that was trained without the fold it is in; where a class is missing from the other folds, it has the image's
    lowest score, and where only one is left, all have 0. Takes `folds` + 1 times as long to train as the classifier
    (`svm: {probability: true}` shares its kernel between folds and takes less). Raises `RunError` without labels, with
    one class only, and what the classifier raises.

    Source: Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood
    methods", 1999; Zadrozny & Elkan, "Transforming classifier scores into accurate multiclass probability estimates",
    KDD 2002, section 5.
    """

    # whose scores are calibrated
    classifier: Annotated[Classifier, Part(Features, Predictions)] = field(default_factory=_linear)
    folds: Annotated[int, Ge(2)] = 5  # of the training images; stratified by label
    seed: Seed = None  # of the draw of folds

    sigmoids_: np.ndarray
    classifier_: Classifier

    gives_probabilities = True

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Learn from (n, D) features and (n,) labels."""
        self.classes_, truth = classes_of(labels, self.name)
        positive = one_hot(truth, len(self.classes_)) > 0
        self.sigmoids_ = platt.fit_sigmoids(self._held_out(features, truth), positive)
        self.classifier_ = copy.deepcopy(self.classifier).fit(features, self.classes_[truth])
        return self

    def predict(self, features: Features) -> Predictions:
        """(n, D) features -> (n, k) probabilities."""
        chances = platt.sigmoids(self.classifier_.predict(features).scores, self.sigmoids_)
        return Predictions(scores=platt.shares(chances).astype(np.float32), classes=self.classes_)

    def _held_out(self, features: Features, truth: np.ndarray) -> np.ndarray:
        """(n, k) scores of training images by copies that did not see them."""
        fold = inner_folds(self, truth)
        scores = np.zeros((len(truth), len(self.classes_)), np.float32)
        for number in np.unique(fold):
            out = fold == number
            if len(np.unique(truth[~out])) < 2:
                continue  # most classifiers refuse to learn one class; nothing would tell its images apart
            copied = copy.deepcopy(self.classifier).fit(features[~out], self.classes_[truth[~out]])
            given = copied.predict(features[out])
            scores[out] = given.scores.min(axis=1, keepdims=True)
            scores[np.ix_(out, np.searchsorted(self.classes_, given.classes))] = given.scores
        return scores

    def state(self) -> dict[str, Any]:
        """What was learned, that of the classifier after `classifier__`."""
        own = {name: getattr(self, name) for name in ("sigmoids_", "classes_")}
        return own | {PREFIX + name: value for name, value in self.classifier_.state().items()}

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Set what was learned, as `state` gave it."""
        self.sigmoids_, self.classes_ = state["sigmoids_"], state["classes_"]
        learned = {n.removeprefix(PREFIX): v for n, v in state.items() if n.startswith(PREFIX)}
        self.classifier_ = copy.deepcopy(self.classifier).restore(learned)
        return self
