"""Data sets: what is listed, in which order, with which groups and splits, and what is said when it cannot be."""

from __future__ import annotations

import io
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cvpipe.data import Images
from cvpipe.data.images import ArrayItem, FileItem
from cvpipe.datasets import load_dataset
from cvpipe.datasets import textures as tx
from cvpipe.datasets._torchvision import PARTS, LazyItem, items_of, labels_of
from cvpipe.errors import BadImage, DataError, SpecError
from cvpipe.splits.kinds import KFold


class Counted:
    """An item that counts how often it is decoded."""

    reads = 0

    def read(self) -> np.ndarray:
        Counted.reads += 1
        return np.zeros((4, 4, 3), np.uint8)

    def token(self) -> str:
        return "same"


# --- lazily loaded images


def test_scikit_learn_splits_images_without_decoding():
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.model_selection import cross_val_score
    from sklearn.utils import indexable

    class Majority(ClassifierMixin, BaseEstimator):
        def fit(self, images, labels):
            assert isinstance(images, Images)
            self.sizes = len(images)
            return self

        def score(self, images, labels):
            assert isinstance(images, Images)
            return len(images) / (len(images) + self.sizes)

    Counted.reads = 0
    images = Images([str(i) for i in range(20)], [Counted() for _ in range(20)])
    labels = np.repeat(["a", "b"], 10)
    assert images[[3, 1], ...].ids == ["3", "1"]
    assert indexable(images, labels)[0] is images
    assert cross_val_score(Majority(), images, labels, cv=5).tolist() == [0.2] * 5
    assert pickle.loads(pickle.dumps(images[::2])).ids == images.ids[::2]
    assert Counted.reads == 0
    images[np.int64(3)]
    assert Counted.reads == 1


# --- textures


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures")


def test_textures_have_equal_classes_and_blocks(textures):
    labels, counts = np.unique(textures.labels, return_counts=True)
    assert len(labels) == 10
    assert set(counts) == {40}
    groups, counts = np.unique(textures.groups, return_counts=True)
    assert len(groups) == 100
    assert set(counts) == {4}
    assert all(g.split("/")[0] == label for g, label in zip(textures.groups, textures.labels, strict=True))
    assert len(set(textures.images.ids)) == 400
    assert textures.images.ids[4] == "astronaut/01_r0c0"


@pytest.mark.parametrize("size", [16, 33, 64, 102])
def test_crops_do_not_overlap_and_blocks_are_apart(size):
    dataset = load_dataset("textures", size=size)
    items = np.array(dataset.images.items, dtype=object)
    for label, photo in tx.PHOTOGRAPHS.items():
        used = np.zeros((photo.top + photo.height, photo.left + photo.width), int)
        for item in items[dataset.labels == label]:
            used[item.top : item.top + size, item.left : item.left + size] += 1
        assert used.max() == 1
        assert used.sum() == size * size * np.sum(dataset.labels == label)  # none reaches beyond the edge
        boxes = []
        for group in np.unique(dataset.groups[dataset.labels == label]):
            corners = np.array([(item.top, item.left) for item in items[dataset.groups == group]])
            boxes.append((corners.min(axis=0), corners.max(axis=0)))
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                assert (a[1] < b[0]).any() or (b[1] < a[0]).any()  # one ends before the other begins


def test_brightness_and_colour_alone_tell_nothing(textures):
    pixels = np.stack(list(textures.images))
    assert pixels.shape == (400, 64, 64, 3)
    assert np.array_equal(pixels[..., 0], pixels[..., 1])
    assert np.array_equal(pixels[..., 0], pixels[..., 2])
    levels = np.sort(pixels[..., 0].reshape(400, -1), axis=1)
    assert (
        levels == levels[0]
    ).all()  # every crop has the same histogram, so any classifier of it is at chance
    assert abs(levels[0].mean() - 128) < 0.5
    assert abs(levels[0].std() - 40) < 0.5


