"""`cvpipe show`: a finished run or comparison, printed again."""

from __future__ import annotations

import json
import os

import click
from cvpipe_cli.options import as_json, filled


@click.command()
@click.argument("folder", metavar="RUN|COMPARISON", type=click.Path(readable=False), callback=filled)
@as_json
def show(folder: str, as_json: bool) -> None:
    """Print a finished run or comparison again.

    Takes the folder that `cvpipe run` or `cvpipe compare` wrote.
    """
    from pathlib import Path

    from cvpipe_cli.compare import print_comparison
    from cvpipe_cli.run import print_summary

    from cvpipe.comparison.load import load_comparison
    from cvpipe.comparison.run_files import read_run

    path = Path(folder)
    if any(os.path.exists(path / name) for name in ("comparison.json", "suite.yaml")):
        comparison = load_comparison(path)
        summary = comparison.summary() if as_json else {}
    else:
        comparison, summary = None, read_run(path).summary
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    elif comparison:
        print_comparison(comparison)
    else:
        print_summary(summary, path)
