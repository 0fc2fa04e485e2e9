"""`cvpipe cite`: BibTeX of the methods that a run or a spec uses."""

from __future__ import annotations

import click


@click.command()
@click.argument("run", metavar="RUN|SPEC", type=click.Path())
def cite(run: str) -> None:
    """Print BibTeX of exactly the methods used.

    RUN is the folder of a run, SPEC a file or the name of a shipped spec. Each entry says which stages it is for.
    """
    from pathlib import Path

    from cvpipe.report.citations import bibtex
    from cvpipe.spec import load_spec

    inside = Path(run) / "spec.yaml"
    spec = load_spec(inside if Path(run).is_dir() else run)
    click.echo(bibtex([spec.data, *spec.stages]), nl=False)