def test_textures_can_be_told_apart_in_every_fold(textures):
    from skimage.feature import local_binary_pattern
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.svm import SVC

    def histogram(pixels: np.ndarray) -> np.ndarray:
        return np.sqrt(
            np.bincount(
                local_binary_pattern(pixels[..., 0], 8, 1, "uniform").astype(int).ravel(), minlength=10
            )
        )

    features = np.stack([histogram(p) for p in textures.images])
    right = []
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    for train, test in folds.split(features, textures.labels, textures.groups):
        assert set(textures.labels[test]) == set(textures.labels)
        right += list(SVC(C=10).fit(features[train], textures.labels[train]).predict(features[test])
                      == textures.labels[test])  # fmt: skip
    assert 0.6 < np.mean(right) < 0.99  # real textures, and not a toy


def test_equal_pixels_are_ordered_by_their_surroundings():
    grey = np.zeros((16, 16), np.uint8)
    grey[5, 5] = 200
    out = tx.same_histogram(grey)
    assert out.argmax() == grey.argmax()
    around = out[4:7, 4:7].copy()
    around[1, 1] = 255
    assert around.min() > np.median(out)
    order = np.argsort(np.arange(256), kind="stable")
    gradient = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert (np.diff(tx.same_histogram(gradient).ravel()[order].astype(int)) >= 0).all()


def test_crops_pickle_and_name_their_content(textures):
    crop = textures.images.items[7]
    again = pickle.loads(pickle.dumps(crop))
    np.testing.assert_array_equal(again.read(), crop.read())
    assert again.token() == crop.token() != textures.images.items[8].token()


def test_textures_say_what_is_wrong(monkeypatch):
    with pytest.raises(SpecError, match="'size' of data set 'textures' is 16 to 102 px, got 200"):
        load_dataset("textures", size=200)
    monkeypatch.setitem(tx.PHOTOGRAPHS, "brick", tx.Photograph("no_brick.png", 0, 0, 512, 512))
    with pytest.raises(DataError, match=r"'skimage' has no file 'data/no_brick.png'"):
        load_dataset("textures")
    with pytest.raises(BadImage, match="smaller than expected"):
        tx.Crop("moon", 500, 0, 64).read()


# --- digits and faces


def test_digits():
    from sklearn.datasets import load_digits

    dataset = load_dataset("digits")
    assert len(dataset) == 1797
    assert dataset.classes.tolist() == list("0123456789")
    expected = np.rint(load_digits().images[17] / 16 * 255)
    np.testing.assert_array_equal(dataset.images[17][..., 1], expected)


def test_faces():
    from skimage.data import lfw_subset

    dataset = load_dataset("faces")
    assert np.unique(dataset.labels, return_counts=True)[1].tolist() == [100, 100]
    np.testing.assert_array_equal(dataset.images[150][..., 0], np.rint(lfw_subset()[150] * 255))
    assert dataset.labels[[99, 100]].tolist() == ["face", "other"]


# --- folders


def test_a_folder_of_class_folders(class_folders, tmp_path):
    root = class_folders({"dog": 2, "cat": 3, "bird": 1})
    (root / "cat" / "more").mkdir()
    (root / "cat" / "0.png").rename(root / "cat" / "more" / "Z.PNG")
    (root / "cat" / ".hidden.png").touch()
    (root / "cat" / "notes.txt").touch()
    (root / "readme.md").touch()
    (root / "stray.png").touch()
    (root / "empty").mkdir()
    (root / ".git").mkdir()
    dataset = load_dataset(root)
    assert dataset.images.ids == [
        "bird/0.png",
        "cat/1.png",
        "cat/2.png",
        "cat/more/Z.PNG",
        "dog/0.png",
        "dog/1.png",
    ]
    assert dataset.labels.tolist() == ["bird"] + ["cat"] * 3 + ["dog"] * 2
    assert dataset.name == "images"
    assert dataset.given is None
    assert dataset.groups is None
    assert dataset.images[0].shape == (32, 40, 3)
    for part in (
        "2 file(s) that are no images",
        "1 image(s) outside of class folders",
        "class folder without images: empty",
    ):
        assert part in dataset.note


