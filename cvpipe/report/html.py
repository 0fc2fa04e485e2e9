"""One self-contained HTML file that shows a run: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvpipe.conductor.result import RunResult
from cvpipe.files import write_whole
from cvpipe.report import (
    class_maps,
    classes,
    confusion,
    costs,
    examples,
    exhibits,
    keypoints,
    patches,
    provenance,
    scores,
    words,
)
from cvpipe.report.overview import overview

if TYPE_CHECKING:
    from jinja2 import Environment

Section = Callable[[RunResult], dict[str, Any] | None]
"""Makes a part of the report: `id`, `title`, `template` and what the template needs; None leaves it out."""

SECTIONS: tuple[Section, ...] = (
    scores.section,
    confusion.section,
    classes.section,
    examples.section,
    keypoints.section,
    class_maps.section,
    exhibits.section,
    patches.section,
    costs.section,
    provenance.section,
)


def write_report(result: RunResult, path: Path) -> None:
    """Write the report of a run to `path`, whole or not at all. Commands in it name files beside `path`."""
    write_whole(path, render(result, path.parent))


def render(result: RunResult, folder: Path) -> str:
    """The page as text; `folder` is where the spec and the model of the run lie."""
    sections = [content for content in (make(result) for make in SECTIONS) if content]
    page = environment().get_template("report.html")
    return page.render(head=overview(result), sections=sections, folder=folder)


@cache
def environment() -> Environment:
    """Templates of this room, with the words that reports share as filters."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": words.percent,
        "points": words.points,
        "seconds": words.seconds,
        "count": words.count,
        "counted": words.counted,
        "score": words.score,
        "short": words.short,
        "title_words": words.title,
        "code_marks": words.code_marks,
        "shell": lambda folder, name: shlex.quote((folder / name).as_posix()),
    }
    return environment


def compile_templates() -> None:
    """Compile every template now instead of at the first page."""
    for name in environment().list_templates(extensions=["html"]):
        environment().get_template(name)
