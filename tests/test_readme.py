"""What the README says is so: the table of stages, the commands."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from click.testing import CliRunner
from cvpipe_cli.main import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


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


def published() -> dict[str, dict[str, str]]:
    """The rows of `benchmarks/published.csv` by spec."""
    with open(ROOT / "benchmarks" / "published.csv", newline="", encoding="utf-8") as file:
        return {row["pipeline"]: row for row in csv.DictReader(file)}


def same(shown: str, figure: str) -> bool:
    """Whether a figure is another one, rounded to the digits that are shown."""
    return shown == f"{float(figure):.{len(shown.partition('.')[2])}f}"


def test_published_figures_are_those_of_the_benchmark() -> None:
    rows = dict(re.findall(r"^\| `(\w+)`.*\|([^|]*) \|$", block_of_scores(), re.MULTILINE))
    known = published()
    both = rows.keys() & known.keys()
    assert len(both) >= 9
    for spec in both:
        shown, first = re.fullmatch(r" ([\d.]+) % \((?:.*, )?([\w-]+) [^,]*\)", rows[spec]).groups()
        assert same(shown, known[spec]["accuracy"]), spec
        assert first == re.match(r"[\w-]+", known[spec]["source"])[0], spec


def block_of_scores() -> str:
    return README.partition("| spec | textures | UC Merced | published |")[2].partition("\n\n")[0]


def claim(spec: str) -> str:
    """What the header of a shipped spec sets out to show."""
    text = (ROOT / "pipelines" / f"{spec}.yaml").read_text()
    return text.partition("# Claim:")[2].partition("# Data:")[0]


def test_the_header_of_a_spec_and_the_benchmark_cite_one_figure() -> None:
    """Where a header names the paper that the benchmark compares with, its first figure is the one compared with."""
    known = published()
    citing = [spec for spec, row in known.items() if re.match(r"[\w-]+", row["source"])[0] in claim(spec)]
    assert {"lite0_svm", "sift_bow_svm", "handcrafted_best"} <= set(citing)
    for spec in citing:
        assert same(re.search(r"\d\d\.\d+", claim(spec))[0], known[spec]["accuracy"]), spec
