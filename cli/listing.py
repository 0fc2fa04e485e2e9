"""`cvpipe stages` and `cvpipe datasets`: what there is, and what each option does."""

from __future__ import annotations

from typing import Any

import click


@click.command()
@click.argument("name", required=False)
def stages(name: str | None) -> None:
    """List all stages, or explain one and its options."""
    from cvpipe_cli.tables import show

    from cvpipe import registry
    from cvpipe.run.edges import edge, names
    from cvpipe.spec.schema import first_line

    if name:
        cls = registry.stage_class(name)
        here = edge(cls)
        gives = names(here.gives) if here.gives else "what it takes"
        _explain(cls, f"{registry.kind(cls)} ({registry.stage_group(name)}), {names(here.takes)} -> {gives}")
        return
    rows = []
    for word in sorted(registry.stage_names(), key=lambda word: (registry.stage_group(word), word)):
        cls = registry.stage_class(word)
        here = edge(cls)
        gives = names(here.gives) if here.gives else "the same"
        rows.append((registry.stage_group(word), word, names(here.takes), gives, first_line(cls)))
    show(["group", "stage", "takes", "gives", "what it is"], rows)
    click.echo("cvpipe stages NAME explains one and its options.")


@click.command()
@click.argument("name", required=False)
def datasets(name: str | None) -> None:
    """List all kinds of data set, or explain one and its options."""
    from cvpipe_cli.tables import show

    from cvpipe import registry
    from cvpipe.spec.schema import first_line

    if name:
        _explain(registry.dataset_class(name), "data set")
        return
    rows = [(word, first_line(registry.dataset_class(word))) for word in registry.dataset_names()]
    show(["data set", "what it is"], rows)
    click.echo("cvpipe datasets NAME explains one and its options.")


def _explain(cls: type[Any], kind: str) -> None:
    import inspect

    from cvpipe_cli.tables import show

    from cvpipe.help import option_help

    click.echo(f"{cls.name}: {kind}\n\n{inspect.getdoc(cls)}\n")
    options = [(o.name, o.type_text, o.default, o.text) for o in option_help(cls)]
    if options:
        show(["option", "allowed", "default", "meaning"], options)
    else:
        click.echo("No options.")
