"""What an option may be, in words: from the annotation of a field to help texts and error messages."""

from __future__ import annotations

import collections.abc
import json
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cvpipe.configurable import Configurable
from cvpipe.errors import did_you_mean, listed
from cvpipe.options import IS_PATH

LONGEST_SHOWN = 60
"""Characters of a wrong value that a message repeats."""


@dataclass(frozen=True)
class Kind:
    """One thing that an option may be."""

    short: str
    """As in a table: `whole number >= 1`."""
    long: str
    """As in a sentence: `a whole number of at least 1`."""
    is_word: bool = False
    """True if it is one fixed value."""


PLAIN: dict[Any, Kind] = {
    int: Kind("whole number", "a whole number"),
    float: Kind("number", "a number"),
    str: Kind("text", "text"),
    bool: Kind("true | false", "true or false"),
    Path: Kind("path", "a path"),
    type(None): Kind("null", "null", is_word=True),
    dict: Kind("mapping", "a mapping"),
    Any: Kind("anything", "anything"),
}
BOUNDS = {"ge": (">=", "of at least"), "gt": (">", "above"), "le": ("<=", "of at most"), "lt": ("<", "below")}
SEQUENCES = (list, tuple, set, frozenset, collections.abc.Sequence)


def type_text(hint: Any) -> str:
    """What an annotation allows, for a table: `whole number >= 1`, `l1 | l2 | null`."""
    return " | ".join(kind.short for kind in kinds(hint))


def type_phrase(hint: Any) -> str:
    """What an annotation allows, after "must be": `a whole number of at least 1`, `one of l1, l2 or null`."""
    found = kinds(hint)
    one_of = "one of " if len(found) > 1 and all(kind.is_word for kind in found) else ""
    return one_of + listed(kind.long for kind in found)


def kinds(hint: Any) -> list[Kind]:
    """The alternatives of an annotation, in its order."""
    hint = getattr(hint, "__value__", hint)  # `type Name = …`
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _bounded(arguments[0], arguments[1:])
    if origin in (Union, types.UnionType):
        return [kind for argument in arguments for kind in kinds(argument)]
    if origin is Literal:
        return [Kind(shown(word, ""), shown(word, ""), is_word=True) for word in arguments]
    if (origin or hint) in SEQUENCES:
        return [_list_of(arguments)]
    if isinstance(hint, type) and issubclass(hint, Configurable):
        return [Kind(hint.role, f"a {hint.role} (a word, or a word with options)")]
    return [PLAIN.get(origin or hint, Kind(getattr(hint, "__name__", str(hint)), str(hint)))]


def shown(value: Any, quote: str = "'") -> str:
    """A value as a person would write it in a spec, shortened: `'many'`, `null`, `[1, 2]`."""
    if isinstance(value, str):
        text = f"{quote}{value}{quote}"
    elif isinstance(value, dict | list | tuple | bool | None):
        text = json.dumps(value, default=str, ensure_ascii=False)
    else:
        text = str(value)
    text = " ".join(text.split()) or "''"
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def split_text(split: collections.abc.Mapping[str, object]) -> str:
    """As one writes it in a spec: `{kfold: 5, repeats: 2}`."""
    words = {key: value if isinstance(value, str) else json.dumps(value) for key, value in split.items()}
    return f"{{{', '.join(f'{key}: {word}' for key, word in words.items())}}}"


def number(value: float) -> str:
    """A cost or a rate with three figures: `0.0123`, `12.3`, `1,230`."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def mean_and_spread(mean: str, std: str, splits: int) -> str:
    """`76.8 ± 1.2`; one split alone has no standard deviation: `76.8`."""
    return f"{mean} ± {std}" if splits > 1 else mean


def nearest(hint: Any, value: Any) -> str:
    """` (did you mean 'l1'?)` if a wrong value is near one of the fixed words of an annotation."""
    words = [kind.short for kind in kinds(hint) if kind.is_word]
    if not isinstance(value, str):
        return ""
    if "null" in words and value.lower() == "none":
        return " (write null)"
    return did_you_mean(value, words)


def _bounded(base: Any, metadata: tuple[Any, ...]) -> list[Kind]:
    if IS_PATH in metadata:
        return [PLAIN[Path]]
    limits = [(name, limit) for mark in metadata for name in BOUNDS
              if (limit := getattr(mark, name, None)) is not None]  # fmt: skip
    if not limits:
        return kinds(base)
    short = ", ".join(f"{BOUNDS[name][0]} {limit}" for name, limit in limits)
    long = " and ".join(f"{BOUNDS[name][1]} {limit}" for name, limit in limits)
    return [
        kind if kind.is_word else Kind(f"{kind.short} {short}", f"{kind.long} {long}") for kind in kinds(base)
    ]


def _list_of(arguments: tuple[Any, ...]) -> Kind:
    items = [argument for argument in arguments if argument is not Ellipsis]
    if not items:
        return Kind("list", "a list")
    if len(items) == 1:
        return Kind(f"list of ({type_text(items[0])})", f"a list, each {type_phrase(items[0])}")
    return Kind(f"list of {len(items)}: ({'; '.join(map(type_text, items))})",
                f"a list of {len(items)} ({'; '.join(map(type_phrase, items))})")  # fmt: skip


def plural(count: int, thing: str) -> str:
    """`1 image`, `3 images`, `2 classes`."""
    return f"{count:,} {thing}" + ("" if count == 1 else "es" if thing.endswith("s") else "s")
