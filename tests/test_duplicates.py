"""Copies of images and splits: found, kept on one side where a split is drawn, warned of where it is not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import cvpipe
from cvpipe.data import Dataset, Images
from cvpipe.splits.duplicates import equal_sets, leak_warnings, leaks
from cvpipe.splits.kinds import Fold, Given, Holdout, KFold, PerClass, Split

LABELS = np.array(["ash"] * 40 + ["birch"] * 30)
PIXEL = np.zeros((1, 1), np.uint8)
DRAWN: list[Split] = [
    KFold(kfold=5, repeats=2),
    KFold(kfold=3, stratified=False),
    Holdout(holdout=0.3, repeats=3),
    PerClass(per_class=8, repeats=3),
]
by_split = pytest.mark.parametrize("split", DRAWN, ids=lambda s: repr(s.as_spec()))


def trees(groups: np.ndarray | None = None) -> Dataset:
    ids = [f"{label}/{i:02d}.png" for i, label in enumerate(LABELS)]
    return Dataset("trees", Images.from_arrays([PIXEL] * len(LABELS), ids), LABELS, groups)


def tokens(*sets: list[int]) -> list[str]:
    """Content hashes in which the rows of a set are equal."""
    names = [f"t{row}" for row in range(len(LABELS))]
    for same in sets:
        for row in same:
            names[row] = f"t{same[0]}"
    return names


def test_equal_sets_are_in_the_order_of_the_data() -> None:
    assert equal_sets(["b", "a", "", "b", "", "a", "b", "c"]) == [[0, 3, 6], [1, 5]]
    assert equal_sets([]) == []


@by_split
def test_copies_are_on_one_side_and_little_else_moves(split: Split) -> None:
    same = tokens([0, 5], [7, 11, 30], [50, 69])
    before, after = split.folds(trees(), 3), split.folds(trees(), 3, (), same)
    assert leaks(before, same)
    assert leaks(after, same) == []
    for old, new in zip(before, after, strict=True):
        assert np.unique(LABELS[old.test], return_counts=True)[1].tolist() == (
            np.unique(LABELS[new.test], return_counts=True)[1].tolist()
        )
        np.testing.assert_array_equal(np.sort(np.r_[new.train, new.test]), np.arange(70))
        assert len(np.setdiff1d(old.test, new.test)) <= 4  # copies that moved, and those that made room
    if isinstance(split, KFold):
        for repeat in range(split.repeats):
            deal = after[repeat * split.kfold : (repeat + 1) * split.kfold]
            np.testing.assert_array_equal(np.sort(np.concatenate([f.test for f in deal])), np.arange(70))


@by_split
@pytest.mark.parametrize("pairs", [8, 15])
def test_many_copies_are_dealt_out_anew_and_sides_keep_their_sizes(split: Split, pairs: int) -> None:
    """Of 30 birches 16 or all have a copy: too few others to change places with."""
    same = tokens(*([40 + 2 * i, 41 + 2 * i] for i in range(pairs)), [0, 1])
    for seed in range(10):
        before, after = split.folds(trees(), seed), split.folds(trees(), seed, (), same)
        assert leaks(after, same) == []
        for old, new in zip(before, after, strict=True):
            np.testing.assert_array_equal(np.sort(np.r_[new.train, new.test]), np.arange(70))
            counts = [np.bincount(fold.test >= 40, minlength=2) for fold in (old, new)]
            assert np.abs(counts[0] - counts[1]).max() <= (pairs == 15)  # pairs make no odd number
        again = split.folds(trees(), seed, (), same)
        assert all((a.test == b.test).all() for a, b in zip(after, again, strict=True))
    for fold in after:
        assert {*LABELS[fold.test]} == {*LABELS[fold.train]} == {"ash", "birch"}


@by_split
def test_without_copies_nothing_moves(split: Split) -> None:
    for before, after in zip(split.folds(trees(), 1), split.folds(trees(), 1, (), tokens()), strict=True):
        np.testing.assert_array_equal(before.test, after.test)


def test_copies_with_two_classes_stay() -> None:
    same = tokens([0, 60])
    split = KFold(kfold=5)
    for before, after in zip(split.folds(trees(), 0), split.folds(trees(), 0, (), same), strict=True):
        np.testing.assert_array_equal(before.test, after.test)


def test_where_no_image_can_make_room_the_copy_stays() -> None:
    same = tokens(list(range(40)))
    assert leaks(KFold(kfold=5).folds(trees(), 0, (), same), same)


def test_groups_of_the_data_come_first() -> None:
    groups = np.array([f"g{i // 5}" for i in range(70)])
    split = KFold(kfold=5)
    same = tokens([0, 5], [10, 39])
    for before, after in zip(
        split.folds(trees(groups), 0), split.folds(trees(groups), 0, (), same), strict=True
    ):
        np.testing.assert_array_equal(before.test, after.test)


def test_leaks_name_each_test_image_once() -> None:
    folds = [Fold(np.array([0, 1, 4]), np.array([2, 3])), Fold(np.array([2, 3]), np.array([0, 1]))]
    names = ["a", "b", "a", "c", "a"]
    assert leaks(folds, names) == [(0, 2), (2, 0)]
    assert leak_warnings(folds[:1], names, list("vwxyz"), [0] * 5) == [
        "1 test image is among the training images too, byte for byte ('x' = 'v'): scores are too high"
    ]
    assert leak_warnings(folds, names, list("vwxyz"), [0] * 5) == [
        "2 test images are among the training images too, byte for byte (such as 'v' = 'x'): scores are too high"
    ]
    assert leak_warnings(folds, list("abcde"), list("vwxyz"), [0] * 5) == []


def test_a_copy_with_another_class_does_not_make_scores_too_high() -> None:
    folds = [Fold(np.array([0, 1, 4]), np.array([2, 3])), Fold(np.array([2, 3]), np.array([0, 1, 4]))]
    names, ids = ["a", "b", "a", "b", ""], list("vwxyz")
    assert leak_warnings(folds, names, ids, [0, 0, 1, 1, 0]) == [
        "4 test images are among the training images with another class, byte for byte (such as 'v' = 'x'): "
        "decide which class is right"
    ]
    assert leak_warnings(folds[:1], names, ids, [0, 0, 0, 1, 0]) == [
        "1 test image is among the training images too, byte for byte ('x' = 'v'): scores are too high",
        "1 test image is among the training images with another class, byte for byte ('y' = 'w'): "
        "decide which class is right",
    ]
    both = [Fold(np.array([0, 1]), np.array([2]))]
    assert leak_warnings(both, ["a", "a", "a"], list("xyz"), [1, 0, 0]) == [
        "1 test image is among the training images too, byte for byte ('z' = 'y'): scores are too high"
    ]


def test_a_given_split_stays_and_a_run_warns(class_folders: Callable[..., Path], tmp_path: Path) -> None:
    root = tmp_path / "parted"
    class_folders({"cat": 6, "dog": 6}, root / "train")
    class_folders({"cat": 3, "dog": 3}, root / "other")
    (root / "other").rename(root / "test")
    for label in (
        "cat",
        "dog",
    ):  # the fixture draws the same pictures in both parts: make most of them others
        for i in range(3):
            if (label, i) != ("cat", 1):
                recoloured(root / "test" / label / f"{i}.png")
    stages = ["raw_pixels", {"knn": {"k": 1}}]
    spec = {"data": {"folder": str(root)}, "split": {"given": True}, "stages": stages}
    warnings = cvpipe.run(spec).warnings
    assert [w for w in warnings if "byte for byte" in w] == [
        "1 test image is among the training images too, byte for byte ('test/cat/1.png' = 'train/cat/1.png'): "
        "scores are too high"
    ]
    dataset = cvpipe.load_dataset(str(root))
    assert len(Given().folds(dataset, 0, (), ["same"] * len(dataset))[0].test) == 6


def test_a_comparison_says_once_what_all_its_runs_warn_of(
    class_folders: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "parted"
    class_folders({"cat": 6, "dog": 6}, root / "train")
    class_folders({"cat": 3, "dog": 3}, root / "test")  # the same pictures again
    shared = {"data": {"folder": str(root)}, "split": {"given": True}}
    specs = [{"name": f"nearest_{k}", **shared, "stages": ["raw_pixels", {"knn": {"k": k}}]} for k in (1, 3)]
    found = cvpipe.compare(specs, out="out", jobs=1)
    leaks_told = [text for text in found.warnings if "byte for byte" in text]
    assert leaks_told == [
        "6 test images are among the training images too, byte for byte "
        "(such as 'test/cat/0.png' = 'train/cat/0.png'): scores are too high"
    ]
    assert leaks_told[0] in (tmp_path / "out" / "comparison.html").read_text().replace("&#39;", "'")
    assert (tmp_path / "out" / "runs" / "nearest_1" / "features.safetensors").is_file()


def test_a_drawn_split_does_not_warn(class_folders: Callable[..., Path]) -> None:
    root = class_folders({"cat": 8, "dog": 8})
    shutil.copy(root / "cat" / "0.png", root / "cat" / "9.png")
    spec = {"data": {"folder": str(root)}, "split": {"kfold": 4}, "stages": ["raw_pixels", "knn"]}
    result = cvpipe.run(spec)
    assert not [w for w in result.warnings if "byte for byte" in w]
    ids = np.array(result.dataset.images.ids)
    for split in result.splits:
        assert len({"cat/0.png", "cat/9.png"} & set(ids[split.test])) != 1


def test_the_aeroplanes_are_kept_together(real_data: Callable[[str], Path]) -> None:
    dataset = cvpipe.load_dataset(str(real_data("ucmerced")))
    found = [item.token() for item in dataset.images.items]
    pair = equal_sets(found)
    assert [[dataset.images.ids[row] for row in same] for same in pair] == [
        ["airplane/airplane01.jpg", "airplane/airplane02.jpg"]
    ]
    for seed in range(5):
        assert leaks(KFold(kfold=5).folds(dataset, seed, (), found), found) == []


def recoloured(path: Path) -> None:
    from PIL import Image

    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
