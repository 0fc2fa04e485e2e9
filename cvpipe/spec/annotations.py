"""What an annotation of an option allows: checking values, finding the stages in it."""

from __future__ import annotations

import json
import math
import os
import types
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from cvpipe.configurable import Configurable
from cvpipe.help import option_types

if TYPE_CHECKING:
    from pydantic import TypeAdapter


def part_type(hint: Any) -> type[Configurable] | None:
    """The class of the stages that may be the value of a parameter, or in its lists; None if it takes no stage."""
    if get_origin(hint) is Annotated:
        return part_type(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType, tuple, list):
        return next(filter(None, map(part_type, get_args(hint))), None)
    return hint if isinstance(hint, type) and issubclass(hint, Configurable) else None


def list_items(hint: Any) -> Any:
    """The annotation of the items of a list; None for what is no list."""
    if get_origin(hint) is Annotated:
        return list_items(get_args(hint)[0])
    return get_args(hint)[0] if get_origin(hint) in (tuple, list) else None


def checked(hint: Any, value: Any) -> tuple[Any, tuple[int | str, ...] | None]:
    """The value as the annotation wants it and None, or the place of what is wrong in it.

    The check is strict, in the mode for JSON: no text becomes a number, but a list may become a tuple and
    text a path. No number is infinite.
    """
    from pydantic import ValidationError

    if isinstance(value, Configurable):
        return None, ()
    try:
        if value != value:  # NaN is no value for any option
            return None, ()
        made = _adapter(hint).validate_json(json.dumps(value, default=_as_json), strict=True)
    except ValidationError as error:
        return None, error.errors()[0]["loc"]
    except (TypeError, ValueError):  # a value that no JSON can hold
        return None, ()
    wrong = _not_finite(made)  # in what was made: a whole number may be too large for a float
    return (made, None) if wrong is None else (None, wrong)


def _not_finite(value: Any, place: tuple[int | str, ...] = ()) -> tuple[int | str, ...] | None:
    """The place of a number that is infinite or not a number, in a value and its lists; None if all are finite."""
    if isinstance(value, float):
        return None if math.isfinite(value) else place
    items = dict(enumerate(value)) if isinstance(value, list | tuple) else value
    inside = items.items() if isinstance(items, dict) else ()
    found = (_not_finite(item, (*place, key)) for key, item in inside)
    return next((wrong for wrong in found if wrong is not None), None)


def remember_checks() -> None:
    """Make the checks of all classes that are imported, so that processes forked from this one have them."""
    classes = Configurable.__subclasses__()
    for cls in classes:
        classes += cls.__subclasses__()  # the loop goes on over them
        for hint in option_types(cls).values():
            _adapter(hint)


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    """The check for an annotation; making it takes a millisecond."""
    from pydantic import TypeAdapter

    return TypeAdapter(hint)


def _as_json(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else os.fspath(value)
