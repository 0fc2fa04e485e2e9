"""Images that change while a run is at work: nothing of them is kept under the name of what they were."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import cvpipe
from cvpipe.comparison.record import FILE, data_fingerprint, is_finished
from cvpipe.conductor.progress import Progress
from cvpipe.data import Images
from cvpipe.errors import BadImage, DataError
from cvpipe.stages.classifiers.knn import Knn
from cvpipe.stages.features.raw_pixels import RawPixels


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    draws = np.random.default_rng(0)
    for name in ("dark", "light"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(6):
            pixels = draws.integers(0, 100, (8, 8, 3)) + 100 * (name == "light")
            cv2.imwrite(str(tmp_path / "photos" / name / f"{number}.png"), pixels.astype(np.uint8))
    return tmp_path / "photos"


def test_a_file_has_to_be_what_it_was(photos: Path) -> None:
    images = cvpipe.load_dataset(photos).images
    tokens = [item.token() for item in images.items]
    expected = images.expecting(tokens)
    np.testing.assert_array_equal(expected[0], images[0])
    (photos / "dark" / "0.png").write_bytes((photos / "light" / "0.png").read_bytes())
    with pytest.raises(BadImage, match=r"dark/0\.png: the file was changed after it was looked at"):
        expected[0]
    assert images[0].shape == (8, 8, 3)
    assert Images.from_arrays([np.zeros((2, 2), np.uint8)]).expecting(["x"])[0].shape == (2, 2, 3)


class Swaps(Progress):
    """It changes an image when all have been looked at."""

    def __init__(self, photos: Path) -> None:
        self.photos = photos

    def ready(self) -> None:
        (self.photos / "dark" / "3.png").write_bytes((self.photos / "light" / "3.png").read_bytes())


def test_a_run_whose_images_change_ends_and_leaves_the_cache_right(photos: Path) -> None:
    stages = [RawPixels(size=4), Knn()]
    before = (photos / "dark" / "3.png").read_bytes()
    with pytest.raises(DataError, match=r"became unreadable during the run: dark/3\.png"):
        cvpipe.Pipeline(stages).run(cvpipe.load_dataset(photos), split={"kfold": 2}, progress=Swaps(photos))
    (photos / "dark" / "3.png").write_bytes(before)
    cached = cvpipe.Pipeline(stages).run(cvpipe.load_dataset(photos), split={"kfold": 2})
    fresh = cvpipe.Pipeline(stages, cache=False).run(cvpipe.load_dataset(photos), split={"kfold": 2})
    for one, other in zip(cached.splits, fresh.splits, strict=True):
        np.testing.assert_array_equal(one.predictions.scores, other.predictions.scores)


def test_a_candidate_of_other_data_or_without_its_files_is_not_finished(photos: Path) -> None:
    spec = {
        "data": {"folder": str(photos)},
        "split": {"kfold": 2},
        "stages": [{"raw_pixels": {"size": 4}}, "knn"],
    }
    cvpipe.compare([{**spec, "name": "one"}, {**spec, "name": "two", "stages": ["lbp", "knn"]}], out="there")
    folder = Path("there/runs/one")
    key = json.loads((folder / FILE).read_text())["key"]
    seen = data_fingerprint(cvpipe.load_dataset(photos))
    assert is_finished(folder, key, seen)
    assert is_finished(folder, key)
    assert not is_finished(folder, key, "0" * 16)
    (folder / "report.html").rename("away.html")
    assert not is_finished(folder, key, seen)
