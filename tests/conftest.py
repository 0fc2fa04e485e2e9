"""Fixtures that many tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

# Before NumPy is imported: the tests run in several processes, whose BLAS threads would wait for each other's cores.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
import pytest  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the cache of the user who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVPIPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """`real_data("ucmerced")` is a folder of real images, or the test is skipped."""
    default = Path(__file__).parents[2] / "shared" / "data"
    root = Path(os.environ.get("CVPIPE_TEST_DATA", default))

    def find(name: str) -> Path:
        if not (root / name).is_dir():
            pytest.skip(f"no folder '{name}' in {root}; CVPIPE_TEST_DATA names another place")
        return root / name

    return find


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """`noise(24, 32, 3)`: uint8 pixels that are smooth enough to look like an image, always the same."""

    def make(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        coarse = rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, channels))
        pixels = np.kron(coarse, np.ones((4, 4, 1)))[:height, :width].astype(np.uint8)
        return pixels[..., 0] if channels == 1 else pixels

    return make


@pytest.fixture
def class_folders(tmp_path: Path, noise: Callable[..., np.ndarray]) -> Callable[..., Path]:
    """`class_folders({"cat": 3, "dog": 2})`: a folder of class folders with PNG files in it."""

    def make(counts: dict[str, int], root: Path = tmp_path / "images") -> Path:
        from PIL import Image

        for seed, (label, count) in enumerate(counts.items()):
            (root / label).mkdir(parents=True)
            for i in range(count):
                Image.fromarray(noise(32, 40, seed=100 * seed + i)).save(root / label / f"{i}.png")
        return root

    return make


@pytest.fixture(autouse=True)
def ctrl_c_works() -> Iterator[None]:
    """A shell that starts the tests in the background makes them, and all their children, deaf to Ctrl-C; a command
    that was interrupted in this process makes it so too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
