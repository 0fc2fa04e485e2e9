"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def filled(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """The value, if it is not an empty text, such as a variable of the shell that is not set: as a path that would be
    the current folder."""
    if value == "" or (isinstance(value, tuple) and "" in value):
        raise click.BadParameter("must not be empty")
    return value


def data_name(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """The name or path of a data set; says so where a name wins over a folder of that name."""
    if filled(context, option, value) is None:
        return None
    from cvpipe.spec.overrides import shadowed

    if note := shadowed(str(value)):
        click.echo(f"note: {note}", err=True)
    return value


def spec_options(command: F) -> F:
    """`--data`, `--set` and `--seed`: changes to a spec."""
    for option in reversed((
        click.option("--data", metavar="NAME|PATH", callback=data_name,
                     help="Another data set: a name, a folder of classes, a .csv file."),
        click.option("--set", "overrides", multiple=True, metavar="KEY=YAML",
                     help="Replace a value: bag_of_words.words=1000, 'split={kfold: 10}'. May be repeated."),
        click.option("--seed", type=int, metavar="N", help="Another seed for all random draws."),
    )):  # fmt: skip
        command = option(command)
    return command


jobs = click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Threads; default: all cores.")
as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON on standard output, and nothing else."
)
no_cache = click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")
device = click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto",
                      show_default=True, help="Where networks run.")  # fmt: skip
