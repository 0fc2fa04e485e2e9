"""Heavy libraries are imported before the clock of a fit runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cvpipe.conductor import heavy
from cvpipe.stages.classifiers.random_forest import RandomForest
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.descriptors.dense_sift import DenseSift
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.stages.features.lbp import Lbp
from cvpipe.stages.networks.cnn import Cnn


def test_what_a_stage_will_import() -> None:
    assert "torch" in heavy.heavy_libraries(Cnn)
    assert heavy.heavy_libraries(Svm) == []


def test_what_only_a_gpu_needs_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cnn, "gpu_only", ("torch",))
    assert "torch" not in heavy.heavy_libraries(Cnn)


def test_a_library_that_is_not_there_is_the_stages_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def missing(name: str) -> None:
        asked.append(name)
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(heavy.importlib, "import_module", missing)
    heavy.import_for(Cnn)
    assert "torch" in asked


def test_what_is_imported_inside_functions_comes_before_the_clock_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "sklearn.ensemble" in heavy.late_libraries(RandomForest)
    assert "cvpipe.vision._dense_sift_kernel" in heavy.late_libraries(DenseSift)
    assert not any(name.startswith(("torch", "cvpipe.nets")) for name in heavy.late_libraries(DenseSift))
    asked: list[str] = []
    monkeypatch.setattr(heavy, "_ready", set())
    monkeypatch.setattr(heavy.importlib, "import_module", asked.append)
    for _ in range(2):
        heavy.make_ready(Svm, lambda batch: None, np.zeros(5))
        heavy.make_ready(RandomForest, lambda batch: None, np.zeros(5))
    assert asked.count("scipy.linalg") == 1
    assert not any(name.startswith("sklearn") for name in asked)  # who predicts needs none
    heavy.import_for(RandomForest)
    assert "sklearn.ensemble" in asked


def test_kernels_are_compiled_by_one_image_before_the_clock_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heavy, "_ready", set())
    seen: list[int] = []

    def work(batch: np.ndarray) -> None:
        seen.append(len(batch))
        raise ValueError("told when all are worked on")

    for stage in (Lbp, Sift, Sift):
        heavy.make_ready(stage, work, np.zeros(0))
        heavy.make_ready(stage, work, np.zeros(5))
    assert not heavy.has_kernels(Lbp)
    assert seen == [1]


def test_the_first_kernels_on_a_machine_are_told_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(heavy.machine_code, "folder", lambda: tmp_path / "compiled" / "state")
    assert not heavy.first_here([Lbp])
    assert heavy.first_here([Lbp, Sift])
    assert not heavy.first_here([Sift])
    assert heavy.machine_code.folder().is_dir()
