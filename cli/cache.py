"""`cvpipe cache`: what the cache holds, and emptying it."""

from __future__ import annotations

import json

import click
from cvpipe_cli.options import as_json


@click.command()
@click.argument("action", required=False, type=click.Choice(["clear"]))
@as_json
def cache(action: str | None, as_json: bool) -> None:
    """Show or clear the cache.

    CVPIPE_CACHE names another folder, CVPIPE_CACHE_GB another limit.
    """
    from cvpipe.conductor.store import Store, default_folder, limit_bytes

    store = Store(default_folder())
    if action == "clear":
        store.clear()
    sizes = [size for _, size, _ in store.entries()]
    facts = {
        "folder": str(store.folder),
        "entries": len(sizes),
        "bytes": sum(sizes),
        "limit_bytes": limit_bytes(),
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        of = f"{facts['bytes'] / 1e9:.2f} of {facts['limit_bytes'] / 1e9:g} GB"  # type: ignore[operator]
        click.echo(f"{facts['folder']}: {facts['entries']} entries, {of}")
