"""`cvpipe schema`: the JSON schema of specs."""

from __future__ import annotations

import json

import click


@click.command()
def schema() -> None:
    """Print a JSON schema of specs, for editors.

    For VS Code: cvpipe schema > cvpipe.schema.json, and as the first line of a spec
    # yaml-language-server: $schema=cvpipe.schema.json
    """
    from cvpipe.spec import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
