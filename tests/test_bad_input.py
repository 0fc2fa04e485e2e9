"""Data that cannot be split, saved models that are not what was saved: exit code 3 and one line for each problem."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from accidents import SPEC, assert_told, cvpipe, make_photos, run
from safetensors.numpy import load_file, save_file

import cvpipe as library
from cvpipe import api
from cvpipe.conductor import model_files
from cvpipe.errors import DataError
from cvpipe.stages.classifiers.knn import Knn
from cvpipe.stages.features.raw_pixels import RawPixels

LAYOUT = "the layout is one folder for each class, with its images inside: PATH/cat/1.jpg, PATH/dog/2.jpg"
LEARNED = "02_bag_of_words.safetensors"
DOES_NOT_FIT = "was cut short or altered: its hash does not fit"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    Path("small.yaml").write_text(SPEC)
    return tmp_path


@pytest.fixture
def photos(place: Path) -> Path:
    return make_photos(Path("photos"))


# Data


@pytest.mark.parametrize("command", ["run", "plan"])
def test_folders_without_images(place: Path, command: str) -> None:
    (place / "photos").mkdir()
    assert_told(cvpipe(command, "small.yaml"), 3, f"photos: the folder is empty; {LAYOUT}")
    (place / "photos" / "cat").mkdir()
    assert_told(cvpipe(command, "small.yaml"), 3, f"photos: no images in 1 class folder(s); {LAYOUT}")
    assert not Path("runs").exists()


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_folder_that_is_a_loop_of_links(place: Path, command: str) -> None:
    Path("photos").symlink_to("photos")
    assert_told(cvpipe(command, "small.yaml"), 3, "photos: a link that leads nowhere or to itself")
    done = cvpipe(command, "small.yaml", "--data", "photos")
    assert_told(done, 2, "--data photos: no data set, folder or file 'photos'; it must be a data set…")


def test_a_loop_of_links_below_the_folder(photos: Path) -> None:
    (photos / "fine" / "up").symlink_to("../../photos")
    (photos / "fine" / "self").symlink_to("self")
    (photos / "fine" / "here").symlink_to(".")
    (photos / "self").symlink_to("../photos")
    done = run()
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(Path("out/result.json").read_text())["data"]["images"] == 36


def test_one_class_only(photos: Path) -> None:
    shutil.rmtree(photos / "fine")
    said = "photos: the data have one class only, 'coarse'; a classifier needs at least two"
    assert_told(run(), 3, said)
    assert_told(cvpipe("plan", "small.yaml"), 3, said)
    assert [path.name for path in Path("out").iterdir()] == ["log.txt"]


def test_a_check_of_data_with_one_class_ends_as_a_run_of_them(photos: Path) -> None:
    assert cvpipe("datasets", "check", "photos").exit_code == 0
    shutil.rmtree(photos / "fine")
    done = cvpipe("datasets", "check", "photos")
    assert done.exit_code == 3
    assert "warning: there is one class only; a classifier needs at least two classes" in done.stdout


def test_data_without_images() -> None:
    data = library.Dataset("none", library.Images.from_arrays([]), np.empty(0, str))
    with pytest.raises(DataError, match=r"^data set 'none' has no images$"):
        library.Pipeline([RawPixels(), Knn()]).run(data)


def test_classes_with_fewer_images_than_folds(photos: Path) -> None:
    for file in [*sorted((photos / "fine").iterdir())[3:], *sorted((photos / "coarse").iterdir())[2:]]:
        file.unlink()
    assert_told(
        run("out", "--set", "split={kfold: 4}"),
        3,
        "photos: class 'coarse' has 2 images, fewer than the 4 folds; use {kfold: 2} or add images",
        "photos: class 'fine' has 3 images, fewer than the 4 folds; use {kfold: 2} or add images",
    )
    assert_told(
        run("out", "--set", "split={per_class: 3}"),
        3,
        "photos: class 'coarse' has 2 images…",
        "photos: class 'fine' has 3 images…",
    )
    assert_told(run("out", "--set", "split={given: true}"), 3, "photos: …")


@pytest.mark.parametrize("name", ["CVPIPE_CACHE_GB", "CVPIPE_MAX_MEGAPIXELS"])
@pytest.mark.parametrize("text", ["much", "-1", "nan"])
def test_settings_that_are_no_numbers(
    photos: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)
    done = run()
    assert done.exit_code == 2
    assert done.stderr.startswith(f"{name} is a number ")
    assert done.stderr.endswith(f"got '{text}'\n")


# Saved models


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a run, to be copied and spoilt."""
    place = tmp_path_factory.mktemp("saved")
    make_photos(place / "photos")
    stages = ["sift", "root_sift", {"bag_of_words": {"words": 8}}, "svm"]
    spec = {"data": {"folder": str(place / "photos")}, "split": {"kfold": 2}, "stages": stages}
    api.run(spec, out=place / "out")
    return place / "out" / "model"


