"""`cvpipe init`: a spec to start from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command()
@click.argument("file", default="spec.yaml", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--data", default="textures", show_default=True, metavar="NAME|PATH",
              help="The data set of the spec: a name, a folder of class folders, a .csv file.")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def init(file: Path, data: str, force: bool) -> None:
    """Write a commented spec to start from."""
    from cvpipe.errors import SpecError
    from cvpipe.files import write_whole
    from cvpipe.spec.starter import starter_spec

    text = starter_spec(file.stem, data)
    if not force and file.exists():
        raise SpecError("exists already; --force overwrites it", where=str(file))
    try:
        write_whole(file, text)
    except OSError as error:  # about the file, not about the temporary one beside it
        raise OSError(error.errno, error.strerror, str(file)) from error
    word = shlex.quote(str(file))
    click.echo(f"wrote {file}; next: cvpipe check {word}, cvpipe run {word}")
