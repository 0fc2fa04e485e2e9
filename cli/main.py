"""`cvpipe`: parse, call, print. Commands are imported on first use: `cvpipe --help` answers at once."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click
from cvpipe_cli.errors import explained, leave
from cvpipe_cli.streams import open_streams, pipes_may_close

from cvpipe import __version__
from cvpipe.memory import keep_freed

COMMANDS = {
    "run": "cvpipe_cli.run",
    "check": "cvpipe_cli.check",
    "plan": "cvpipe_cli.plan",
    "compare": "cvpipe_cli.compare",
    "show": "cvpipe_cli.show",
    "predict": "cvpipe_cli.predict",
    "diff": "cvpipe_cli.diff",
    "verify": "cvpipe_cli.verify",
    "cite": "cvpipe_cli.cite",
    "stages": "cvpipe_cli.listing",
    "datasets": "cvpipe_cli.listing",
    "init": "cvpipe_cli.init",
    "schema": "cvpipe_cli.schema",
    "cache": "cvpipe_cli.cache",
}
"""Command -> the module that holds a function of that name."""


class Commands(click.Group):
    """A group whose commands are imported on first use, and whose errors are explained."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from cvpipe.errors import did_you_mean

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = did_you_mean(args[0], COMMANDS)
            ctx.fail(f"no such command '{args[0]}'{near}; `cvpipe --help` lists all")
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        with pipes_may_close():  # help is printed here
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with pipes_may_close():
            return super().invoke(ctx)

    def main(self, *args: Any, standalone_mode: bool = True, **options: Any) -> Any:
        """Run a command and end with its exit code."""
        open_streams()
        run: Any = super().main
        code = explained(lambda: run(*args, standalone_mode=False, **options))
        if standalone_mode:
            leave(code)
        return code


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cvpipe")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Which image features work best on your images, at what cost, and is the difference real?

    Start with `cvpipe run sift_bow_svm`, or `cvpipe init` for a spec of your own.

    Exit codes: 0 done, 1 not the same (diff, verify), 2 the spec or the command line is wrong, 3 the data is unusable,
    4 the run failed, 130 interrupted. A comparison is done when one pipeline is; others stand in it as failed.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") in ("dumb", "unknown"):
        ctx.color = False  # as tables do it: NO_COLOR is https://no-color.org
    keep_freed()
