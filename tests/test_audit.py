"""`cvpipe datasets check`: what it finds, what it says, how it ends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from cvpipe_cli.main import main

import cvpipe
from cvpipe import api
from cvpipe.audit.audit import audit
from cvpipe.data import Dataset, Images


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["datasets", "check", *arguments])


def scene(seed: int, side: int = 96) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes of six different pictures."""
    for label, start in (("cat", 0), ("dog", 100)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for i in range(6):
            cv2.imwrite(str(tmp_path / "photos" / label / f"{i}.png"), scene(start + i))
    return tmp_path / "photos"


def warnings(folder: Path, *options: str) -> list[str]:
    return [line.removeprefix("warning: ") for line in check(str(folder), *options).stdout.splitlines()
            if line.startswith("warning: ")]  # fmt: skip


def test_a_clean_folder_is_said_to_be_so(photos: Path) -> None:
    done = check(str(photos))
    assert done.exit_code == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[-4:] == [
        "photos: 12 images in 2 classes",
        "sizes (px): 96 x 96 (12)",
        "files: PNG, RGB (12)",
        "nothing to warn of",
    ]


def test_equal_images_are_found_in_other_files(photos: Path) -> None:
    cv2.imwrite(str(photos / "cat" / "copy.bmp"), scene(2))  # the same pixels in another format
    assert warnings(photos) == [
        "1 set of equal images: 'cat/2.png' = 'cat/copy.bmp'; copies of one class stay on one side of a drawn "
        "split, if the class has enough different images, but count twice"
    ]
    assert check(str(photos)).exit_code == 0


def test_a_copy_with_another_class(photos: Path) -> None:
    shutil.copy(photos / "cat" / "2.png", photos / "dog" / "really.png")
    assert warnings(photos)[0] == (
        "1 image carries more than one class: 'cat/2.png' = 'dog/really.png'; decide which is right"
    )


def test_images_that_look_alike(photos: Path) -> None:
    cv2.imwrite(
        str(photos / "cat" / "small.jpg"), cv2.resize(scene(2), (64, 64), interpolation=cv2.INTER_AREA)
    )
    cv2.imwrite(
        str(photos / "cat" / "smaller.jpg"), cv2.resize(scene(2), (48, 48), interpolation=cv2.INTER_AREA)
    )
    cv2.imwrite(str(photos / "cat" / "mirrored.png"), scene(2)[:, ::-1])
    assert warnings(photos) == [
        "1 set of images looks alike: 'cat/2.png' ~ 'cat/small.jpg' ~ 'cat/smaller.jpg'; look at them, and if they "
        "show the same give each set one `group` in a CSV file, or a split may part them"
    ]
    assert "sizes (px): 96 x 96 (13), 64 x 64 (1), 48 x 48 (1)" in check(str(photos)).stdout
    assert "files: PNG, RGB (13), JPEG, RGB (2)" in check(str(photos)).stdout


def test_copies_across_the_given_split(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "parted").mkdir()
    shutil.copytree(photos, tmp_path / "parted" / "train")
    for label in ("cat", "dog"):
        (tmp_path / "parted" / "test" / label).mkdir(parents=True)
        shutil.copy(photos / label / "1.png", tmp_path / "parted" / "test" / label / "a.png")
    cv2.imwrite(str(tmp_path / "parted" / "test" / "dog" / "b.jpg"), scene(103))
    found = warnings(tmp_path / "parted")
    assert found[0] == (
        "2 test images equal training images in split {given: true}: 'test/cat/a.png' = 'train/cat/1.png' and "
        "'test/dog/a.png' = 'train/dog/1.png'; move them to one side, or give both one `group` in a CSV file"
    )
    assert found[1].startswith(
        "1 test image looks like a training image in split {given: true}: 'test/dog/b.jpg' ~ 'train/dog/3.png'; look at"
    )
    assert len(found) == 3  # the sets of equal images
    for split in ([], ["--split", "{kfold: 4}"]):
        told = check(str(tmp_path / "parted"), *split).stdout
        assert "the data bring a split: `split: {given: true}` uses it" in told


def test_a_split_that_is_asked_for(photos: Path) -> None:
    cv2.imwrite(str(photos / "cat" / "copy.png"), scene(2))
    cv2.imwrite(
        str(photos / "cat" / "small.jpg"), cv2.resize(scene(4), (64, 64), interpolation=cv2.INTER_AREA)
    )
    told = check(str(photos), "--split", "{kfold: 4}", "--json", "--seed", "2")
    found = json.loads(told.stdout)
    assert found["split"] == "{kfold: 4}"
    assert found["equal"] == [["cat/2.png", "cat/copy.png"]]
    assert found["across"] == []  # a drawn split keeps equal images together
    assert {tuple(sorted(pair)) for pair in found["alike_across"]} <= {("cat/4.png", "cat/small.jpg")}
    wrong = check(str(photos), "--split", "{kfld: 4}")
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith(
        "--split:1:2: split must be one of kfold, holdout, per_class, given or file"
    )
    assert check(str(photos), "--split", "{kfold: 40}").exit_code == 3


def test_files_that_cannot_be_decoded(photos: Path) -> None:
    (photos / "dog" / "empty.png").write_bytes(b"")
    (photos / "dog" / "text.jpg").write_text("no picture")
    whole = (photos / "dog" / "0.png").read_bytes()
    (photos / "dog" / "cut.png").write_bytes(whole[: len(whole) // 2])
    done = check(str(photos))
    assert done.exit_code == 3
    first = next(line for line in done.stdout.splitlines() if line.startswith("warning"))
    assert first.startswith("warning: 3 images cannot be decoded: 'dog/cut.png' (")
    assert "'dog/empty.png' (an empty file (0 bytes))" in first
    assert first.endswith("; mend or remove them, or run with `on_bad_image: skip`")
    found = json.loads(check(str(photos), "--json").stdout)
    assert [bad["id"] for bad in found["unreadable"]] == ["dog/cut.png", "dog/empty.png", "dog/text.jpg"]
    assert found["classes"] == {"cat": 6, "dog": 6}


def test_classes_that_are_small_or_large(photos: Path) -> None:
    for i in range(30):
        cv2.imwrite(str(photos / "dog" / f"more{i}.png"), scene(200 + i))
    assert warnings(photos) == [
        "class 'dog' has 6 times as many images as 'cat' (36 and 6): read balanced_accuracy or macro_f1 rather than "
        "accuracy"
    ]
    (photos / "eel").mkdir()
    for i in range(2):
        cv2.imwrite(str(photos / "eel" / f"{i}.png"), scene(300 + i))
    assert warnings(photos) == [
        "1 class has fewer than 5 images: 'eel' has 2; add images, or leave such classes out"
    ]
    assert warnings(photos.parent) == [
        f"`photos` holds 3 folders of images: --data {photos}?",
        "there is one class only; a classifier needs at least two classes",
    ]


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("nowhere", 2, "'nowhere' is no data set and no folder; there are "),
        ("./nowhere", 3, "nowhere: no such folder"),
        ("texture", 2, "'texture' is no data set (did you mean 'textures'?)"),
        ("none.csv", 3, "none.csv: cannot read the file: No such file or directory"),
    ],
)
def test_what_is_no_data_set(what: str, code: int, said: str) -> None:
    done = check(what)
    assert done.exit_code == code
    assert done.stdout == ""
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_json_is_alone_and_holds_all(photos: Path) -> None:
    done = check(str(photos), "--json")
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found == api.check_data(photos).summary()
    assert found["sizes"] == {"96 x 96": 12}
    assert found["kinds"] == {"PNG, RGB": 12}
    assert (found["name"], found["images"], found["warnings"]) == ("photos", 12, [])


def test_images_without_files_and_no_images_at_all() -> None:
    arrays = [scene(i) for i in range(4)] + [np.zeros((3, 5), np.uint8)] * 2
    labels = np.array(["a", "a", "a", "b", "b", "b"])
    found = audit(Dataset("toy", Images.from_arrays(arrays), labels), jobs=1)
    assert (found.kinds, found.sizes) == ({}, {"96 x 96": 4, "5 x 3": 2})
    assert (found.equal, found.alike) == ([["00004", "00005"]], [])
    two = audit(Dataset("toy", Images.from_arrays(arrays), labels), jobs=2)
    assert two.summary() == found.summary()
    nothing = audit(Dataset("none", Images.from_arrays([]), np.empty(0, str)))
    assert nothing.warnings == ["there is no image; a classifier needs at least two classes"]


def test_the_words_of_data_sets_are_still_explained() -> None:
    done = CliRunner().invoke(main, ["datasets", "textures"])
    assert done.stdout.startswith("textures: data set")
    wrong = CliRunner().invoke(main, ["datasets", "texture"])
    assert wrong.exit_code == 2
    assert "unknown data set 'texture' (did you mean 'textures'?)" in wrong.stderr


def test_the_land_use_images(real_data: Callable[[str], Path]) -> None:
    found = audit(cvpipe.load_dataset(str(real_data("ucmerced"))))
    assert found.equal == [["airplane/airplane01.jpg", "airplane/airplane02.jpg"]]
    assert found.alike == [["beach/beach74.jpg", "beach/beach75.jpg"]]  # one shore, two days
    assert (found.images, len(found.classes), found.sizes["256 x 256"]) == (2100, 21, 2056)
    assert len(found.warnings) == 2
