"""What the tests of bad input and of accidents share: a small job, and how a mishap has to end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from cvpipe_cli.main import main

SPEC = """\
name: small
data: {folder: photos}
split: {kfold: 2}
stages: [sift, root_sift, {bag_of_words: {words: 8}}, svm]
"""
MAIN = [sys.executable, "-c", "from cvpipe_cli.main import main; main()"]
"""What the script `cvpipe` does, whether or not it is on the path."""
STOPPED = "interrupted"
INTERRUPTED = "interrupted; what was computed is kept, the same command goes on from there"


def photograph(grain: int, seed: int) -> np.ndarray:
    """(64, 64) uint8: squares of `grain` px, with noise."""
    rng = np.random.default_rng(seed)
    squares = np.kron(rng.integers(0, 256, (64 // grain + 1,) * 2), np.ones((grain, grain)))[:64, :64]
    return np.clip(squares + rng.normal(0, 12, squares.shape), 0, 255).astype(np.uint8)


def make_photos(folder: Path, each: int = 18) -> Path:
    """Two classes that are not easy to tell apart; more than one chunk of images in all."""
    for number, (label, grain) in enumerate({"coarse": 8, "fine": 6}.items()):
        (folder / label).mkdir(parents=True)
        for i in range(each):
            cv2.imwrite(str(folder / label / f"{i:02d}.png"), photograph(grain, 1000 * number + i))
    return folder


def cvpipe(*arguments: str | Path, **options: Any) -> Result:
    """A command in this process."""
    return CliRunner().invoke(main, list(map(str, arguments)), **options)


def run(out: str | Path = "out", *arguments: str) -> Result:
    """`cvpipe run small.yaml --quiet` into a folder."""
    return cvpipe("run", "small.yaml", "--quiet", "--out", str(out), *arguments)


def numbers(out: str | Path) -> tuple[dict[str, Any], bytes]:
    """What two equal runs have in common to the last bit: the scores and the predictions."""
    result = json.loads((Path(out) / "result.json").read_text())
    return result["scores"], (Path(out) / "predictions.csv").read_bytes()


def assert_told(done: Result, code: int, *lines: str) -> None:
    """It ended with `code`, and said exactly these lines; the last part of a line may be left out with `…`."""
    assert "Traceback" not in done.output
    said = done.stderr.splitlines()
    assert (done.exit_code, len(said)) == (code, len(lines)), done.output
    for line, expected in zip(said, lines, strict=True):
        assert line.startswith(expected[:-1]) if expected.endswith("…") else line == expected
    assert done.stdout == ""


def leftovers(folder: str | Path) -> list[str]:
    """Temporary files and folders below a folder."""
    return [str(path) for path in Path(folder).rglob("*") if path.suffix in (".part", ".old")]


def plain_user() -> list[str]:
    """What to put before a command so that permissions count for it, even if the tests run as root."""
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions are those of POSIX")
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may read and write everything, and there is no `setpriv` to give that up")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def cvpipe_as_plain_user(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own that permissions hold for."""
    command = [*plain_user(), *MAIN, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@contextmanager
def small_disk(folder: Path, size_kb: int) -> Iterator[Path]:
    """A disk of a few kB, or the test is skipped."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root on Linux can make a small disk")
    folder.mkdir(parents=True, exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
