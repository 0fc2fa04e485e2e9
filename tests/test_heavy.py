"""Heavy libraries are imported before the clock of a fit runs."""

from __future__ import annotations

import pytest

from cvpipe.conductor import heavy
from cvpipe.stages.classifiers.svm import Svm
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
