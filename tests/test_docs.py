"""What the documents show works as shown."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from cvpipe.comparison.entrants import enter
from cvpipe.comparison.suite import read_suite

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


def test_the_suite_of_the_page_about_comparisons_can_be_read(tmp_path: Path) -> None:
    (suite,) = re.findall(r"```yaml\n(.*?)```", (DOCS / "compare.md").read_text(), re.DOTALL)
    (tmp_path / "words.yaml").write_text(suite)
    names = [entrant.name for entrant in enter(read_suite(tmp_path / "words.yaml").asked, data="textures")]
    assert len(names) == 2 * (1 + 1 + 3 + 1)


@pytest.mark.parametrize("name", ["uc_merced", "uc_merced_networks", "uc_merced_quick"])
def test_the_suites_of_the_benchmark_can_be_compared(name: str) -> None:
    suite = read_suite(DOCS.parent / "benchmarks" / f"{name}.yaml")
    assert suite.name == name
    assert len(enter(suite.asked, data="textures")) >= 3
