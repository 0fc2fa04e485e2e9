"""Where machine code is kept."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from numba.core.dispatcher import Dispatcher

import cvpipe
from cvpipe.files import user_cache
from cvpipe.vision import compiled

KERNELS = sorted(
    path.stem
    for path in Path(compiled.__file__).parent.glob("*.py")
    if "vision.compiled import" in path.read_text()
)


def test_there_are_kernels() -> None:
    assert {"pairwise", "posteriors", "_dense_sift_kernel", "dog_extrema"} <= set(KERNELS)


@pytest.mark.parametrize("name", KERNELS)
def test_nothing_is_written_beside_the_source(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left in site-packages after an uninstall would hide a checkout that is installed later."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    module = importlib.import_module(f"cvpipe.vision.{name}")
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