def test_the_order_does_not_depend_on_the_file_system(class_folders, monkeypatch):
    import os

    root = class_folders({"b": 12, "a": 3})
    ids = load_dataset(root).images.ids
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: listdir(folder)[::-1])
    assert load_dataset(root).images.ids == ids


@pytest.mark.parametrize(("held_out", "third"), [("test", None), ("val", None), ("Testing", "val")])
def test_a_split_given_by_folders(class_folders, tmp_path, held_out, third):
    class_folders({"cat": 2, "dog": 2}, tmp_path / "set" / "train")
    class_folders({"cat": 1, "dog": 1}, tmp_path / "set" / held_out)
    if third:
        class_folders({"cat": 1, "dog": 1}, tmp_path / "set" / third)
    dataset = load_dataset(tmp_path / "set")
    assert dataset.classes.tolist() == ["cat", "dog"]
    assert dataset.given is not None
    expected = ["test" if i.startswith(held_out) else "train" for i in dataset.images.ids]
    assert dataset.given.tolist() == expected
    assert expected.count("test") == 2


def test_train_and_test_may_be_classes(class_folders):
    dataset = load_dataset(class_folders({"train": 2, "test": 1}))  # of a model railway
    assert dataset.classes.tolist() == ["test", "train"]
    assert dataset.given is None


@pytest.mark.parametrize("beside", ["__MACOSX/train/cat/._0.png", "@eaDir/0.png/thumb.png", ".git/0.png",
                                    "docs/a.txt", "val/cat/.gitkeep", "0.png"])  # fmt: skip
def test_a_split_given_by_folders_with_something_beside_it(class_folders, tmp_path, beside):
    for part in ("train", "test"):
        class_folders({"cat": 1, "dog": 1}, tmp_path / "set" / part)
    (tmp_path / "set" / beside).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "set" / beside).touch()
    dataset = load_dataset(tmp_path / "set")
    assert dataset.images.ids == ["test/cat/0.png", "test/dog/0.png", "train/cat/0.png", "train/dog/0.png"]
    assert dataset.given is not None


@pytest.mark.parametrize("beside", ["dev", "testing", "val"])
def test_folders_beside_those_of_a_split(class_folders, tmp_path, beside):
    for part in ("train", "test"):
        class_folders({"cat": 1, "dog": 1}, tmp_path / "set" / part)
    class_folders({beside: 1}, tmp_path / "set")  # without class folders: not even `val` is a side
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path / "set")
    said = "`train` and `test` are folders of a split, but `{}` stands beside them; move it away"
    assert said.format(beside) in str(caught.value)


@pytest.mark.parametrize("flat", ["test", "Validation"])
def test_a_side_of_a_split_without_classes(class_folders, tmp_path, flat):
    class_folders({"cat": 1, "dog": 1}, tmp_path / "set" / "train")
    class_folders({flat: 2}, tmp_path / "set")
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path / "set")
    assert [problem.message for problem in caught.value.problems] == [
        f"`train` holds 2 class folders, but the images of `{flat}` have no classes; "
        "give the folder `train` alone, or put the others into class folders too"
    ]
    assert load_dataset(tmp_path / "set" / "train").classes.tolist() == ["cat", "dog"]


def test_classes_that_are_called_like_sides_of_a_split(class_folders, tmp_path):
    class_folders({"train/red": 1, "train/blue": 1, "test": 1, "tube": 1}, tmp_path / "railway")
    assert load_dataset(tmp_path / "railway").classes.tolist() == ["test", "train", "tube"]
    class_folders({"train/red": 1, "test": 1}, tmp_path / "nested")
    assert load_dataset(tmp_path / "nested").classes.tolist() == ["test", "train"]


