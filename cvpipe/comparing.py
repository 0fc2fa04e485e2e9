"""What the command line and scripts call to compare: specs in, a comparison and a folder out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from numbers import Integral
from pathlib import Path
from typing import Any, cast

from cvpipe.comparison import folder as comparison_folder
from cvpipe.comparison.ahead import CANDIDATES
from cvpipe.comparison.contest import Contest
from cvpipe.comparison.entrants import enter
from cvpipe.comparison.meanwhile import LONG_S, Meanwhile
from cvpipe.comparison.plan import SharedPlan, plan_shared
from cvpipe.comparison.result import Comparison
from cvpipe.comparison.suite import Asked, is_suite, read_suite
from cvpipe.conductor.progress import Progress
from cvpipe.device import Device
from cvpipe.errors import SpecError
from cvpipe.report.comparison.page import write_comparison
from cvpipe.report.comparison.pictures import Pictures
from cvpipe.report.html import compile_templates
from cvpipe.spec import Spec
from cvpipe.wording import shown

Specs = str | Path | Sequence[str | Path | Mapping[str, Any] | Spec]
"""Several specs, or a suite file."""


def compare(
    specs: Specs,
    *,
    overrides: Iterable[str] = (),
    data: str | Path | None = None,
    repeats: int | None = None,
    train_sizes: Sequence[int] = (),
    metrics: Sequence[str] = (),
    seed: int | None = None,
    out: str | Path | None = None,
    jobs: int | None = None,
    device: Device = "auto",
    smoke: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Run several specs (as for `run`), or a suite file, on the same splits of the same data, and judge what differs.

    `repeats` draws the splits so often; `train_sizes` adds learning curves; the first of `metrics` ranks. The folder is
    `out`, or `comparisons/<name>`; what is finished there is not run again. A candidate that fails is one with status
    `failed`. Raises `SpecError` for specs that cannot be compared, `DataError`, `RunError`.
    """
    name, asked, sizes = _asked(specs)
    _whole_numbers("repeats", [] if repeats is None else [repeats])
    entrants = enter(asked, overrides=overrides, data=data, seed=seed, metrics=metrics, repeats=repeats)
    sizes = _whole_numbers("train_sizes", train_sizes) or sizes
    folder = comparison_folder.claim(out, name or entrants[0].spec.data.label, smoke)
    comparison_folder.write_suite(folder, name or folder.name, entrants, sizes)
    contest = Contest(name or folder.name, entrants, folder, sizes, jobs, device, smoke)
    pictures = cache(lambda: Pictures(contest.dataset.images))
    with Meanwhile() as meanwhile:
        meanwhile.do(compile_templates)
        meanwhile.do(lambda: pictures().get_ready(), LONG_S)
        comparison = contest.hold(CANDIDATES, progress or Progress(), meanwhile)
    write_comparison(comparison, folder, pictures())
    comparison_folder.write(comparison)
    return comparison


def plan_comparison(
    specs: Specs,
    *,
    overrides: Iterable[str] = (),
    data: str | Path | None = None,
    repeats: int | None = None,
    train_sizes: Sequence[int] = (),
    seed: int | None = None,
    jobs: int | None = None,
) -> SharedPlan:
    """What `compare` would do and cost, without learning curves, and what it saves that its candidates share stages."""
    _, asked, sizes = _asked(specs)
    entrants = enter(asked, overrides=overrides, data=data, seed=seed, repeats=repeats)
    return plan_shared(entrants, entrants[0].spec.data.load(), jobs, train_sizes or sizes)


def _asked(specs: Specs) -> tuple[str, list[Asked], list[int]]:
    """The name, the specs and the train sizes of a suite, or those specs."""
    one = isinstance(specs, str | Path | Mapping) or not isinstance(specs, Iterable)
    given: list[Any] = [specs] if one else [*cast(Any, specs)]  # one alone is refused later, for what it is
    if len(given) == 1 and isinstance(only := given[0], str | Path) and is_suite(only):
        suite = read_suite(only)
        return suite.name, suite.asked, suite.train_sizes
    for one in given:
        if isinstance(one, str | Path) and os.path.isfile(one) and is_suite(one):
            raise SpecError("is a suite, and a suite is compared alone", where=str(one))
    return "", [Asked(one) for one in given], []


def _whole_numbers(name: str, values: Any) -> list[int]:
    """The values as numbers. Raises `SpecError` for what is no list of whole numbers of at least 1."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise SpecError(f"{name} are a list, such as [5, 10, 20], got {shown(values)}")
    found = list(values)
    for value in found:
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
            raise SpecError(f"{name}: must be a whole number of at least 1, got {shown(value)}")
    return [int(value) for value in found]
