"""`cvpipe plan`: what a run would do, and cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from cvpipe_cli.options import as_json, jobs, spec_options

if TYPE_CHECKING:
    from cvpipe.conductor.plan import Plan


@click.command()
@click.argument("spec")
@spec_options
@jobs
@as_json
def plan(spec: str, as_json: bool, **options: Any) -> None:
    """Say what a run would do and cost.

    Shapes, what is cached already, and an estimate of time, memory and disk from a few probe images.
    """
    from cvpipe import api

    planned = api.plan(spec, **options)
    if as_json:
        click.echo(json.dumps(planned.summary(), indent=2))
    else:
        print_plan(planned)


def print_plan(plan: Plan) -> None:
    """Stages with what goes in and out, and the sums."""
    from cvpipe_cli.tables import number, show

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
