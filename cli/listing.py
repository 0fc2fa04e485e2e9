"""`cvpipe stages` and `cvpipe datasets`: what there is, and what each option does."""

from __future__ import annotations

from typing import Any

import click

HEAD = ("group", "stage", "takes", "gives", "what it is")


@click.command()
@click.argument("name", required=False)
@click.option("--markdown", is_flag=True, help="The list as a Markdown table, as in the README.")
@click.option("--layers", "net", metavar="NET", help="List the layers of a network, for cnn_features.")
def stages(name: str | None, markdown: bool, net: str | None) -> None:
    """List all stages, or explain one and its options."""
    from cvpipe_cli.tables import show

    if net:
        _list_layers(net)
    elif name:
        _explain_stage(name)
    elif markdown:
        rows = [(group, f"`{word}`", *rest) for group, word, *rest in stage_rows()]
        click.echo("\n".join(f"| {' | '.join(row)} |" for row in [HEAD, ["---"] * len(HEAD), *rows]))
    else:
        show(list(HEAD), stage_rows(), spare=("takes", "gives"))
        click.echo("cvpipe stages NAME explains one and its options.")


def _list_layers(net: str) -> None:
    from cvpipe_cli.tables import show

    from cvpipe.errors import SpecError
    from cvpipe.nets.table import net_problem

    problem = net_problem(net)
    if problem:
        raise SpecError(problem)
    from cvpipe.nets.build import usual_task
    from cvpipe.nets.cost import multiply_adds
    from cvpipe.nets.taps import Dry

    classes, channels, side = usual_task(net)
    dry = Dry(net, classes, channels, (side, side))
    show(
        ["layer", "what it gives"],
        [(name, " x ".join(map(str, shape))) for name, shape in dry.shapes.items()],
    )
    cost = f"{dry.parameters:,} parameters, {multiply_adds(dry):,} multiply-adds"
    images = f"{'grey' if channels == 1 else 'colour'} images of {side} x {side} px"
    click.echo(f"{net} on {images} with {classes:,} classes: {cost}. Maps are channels x height x width.")


def stage_rows() -> list[tuple[str, ...]]:
    """A row for each stage, in the order in which they follow each other in a pipeline."""
    from cvpipe import registry
    from cvpipe.conductor.edges import edge, names
    from cvpipe.spec.schema import first_line

    order = ["Keypoints", "Patches", "Descriptors", "BinaryDescriptors", "Maps", "Features", "Predictions"]
    rows = []
    for word, cls in registry.stage_classes():
        here = edge(cls)
        last = (here.gives or here.takes)[-1].__name__
        gives = names(here.gives) if here.gives else "the same"
        place = (order.index(last) if last in order else -1, registry.stage_group(word), word)
        rows.append((place, (registry.stage_group(word), word, names(here.takes), gives, first_line(cls))))
    return [row for _, row in sorted(rows)]


def _explain_stage(name: str) -> None:
    from cvpipe import registry
    from cvpipe.conductor.edges import edge, names

    cls = registry.stage_class(name)
    here = edge(cls)
    gives = names(here.gives) if here.gives else "what it takes"
    _explain(cls, f"{registry.kind(cls)} ({registry.stage_group(name)}), {names(here.takes)} -> {gives}")


class DataSets(click.Group):
    """`check` is a command; any other word is a kind of data set that is explained."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name == "check":
            from cvpipe_cli.audit import check

            return check
        return click.Command(cmd_name, callback=lambda: _explain_dataset(cmd_name))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["check"]


@click.group(cls=DataSets, invoke_without_command=True, subcommand_metavar="[NAME | check FOLDER|CSV|NAME]")
@click.pass_context
def datasets(ctx: click.Context) -> None:
    """List all kinds of data set, explain one, or check your own."""
    from cvpipe_cli.tables import show

    from cvpipe import registry
    from cvpipe.spec.schema import first_line

    if ctx.invoked_subcommand:
        return
    rows = [(word, first_line(registry.dataset_class(word))) for word in registry.dataset_names()]
    show(["data set", "what it is"], rows)
    click.echo(
        "cvpipe datasets NAME explains one and its options; cvpipe datasets check FOLDER looks at your images."
    )


def _explain_dataset(name: str) -> None:
    from cvpipe import registry

    _explain(registry.dataset_class(name), "data set")


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