def test_what_systems_put_beside_images_is_no_class(class_folders):
    root = class_folders({"cat": 1, "dog": 1, "__MACOSX": 1, "cat/@eaDir": 1})
    assert load_dataset(root).images.ids == ["cat/0.png", "dog/0.png"]


def test_class_folders_in_a_folder_of_their_own(class_folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    class_folders({"cat": 1, "dog": 1}, tmp_path / "set" / "my data")
    assert load_dataset("set/").warnings == ("`my data` holds 2 folders of images: --data 'set/my data'?",)
    class_folders({"one": 1}, tmp_path / "wrapped" / "in")
    assert load_dataset("./wrapped").warnings == ()
    (tmp_path / "set").rename(tmp_path / "wrapped" / "in" / "set")
    (tmp_path / "wrapped" / "in" / "one" / "0.png").unlink()
    said = "`in/set/my data` holds 2 folders of images: --data 'wrapped/in/set/my data'?"
    assert load_dataset("./wrapped").warnings == (said,)
    with pytest.raises(DataError) as caught:
        KFold(kfold=2).folds(load_dataset("./wrapped"), 0)
    assert [problem.message for problem in caught.value.problems] == [
        "the data have one class only, 'in'; a classifier needs at least two",
        said,
    ]


def test_links_back_do_not_hang(class_folders, tmp_path):
    root = class_folders({"cat": 1, "dog": 1})
    (root / "cat" / "up").symlink_to(root)
    (root / "dog" / "self.png").symlink_to(root / "dog" / "self.png")
    other = class_folders({"x": 1}, tmp_path / "elsewhere")
    (root / "linked").symlink_to(other / "x")
    dataset = load_dataset(root)
    assert "dog/self.png" in dataset.images.ids  # an image that cannot be read, not one that is lost
    assert "linked/0.png" in dataset.images.ids
    assert "link(s) back to a folder above" in dataset.note
    with pytest.raises(BadImage, match="a loop of symbolic links"):
        dataset.images[dataset.images.ids.index("dog/self.png")]


def test_names_that_are_no_text(class_folders):
    import os

    root = class_folders({"cat": 1, "dog": 1})
    (root / "cat" / "0.png").rename(root / "cat" / os.fsdecode(b"\xff.png"))
    dataset = load_dataset(root)
    assert dataset.images.ids[0] == "cat/\\xff.png"
    assert dataset.images[0].shape == (32, 40, 3)


def test_folders_that_are_no_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "flat", "texts", "hollow/cat"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "flat" / "1.png").touch()
    (tmp_path / "texts" / "a.txt").touch()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    messages = {
        "./missing": "no such folder",
        "./file": "not a folder",
        "./loop": "a link that leads nowhere or to itself",
        "./empty": "./empty: the folder is empty; the layout is one folder for each class",
        "./flat": "1 image(s) directly in the folder, but no class folders; the layout is",
        "./texts": "no class folders and no images, only 1 other file(s)",
        "./hollow": "no images in 1 class folder(s)",
    }
    for path, message in messages.items():
        with pytest.raises(DataError) as caught:
            load_dataset(path)
        assert message in str(caught.value)
        assert caught.value.exit_code == 3
        assert len(caught.value.problems) == 1


def test_home_and_relative_paths(class_folders, tmp_path, monkeypatch):
    root = class_folders({"cat": 1, "dog": 1})
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(load_dataset("~/images")) == 2
    monkeypatch.chdir(root.parent)
    assert len(load_dataset("./images")) == 2


# --- CSV files


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_csv_file(class_folders, tmp_path):
    class_folders({"cat": 2, "dog": 1})
    dataset = load_dataset(
        write(tmp_path / "labels.csv", "\ufeffpath, label,split,group,remark", "images/cat/0.png,cat,train,g1,",
              '"images/cat/1.png","c,at",test,,x', "images/gone.png,dog,train,g1,")
    )  # fmt: skip
    assert dataset.name == "labels"
    assert dataset.images.ids == ["images/cat/0.png", "images/cat/1.png", "images/gone.png"]
    assert dataset.labels.tolist() == ["cat", "c,at", "dog"]
    assert dataset.given is not None
    assert dataset.given.tolist() == ["train", "test", "train"]
    assert dataset.groups is not None
    assert dataset.groups.tolist() == ["g1", "images/cat/1.png", "g1"]
    assert dataset.images[1].shape == (32, 40, 3)
    with pytest.raises(BadImage, match="no such file"):
        dataset.images[2]