@pytest.fixture
def model(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(saved, "model")
    shutil.copy(saved.parents[1] / "photos" / "fine" / "00.png", "image.png")
    return Path("model")


def refused(*lines: str) -> None:
    """`predict` ends with 3, says these lines, and predicts nothing."""
    for output in ("--json", "--csv"):
        assert_told(cvpipe("predict", "model", output, "image.png"), 3, *[f"model: {line}" for line in lines])


def test_the_model_is_good_until_it_is_touched(model: Path) -> None:
    assert cvpipe("predict", "model", "image.png").exit_code == 0
    done = cvpipe("predict", "elsewhere", "image.png")
    assert_told(done, 3, "elsewhere: no model here: model.json is missing")
    Path("runs/one").mkdir(parents=True)
    model.rename("runs/one/model")
    near = f"(the newest one in it is '{Path('runs/one/model')}')"
    assert_told(
        cvpipe("predict", "runs", "image.png"), 3, f"runs: no model here: model.json is missing {near}"
    )
    Path("runs/one/model").rename(model)
    assert_told(
        cvpipe("predict", "image.png", "image.png"), 3, "image.png: cannot read the model: Not a directory"
    )


@pytest.mark.parametrize("name", [LEARNED, "03_svm.safetensors", "probe.safetensors"])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.999])
def test_a_file_that_was_cut_short(model: Path, name: str, keep: float) -> None:
    data = (model / name).read_bytes()
    (model / name).write_bytes(data[: int(keep * len(data))])
    refused(f"'{name}' {DOES_NOT_FIT}")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.9999])
def test_one_bit_of_the_arrays(model: Path, share: float) -> None:
    data = bytearray((model / LEARNED).read_bytes())
    data[int(share * len(data))] ^= 1
    (model / LEARNED).write_bytes(data)
    refused(f"'{LEARNED}' {DOES_NOT_FIT}")


def test_no_paths_to_predict(model: Path) -> None:
    for text in ("", "\n\n"):
        assert_told(cvpipe("predict", "model", "-", input=text), 3, "no paths on standard input")
    assert cvpipe("predict", "model", "-", input="image.png\n").exit_code == 0
    assert cvpipe("predict", "model", "-", "image.png", input="").exit_code == 0


def test_every_problem_is_named_at_once(model: Path) -> None:
    (model / LEARNED).unlink()
    (model / "probe.safetensors").write_bytes(b"")
    (model / "notes.txt").touch()
    refused(
        "'notes.txt' does not belong to the model, which is JSON and safetensors only",
        f"'{LEARNED}' is missing",
        f"'probe.safetensors' {DOES_NOT_FIT}",
    )


