"""`cvpipe diff`: what differs between two runs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from cvpipe_cli.options import as_json, filled

if TYPE_CHECKING:
    from cvpipe.comparison.difference import Section

COLOURS = {"-": "red", "+": "green", " ": None}


@click.command()
@click.argument("first", metavar="RUN", type=click.Path(readable=False), callback=filled)
@click.argument("second", metavar="RUN", type=click.Path(readable=False), callback=filled)
@as_json
@click.pass_context
def diff(ctx: click.Context, first: str, second: str, as_json: bool) -> None:
    """Show what differs between two runs, line by line.

    RUN is the folder of a run. Specs, data, environments, scores and predictions are compared, times are not.
    Exit codes as of diff(1): 0 nothing differs, 1 something does, 3 a run cannot be read.
    """
    from cvpipe.comparison.difference import differences
    from cvpipe.comparison.run_files import read_run

    sections = differences(read_run(first), read_run(second))
    with contextlib.suppress(BrokenPipeError):  # the exit code is an answer too
        if as_json:
            click.echo(json.dumps([asdict(section) for section in sections], indent=2))
        else:
            click.secho(f"--- {first}", fg="red")
            click.secho(f"+++ {second}", fg="green")
            print_sections(sections)
    if any(section.lines for section in sections):
        ctx.exit(1)


def print_sections(sections: Sequence[Section]) -> None:
    """Titles, with what differs below each."""
    for section in sections:
        click.secho(section.title if section.lines else f"{section.title}: the same", bold=True)
        for line in section.lines:
            click.secho(str(line), fg=COLOURS[line.sign])
