"""What the README says is so: the table of stages, the commands."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner
from cvpipe_cli.main import main

README = (Path(__file__).parents[1] / "README.md").read_text()


def block(name: str) -> str:
    return re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.DOTALL)[1].strip()


def test_the_table_of_stages_is_that_of_the_registry() -> None:
    """`cvpipe stages --markdown` prints the table to put there."""
    assert block("stages") == CliRunner().invoke(main, ["stages", "--markdown"]).output.strip()


def test_two_commands_set_up_and_test() -> None:
    commands = [line for line in block("ci").splitlines() if line.startswith(("python3", ".venv"))]
    assert len(commands) == 2
    assert "cvpipe run pipelines/sift_bow_svm.yaml" in commands[0]
    assert "pytest" in commands[1]


def test_python_examples_run() -> None:
    """Every name that the examples use exists, and the first one gives a score."""
    first, stages = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[:2]
    small = first.replace('"sift_bow_svm"', '"sift_bow_svm", bag_of_words__words=20')
    scope: dict[str, object] = {}
    exec(small.replace('{"kfold": 5}', '{"holdout": 0.5}'), scope)
    exec(stages, scope)
    scope["pipeline"].check()  # type: ignore[attr-defined]
