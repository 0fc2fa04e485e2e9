from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cvpipe import threads
from cvpipe.data import Features
from cvpipe.data.seeds import derive
from cvpipe.errors import RunError
from cvpipe.stages.classifiers.random_forest import RandomForest
from cvpipe.vision.forest import LEAF, shares


def rings(rows: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 6)).astype(np.float32)
    radius = np.hypot(x[:, 0], x[:, 1])
    return x, np.array(["in", "mid", "out"])[np.digitize(radius, [0.8, 1.5])]


def test_a_tree_decides_by_its_arrays() -> None:
    # Feature 1 at most 0.5: leaf 1, else feature 0 at most -1: leaf 3, else leaf 4.
    feature, threshold = np.array([1, LEAF, 0, LEAF, LEAF]), np.array([0.5, 0, -1, 0, 0])
    children = np.array([[1, 2], [-1, -1], [3, 4], [-1, -1], [-1, -1]])
    values = np.arange(10, dtype=np.float32).reshape(5, 2)
    rows = np.array([[9, 0.5], [-1, 0.6], [-0.9, 0.6]], np.float32)
    got = shares(rows, np.array([0]), feature, threshold, children, values)
    np.testing.assert_array_equal(got, values[[1, 3, 4]])


@pytest.mark.parametrize(
    "options", [{}, {"max_depth": 3, "class_weight": "balanced"}, {"min_leaf": 5, "features": "all"}]
)
def test_shares_are_those_of_scikit_learn(options: dict[str, Any]) -> None:
    from sklearn.ensemble import RandomForestClassifier

    (x, y), (other, _) = rings(), rings(seed=1)
    stage = RandomForest(trees=10, seed=3, **options).fit(Features(values=x), y)
    want = RandomForestClassifier(
        10,
        max_depth=options.get("max_depth"),
        min_samples_leaf=options.get("min_leaf", 1),
        max_features=None if "features" in options else "sqrt",
        class_weight=options.get("class_weight"),
        random_state=derive(3, "random_forest", 0) % 2**32,
    ).fit(x, y)
    got = stage.predict(Features(values=other))
    np.testing.assert_allclose(got.scores, want.predict_proba(other), atol=1e-6)


def test_more_trees_than_a_block_are_different_trees_and_do_better() -> None:
    (x, y), (other, truth) = rings(), rings(1000, seed=1)
    right = []
    for trees in (1, 60):
        stage = RandomForest(trees=trees, seed=0).fit(Features(values=x), y)
        right.append((stage.predict(Features(values=other)).labels == truth).mean())
    assert right[1] > right[0] + 0.05
    thresholds = np.split(stage.threshold_, stage.roots_[1:])
    assert len({t.tobytes() for t in thresholds}) == 60


def test_threads_change_nothing() -> None:
    x, y = rings()
    alone = RandomForest(trees=25, seed=1).fit(Features(values=x), y)
    with threads.allow(2):
        together = RandomForest(trees=25, seed=1).fit(Features(values=x), y)
    for name, value in alone.state().items():
        np.testing.assert_array_equal(value, together.state()[name])


def test_bad_labels_are_told() -> None:
    x, _ = rings()
    with pytest.raises(RunError, match="random_forest: it needs two classes"):
        RandomForest().fit(Features(values=x), np.full(len(x), "a"))
