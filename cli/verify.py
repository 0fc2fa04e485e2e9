"""`cvpipe verify`: does a run give the same numbers again?"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import click
from cvpipe_cli.options import as_json, filled, jobs

if TYPE_CHECKING:
    from cvpipe.comparison.repeated import Repeat
    from cvpipe.device import Device

COLOURS = {"-": "red", "+": "green"}


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(readable=False), callback=filled)
@jobs
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Default: that of the run.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(),
    callback=filled,
    help="Keep the new run here; default: it is not kept.",
)
@as_json
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def verify(
    ctx: click.Context,
    run: str,
    jobs: int | None,
    device: Device | None,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run a run again, without the cache, and compare every prediction.

    RUN is the folder of a run. Exit codes: 0 all is identical, 1 something differs (it is said what, and what
    may be the reason), 3 the run is damaged or its data have changed since.
    """
    from cvpipe_cli.progress import listener

    from cvpipe import verifying

    with listener(quiet or as_json) as progress:
        found = verifying.verify(run, out=out, jobs=jobs, device=device, progress=progress)
    with contextlib.suppress(BrokenPipeError):  # the exit code is an answer too
        if as_json:
            click.echo(json.dumps(found.summary(), indent=2))
        else:
            print_repeat(found, run)
    if not found.identical:
        ctx.exit(1)


def print_repeat(found: Repeat, run: str) -> None:
    """Whether it gave the same; if not, what differs."""
    if found.identical:
        click.echo(f"identical: {run} was run again and gave the same {found.rows:,} predictions and scores")
        return
    click.echo(f"different: {found.differing:,} of {found.rows:,} rows of predictions.csv")
    for line in found.lines:
        click.secho(line, fg=COLOURS.get(line[:1]))
