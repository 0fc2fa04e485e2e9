"""`cvpipe init`: a spec to start from."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click
from cvpipe_cli.options import data_name


@click.command()
@click.argument("file", default="spec.yaml", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--data", default="textures", show_default=True, metavar="NAME|PATH", callback=data_name,
              help="The data set of the spec: a name, a folder of class folders, a .csv file.")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@click.option(
    "--list", "list_shipped", is_flag=True, help="Name the specs that come with cvpipe; write nothing."
)
def init(file: Path, data: str, force: bool, list_shipped: bool) -> None:
    """Write a commented spec to start from.

    Or take one that is shipped: `cvpipe run NAME --data PATH`; --list names them all.
    """
    if list_shipped:
        print_shipped()
        return
    from cvpipe.errors import SpecError
    from cvpipe.files import write_whole
    from cvpipe.spec.starter import starter_spec

    text = starter_spec(file.stem, data)
    if not os.path.isdir(file.parent):
        raise SpecError(f"there is no folder {file.parent}", where=str(file))
    if not force and file.exists():
        raise SpecError("exists already; --force overwrites it", where=str(file))
    try:
        write_whole(file, text)
    except OSError as error:  # about the file, not about the temporary one beside it
        raise OSError(error.errno, error.strerror, str(file)) from error
    word = shlex.quote(str(file))
    click.echo(f"wrote {file}; next: cvpipe check {word}, cvpipe run {word}")


def print_shipped() -> None:
    """A line for each shipped spec: its name, and what its header says it is."""
    from cvpipe_cli.tables import show

    from cvpipe.spec.find import read_spec, shipped_specs

    names = shipped_specs()
    show(
        ["spec", "what it is"], [(name, read_spec(name)[0].partition("\n")[0].lstrip("# ")) for name in names]
    )
