"""Where machine code is kept."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from numba.core.dispatcher import Dispatcher

import cvpipe
from cvpipe.files import user_cache
from cvpipe.vision import compiled

ROOT = Path(cvpipe.__file__).parent
KERNELS = sorted(
    ".".join(("cvpipe", *path.relative_to(ROOT).with_suffix("").parts))
    for path in ROOT.glob("*/*.py")
    if compiled.KERNEL.search(path.read_bytes())
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


def test_another_state_of_a_kernel_has_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = compiled.folder.__wrapped__
    assert fresh() == compiled.folder()
    monkeypatch.setattr(Path, "read_bytes", lambda path: path.name.encode() + b"\n@fast\n")
    assert fresh() != compiled.folder()


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
