"""What the documents show works as shown."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def test_the_worked_stage_passes_its_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file and the test of docs/add-a-stage.md, as they stand there."""
    stage, test = re.findall(r"```python\n(.*?)```", (DOCS / "add-a-stage.md").read_text(), re.DOTALL)[:2]
    (tmp_path / "worked_std_pool.py").write_text(stage)
    monkeypatch.syspath_prepend(tmp_path)
    scope: dict[str, object] = {}
    exec(test.replace("cvpipe.stages.features.std_pool", "worked_std_pool"), scope)
    scope["test_deviation_of_each_component_of_each_image"]()  # type: ignore[operator]
    sys.modules.pop("worked_std_pool")