def test_a_path_listed_twice_is_one_group(tmp_path):
    lines = ["a.png,x", "./a.png,x", "b.png,y", "a.png,x", "a.png#2,z"]
    dataset = load_dataset(write(tmp_path / "l.csv", "path,label", *lines))
    assert dataset.images.ids == ["a.png", "a.png#3", "b.png", "a.png#4", "a.png#2"]
    assert dataset.groups is not None
    assert dataset.groups.tolist() == ["a.png", "a.png", "b.png", "a.png", "a.png#2"]
    assert load_dataset(write(tmp_path / "l.csv", "path,label", *lines[:1])).groups is None


def problems(path: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        load_dataset(path)
    return [str(p).replace(str(path), "FILE") for p in caught.value.problems]


def test_every_mistake_in_a_csv_file_has_its_line(tmp_path):
    file = tmp_path / "l.csv"
    assert problems(write(file, "path,label,split", "a.png,,trian", "b.png,x,test", ",,")) == [
        "FILE:2: the label is empty",
        "FILE:2: the split is train or test, got 'trian' (did you mean 'train'?)",
        "FILE:4: the path is empty",
        "FILE:4: the label is empty",
        "FILE:4: the split is train or test, got ''",
    ]
    assert problems(write(file, "Path,labels", "a,b")) == [
        "FILE:1: no column 'path' (did you mean 'path'?); the columns are Path, labels".replace(
            "mean 'path'", "mean 'Path'"
        ),
        "FILE:1: no column 'label' (did you mean 'labels'?); the columns are Path, labels",
    ]
    assert problems(write(file, "path,label,label", "a,b,c")) == ["FILE:1: column 'label' twice"]
    commas = (
        "FILE:2: 3 fields, but the first line names 2 columns; put text with a comma between quotation marks"
    )
    assert problems(write(file, "path,label", "a,woods, dense")) == [commas]
    twice = load_dataset(
        write(file, "path,note,note,label,group", "a.png,x,y,cat,g1", "", "b.png,x,y,dog,g2")
    )
    assert (twice.labels.tolist(), twice.groups.tolist()) == (["cat", "dog"], ["g1", "g2"])
    many = problems(write(file, "path,label", *["a.png,"] * 50))
    assert len(many) == 21
    assert many[-1] == "FILE: and 30 more problems"


def test_files_that_are_no_csv(tmp_path):
    file = tmp_path / "l.csv"
    assert problems(file) == ["FILE: cannot read the file: No such file or directory"]
    file.write_bytes(b"")
    assert problems(file) == ["FILE: the file is empty; its first line is path,label"]
    assert problems(write(file, "path,label")) == ["FILE: no images are listed, only a header"]
    file.write_bytes(b"path,label\n\xff\xfe,x\n")
    assert problems(file) == ["FILE: not a text file in UTF-8"]
    assert "not a CSV file" in problems(write(file, "path,label", '"a"b,c'))[0]


# --- torchvision


def test_mnist(real_data):
    pytest.importorskip("torchvision")
    dataset = load_dataset("torchvision", dataset="MNIST", root=str(real_data("mnist")))
    assert len(dataset) == 70_000
    assert dataset.given is not None
    assert (dataset.given == "train").sum() == 60_000
    assert dataset.classes.tolist() == list("0123456789")
    assert dataset.labels[:5].tolist() == ["5", "0", "4", "1", "9"]
    assert dataset.images.ids[60_000] == "test/00000"
    first, second = dataset.images.items[:2]
    assert isinstance(first, ArrayItem)
    assert isinstance(second, ArrayItem)
    assert first.array.base is second.array.base  # views of one array
    assert dataset.images[0].shape == (28, 28, 3)


def test_torchvision_says_what_is_wrong(tmp_path, monkeypatch):
    with pytest.raises(SpecError, match=r"unknown torchvision data set 'MINST' \(did you mean 'MNIST'\?\)"):
        load_dataset("torchvision", dataset="MINST", root="x")
    with pytest.raises(SpecError, match=r"'cifar10' \(did you mean 'CIFAR10'\?\)"):
        load_dataset("torchvision", dataset="cifar10", root="x")
    with pytest.raises(SpecError, match=r"needs dataset and root$"):
        load_dataset("torchvision")
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(DataError, match=r"pip install torchvision"):
        load_dataset("torchvision", dataset="MNIST", root="x")


def test_torchvision_data_that_are_not_there(tmp_path):
    pytest.importorskip("torchvision")
    with pytest.raises(
        DataError, match=r"^MNIST: not usable at .*\(`download: true` fetches it\): Dataset not found"
    ):
        load_dataset("torchvision", dataset="MNIST", root=str(tmp_path))


def test_torchvision_knows_each_name_and_its_arguments():
    datasets = pytest.importorskip("torchvision.datasets")
    import inspect

    for name, parts in PARTS.items():
        known = inspect.signature(getattr(datasets, name).__init__).parameters
        for _, options in parts:
            assert set(options) <= set(known) or "kwargs" in known, name


def made(length: int, **attributes) -> types.SimpleNamespace:
    """Something that looks like a torchvision data set."""

    class Made(types.SimpleNamespace):
        def __len__(self) -> int:
            return length

        def __getitem__(self, i: int):
            return Image.fromarray(np.full((3, 4), i, np.uint8)), i % 2

    return Made(**attributes)


def test_images_in_memory_are_views_of_one_array():
    planes = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)  # SVHN and STL10 store colour first
    items = items_of(made(2, data=planes, labels=np.array([1, 0])))
    np.testing.assert_array_equal(items[1].read(), planes[1].transpose(1, 2, 0))
    assert labels_of(made(2, data=planes, labels=np.array([1, 0]))) == ["1", "0"]


