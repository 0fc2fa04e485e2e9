"""`cvpipe cite`: BibTeX of the methods that a run, a comparison or a spec uses."""

from __future__ import annotations

import click
from cvpipe_cli.options import filled


@click.command()
@click.argument("what", metavar="RUN|COMPARISON|SPEC", type=click.Path(readable=False), callback=filled)
def cite(what: str) -> None:
    """Print BibTeX of exactly the methods used.

    RUN and COMPARISON are folders, SPEC is a file or the name of a shipped spec. Each entry says what it is for.
    """
    from cvpipe.report.cited import cited

    click.echo(cited(what), nl=False)
