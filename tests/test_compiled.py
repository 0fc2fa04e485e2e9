"""Where machine code is kept, and that it is the same in all processes."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.dispatcher import Dispatcher

import cvpipe
from cvpipe.files import user_cache
from cvpipe.vision import compiled, machine_code

ROOT = Path(cvpipe.__file__).parent
KERNELS = sorted(
    ".".join(("cvpipe", *path.relative_to(ROOT).with_suffix("").parts))
    for room in machine_code.ROOMS
    for path in (ROOT / room).glob("*.py")
    if machine_code.KERNEL.search(path.read_bytes())
)


def test_there_are_kernels() -> None:
    names = "vision.pairwise", "vision.posteriors", "vision._exponential", "nets._autoencoder_kernel"
    assert {f"cvpipe.{name}" for name in names} <= set(KERNELS)


def test_no_kernel_is_made_elsewhere() -> None:
    """The folder of the machine code tells the state of those only that are found."""
    users = {path for path in ROOT.rglob("*.py")
             if "numba.njit" in (text := path.read_text()) or "vision.compiled import compiled" in text}  # fmt: skip
    found = {ROOT.parent / f"{name.replace('.', '/')}.py" for name in KERNELS}
    assert users - found == {Path(compiled.__file__)}


@pytest.mark.parametrize("line", [b"@fast", b"class Work(NamedTuple):"])
def test_another_state_of_a_kernel_has_another_folder(line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = machine_code.folder.__wrapped__
    assert fresh() == machine_code.folder()
    changed = Path(compiled.__file__)
    read = Path.read_bytes
    more = b"\n" + line + b"\n"
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + more * (path == changed))
    assert fresh() != machine_code.folder()


@pytest.mark.parametrize("name", KERNELS)
def test_nothing_is_written_beside_the_source(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left in site-packages after an uninstall would hide a checkout that is installed later."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    module = importlib.import_module(name)
    found = [kernel for kernel in vars(module).values() if isinstance(kernel, Dispatcher)]
    kept = {Path(kernel.stats.cache_path) for kernel in found if kernel.stats.cache_path}
    assert kept
    for path in kept:
        assert path.is_relative_to(user_cache() / "compiled")
        assert not path.is_relative_to(Path(cvpipe.__file__).parent)


def test_numbas_own_folder_is_as_it_was() -> None:
    before = compiled.config.CACHE_DIR
    compiled.compiled()(lambda x: x)
    assert before == compiled.config.CACHE_DIR


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_hold_what_they_call(name: str) -> None:
    kernels = [k for k in vars(importlib.import_module(name)).values() if isinstance(k, Dispatcher)]
    assert all(kernel.targetoptions["forceinline"] for kernel in kernels)


@pytest.mark.slow
def test_the_process_that_compiles_gives_what_later_ones_give(tmp_path: Path) -> None:
    script = [sys.executable, str(Path(__file__).with_name("bits.py"))]
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = (
        subprocess.run(script, env=env, capture_output=True, text=True, check=True).stdout for _ in range(2)
    )
    assert any(tmp_path.rglob("*.nbc"))
    assert "dense_sift Images" in first
    assert first == second
