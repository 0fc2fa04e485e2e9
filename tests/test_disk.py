"""Disks that are full, that refuse, or that give back something else than was written."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from accidents import (
    MAIN,
    SPEC,
    assert_told,
    cvpipe,
    cvpipe_as_plain_user,
    leftovers,
    make_photos,
    numbers,
    plain_user,
    run,
    small_disk,
)

from cvpipe.conductor.entry import Entry, decode, encode
from cvpipe.conductor.flow import FIT_S
from cvpipe.conductor.store import Store

CACHE_HINT = "free some space, set CVPIPE_CACHE to another folder, or use --no-cache"


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run `out` of `small.yaml`, and its cache."""
    place = tmp_path_factory.mktemp("job")
    make_photos(place / "photos")
    (place / "small.yaml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("CVPIPE_CACHE", str(place / "cache"))
        assert run().exit_code == 0
    return place


@pytest.fixture
def place(job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to work in."""
    shutil.copytree(job, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    return tmp_path


# Full


@pytest.mark.parametrize("size_kb", [4, 8, 16, 32, 60, 90])
def test_the_disk_fills_up_while_results_are_written(place: Path, size_kb: int) -> None:
    with small_disk(place / "disk", size_kb):
        done = run("disk/out")
        assert done.exit_code == 4
        assert "Traceback" not in done.output
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith("disk/out")
        assert done.stderr.endswith("No space left on device\n")
        assert not Path("disk/out/result.json").exists()
        assert leftovers("disk") == []
        for file in Path("disk/out").rglob("*"):  # what is there is whole
            original = Path("out") / file.relative_to("disk/out")
            if file.name == "predictions.csv":
                assert file.read_bytes() == original.read_bytes()
            if file.suffix in (
                ".safetensors",
                ".html",
                ".yaml",
            ):  # they hold paths or times of equal length or so
                assert file.stat().st_size > 0.8 * original.stat().st_size
        assert cvpipe("predict", "disk/out", "photos/fine/00.png").exit_code in (0, 3)


def test_a_disk_that_is_full_from_the_start(place: Path) -> None:
    with small_disk(place / "disk", 64):
        with pytest.raises(OSError, match="No space"):
            (place / "disk" / "full").write_bytes(bytes(65 * 1024))
        done = run("disk/out")
        assert_told(done, 4, "disk/out/log.txt: cannot write the log: No space left on device")
        assert not Path("disk/out/result.json").exists()
        (place / "disk" / "full").unlink()


def test_a_full_disk_spoils_no_earlier_run(place: Path) -> None:
    """What a finished run left is either whole or has no `result.json` any more."""
    with small_disk(place / "disk", 400):
        assert run("disk/out").exit_code == 0
        free = shutil.disk_usage("disk").free
        (place / "disk" / "filler").write_bytes(bytes(free - 8192))
        done = run("disk/out")
        assert done.exit_code == 4
        assert not Path("disk/out/result.json").exists()
        assert cvpipe("predict", "disk/out", "photos/fine/00.png").exit_code == 0  # the old model, whole
        Path("disk/filler").unlink()
        assert run("disk/out").exit_code == 0
        assert numbers("disk/out") == numbers("out")


@pytest.mark.parametrize("size_kb", [4, 64, 150, 220])
def test_the_cache_fills_up(place: Path, monkeypatch: pytest.MonkeyPatch, size_kb: int) -> None:
    with small_disk(place / "disk", size_kb):
        monkeypatch.setenv("CVPIPE_CACHE", "disk")
        done = run("again")
        assert_told(done, 4, f"disk: cannot write to the cache: No space left on device; {CACHE_HINT}")
        assert leftovers("disk") == []
        assert not Path("again/result.json").exists()
        assert_entries_are_whole(Store(Path("disk")))
        subprocess.run(["mount", "-o", "remount,size=20m", "disk"], check=True)
        assert run("again").exit_code == 0
        assert numbers("again") == numbers("out")


def test_a_full_cache_does_not_matter_without_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(place / "disk", 4):
        monkeypatch.setenv("CVPIPE_CACHE", "disk")
        assert run("again", "--no-cache").exit_code == 0
        assert numbers("again") == numbers("out")
        assert list(Path("disk").iterdir()) == []


# No permission


def test_a_folder_that_may_not_be_written(place: Path) -> None:
    Path("locked").mkdir()
    Path("locked").chmod(0o555)
    done = cvpipe_as_plain_user("run", "small.yaml", "--quiet", "--out", "locked/out")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "locked/out: cannot write a run here: Permission denied\n"
    done = cvpipe_as_plain_user("run", "small.yaml", "--quiet", "--out", "locked")
    assert (done.returncode, done.stderr) == (4, "locked: cannot write a run here: Permission denied\n")
    done = cvpipe_as_plain_user("init", "locked/spec.yaml")
    assert (done.returncode, done.stderr) == (4, "locked/spec.yaml: no permission\n")


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("check", "locked/x.yaml"), 2, "locked/x.yaml: cannot be read: Permission denied"),
        (("cite", "locked/x"), 2, "locked/x: cannot be read: Permission denied"),
        (
            ("check", "small.yaml", "--data", "locked/x"),
            2,
            "--data locked/x: no data set, folder or file…",
        ),
        (("show", "locked/x"), 3, "locked/x: cannot be read: Permission denied"),
        (("verify", "locked"), 3, "locked: cannot be read: Permission denied"),
        (("predict", "locked", "x.png"), 3, "locked: cannot read the model: Permission denied"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_folder_that_may_not_be_looked_into(
    place: Path, command: tuple[str, ...], code: int, said: str
) -> None:
    Path("locked").mkdir()
    Path("locked").chmod(0o000)
    done = cvpipe_as_plain_user(*command)
    Path("locked").chmod(0o755)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(said.removesuffix("…"))
    assert len(done.stderr.splitlines()) == 1


def test_a_place_that_is_a_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").touch()
    assert_told(run("file"), 4, "file: cannot write a run here: File exists")
    assert_told(run("file/out"), 4, "file/out: cannot write a run here: Not a directory")
    monkeypatch.setenv("CVPIPE_CACHE", "file")
    done = run("again")
    assert_told(done, 4, f"file: cannot write to the cache: Not a directory; {CACHE_HINT}")


def test_a_cache_that_may_not_be_written(place: Path) -> None:
    env = {**os.environ, "CVPIPE_CACHE": "locked"}
    Path("locked").mkdir()
    Path("locked").chmod(0o555)
    command = [*plain_user(), *MAIN, "run", "small.yaml", "--quiet", "--out", "again"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == f"locked: cannot write to the cache: Permission denied; {CACHE_HINT}\n"


def test_a_complete_cache_may_be_read_only(place: Path) -> None:
    for path in [Path("cache"), *Path("cache").rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = cvpipe_as_plain_user("run", "small.yaml", "--quiet", "--out", "again")
    for path in [Path("cache"), *Path("cache").rglob("*")]:
        path.chmod(0o755)
    assert (done.returncode, done.stderr) == (0, "")
    assert numbers("again") == numbers("out")
    assert all(stage["cached"] for stage in json.loads(Path("again/result.json").read_text())["stages"][:3])


# Entries that are not what was written


def decoded(data: bytes) -> Entry | None:
    return decode(io.BytesIO(data))


def assert_entries_are_whole(store: Store) -> None:
    for path, _, _ in store.entries():
        assert decoded(path.read_bytes()) is not None, path


def content(data: bytes) -> Any:
    """What an entry means: its arrays and its note but for the time it took; None if it is damaged."""
    found = decoded(data)
    if found is None:
        return None
    note = {name: value for name, value in found[1].items() if name != FIT_S}
    return {name: (a.dtype, a.tolist()) for name, a in found[0].items()}, note


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped_first(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def flipped_header(data: bytes) -> bytes:
    return data[:60] + bytes([data[60] ^ 0x10]) + data[61:]


def flipped_last(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 0x80])


def flipped_middle(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :]


def nothing(data: bytes) -> bytes:
    return b""


def zeros(data: bytes) -> bytes:
    return bytes(len(data))


def longer(data: bytes) -> bytes:
    return data + b"x"


SPOILERS = (half, flipped_first, flipped_header, flipped_middle, flipped_last, nothing, zeros, longer)


@pytest.mark.parametrize("spoil", SPOILERS)
def test_damaged_entries_are_computed_again(place: Path, spoil: Callable[[bytes], bytes]) -> None:
    store = Store(Path("cache"))
    written = {path: path.read_bytes() for path, _, _ in store.entries()}
    assert len(written) > 8
    for path, data in written.items():
        path.write_bytes(spoil(data))
    assert run("again").exit_code == 0
    assert numbers("again") == numbers("out")
    assert_entries_are_whole(store)
    assert all(content(path.read_bytes()) == content(data) for path, data in written.items())


def test_every_byte_of_small_entries_counts(place: Path) -> None:
    """No flipped byte is ever taken for something else: the entry is refused, or it means the same as before."""
    for path, size, _ in Store(Path("cache")).entries():
        data = path.read_bytes()
        meant = content(data)
        assert meant is not None
        places = range(size) if size < 1000 else random.Random(0).sample(range(size), 300)
        for position in places:
            for bit in (0x01, 0x10, 0x20, 0x80):
                spoilt = data[:position] + bytes([data[position] ^ bit]) + data[position + 1 :]
                assert content(spoilt) in (None, meant)


def test_an_entry_cut_anywhere_is_refused() -> None:
    data = b"".join(encode({"values": np.arange(20, dtype=np.float32)}, {"type": "Features"}))
    assert decoded(data) is not None
    assert [n for n in range(len(data)) if decoded(data[:n]) is not None] == []


def test_an_entry_that_cannot_be_read_is_computed_again(place: Path) -> None:
    for path, _, _ in Store(Path("cache")).entries():
        path.chmod(0)
    done = cvpipe_as_plain_user("run", "small.yaml", "--quiet", "--out", "again")
    assert (done.returncode, done.stderr) == (0, "")
    assert numbers("again") == numbers("out")


def test_temporary_files_of_others_are_no_entries(place: Path) -> None:
    for folder in Path("cache").iterdir():
        (folder / ".abc-0123456789abcdef.part").write_bytes(b"half of something")
        (folder / "note.txt").touch()
    assert run("again").exit_code == 0
    assert numbers("again") == numbers("out")
    entries = len(Store(Path("cache")).entries())
    assert json.loads(cvpipe("cache", "--json").stdout)["entries"] == entries
