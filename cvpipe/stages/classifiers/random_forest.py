"""Decision trees on random parts of the training data."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np

from cvpipe.data import Features, Predictions
from cvpipe.data.seeds import derive
from cvpipe.options import Count, Seed
from cvpipe.stage import Classifier
from cvpipe.stages.classifiers._training import classes_of
from cvpipe.threads import map_blocks
from cvpipe.vision.forest import LEAF, shares

BLOCK = 10
"""Trees that one thread grows at a time. A constant, so that trees never depend on the number of threads."""


class RandomForest(Classifier):
    """Mean of many decision trees, each grown on other training images, with a draw of features at each node.

    Takes (n, D) float32 of any scale, gives (n, k) float32 shares that sum to 1: the mean over trees of the classes
    in the leaf that an image falls into. Grown by scikit-learn (bootstrap, Gini impurity); decides from its own
    arrays. Raises `RunError` without labels, or with one class only.

    Source: Breiman, "Random forests", Machine Learning 2001.
    """

    trees: Count = 100  # more are slower and never worse
    max_depth: Count | None = None  # nodes below each other; null grows trees until leaves are pure
    min_leaf: Count = 1  # fewest training images in a leaf
    features: Literal["sqrt", "log2", "all"] = "sqrt"  # to choose from at each node; Breiman 2001, section 5
    class_weight: Literal["balanced"] | None = None  # balanced: all classes count the same in all
    seed: Seed = None  # of the draws of images and features

    roots_: np.ndarray
    feature_: np.ndarray
    threshold_: np.ndarray
    children_: np.ndarray
    values_: np.ndarray

    gives_probabilities = True

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Learn from (n, D) features and (n,) labels."""
        self.classes_, truth = classes_of(labels, self.name)
        rows = np.ascontiguousarray(features.values, np.float32)
        blocks = map_blocks(lambda a, b: self._grown(rows, truth, a, b), self.trees, BLOCK)
        grown = [tree for block in blocks for tree in block]
        sizes = [tree.node_count for tree in grown]
        self.roots_ = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self.feature_ = np.concatenate([np.where(t.children_left < 0, LEAF, t.feature) for t in grown])
        self.threshold_ = np.concatenate([t.threshold for t in grown])
        pairs = [np.stack([t.children_left, t.children_right], axis=1) for t in grown]
        self.children_ = np.concatenate(pairs) + np.repeat(self.roots_, sizes)[:, None]
        values = np.concatenate([t.value[:, 0] for t in grown])
        self.values_ = (values / values.sum(axis=1, keepdims=True)).astype(np.float32)
        return self

    def predict(self, features: Features) -> Predictions:
        """(n, D) features -> (n, k) shares."""
        rows = np.ascontiguousarray(features.values, np.float32)
        scores = shares(rows, self.roots_, self.feature_, self.threshold_, self.children_, self.values_)
        return Predictions(scores=scores, classes=self.classes_)

    def _grown(self, rows: np.ndarray, truth: np.ndarray, start: int, stop: int) -> list[Any]:
        """scikit-learn's arrays of some trees."""
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            stop - start,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_leaf,
            max_features=None if self.features == "all" else self.features,
            class_weight=self.class_weight,
            n_jobs=1,
            random_state=derive(self.seed, self.name, start) % 2**32,
        )
        return [tree.tree_ for tree in forest.fit(rows, truth).estimators_]
