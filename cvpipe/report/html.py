"""One self-contained HTML file that shows a run: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvpipe.report import classes, confusion, costs, examples, keypoints, provenance, scores, words
from cvpipe.report.overview import overview
from cvpipe.run.result import RunResult

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
    costs.section,
    provenance.section,
)


def write_report(result: RunResult, path: Path) -> None:
    """Write the report of a run to `path`, whole or not at all. Commands in it name files beside `path`."""
    write_whole(path, render(result, path.parent))


def render(result: RunResult, folder: Path) -> str:
    """The page as text; `folder` is where the spec and the model of the run lie."""
    sections = [content for content in (make(result) for make in SECTIONS) if content]
    page = _environment().get_template("report.html")
    return page.render(head=overview(result), sections=sections, folder=folder)


def _environment() -> Environment:
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
        "short": words.short,
        "title_words": words.title,
        "shell": lambda folder, name: shlex.quote((folder / name).as_posix()),
    }
    return environment


def write_whole(path: Path, text: str) -> None:
    """Write UTF-8 text beside `path` and rename it, so that a reader never sees half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, 0o644)  # mkstemp makes files that only their owner may read
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
