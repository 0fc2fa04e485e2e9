"""`cvpipe check`: are these specs right?"""

from __future__ import annotations

import click
from cvpipe_cli.options import spec_options


@click.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@spec_options
def check(specs: tuple[str, ...], data: str | None, overrides: tuple[str, ...], seed: int | None) -> None:
    """Name every problem of specs; read no image.

    SPEC is a file, the name of a shipped spec, or a suite.
    Data and split files that it names are not looked for: they may be on another machine. `cvpipe plan` reads them.
    """
    from cvpipe.comparison.entrants import enter
    from cvpipe.comparison.suite import is_suite, read_suite
    from cvpipe.errors import Problem, SpecError
    from cvpipe.spec import load_spec

    problems: list[str | Problem] = []
    for spec in specs:
        try:
            if is_suite(spec):
                entrants = enter(read_suite(spec).asked, overrides=overrides, data=data, seed=seed)
                click.echo(f"ok {spec}: a suite of {len(entrants)} pipelines, for `cvpipe compare`")
                continue
            stages = load_spec(spec, overrides, data, seed).stages
            click.echo(f"ok {spec}: {' > '.join(stage.name for stage in stages)}")
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(dict.fromkeys(problems))  # an override that is wrong is so for each spec: say it once
