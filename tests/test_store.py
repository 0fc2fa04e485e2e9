"""Results on disk, and what a learner learned as data."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cvpipe.conductor import entry, upkeep
from cvpipe.conductor.state import pack, unpack
from cvpipe.conductor.store import Nowhere, Store, default_folder, limit_bytes, open_store
from cvpipe.errors import RunError, SpecError

KEY = "ab" + "0" * 62
ARRAYS: dict[str, np.ndarray] = {
    "floats": np.array([[1.5, np.nan, -np.inf], [0, -0.0, 1e-45]], np.float32),
    "doubles": np.array([np.pi]),
    "bytes": np.arange(256, dtype=np.uint8),
    "longs": np.array([-(2**62), 2**62]),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 128), np.uint8),
    "scalar": np.array(3.5),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(20, dtype=np.int32)[::3],
}


def assert_same(got: dict[str, Any], want: dict[str, Any]) -> None:
    assert set(got) == set(want)
    for name, value in want.items():
        if isinstance(value, np.ndarray):
            assert got[name].dtype == value.dtype, name
            assert got[name].shape == value.shape, name
            assert got[name].tobytes() == value.tobytes(), name
        else:
            assert (type(got[name]), got[name]) == (type(value), value), name


def test_entries_come_back_bit_for_bit(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "folder")
    assert store.read(KEY) is None
    assert not store.has(KEY)
    store.write(KEY, ARRAYS, {"type": "Features", "n": [1, 2.5, None, "ü"]})
    found = store.read(KEY)
    assert found is not None
    assert_same(found[0], ARRAYS)
    assert found[1] == {"type": "Features", "n": [1, 2.5, None, "ü"]}
    assert store.has(KEY)
    store.write(KEY, {"x": np.zeros(1)}, {})
    assert list((store.read(KEY) or ({}, {}))[0]) == ["x"]
    assert [path.name for path in (tmp_path / "new" / "folder").rglob("*.*")] == [f"{KEY}.safetensors"]


def test_a_file_is_read_as_safetensors_reads_it() -> None:
    """Every type, and arrays that are as large as a buffer of the system and more."""
    from safetensors.numpy import load

    kinds = [np.dtype(f"{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8)]
    arrays = ARRAYS | {dtype.name: np.array([[0], [7]], dtype) for dtype in [*kinds, np.dtype("f2")]}
    arrays["large"] = np.random.default_rng(0).integers(0, 256, (3000, 1001), dtype=np.uint8)
    data = b"".join(entry.encode(arrays, {"n": 1}))
    found = entry.decode(io.BytesIO(data))
    assert found is not None
    assert_same(found[0], load(data))
    assert all(array.flags.writeable for array in found[0].values())


def test_a_file_is_checked_once_and_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, checked, check = Store(tmp_path), [], entry._checksum
    store.write(KEY, {"x": np.zeros(1000)}, {})
    monkeypatch.setattr(entry, "_checksum", lambda *of: (checked.append(of), check(*of))[1])
    for _ in range(3):
        assert Store(tmp_path).read(KEY) is not None
    assert len(checked) == 1
    os.utime(store.path(KEY), (1000, 1000))
    assert store.read(KEY) is not None
    assert len(checked) == 2
    with store.path(KEY).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    assert store.read(KEY) is None
    assert not store.has(KEY)
    store.write(KEY, {"x": np.ones(1000)}, {})
    assert (store.read(KEY) or ({}, {}))[0]["x"].sum() == 1000
    assert len(checked) == 5  # one of them while it was written


def test_what_was_used_longest_ago_is_forgotten_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    names = [f"{i}{i}" + "0" * 62 for i in range(4)]
    for age, name in enumerate(names):
        store.write(name, {"x": np.zeros(1000)}, {})
        os.utime(store.path(name), (1000 + age, 1000 + age))
    assert store.read(names[0]) is not None  # used now
    size = store.path(names[0]).stat().st_size
    store.trim(3 * size)
    assert [store.has(name) for name in names] == [True, False, True, True]
    store.trim(size)
    assert [store.has(name) for name in names] == [True, False, False, False]
    store.trim(size)
    assert store.has(names[0])


def test_only_old_half_written_files_are_swept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (tmp_path / "ab").mkdir()
    old, new = tmp_path / "ab" / ".x-1.part", tmp_path / "ab" / ".x-2.part"
    old.touch()
    new.touch()
    os.utime(old, (time.time() - 90_000,) * 2)
    store.trim(10**9)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_store_is_looked_through_now_and_then_and_for_a_new_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trimmed: list[int] = []
    monkeypatch.setattr(upkeep, "trim", lambda folder, limit: trimmed.append(limit))
    monkeypatch.setattr(upkeep, "_trimmed", {})
    for limit in (10**9, 10**9, 10, 10):
        upkeep.trim_sometimes(tmp_path, limit)
    assert trimmed == [10**9, 10]
    later = time.monotonic() + 61
    monkeypatch.setattr(upkeep.time, "monotonic", lambda: later)
    upkeep.trim_sometimes(tmp_path, 10)
    assert trimmed == [10**9, 10, 10]


def test_only_files_of_a_store_are_swept(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    foreign = tmp_path / "to" / "film.mkv.part"
    foreign.touch()
    os.utime(foreign, (1000, 1000))
    Store(tmp_path).trim(0)
    assert foreign.exists()


def test_clearing_removes_entries_only(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(KEY, {"x": np.zeros(1)}, {})
    (tmp_path / "notes.txt").write_text("mine")
    store.clear()
    assert not store.has(KEY)
    assert (tmp_path / "notes.txt").exists()


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match=r"cannot write to the cache: .*; free some space, set CVPIPE_CACHE"):
        Store(tmp_path / "file").write(KEY, {}, {})
    assert Store(tmp_path / "file").read(KEY) is None


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("CVPIPE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "cvpipe"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_folder() == Path.home() / ".cache" / "cvpipe"


def test_how_large_the_cache_may_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CVPIPE_CACHE_GB", raising=False)
    assert limit_bytes() == 20 * 10**9
    for text, limit in (("0.5", 5 * 10**8), ("0", 0), ("1e3", 10**12)):
        monkeypatch.setenv("CVPIPE_CACHE_GB", text)
        assert limit_bytes() == limit
    for text in ("many", "-1", "nan"):
        monkeypatch.setenv("CVPIPE_CACHE_GB", text)
        with pytest.raises(SpecError, match=f"CVPIPE_CACHE_GB is a number of at least 0, got '{text}'"):
            limit_bytes()


def test_a_store_for_one_run_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path))
    with open_store(False) as store:
        store.write(KEY, {"x": np.zeros(1)}, {})
        assert store.read(KEY) is not None
    assert not store.folder.exists()
    assert not list(tmp_path.iterdir())
    nowhere = Nowhere()
    nowhere.write(KEY, {"x": np.zeros(1)}, {})
    assert nowhere.read(KEY) is None  # type: ignore[func-returns-value]


STATE: dict[str, Any] = {
    **ARRAYS,
    "classes": np.array(["a", "büro", ""]),
    "none": None,
    "flag": True,
    "count": 3,
    "share": 0.1,
    "word": "auto",
    "several": [1, "x", [2.5, None]],
}


def test_what_was_learned_comes_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(KEY, *pack(STATE))
    assert_same(unpack(*(store.read(KEY) or ({}, {}))), STATE)


def test_what_was_learned_is_the_same_at_once_and_from_disk(tmp_path: Path) -> None:
    """Or a run would depend on the cache: a float32 number and a plain one round differently beside arrays."""
    odd = {"number": np.float32(0.1), "double": np.float64(0.1), "labels": np.array(["a", "b"], object),
           "columns": ARRAYS["columns"], "text": np.str_("x")}  # fmt: skip
    store, packed = Store(tmp_path), pack(odd)
    store.write(KEY, *packed)
    at_once, later = unpack(*packed), unpack(*(store.read(KEY) or ({}, {})))
    assert_same(at_once, later)
    assert at_once["columns"].flags.c_contiguous
    assert at_once["number"] == float(np.float32(0.1))
    assert at_once["labels"].dtype.kind == "U"


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1: 2},
        {1, 2},
        b"x",
        np.array([1, "a", None], object),
        np.array([["a"]]),
        [object()],
        [(1, 2)],
        1j,
    ],
)
def test_what_is_no_data_is_refused(value: Any) -> None:
    with pytest.raises(
        RunError, match=r"learned attribute 'odd_' is a .*, neither an array nor a plain value"
    ):
        pack({"odd_": value})
