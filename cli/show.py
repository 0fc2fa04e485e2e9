"""`cvpipe show`: a finished run or comparison, printed again."""

from __future__ import annotations

import json

import click
from cvpipe_cli.options import as_json


@click.command()
@click.argument("folder", metavar="RUN|COMPARISON", type=click.Path())
@as_json
def show(folder: str, as_json: bool) -> None:
    """Print a finished run or comparison again.

    Takes the folder that `cvpipe run` or `cvpipe compare` wrote.
    """
    from pathlib import Path

    from cvpipe_cli.compare import print_comparison
    from cvpipe_cli.run import print_summary

    from cvpipe.comparison.load import load_comparison
    from cvpipe.comparison.read import read_run
    from cvpipe.errors import DataError

    path = Path(folder)
    is_comparison = (path / "comparison.json").exists()
    if not is_comparison and not (path / "result.json").exists():
        said = "no such folder" if not path.exists() else "is no folder of a finished run or comparison"
        raise DataError(f"{said}: there is no result.json and no comparison.json", where=folder)
    if is_comparison:
        comparison = load_comparison(path)
        if as_json:
            click.echo(json.dumps(comparison.summary(), indent=2))
        else:
            print_comparison(comparison)
    else:
        summary = read_run(path)
        if as_json:
            click.echo(json.dumps(summary, indent=2))
        else:
            print_summary(summary, path)
