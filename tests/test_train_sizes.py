"""Fewer training images for the same test images: stratified, nested, seeded."""

from __future__ import annotations

import numpy as np
import pytest
from toys import striped

from cvpipe.conductor.asked import as_split
from cvpipe.errors import DataError, SpecError
from cvpipe.spec import load_spec
from cvpipe.splits.kinds import SPLITS, Fold

DATA = striped(70)


def folds(seed: int = 0, **split: object) -> list[Fold]:
    return as_split(split).folds(DATA, seed)


@pytest.mark.parametrize(
    "split", [{"kfold": 5}, {"holdout": 0.2, "repeats": 3}, {"per_class": 15, "repeats": 2}], ids=str
)
def test_test_images_stay_and_training_images_are_nested(split: dict[str, object]) -> None:
    whole = folds(**split)
    before = [np.zeros(0, np.int64)] * len(whole)
    for size in (1, 4, 10):
        thin = folds(**split, train_per_class=size)
        for fold, full, smaller in zip(thin, whole, before, strict=True):
            assert fold.test.tolist() == full.test.tolist()
            assert np.unique(DATA.labels[fold.train], return_counts=True)[1].tolist() == [size] * 3
            assert set(smaller) <= set(fold.train) <= set(full.train)
            assert fold.train.tolist() == sorted(fold.train)
        before = [fold.train for fold in thin]


def test_the_draw_is_a_function_of_the_seed_and_the_split() -> None:
    first, again, other = (folds(seed, kfold=2, train_per_class=5) for seed in (0, 0, 1))
    assert [fold.train.tolist() for fold in first] == [fold.train.tolist() for fold in again]
    assert first[0].train.tolist() != other[0].train.tolist()
    same_rows = folds(holdout=0.2, repeats=2, train_per_class=5)
    assert same_rows[0].train.tolist() != same_rows[1].train.tolist()


def test_every_training_image_has_its_chance() -> None:
    drawn = np.concatenate([folds(seed, kfold=5, train_per_class=5)[0].train for seed in range(60)])
    assert len(np.unique(drawn)) == len(DATA)


def test_too_few_images() -> None:
    with pytest.raises(DataError) as caught:
        folds(kfold=5, train_per_class=19)
    assert str(caught.value).splitlines() == [
        "stripes: class 'down' has 18 training images in split 0, fewer than the 19 asked for",
        "stripes: class 'grain' has 18 training images in split 2, fewer than the 19 asked for",
    ]


def test_all_splits_have_it_in_specs() -> None:
    for split in ("{kfold: 3}", "{holdout: 0.5}", "{per_class: 9}", "{given: true}"):
        loaded = load_spec("lbp_svm", [f"split={split}", "split.train_per_class=4"])
        assert loaded.split.train_per_class == 4
        assert loaded.split.as_spec() | {"train_per_class": 4} == loaded.split.as_spec()
    assert [kind.name for kind in SPLITS.values()] == list(SPLITS)
    assert load_spec("lbp_svm").split.as_spec() == {"kfold": 5}
    with pytest.raises(SpecError, match="option 'train_per_class' of split 'kfold' must be a whole number"):
        load_spec("lbp_svm", ["split.train_per_class=0"])
