"""What an annotation of an option allows: checking values, finding the stages in it."""

from __future__ import annotations

import json
import types
from typing import Annotated, Any, Union, get_args, get_origin

from cvpipe.configurable import Configurable


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
    text a path.
    """
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    if isinstance(value, Configurable):
        return None, ()
    try:
        if value != value:  # NaN is no value for any option
            return None, ()
        adapter: TypeAdapter[Any] = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
        return adapter.validate_json(json.dumps(value, default=_as_json), strict=True), None
    except ValidationError as error:
        return None, error.errors()[0]["loc"]


def _as_json(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