def test_images_in_files_and_behind_an_index(tmp_path):
    dataset = made(2, _samples=[("a.png", 1), (tmp_path / "b.png", 0)], classes=["cat", ("dog", "hound")])
    assert items_of(dataset) == [FileItem(Path("a.png")), FileItem(tmp_path / "b.png")]
    assert labels_of(dataset) == ["dog", "cat"]
    item = items_of(made(2))[1]
    assert isinstance(item, LazyItem)
    np.testing.assert_array_equal(item.read(), np.ones((3, 4, 3), np.uint8))
    assert item.token() != items_of(made(2))[0].token()
    assert labels_of(made(3, classes=["0 - zero", "1 - one"])) == ["0", "1", "0"]


# --- names


def test_a_name_that_is_no_data_set():
    with pytest.raises(
        SpecError, match=r"'texture' is no data set \(did you mean 'textures'\?\) and no folder"
    ):
        load_dataset("texture")
    with pytest.raises(
        SpecError, match=r"unknown option 'sise' of data set 'textures' \(did you mean 'size'\?\)"
    ):
        load_dataset("textures", sise=3)


def test_every_data_set_is_described():
    import inspect

    from cvpipe.registry import dataset_class, dataset_names

    assert dataset_names() == ["csv", "digits", "faces", "folder", "textures", "torchvision"]
    for name in dataset_names():
        kind = dataset_class(name)
        doc = inspect.getdoc(kind) or ""
        assert "\n\n" in doc
        assert "licence" in doc.lower() or "CC BY" in doc, name
        source = inspect.getsource(kind)
        for parameter in kind.parameters():
            line = next(ln for ln in io.StringIO(source) if ln.strip().startswith(f"{parameter}: "))
            assert "  # " in line, f"{name}.{parameter}"
