"""`cvpipe plan`: what a run would do, and cost."""

from __future__ import annotations

import click
from cvpipe_cli.options import as_json, jobs, spec_options


@click.command()
@click.argument("spec")
@spec_options
@jobs
@as_json
def plan(spec: str, as_json: bool, **options: object) -> None:
    """Say what a run of SPEC would do and cost.

    Shapes, what is cached already, and an estimate of time, memory and disk from a few probe images.
    """
