"""`cvpipe predict`: a saved model on new images."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click
from cvpipe_cli.options import as_json, filled, jobs

if TYPE_CHECKING:
    from cvpipe.conductor.files import FilePrediction


class Predict(click.Command):
    """Knows that a file may be called as if it were an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            files = [word for word in given if word.startswith(error.option_name) and os.path.exists(word)]
            if not files:
                raise
            hint = f"for the image of that name write ./{files[0]}, or put -- before it"
            raise click.UsageError(f"{error.format_message().rstrip('.')}; {hint}", ctx) from error


@click.command(cls=Predict)
@click.argument("model", type=click.Path(readable=False), callback=filled)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE|DIR|-...", callback=filled)
@as_json
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV: id, prediction, score.")
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Rank so many classes; 5 with imagenet.")
@jobs
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def predict(
    ctx: click.Context,
    model: str,
    images: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
    top: int | None,
    jobs: int | None,
    quiet: bool,
) -> None:
    """Predict the class of images with a saved model.

    MODEL is the folder model/ of a run, or the folder of the run; `imagenet` is a trained network that knows 1,000
    classes. `-` reads paths from standard input.
    A bad image is named on standard error, the others are predicted, and the exit code is 3. Images of formats that are
    not read (HEIC, AVIF, raw), found in a folder, are named there too.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    from cvpipe_cli.progress import listener

    from cvpipe.api import open_model
    from cvpipe.conductor.files import image_files, predict_files
    from cvpipe.datasets._walk import Tree
    from cvpipe.errors import DataError

    names = [
        name for given in images for name in (sys.stdin.read().splitlines() if given == "-" else [given])
    ]
    if "-" in images and not any(names):
        raise DataError("no paths on standard input")
    pipeline = open_model(model)
    tree = Tree()
    files = image_files((name for name in names if name), tree)
    ranked = top or (5 if len(pipeline.classes_) == 1000 else 1)
    with listener(quiet or as_json or as_csv or not sys.stderr.isatty()) as progress:
        found = predict_files(pipeline, files, jobs, progress, ranked)
    good, bad = [f for f in found if not f.reason], [f for f in found if f.reason]
    (_print_json if as_json else _print_csv if as_csv else _print_table)(good, ranked > 1)
    for path in tree.unread:
        click.echo(f"{path}: left out, the format is not read; convert it", err=True)
    for file in bad:
        click.echo(f"{file.id}: {file.reason}", err=True)
    if bad:
        ctx.exit(3)


def _print_json(rows: list[FilePrediction], ranked: bool) -> None:
    table: list[dict[str, Any]] = []
    for row in rows:
        table.append({"id": row.id, "prediction": row.prediction, "score": row.score})
        if ranked:
            table[-1]["top"] = [{"class": word, "score": score} for word, score in row.ranking]
    click.echo(json.dumps(table, indent=2))


def _print_csv(rows: list[FilePrediction], ranked: bool) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("id", "rank", "prediction", "score") if ranked else ("id", "prediction", "score"))
    for row in rows:
        for rank, (word, score) in enumerate(row.ranking, 1):
            writer.writerow((row.id, *([rank] if ranked else []), word, repr(score)))


def _print_table(rows: list[FilePrediction], ranked: bool) -> None:
    from cvpipe_cli.tables import show

    if rows:
        lines = [
            ("" if rank else row.id, word, f"{score:.4f}")
            for row in rows
            for rank, (word, score) in enumerate(row.ranking)
        ]
        show(["id", "prediction", ">score"], lines)
