"""`cvpipe predict`: a saved model on new images."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click
from cvpipe_cli.options import as_json, jobs

if TYPE_CHECKING:
    from cvpipe.conductor.files import FilePrediction


@click.command()
@click.argument("model", type=click.Path())
@click.argument("images", nargs=-1, required=True, metavar="IMAGE|DIR|-...")
@as_json
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV: id, prediction, score.")
@jobs
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def predict(
    ctx: click.Context,
    model: str,
    images: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
    jobs: int | None,
    quiet: bool,
) -> None:
    """Predict the class of images with a saved model.

    MODEL is the folder model/ of a run, or the folder of the run. `-` reads paths from standard input.
    A bad image is named on standard error, the others are predicted, and the exit code is 3.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    from cvpipe_cli.progress import listener

    from cvpipe.conductor.files import image_files, predict_files
    from cvpipe.conductor.load import load

    names = [
        name for given in images for name in (sys.stdin.read().splitlines() if given == "-" else [given])
    ]
    pipeline = load(_model_folder(model))
    with listener(quiet or as_json or as_csv or not sys.stderr.isatty()) as progress:
        found = predict_files(pipeline, image_files(name for name in names if name), jobs, progress)
    good, bad = [f for f in found if not f.reason], [f for f in found if f.reason]
    (_print_json if as_json else _print_csv if as_csv else _print_table)(good)
    for file in bad:
        click.echo(f"{file.id}: {file.reason}", err=True)
    if bad:
        ctx.exit(3)


def _model_folder(model: str) -> str:
    from pathlib import Path

    inside = Path(model) / "model"
    return str(inside) if (inside / "model.json").is_file() else model


def _print_json(rows: list[FilePrediction]) -> None:
    table = [{"id": row.id, "prediction": row.prediction, "score": row.score} for row in rows]
    click.echo(json.dumps(table, indent=2))


def _print_csv(rows: list[FilePrediction]) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("id", "prediction", "score"))
    writer.writerows((row.id, row.prediction, repr(row.score)) for row in rows)


def _print_table(rows: list[FilePrediction]) -> None:
    from cvpipe_cli.tables import show

    if rows:
        show(["id", "prediction", ">score"], [(row.id, row.prediction, f"{row.score:.4f}") for row in rows])
