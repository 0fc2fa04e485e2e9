"""Files that are no image, or hardly one: named all at once, or left out without a trace in the numbers."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from accidents import SPEC, assert_told, cvpipe, cvpipe_as_plain_user, make_photos, numbers, photograph, run

from cvpipe.stages.descriptors.sift import Sift
from cvpipe.vision.scratch import Scratch

BOMB = "too large: 20000 x 20000 is 400 megapixels, the limit is 250 (CVPIPE_MAX_MEGAPIXELS)"
HINT = "images cannot be decoded; `on_bad_image: skip` leaves them out and names them in the result"


def jpeg() -> bytes:
    return cv2.imencode(".jpg", photograph(8, seed=7))[1].tobytes()


def jpeg_bomb() -> bytes:
    data = bytearray(jpeg())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 20_000, 20_000)
    return bytes(data)


def png_bomb() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


BAD = {
    "coarse/bomb.jpg": (jpeg_bomb(), BOMB),
    "coarse/bomb.png": (png_bomb(), BOMB),
    "coarse/cut.jpg": (jpeg()[:-40], "cut short: the JPEG file has no end marker"),
    "coarse/half.png": (png_bomb()[:30], "cut short: the PNG file has no end chunk"),
    "fine/empty.jpg": (b"", "an empty file (0 bytes)"),
    "fine/text.jpg": (b"Dear reader,\n", "not an image, or of a format that is not supported"),
    "fine/zeros.png": (bytes(500), "not an image, or of a format that is not supported"),
}
"""Id -> content and reason, in the order of the data set."""
LINKS = {"fine/loop.png": ("loop.png", "a loop of symbolic links"), "fine/void.png": ("no", "no such file")}


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    Path("small.yaml").write_text(SPEC)
    return make_photos(Path("photos"))


def spoil(photos: Path) -> dict[str, str]:
    """Put every bad file among the good ones; gives id -> reason in the order of the data set."""
    for name, (content, _) in BAD.items():
        (photos / name).write_bytes(content)
    for name, (target, _) in LINKS.items():
        (photos / name).symlink_to(target)
    return {name: reason for name, (_, reason) in sorted({**BAD, **LINKS}.items())}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_image_ends_a_run(photos: Path, name: str) -> None:
    content, reason = BAD[name]
    (photos / name).write_bytes(content)
    assert_told(run(), 3, f"{name}: {reason}", f"1 of 37 {HINT}")
    assert [path.name for path in Path("out").iterdir()] == ["log.txt"]


def test_all_bad_images_are_named_at_once_and_once(photos: Path) -> None:
    reasons = spoil(photos)
    lines = [f"{name}: {reason}" for name, reason in reasons.items()]
    assert_told(run(), 3, *lines, f"9 of 45 {HINT}")
    loud = cvpipe("run", "small.yaml", "--out", "out").stderr
    assert [loud.count(line) for line in lines] == [1] * 9
    assert all(line in Path("out/log.txt").read_text() for line in lines)


def test_many_bad_images_are_counted(photos: Path) -> None:
    for i in range(30):
        (photos / "fine" / f"x{i}.png").touch()
    done = run()
    assert done.exit_code == 3
    assert done.stderr.splitlines()[20:] == ["… and 10 more", f"30 of 66 {HINT}"]


def test_skipped_images_leave_no_trace_in_the_numbers(photos: Path) -> None:
    assert run("clean").exit_code == 0
    reasons = spoil(photos)
    done = run("skip", "--set", "on_bad_image=skip")
    assert done.exit_code == 0
    warning = "warning: 9 images could not be decoded and were skipped"
    assert done.stderr == f"{warning}\n"
    loud = cvpipe("run", "small.yaml", "--out", "loud", "--set", "on_bad_image=skip")
    assert loud.stderr.count(warning) == 1
    assert Path("loud/log.txt").read_text().count(warning) == 1
    result = json.loads(Path("skip/result.json").read_text())
    assert result["skipped"] == [{"id": name, "reason": reason} for name, reason in reasons.items()]
    assert result["data"]["images"] == 36
    assert numbers("skip") == numbers("clean")
    assert result["data"] == json.loads(Path("clean/result.json").read_text())["data"]
    again = run("again", "--set", "on_bad_image=skip", "--no-cache", "--jobs", "1")
    assert (again.exit_code, numbers("again")) == (0, numbers("clean"))


def test_nothing_but_bad_images(photos: Path) -> None:
    files = sorted(photos.rglob("*.png"))
    for file in files:
        file.write_bytes(b"")
    done = run("out", "--set", "on_bad_image=skip")
    assert done.exit_code == 3
    assert done.stderr.splitlines()[:2] == [
        "no usable image in data set 'photos'",
        "coarse/00.png: an empty file (0 bytes)",
    ]
    assert not Path("out/result.json").exists()


def test_a_class_that_skipping_makes_too_small(photos: Path) -> None:
    for file in sorted((photos / "fine").iterdir())[1:]:
        file.write_bytes(b"")
    done = run("out", "--set", "on_bad_image=skip")
    assert_told(done, 3, "photos: class 'fine' has 1 image, fewer than the 2 folds…")


def test_tiny_and_flat_images_are_images(photos: Path) -> None:
    for more, label in enumerate(("coarse", "fine")):
        cv2.imwrite(str(photos / label / "one.png"), np.full((1, 1, 3), 90 + more, np.uint8))
        cv2.imwrite(str(photos / label / "flat.png"), np.full((50, 70, 3), 200 + more, np.uint8))
        cv2.imwrite(str(photos / label / "line.png"), np.full((1, 300), 10 + more, np.uint8))
    done = run()
    assert (done.exit_code, done.stderr) == (0, "")
    result = json.loads(Path("out/result.json").read_text())
    assert (result["data"]["images"], result["skipped"]) == (42, [])
    rows = Path("out/predictions.csv").read_text().splitlines()
    scores = [float(row.rsplit(",", 1)[1]) for row in rows[1:]]
    assert len(scores) == 42
    assert np.isfinite(scores).all()
    assert cvpipe("predict", "out", "photos/fine/one.png", "photos/fine/flat.png").exit_code == 0


def test_images_without_a_single_descriptor(photos: Path) -> None:
    for file in photos.rglob("*.png"):
        cv2.imwrite(str(file), np.full((20, 20), 128, np.uint8))
    said = "the training images have no descriptors to learn words from"
    done = run()
    assert_told(done, 4, f"bag_of_words: {said}")
    assert not Path("out/result.json").exists()


def test_predict_names_every_bad_image_and_predicts_the_others(photos: Path) -> None:
    assert run().exit_code == 0
    good = cvpipe("predict", "out", "--csv", "photos").stdout
    reasons = spoil(photos)
    done = cvpipe("predict", "out", "--csv", "photos")
    assert done.exit_code == 3
    assert done.stdout == good
    assert done.stderr.splitlines() == [f"photos/{name}: {reason}" for name, reason in reasons.items()]


def test_a_plan_probes_good_images_only(photos: Path) -> None:
    for file in sorted(photos.rglob("0*.png")):
        file.write_bytes(b"no image")
    done = cvpipe("plan", "small.yaml")
    assert (done.exit_code, done.stderr) == (0, "")
    for file in photos.rglob("*.png"):
        file.write_bytes(b"no image")
    said = cvpipe("plan", "small.yaml").stderr
    assert said.startswith("coarse/00.png: not an image")
    assert cvpipe("plan", "small.yaml").exit_code == 3


def test_an_unreadable_file_and_an_unreadable_folder(photos: Path) -> None:
    (photos / "fine/03.png").chmod(0)
    done = cvpipe_as_plain_user("run", "small.yaml", "--quiet", "--out", "out")
    assert done.returncode == 3
    assert done.stderr.splitlines() == ["fine/03.png: no permission to read it", f"1 of 36 {HINT}"]
    skipped = cvpipe_as_plain_user(
        "run", "small.yaml", "--quiet", "--out", "out", "--set", "on_bad_image=skip"
    )
    assert skipped.returncode == 0
    result = json.loads(Path("out/result.json").read_text())
    assert result["skipped"] == [{"id": "fine/03.png", "reason": "no permission to read it"}]

    (photos / "coarse").chmod(0)
    try:
        done = cvpipe_as_plain_user("run", "small.yaml", "--quiet", "--out", "out2")
    finally:
        (photos / "coarse").chmod(0o755)
    assert done.returncode == 3
    assert done.stderr == "photos: cannot list 'photos/coarse': Permission denied\n"
    assert not Path("out2").exists()


def test_an_image_that_goes_bad_during_a_run(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe = Sift._describe

    def spoiling(self: Sift, image: np.ndarray, scratch: Scratch) -> Any:
        (photos / "fine/02.png").write_bytes(b"no image")
        return describe(self, image, scratch)

    monkeypatch.setattr(Sift, "_describe", spoiling)
    done = run("out", "--jobs", "1", "--set", "on_bad_image=skip")
    said = "an image became unreadable during the run: fine/02.png: the file was changed"
    assert_told(done, 3, f"stage 'sift' on images coarse/00.png … fine/13.png: {said}…")
    assert not Path("out/result.json").exists()


def test_a_pipe_among_the_images_does_not_hang(photos: Path) -> None:
    os.mkfifo(photos / "fine" / "pipe.png")
    assert_told(run(), 3, "fine/pipe.png: not a regular file", f"1 of 37 {HINT}")
