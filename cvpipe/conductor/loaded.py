"""What this process has loaded: a module may be edited and loaded again, a class in a console be defined again.

The keys of results have to tell the code that computes, which is what was loaded, not what a file holds by now.
"""

from __future__ import annotations

import secrets
import sys
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

_of_class: WeakKeyDictionary[type, str] = WeakKeyDictionary()
"""A random name of each class whose source is not known."""
_of_module: dict[str, tuple[str, dict[str, FunctionType]]] = {}
"""A random name of each module whose source is not known, and its functions when it was given."""


def execution(module: str) -> Any:
    """Stands for the latest execution of a module: `importlib.reload` and a new import put another spec there. None
    where it is not imported."""
    return getattr(sys.modules.get(module), "__spec__", None)


def new_name(what: str) -> str:
    """A name that no other has, in any process."""
    return f"{what} of this process {secrets.token_hex(16)}"


def name_of_module(module: str) -> str:
    """A name for a module without a source (a console, a notebook), good for this process, and until one of its
    functions is defined again."""
    functions = {
        name: value
        for name, value in (vars(sys.modules[module]) if module in sys.modules else {}).items()
        if isinstance(value, FunctionType) and value.__module__ == module
    }
    name, known = _of_module.get(module, ("", {}))
    if not name or any(known.get(one, function) is not function for one, function in functions.items()):
        name = new_name(module)
    _of_module[module] = name, {**known, **functions}
    return name


def name_of_class(cls: type) -> str:
    """A name for a class whose source is not known, good for this process."""
    return _of_class.setdefault(cls, new_name(cls.__qualname__))


def is_left_over(cls: type) -> bool:
    """Whether a class is from before its module was loaded again, so that it computes what the old source says."""
    current: Any = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        current = getattr(current, part, None)  # None too for what a function made: `<locals>` names nothing
    return current not in (None, cls)
