"""Help texts of options: the comment beside a field, or just above it, is what a user reads about it."""

from __future__ import annotations

import ast
import inspect
import io
import json
import re
import textwrap
import tokenize
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, cast, get_type_hints

from cvpipe.configurable import Configurable
from cvpipe.wording import type_text

PLAIN = re.compile(r"(?!(?:null|true|false)$)[a-z][\w./-]*", re.IGNORECASE)
"""Text that YAML takes for text without quotation marks."""


@dataclass(frozen=True)
class Option:
    """One parameter of a stage, a data set or a split, as it is explained to a user."""

    name: str
    type_text: str
    """What it may be, such as `whole number >= 1`."""
    default: str
    """As written in a spec; `required` if there is none."""
    text: str
    """The comment beside the field; empty if there is none."""


def option_help(cls: type[Configurable]) -> list[Option]:
    """The parameters of a class with their types, defaults and comments, in the order of the fields."""
    hints, comments = option_types(cls), option_comments(cls)
    return [
        Option(
            name,
            type_text(hints[name]),
            "required" if default is MISSING else as_written(default),
            comments.get(name, ""),
        )
        for name, default in option_defaults(cls).items()
    ]


NAMES: dict[str, Any] = {}
"""Names that annotations are mostly written in: what flows between stages, and kinds of options. `cvpipe.stage`, which
knows them, puts them here."""


def hints_of(thing: Any) -> dict[str, Any]:
    """The annotations of a class or a method, with their ranges.

    A class that was sent to another process, or that was made in a function, may have lost the names that these are
    written in: `NAMES` are known all the same.
    """
    try:
        return get_type_hints(thing, include_extras=True)
    except NameError:
        return get_type_hints(thing, localns=NAMES, include_extras=True)


def option_types(cls: type[Configurable]) -> dict[str, Any]:
    """The annotation of each parameter, with its ranges."""
    hints = hints_of(cls)
    return {name: hints[name] for name in cls.parameters()}


def option_defaults(cls: type[Configurable]) -> dict[str, Any]:
    """The default of each parameter; `dataclasses.MISSING` where a value is required."""
    found = {}
    for f in fields(cast(Any, cls)):
        if f.init:
            found[f.name] = f.default if f.default_factory is MISSING else f.default_factory()
    return found


def option_comments(cls: type) -> dict[str, str]:
    """The comment of each annotated field, also of the fields that are inherited."""
    found: dict[str, str] = {}
    for owner in reversed([c for c in cls.__mro__ if c is not object and "__annotations__" in vars(c)]):
        try:
            found |= _comments_in(textwrap.dedent(inspect.getsource(owner)))
        except (OSError, TypeError, SyntaxError):  # a class that was typed into a console has no file
            continue
    return found


def _comments_in(source: str) -> dict[str, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {t.start[0]: (t.string.lstrip("# ").strip(), t.line.lstrip().startswith("#"))
                for t in tokens if t.type == tokenize.COMMENT}  # fmt: skip
    body = cast(ast.ClassDef, ast.parse(source).body[0]).body
    named = {f.target.id: f for f in body if isinstance(f, ast.AnnAssign) and isinstance(f.target, ast.Name)}
    return {name: text for name, f in named.items() if (text := _comment_of(f, comments))}


def _comment_of(field: ast.AnnAssign, comments: dict[int, tuple[str, bool]]) -> str:
    lines = range(field.lineno, (field.end_lineno or field.lineno) + 1)
    beside = [comments[line][0] for line in lines if line in comments]
    first = field.lineno
    while comments.get(first - 1, ("", False))[1]:
        first -= 1
    above = [comments[line][0] for line in range(first, field.lineno)]
    return " ".join(above + beside)


def as_written(value: Any) -> str:
    """A value as one writes it in a spec, in one line of YAML: `[1, 2]`, `{bag_of_words: {words: 200}}`, `lbp`.

    A part is its word, with the options that differ from their defaults.
    """
    if isinstance(value, Configurable):
        value = {value.name: changed} if (changed := _changed(value)) else value.name
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {as_written(item)}' for key, item in value.items())}}}"
    if isinstance(value, str | Path) and PLAIN.fullmatch(str(value)):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _changed(part: Configurable) -> dict[str, Any]:
    """The options of a part that are not what they are by default."""
    defaults = option_defaults(type(part))
    return {
        name: value
        for name, value in part.get_params(deep=False).items()
        if as_written(value) != as_written(defaults[name])
    }
