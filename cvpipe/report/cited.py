"""What a run, a comparison or a spec is built on, as BibTeX."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cvpipe.comparison.load import load_comparison
from cvpipe.comparison.result import Comparison
from cvpipe.errors import DataError
from cvpipe.report.citations import bibtex
from cvpipe.spec import Spec, load_spec

TESTS_BY_NAME = {
    "mcnemar": "mcnemar",
    "corrected_t": "corrected_t",
    "5x2cv_f": "five_by_two",
    "bootstrap": "bootstrap",
    "friedman": "friedman",
}
"""Module of `cvpipe.statistics` by the name of a `Significance`."""


def cited(what: str | Path) -> str:
    """BibTeX for the folder of a run or of a comparison, a spec's file, or the name of a shipped spec.

    Raises `SpecError` or `DataError`.
    """
    folder = Path(what)
    if not os.path.isdir(folder):
        return _of_specs([load_spec(what)])
    if os.path.exists(folder / "comparison.json"):
        comparison = load_comparison(folder)
        return _of_specs([load_spec(c.spec) for c in comparison.candidates], _tests(comparison))
    if not os.path.exists(folder / "spec.yaml"):
        raise DataError("holds neither a run (spec.yaml) nor a comparison (comparison.json)", where=str(what))
    return _of_specs([load_spec(folder / "spec.yaml")])


def _of_specs(specs: list[Spec], tests: Iterator[str] | tuple[str, ...] = ()) -> str:
    return bibtex([part for spec in specs for part in (spec.data, *spec.stages)], tests)


def _tests(comparison: Comparison) -> Iterator[str]:
    """The tests whose numbers the comparison tells."""
    pairs = comparison.pairs
    names = dict.fromkeys(test.name for pair in pairs for test in pair.tests)
    yield from (TESTS_BY_NAME[name] for name in names if name in TESTS_BY_NAME)
    if pairs and "bootstrap" not in names:
        yield "bootstrap"  # the intervals
    if len(pairs) > 1:
        yield "holm"
    if any(pair.belief for pair in pairs):
        yield "bayes"
    if pairs:
        yield "effect_size"
    if comparison.many:
        yield from ("friedman", "nemenyi")
