"""The content hash of an image file: remembered as long as the file is as it was, and no longer."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from cvpipe.data import images
from cvpipe.data.images import FileItem
from cvpipe.errors import BadImage


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files whose bytes were read."""
    seen: list[Path] = []
    read = images.read_bytes
    monkeypatch.setattr(images, "read_bytes", lambda path: (seen.append(path), read(path))[1])
    images._remembered.cache_clear()
    return seen


def later() -> None:
    """Two writes within the grain of a file's times could not be told apart, and are not."""
    time.sleep(1.5 * images.JUST_NOW_NS / 1e9)


def test_a_file_is_read_once(tmp_path: Path, hashed: list[Path]) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"abc")
    later()
    for _ in range(3):
        assert FileItem(path).token() == hashlib.sha1(b"abc").hexdigest()
    assert hashed == [path]


def test_a_file_that_was_just_written_is_read_again(tmp_path: Path, hashed: list[Path]) -> None:
    path = tmp_path / "a.png"
    for content in (b"abc", b"abd"):
        path.write_bytes(content)
        assert FileItem(path).token() == hashlib.sha1(content).hexdigest()


def test_a_change_is_seen_where_size_and_time_are_kept(tmp_path: Path, hashed: list[Path]) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"abc")
    os.utime(path, (1000, 1000))
    later()
    before = FileItem(path).token()
    path.write_bytes(b"xyz")
    os.utime(path, (1000, 1000))
    later()
    assert FileItem(path).token() == hashlib.sha1(b"xyz").hexdigest() != before


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadImage):
        FileItem(tmp_path / "gone.png").token()
