"""Splits: who is on which side, what stays together, and what is said when there is no such split."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from cvpipe.data import Dataset, Images
from cvpipe.errors import DataError
from cvpipe.splits.checks import Census
from cvpipe.splits.grouping import assign, equal_shares
from cvpipe.splits.kinds import SPLITS, File, Fold, Given, Holdout, KFold, PerClass, Split
from cvpipe.splits.listed import unused_warnings

PIXEL = np.zeros((1, 1), np.uint8)


def data(
    labels: list[str] | np.ndarray, groups: np.ndarray | None = None, given: np.ndarray | None = None
) -> Dataset:
    labels = np.asarray(labels, dtype=str)
    ids = [f"{label}/{i:04d}.png" for i, label in enumerate(labels)]
    groups = None if groups is None else np.char.add("block ", np.asarray(groups).astype(str))
    return Dataset("toy", Images.from_arrays([PIXEL] * len(labels), ids), labels, groups, given)


def like_textures() -> Dataset:
    """10 classes x 10 groups x 5 images, the images in random order."""
    order = np.random.default_rng(0).permutation(500)
    return data(np.array([f"class {i // 50}" for i in range(500)])[order], (np.arange(500) // 5)[order])


def mixed() -> Dataset:
    """4 unequal classes in 60 groups of unequal size; most groups hold several classes."""
    rng = np.random.default_rng(1)
    groups = rng.choice(60, 900, p=rng.dirichlet(np.full(60, 2.0)))
    labels = np.where(rng.random(900) < 0.5, groups % 4, rng.choice(4, 900, p=[0.4, 0.3, 0.2, 0.1]))
    return data([f"c{i}" for i in labels], groups)


def plain() -> Dataset:
    return data(["ash"] * 40 + ["birch"] * 31 + ["cedar"] * 12)


def counts(dataset: Dataset, rows: np.ndarray) -> list[int]:
    return [int((dataset.labels[rows] == c).sum()) for c in dataset.classes]


def same(a: list[Fold], b: list[Fold]) -> bool:
    pairs = zip(a, b, strict=True)
    return all(np.array_equal(x.train, y.train) and np.array_equal(x.test, y.test) for x, y in pairs)


def message(split: Split, dataset: Dataset) -> str:
    with pytest.raises(DataError) as caught:
        split.folds(dataset, 0)
    assert caught.value.exit_code == 3
    return str(caught.value)


DRAWN: list[Split] = [
    KFold(kfold=5, repeats=2),
    KFold(kfold=3, repeats=2, stratified=False),
    Holdout(holdout=0.3, repeats=3),
    Holdout(holdout=0.3, repeats=3, stratified=False),
    PerClass(per_class=8, repeats=3),
]
by_words = pytest.mark.parametrize("split", DRAWN, ids=lambda s: repr(s.as_spec()))
by_data = pytest.mark.parametrize("make", [plain, like_textures, mixed])


@by_words
@by_data
def test_every_fold_is_sorted_disjoint_complete_and_keeps_groups(split: Split, make: object) -> None:
    dataset = make()  # type: ignore[operator]
    folds = split.folds(dataset, 0)
    assert len(folds) == split.count(dataset)
    for fold in folds:
        for rows in (fold.train, fold.test):
            assert rows.dtype == np.int64
            assert len(rows)
            assert (np.diff(rows) > 0).all()
        assert sorted([*fold.train, *fold.test]) == list(range(len(dataset)))
        if dataset.groups is not None:
            assert not set(dataset.groups[fold.train]) & set(dataset.groups[fold.test])


@by_words
@by_data
def test_folds_depend_on_the_seed_and_the_data_alone_and_repeats_differ(split: Split, make: object) -> None:
    first = split.folds(make(), 7)  # type: ignore[operator]
    np.random.seed(123)  # noqa: NPY002 - the global state must not matter
    assert same(first, split.folds(make(), 7))  # type: ignore[operator]
    assert not same(first, split.folds(make(), 8))  # type: ignore[operator]
    tests = {tuple(fold.test) for fold in first}
    assert len(tests) == len(first)


def test_more_repeats_keep_the_first_ones() -> None:
    for one, three in (
        (KFold(kfold=4), KFold(kfold=4, repeats=3)),
        (PerClass(per_class=5), PerClass(per_class=5, repeats=3)),
    ):
        dataset = mixed()
        first = one.folds(dataset, 0)
        assert same(first, three.folds(dataset, 0)[: len(first)])


@by_data
def test_k_fold_tests_every_image_once(make: object) -> None:
    dataset = make()  # type: ignore[operator]
    folds = KFold(kfold=5, repeats=2).folds(dataset, 0)
    for repeat in (folds[:5], folds[5:]):
        assert sorted(np.concatenate([fold.test for fold in repeat])) == list(range(len(dataset)))


def test_k_fold_of_images_deals_out_each_class_evenly() -> None:
    dataset = plain()
    for fold in KFold(kfold=5).folds(dataset, 0):
        for got, all_of_class in zip(counts(dataset, fold.test), (40, 31, 12), strict=True):
            assert abs(got - all_of_class / 5) < 1


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_equal_size_give_equal_folds(seed: int) -> None:
    dataset = like_textures()
    for fold in KFold(kfold=5, repeats=2).folds(dataset, seed):
        assert counts(dataset, fold.test) == [10] * 10
        assert counts(dataset, fold.train) == [40] * 10
    for fold in Holdout(holdout=0.2, repeats=2).folds(dataset, seed):
        assert counts(dataset, fold.test) == [10] * 10
    for fold in PerClass(per_class=20, repeats=2).folds(dataset, seed):
        assert counts(dataset, fold.train) == [20] * 10


def test_grouped_folds_are_as_balanced_as_those_of_scikit_learn() -> None:
    from sklearn.model_selection import StratifiedGroupKFold

    ours, theirs = [], []
    for seed in range(10):
        dataset, census = mixed(), Census(mixed())
        shares = equal_shares(census.table(), np.full(5, 0.2))
        side = np.zeros(census.total_units, int)
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        for f, (_, test) in enumerate(splitter.split(dataset.labels, dataset.labels, dataset.groups)):
            side[census.groups[test]] = f  # type: ignore[index]
        theirs.append(shares.cost(side)[1])
        ours.append(shares.cost(assign(shares, np.random.default_rng(seed)))[1])
    assert np.mean(ours) <= np.mean(theirs)


@pytest.mark.parametrize("seed", range(20))
def test_every_class_is_in_every_fold_where_that_can_be_found(seed: int) -> None:
    """Five folds with all classes, cut into groups of several classes and unequal size.

    The first greedy assignment misses a class in 12 of the 20 cases, scikit-learn's in 13.
    """
    rng = np.random.default_rng(seed)
    labels, groups = [], []
    for fold in range(5):
        for c in range(3):
            images = int(rng.integers(1, 40))
            labels += [f"c{c}"] * images
            groups += [fold * 3 + int(rng.integers(3))] * images
    dataset = data(labels, np.array(groups))
    for split in KFold(kfold=5).folds(dataset, seed):
        assert min(counts(dataset, split.test)) > 0


def test_two_groups_of_a_class_are_one_on_each_side() -> None:
    dataset = data(["a"] * 20 + ["b"] * 20, np.arange(40) // 10)
    for split in (Holdout(holdout=0.1), Holdout(holdout=0.9), PerClass(per_class=1), PerClass(per_class=19)):
        fold = split.folds(dataset, 0)[0]
        assert counts(dataset, fold.test) == counts(dataset, fold.train) == [10, 10]


def test_holdout_keeps_the_share_of_each_class() -> None:
    dataset = plain()
    for fold in Holdout(holdout=0.25, repeats=3).folds(dataset, 0):
        assert np.abs(np.array(counts(dataset, fold.test)) - np.array([40, 31, 12]) / 4).max() <= 1
        assert len(fold.test) == 21
    grouped = mixed()
    for fold in Holdout(holdout=0.25, repeats=3).folds(grouped, 0):
        assert np.array(counts(grouped, fold.test)) / counts(grouped, np.arange(900)) == pytest.approx(
            [0.25] * 4, abs=0.05
        )


def test_per_class_draws_exactly_n_images_or_about_n_in_groups() -> None:
    dataset = plain()
    for fold in PerClass(per_class=11, repeats=2).folds(dataset, 0):
        assert counts(dataset, fold.train) == [11] * 3
    draws = np.zeros(len(dataset))
    for fold in PerClass(per_class=6, repeats=300).folds(dataset, 0):
        draws[fold.train] += 1
    assert np.abs(draws[-12:] / 300 - 0.5).max() < 0.13  # 4.5 standard deviations
    textures = like_textures()
    for n, nearest in ((12, 10), (13, 15), (1, 5), (49, 45)):
        assert counts(textures, PerClass(per_class=n).folds(textures, 0)[0].train) == [nearest] * 10


def test_groups_of_one_image_are_no_groups() -> None:
    alone = plain()
    assert same(KFold(kfold=4).folds(alone, 0), KFold(kfold=4).folds(data(alone.labels, np.arange(83)), 0))


def test_given_takes_the_split_of_the_data() -> None:
    given = np.array(["test", "train", "train", "train", "test", "train"])
    fold = Given().folds(data(list("ababab"), given=given), 0)[0]
    assert (fold.train.tolist(), fold.test.tolist()) == ([1, 2, 3, 5], [0, 4])


def test_a_split_of_the_data_that_is_not_used() -> None:
    brought = data(["a", "b"] * 2, given=np.array(["train", "train", "test", "test"]))
    said = "the data bring a split of their own, which is not used; `--set 'split={given: true}'` uses it"
    assert unused_warnings(brought, KFold(kfold=2)) == [said]
    assert unused_warnings(brought, Given()) == unused_warnings(brought, File(file="splits.csv")) == []
    assert unused_warnings(brought[:2], KFold(kfold=2)) == []  # only one side: it could not be used
    assert unused_warnings(data(["a", "b"]), KFold(kfold=2)) == []


def test_words_and_their_form_in_a_spec() -> None:
    assert list(SPLITS) == ["kfold", "holdout", "per_class", "given", "file"]
    assert {word: cls.parameters()[0] for word, cls in SPLITS.items()} == {word: word for word in SPLITS}
    assert {cls.role for cls in SPLITS.values()} == {"split"}
    assert KFold(kfold=5).as_spec() == {"kfold": 5}
    assert KFold(kfold=5, repeats=3, stratified=False).as_spec() == {
        "kfold": 5,
        "repeats": 3,
        "stratified": False,
    }
    assert Holdout(holdout=0.2).as_spec() == {"holdout": 0.2}
    assert PerClass(per_class=100, repeats=10).as_spec() == {"per_class": 100, "repeats": 10}
    assert Given().as_spec() == {"given": True}
    assert File(file="a.csv").as_spec() == {"file": "a.csv"}
    for spec in (KFold(kfold=2, repeats=4).as_spec(), Holdout(holdout=0.5).as_spec()):
        assert SPLITS[next(iter(spec))](**spec).as_spec() == spec


@pytest.mark.parametrize("split", [*DRAWN, Given(), File(file="none.csv")], ids=lambda s: s.name)
def test_one_class_is_refused(split: Split) -> None:
    text = message(split, data(["river"] * 9))
    assert "toy: the data have one class only, 'river'; a classifier needs at least two" in text
    assert "the data have no images" in message(split, data([]))


def test_classes_smaller_than_the_folds_are_all_named() -> None:
    few = data(["river"] * 3 + ["lake"] * 4 + ["sea"] * 9)
    assert message(KFold(kfold=5), few).splitlines() == [
        "toy: class 'lake' has 4 images, fewer than the 5 folds; use {kfold: 3} or add images",
        "toy: class 'river' has 3 images, fewer than the 5 folds; use {kfold: 3} or add images",
    ]
    grouped = data(["river"] * 3 + ["sea"] * 12, np.array([0, 0, 1, *range(2, 14)]))
    assert message(KFold(kfold=5), grouped) == (
        "toy: class 'river' has 3 images (2 groups), fewer than the 5 folds; use {kfold: 2} or add images"
    )
    assert message(KFold(kfold=5), data(["river"] + ["sea"] * 9)).endswith(
        "has 1 image, fewer than the 5 folds; add images"
    )
    assert "5 images, fewer than the 6 folds" in message(
        KFold(kfold=6, stratified=False), data(list("aabbb"))
    )


def test_many_problems_are_cut_off_with_a_number() -> None:
    lines = message(KFold(kfold=5), data([f"c{i:02d}" for i in range(50)])).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 30 more problems of this kind"


def test_holdouts_that_leave_too_little() -> None:
    assert "class 'a' has 1 image; a holdout needs at least 2 images of each class" in message(
        Holdout(holdout=0.5), data(list("abbb"))
    )
    assert "class 'a' has 2 images (1 group); a holdout needs at least 2 groups of each class" in message(
        Holdout(holdout=0.5), data(list("aabbb"), np.array([0, 0, 1, 2, 3]))
    )
    assert message(Holdout(holdout=0.01), plain()) == (
        "toy: {holdout: 0.01} of 83 images leaves 1 test image for 3 classes; use another share or add images"
    )
    assert "leaves 0 training images" in message(Holdout(holdout=0.99), plain())
    one = data(list("aabb"), np.zeros(4, int))
    assert "all images are of one group" in message(Holdout(holdout=0.5, stratified=False), one)


def test_per_class_larger_than_a_class() -> None:
    assert message(PerClass(per_class=31), plain()).splitlines() == [
        "toy: class 'birch' has 31 images; {per_class: 31} leaves none to test on; use {per_class: 11}",
        "toy: class 'cedar' has 12 images; {per_class: 31} leaves none to test on; use {per_class: 11}",
    ]
    one_group = data(["a"] * 5 + ["b"] * 5, np.array([0] * 5 + [1, 1, 2, 2, 3]))
    assert "class 'a' has 5 images (1 group); {per_class: 2} needs at least 2 groups" in message(
        PerClass(per_class=2), one_group
    )


def test_a_class_that_nothing_is_learned_about() -> None:
    rare = data(["a"] * 30 + ["b"])
    assert "class 'b' has 1 test image, but none to train on" in message(
        KFold(kfold=3, stratified=False), rare
    )


def test_given_splits_that_cannot_be_used() -> None:
    assert "the data bring no split of their own" in message(Given(), plain())

    def said(words: list[str], groups: np.ndarray | None = None) -> str:
        return message(Given(), data(list("aabb"), groups, np.array(words)))

    assert "split says 'val', allowed are train and test" in said(["train", "val", "train", "test"])
    assert said(["train"] * 4) == "toy: split 0 has no test images"
    assert said(["test"] * 4) == "toy: split 0 has no training images"
    lines = said(["train", "train", "test", "test"]).splitlines()
    assert lines[0] == "toy: split 0: class 'b' has 2 test images, but none to train on"
    assert lines[1] == "toy: split 0 has one class only to train on, 'a'"
    shared = said(["train", "test", "train", "test"], np.array([1, 2, 1, 1]))
    assert shared == "toy: split 0 has 1 group on both sides, such as 'block 1'"


def write(path: Path, *lines: str) -> File:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return File(file=str(path))


def test_split_file(tmp_path: Path) -> None:
    dataset = data(list("aabb"))
    ids = dataset.images.ids
    one = write(
        tmp_path / "s.csv",
        "\ufeffid,split",
        *(f"{i},{s}" for i, s in zip(ids, ["train", "test"] * 2, strict=True)),
    )
    assert one.count(dataset) == 1
    assert [fold.test.tolist() for fold in one.folds(dataset, 0)] == [[1, 3]]
    rows = [
        f"Train, {i} ,{r}" if (n + r) % 2 else f"test,{i},{r}" for r in (10, 9) for n, i in enumerate(ids)
    ]
    two = write(tmp_path / "t.csv", "Split,ID,repeat", "", *rows)
    assert two.count(dataset) == 2
    assert [fold.test.tolist() for fold in two.folds(dataset, 0)] == [[1, 3], [0, 2]]  # 9 before 10
    skipped = write(
        tmp_path / "u.csv", "id,split", *(f"{i},train" for i in ids[::2]), f"{ids[1]},test", "a/bad.png,test"
    )
    assert skipped.folds(dataset, 0, skipped=["a/bad.png"])[0].test.tolist() == [1]
    assert (
        len(skipped.folds(dataset, 0, skipped=["a/bad.png"])[0].train) == 2
    )  # an image not listed is not used


def test_split_file_problems_are_said_line_by_line(tmp_path: Path) -> None:
    dataset = data(list("aabb"))
    split = write(
        tmp_path / "s.csv", "id,split,repeat", "a/0000.png,train,0", "a/0001.png,tset,0", "x/0002.png,test,0",
        "b/0003.pgn,test,0", "b/0003.png,test,first", "a/0000.png,test,0", "b/0002.png,test",
    )  # fmt: skip
    path = tmp_path / "s.csv"
    assert message(split, dataset).splitlines() == [
        f"{path}:3: split is 'tset', allowed are train and test (did you mean 'test'?)",
        f"{path}:4: the data have no image 'x/0002.png' (did you mean 'b/0002.png'?)",
        f"{path}:5: the data have no image 'b/0003.pgn' (did you mean 'b/0003.png'?)",
        f"{path}:6: repeat is 'first', not a whole number",
        f"{path}:7: image 'a/0000.png' is listed twice in one split",
        f"{path}:8: 2 fields, the header has 3",
    ]
    many = write(path, "id,split", *(f"{i}.jpg,train" for i in range(100)))
    lines = message(many, dataset).splitlines()
    assert (len(lines), lines[-1]) == (21, "and 80 more problems of this kind")


def test_split_files_that_are_none(tmp_path: Path) -> None:
    dataset, path = data(list("aabb")), tmp_path / "s.csv"
    assert f"{path}: cannot read the split file: No such file" in message(File(file=str(path)), dataset)
    assert "cannot read the split file: Is a directory" in message(File(file=str(tmp_path)), dataset)
    assert "the split file is empty; it needs the columns id, split" in message(write(path, ""), dataset)
    assert f"{path}:1: no images listed below the header" in message(write(path, "id,split"), dataset)
    assert "no column split; the columns are id and side, needed are id and split" in message(
        write(path, "id,side", "a/0000.png,train"), dataset
    )
    assert "column id stands there twice" in message(write(path, "id,split,id", "a,b,c"), dataset)
    path.write_bytes(b"id,split\n\xff\xfe,train\n")
    assert "not CSV text in UTF-8" in message(File(file=str(path)), dataset)
    with pytest.raises(DataError, match="no images listed"):
        write(path, "id,split").count(dataset)


@by_words
def test_no_warnings_of_scikit_learn_come_through(split: Split) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        split.folds(plain(), 0)
        split.folds(mixed(), 0)
