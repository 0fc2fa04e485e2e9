"""`cvpipe plan`: what a run would do, and cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from cvpipe_cli.options import as_json, jobs, spec_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cvpipe.conductor.plan import Plan


@click.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@spec_options
@jobs
@as_json
def plan(specs: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Say what a run would do and cost.

    Shapes, what is cached already, and an estimate of time, memory and disk from a few probe images.
    For several specs, or a suite: what a comparison would share between them, and what that saves.
    """
    from cvpipe import api
    from cvpipe.comparison.suite import is_suite

    if len(specs) > 1 or is_suite(specs[0]):
        plan_shared(specs, as_json, **options)
        return
    planned = api.plan(specs[0], **options)
    if as_json:
        click.echo(json.dumps(planned.summary(), indent=2))
    else:
        print_plan(planned)


def plan_shared(specs: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Print what several specs share."""
    from cvpipe_cli.tables import show

    from cvpipe.comparing import plan_comparison
    from cvpipe.errors import listed
    from cvpipe.wording import number

    planned = plan_comparison(specs, **options)
    if as_json:
        click.echo(json.dumps(planned.summary(), indent=2))
        return
    rows = []
    for turn in planned.candidates:
        chain = [stage.name for stage in turn.plan.stages]
        shared = [f"{name} ({other})" for name, other in zip(chain, turn.shared, strict=True) if other]
        rows.append(
            (turn.name, " > ".join(chain), ", ".join(shared), number(turn.plan.total_s), number(turn.saved_s))
        )
    show(["pipeline", "stages", "computed before (with)", ">alone s", ">saved s"], rows)
    sums = f"{number(planned.apart_s)} s one by one, {number(planned.apart_s - planned.saved_s)} s together"
    click.echo(f"{len(rows)} pipelines: about {sums}; sharing saves {number(planned.saved_s)} s")
    if planned.train_sizes:
        sizes = listed(map(str, sorted(set(planned.train_sizes))), "and")
        click.echo(
            f"not included: learning curves, for which all is fitted again on {sizes} images of each class"
        )
    for turn in planned.candidates:
        _tell_doubts(turn.plan, f"{turn.name}: ")
    _warn(dict.fromkeys(warning for turn in planned.candidates for warning in turn.plan.warnings))


def print_plan(plan: Plan) -> None:
    """Stages with what goes in and out, and the sums."""
    from cvpipe_cli.tables import show

    from cvpipe.wording import number

    rows = []
    for stage in plan.stages:
        fit = "?" if stage.fit_s is None else number(stage.fit_s)
        costs = (fit, *map(number, (stage.transform_s, stage.memory_mb, stage.disk_mb)))
        rows.append((stage.name, stage.takes, stage.gives, f"{stage.cached:.0%}", *costs))
    show(["stage", "takes", "gives", ">cached", ">fit s", ">transform s", ">memory MB", ">disk MB"], rows)
    sums = (
        f"{number(plan.total_s)} s, {number(plan.memory_mb)} MB of memory, {number(plan.disk_mb)} MB of disk"
    )
    click.echo(f"{plan.images:,} images, {plan.splits} splits, {plan.jobs} jobs: about {sums}")
    _tell_doubts(plan)
    _warn(plan.warnings)


def _tell_doubts(plan: Plan, whose: str = "") -> None:
    """Why there are stages without an estimate."""
    for stage in plan.stages:
        if stage.doubt:
            click.echo(f"{whose}{stage.doubt}")


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
