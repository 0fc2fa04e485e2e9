"""`cvpipe compare`: several pipelines on the same images, and whether the differences are real."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from cvpipe_cli.options import as_json, device, filled, jobs, spec_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cvpipe.comparison.result import Comparison

MOST_NAMES = 5
"""Runs of other candidates that are named; of the rest the number is told."""


def _sizes(context: click.Context, option: click.Parameter, text: str | None) -> tuple[int, ...]:
    """`5,10,20` as numbers."""
    words = [] if text is None else text.split(",")
    if not all(word.strip().isdecimal() and int(word) for word in words):
        raise click.BadParameter("whole numbers of at least 1 with commas between them, such as 5,10,20")
    return tuple(map(int, words))


@click.command()
@click.argument("specs", nargs=-1, metavar="SPEC... | SUITE.yaml")
@spec_options
@click.option("--repeats", type=click.IntRange(min=1), metavar="N", help="Draw the splits N times.")
@click.option("--train-sizes", callback=_sizes, metavar="5,10,20",
              help="Learning curves: so many training images of each class.")  # fmt: skip
@click.option("--metric", "metrics", multiple=True, metavar="NAME",
              help="Compare by accuracy, balanced_accuracy or macro_f1. May be repeated; the first ranks.")  # fmt: skip
@jobs
@device
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(),
    callback=filled,
    help="Folder for the results; default: comparisons/NAME.",
)
@click.option("--smoke", is_flag=True, help="A few images and small vocabularies: does it run at all?")
@click.option(
    "--plan", "plan_only", is_flag=True, help="Say what is shared and what it would cost; run nothing."
)
@as_json
@click.option("--quiet", is_flag=True, help="Show no progress.")
def compare(specs: tuple[str, ...], as_json: bool, quiet: bool, plan_only: bool, **options: Any) -> None:
    """Compare pipelines: same images, same splits, and is it real?

    SPECs are files or names of shipped specs; a suite lists them in a file, with options to vary.
    Work that pipelines share is done once; what has finished in the folder is not run again.
    Writes comparison.json, .csv, .md, .tex and .html, suite.yaml and the folders of all runs.
    """
    from cvpipe_cli.errors import goes_on
    from cvpipe_cli.progress import listener

    from cvpipe.comparison import ahead

    if plan_only:
        from cvpipe_cli.plan import plan_shared

        names = ("overrides", "data", "seed", "jobs", "repeats", "train_sizes")
        plan_shared(specs, as_json, **{name: options[name] for name in names})
        return
    finished = bool(options["out"]) and (Path(options["out"]) / "comparison.json").exists()
    with (
        goes_on(),
        contextlib.nullcontext() if finished else ahead.begun(ahead.CANDIDATES),
        listener(quiet or as_json) as progress,
    ):
        from cvpipe import comparing

        comparison = comparing.compare(specs, progress=progress, **options)
    if as_json:
        click.echo(json.dumps(comparison.summary(), indent=2))
    else:
        print_comparison(comparison)


def print_comparison(comparison: Comparison) -> None:
    """The leaderboard, the findings, the learning curves, and where the files are."""
    from cvpipe_cli.tables import show

    from cvpipe.comparison import tables

    click.echo(tables.about(comparison))
    show([">rank", "pipeline", *(f">{name}" for name in tables.HEAD[2:])], tables.rows(comparison))
    if any(candidate.curve for candidate in comparison.candidates):
        head, rows = tables.curve_rows(comparison)
        show([head[0], *(f">{name}" for name in head[1:])], rows, title="training images of each class")
    for sentence in comparison.sentences:
        click.echo(sentence)
    for warning in comparison.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{comparison.total_s:.1f} s in all; written to {comparison.folder}")
    if comparison.folder:
        _tell_others(comparison.folder, [candidate.name for candidate in comparison.candidates])


def _tell_others(folder: Path, names: Sequence[str]) -> None:
    """Name the runs that an earlier comparison left in the folder, for their numbers are in no table."""
    from cvpipe.comparison.folder import other_runs
    from cvpipe.errors import listed
    from cvpipe.wording import plural

    others = other_runs(folder, names)
    more = [f"{len(others) - MOST_NAMES} more"] if len(others) > MOST_NAMES else []
    if others:
        named = listed([*others[:MOST_NAMES], *more], "and")
        what = f"{plural(len(others), 'run')} of other candidates ({named})"
        click.echo(f"still in {folder / 'runs'}, but not part of this comparison: {what}")
