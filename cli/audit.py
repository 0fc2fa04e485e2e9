"""`cvpipe datasets check`: what is in a data set, and what about it would spoil a comparison."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click
from cvpipe_cli.options import as_json, data_name, filled, jobs

if TYPE_CHECKING:
    from cvpipe.audit.findings import Audit

SHOWN = 6
"""Sizes and kinds of file that are named; the others are counted."""


@click.command()
@click.argument("data", metavar="FOLDER|CSV|NAME", callback=data_name)
@click.option("--split", metavar="YAML", callback=filled,
              help="Look for copies across it: '{kfold: 5}'; default: the one that the data bring.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of that split.")
@jobs
@as_json
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def check(
    ctx: click.Context, data: str, split: str | None, seed: int, jobs: int | None, as_json: bool, quiet: bool
) -> None:
    """Look for what would spoil a comparison on a data set.

    Counts, sizes, kinds of file, imbalance, files that cannot be decoded, equal and nearly equal images, copies
    with different classes, copies across a split. Every image is read. The exit code is 3 if one of them cannot be
    decoded or there is one class only, for then a run would stop too.
    """
    from cvpipe_cli.progress import listener

    from cvpipe import api

    with listener(quiet or as_json or not sys.stderr.isatty()) as progress:
        found = api.check_data(data, split=split, seed=seed, jobs=jobs, progress=progress)
    if as_json:
        click.echo(json.dumps(found.summary(), indent=2))
    else:
        print_audit(found)
    if found.unreadable or len(found.classes) < 2:
        ctx.exit(3)


def print_audit(found: Audit) -> None:
    """Counts, then the warnings, on standard output."""
    from cvpipe_cli.tables import show

    show(["class", ">images"], [(name, f"{count:,}") for name, count in found.classes.items()])
    click.echo(f"{found.name}: {found.images:,} images in {len(found.classes)} classes")
    for title, counts in (("sizes (px)", found.sizes), ("files", found.kinds)):
        if counts:
            click.echo(f"{title}: {_first(counts)}")
    if found.note:
        click.echo(f"note: {found.note}")
    if found.brings_split:
        click.echo("the data bring a split: `split: {given: true}` uses it")
    if found.split:
        click.echo(f"split: {found.split}")
    for warning in found.warnings:
        click.echo(f"warning: {warning}")
    if not found.warnings:
        click.echo("nothing to warn of")


def _first(counts: Mapping[str, int]) -> str:
    """`256 x 256 (2,056), 256 x 255 (13) and 5 others (31)`."""
    items = list(counts.items())
    words = [f"{word} ({count:,})" for word, count in items[:SHOWN]]
    rest = items[SHOWN:]
    if not rest:
        return ", ".join(words)
    from cvpipe.wording import plural

    return f"{', '.join(words)} and {plural(len(rest), 'other')} ({sum(count for _, count in rest):,})"