def test_model_json_cut_anywhere(model: Path) -> None:
    text = (model / "model.json").read_bytes()
    for length in range(0, len(text), 7):
        (model / "model.json").write_bytes(text[:length])
        with pytest.raises(
            library.errors.DataError, match=r"model\.json is damaged: it is no complete JSON object"
        ):
            library.load(model)
    (model / "model.json").write_bytes(text[: len(text) // 2])
    refused("model.json is damaged: it is no complete JSON object")


@pytest.mark.parametrize("text", ["[]", "null", "3", '"x"', "[" * 100_000, "{}}", "\x00", '{"format": 1}'])
def test_model_json_that_is_another_thing(model: Path, text: str) -> None:
    (model / "model.json").write_text(text)
    done = cvpipe("predict", "model", "image.png")
    assert_told(done, 3, "model: …")
    assert "internal error" not in done.stderr


def test_model_json_is_missing(model: Path) -> None:
    (model / "model.json").unlink()
    refused("no model here: model.json is missing")


def head_of(model: Path) -> dict[str, Any]:
    return json.loads((model / "model.json").read_text())


def set_words(head: dict[str, Any]) -> None:
    head["stages"][2]["options"]["words"] = 9


def swap_classes(head: dict[str, Any]) -> None:
    head["classes"].reverse()


def drop_seed(head: dict[str, Any]) -> None:
    del head["seed"]


@pytest.mark.parametrize("change", [set_words, swap_classes, drop_seed])
def test_model_json_that_was_edited(model: Path, change: Callable[[dict[str, Any]], None]) -> None:
    head = head_of(model)
    change(head)
    (model / "model.json").write_text(json.dumps(head))
    refused("model.json was altered: its own hash does not fit")


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_format_version(model: Path, version: Any) -> None:
    head = {**head_of(model), "format": version}
    (model / "model.json").write_text(json.dumps(head))
    refused(f"the model has format {version} of cvpipe {head['cvpipe']}; this cvpipe reads format 1")


# Models by someone who knows how the hashes are made


def sign(model: Path, head: dict[str, Any]) -> None:
    head = {name: value for name, value in head.items() if name != "digest"}
    here = sorted(file for file in model.iterdir() if file.name != "model.json")
    if isinstance(head.get("files"), dict):
        head["files"] = {file.name: model_files.sha256(file) for file in here}
    (model / "model.json").write_text(json.dumps(model_files.signed(head)))


@pytest.mark.parametrize("name", ["files", "stages", "seed", "about"])
@pytest.mark.parametrize("value", [None, [], {}, "x", 5, [1], [[]], ["sift"], [{"name": "sift"}]])
def test_signed_nonsense_is_no_internal_error(model: Path, name: str, value: Any) -> None:
    sign(model, {**head_of(model), name: value})
    done = cvpipe("predict", "model", "image.png")
    assert "internal error" not in done.stderr
    assert "Traceback" not in done.output
    assert done.exit_code == 3 or name in ("seed", "about") or (name, value) == ("files", {})


@pytest.mark.parametrize("name", ["format", "stages", "files", "seed", "about"])
def test_signed_but_incomplete(model: Path, name: str) -> None:
    sign(model, {key: value for key, value in head_of(model).items() if key != name})
    assert_told(cvpipe("predict", "model", "image.png"), 3, "model: …")


@pytest.mark.parametrize("stage", ["os", "os.system", "../evil", "subprocess", "nearest_word"])
def test_a_stage_that_is_none(model: Path, stage: str) -> None:
    head = head_of(model)
    head["stages"][0] = {"name": stage, "options": {}}
    sign(model, head)
    refused(f"the model cannot be used: unknown stage '{stage}'; `cvpipe stages` lists all")


@pytest.mark.parametrize(
    "case", ["other values", "other width", "an array is missing", "not finite", "no probe"]
)
def test_signed_arrays_that_do_not_give_the_saved_scores(model: Path, case: str) -> None:
    name = "probe.safetensors" if case == "no probe" else LEARNED
    arrays = {key: np.array(value) for key, value in load_file(model / name).items()}
    words = arrays.get("vocabulary_")
    if case == "other values":
        arrays["vocabulary_"] = np.roll(words, 40, axis=1)
    elif case == "other width":
        arrays["vocabulary_"] = np.ascontiguousarray(words[:, :100])
    elif case == "not finite":
        arrays["vocabulary_"] = np.full_like(words, np.nan)
    else:
        arrays.clear()
    save_file(arrays, model / name, metadata={"note": "{}"})
    sign(model, head_of(model))
    assert_told(cvpipe("predict", "model", "image.png"), 3, "model: …")


# Pickles


class Bomb:
    """Makes a file when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return os.mkdir, ("exploded",)


def test_the_bomb_is_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Bomb()))
    assert Path("exploded").exists()


def pickled_array() -> bytes:
    """A .npy file that NumPy would unpickle if it were allowed to."""
    import io

    file = io.BytesIO()
    np.save(file, np.array([Bomb()], dtype=object), allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize("content", [pickle.dumps(Bomb()), pickled_array()], ids=["pickle", "npy"])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("name", [LEARNED, "probe.safetensors", "model.pkl", "state.npy", "model.json"])
def test_a_pickle_is_never_loaded(model: Path, name: str, signed: bool, content: bytes) -> None:
    known = (model / name).exists()
    head = head_of(model)
    (model / name).write_bytes(content)
    if signed and name != "model.json":
        sign(model, head)
    done = cvpipe("predict", "model", "image.png")
    assert not Path("exploded").exists()
    if known:
        assert_told(done, 3, "model: …")
    elif signed:  # a file that nobody asks for
        assert done.exit_code == 0
    else:
        assert_told(
            done, 3, f"model: '{name}' does not belong to the model, which is JSON and safetensors only"
        )


def test_nothing_in_the_product_can_unpickle() -> None:
    root = Path(library.__file__).parent
    words = ("import pickle", "from pickle", "import marshal", "import shelve", "allow_pickle=True", "joblib.load",
             "weights_only=False")  # fmt: skip
    sources = {file: file.read_text() for file in root.rglob("*.py")}
    assert len(sources) > 50
    assert [(file.name, word) for file, text in sources.items() for word in words if word in text] == []
    loads = [call for text in sources.values() for call in re.findall(r"torch\.load\([^)]*\)", text)]
    assert loads
    assert all("weights_only=True" in call for call in loads)
