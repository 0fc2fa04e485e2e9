"""Classes whose annotated fields are their parameters: what stages, data sets and splits have in common.

The annotation of a field says what it may be (checked by the spec, or by `check`, never in a constructor), its default
makes it optional, and the comment beside it is its help text.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self, cast, dataclass_transform

from cvpipe.errors import SpecError, did_you_mean


def snake_case(name: str) -> str:
    """`RootSift` -> `root_sift`: the word for a class in a spec, in its file's name and in reports."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def parts_of(value: Any) -> Iterator[Configurable]:
    """The objects with parameters of their own in a parameter's value: itself, or those in its lists."""
    if isinstance(value, Configurable):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from parts_of(item)


def map_parts(value: Any, change: Callable[..., Any], *address: int) -> Any:
    """The value with `change(part, *address)` for each part; the address tells its places in the lists around it."""
    if isinstance(value, Configurable):
        return change(value, *address)
    if isinstance(value, list | tuple):
        return type(value)(map_parts(item, change, *address, place) for place, item in enumerate(value))
    return value


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(field,))
class Configurable:
    """A keyword-only dataclass with scikit-learn's `get_params` and `set_params`.

    A field whose name ends in an underscore is no parameter: it is learned later and has no value until then.
    """

    name: ClassVar[str] = "configurable"
    """The word for this class in a spec; from the name of the class."""
    role: ClassVar[str] = "thing"
    """What error messages call it: `stage`, `data set`, `split`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = snake_case(cls.__name__)
        for learned in [n for n in inspect.get_annotations(cls) if n.endswith("_")]:
            setattr(cls, learned, field(init=False, repr=False))
        doc = cls.__dict__.get("__doc__")
        dataclass(kw_only=True, eq=False)(cls)
        cls.__doc__ = doc  # dataclass invents one where there is none

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        """Nothing in JSON passes for an object of this class: a spec's text builds one, and only then."""
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)

    @classmethod
    def parameters(cls) -> list[str]:
        """The names of the parameters, in the order of the fields."""
        return [f.name for f in fields(cast(Any, cls)) if f.init]

    def conflicts(self) -> Sequence[str]:
        """What is wrong with parameters that are each allowed but do not go together, a sentence for each."""
        return ()

    def sources(self) -> list[str]:
        """Texts that name papers after `Source:`: docstrings of the class and of those it is made of."""
        texts = [vars(cls).get("__doc__") or "" for cls in type(self).__mro__]
        return [inspect.cleandoc(text) for text in texts if "Source:" in text]

    def choices(self) -> dict[str, Any]:
        """What decides which of these papers count, by the words that stand in parentheses behind them."""
        return self.get_params(deep=False)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; with `deep` also those of parts that are parameters, as `part__option`."""
        params = {name: getattr(self, name) for name in self.parameters()}
        nested = {
            f"{name}__{inner}": value
            for name, part in params.items()
            if deep and isinstance(part, Configurable)
            for inner, value in part.get_params().items()
        }
        return params | nested

    def set_params(self, **params: Any) -> Self:
        """Change parameters in place; `part__option` reaches into a part that is a parameter.

        Raises `SpecError` for a name that is no parameter.
        """
        for key, value in params.items():
            name, _, inner = key.partition("__")
            if name not in self.parameters():
                near = did_you_mean(name, self.parameters())
                raise SpecError(f"unknown option '{name}' of {self.role} '{self.name}'{near}")
            if inner:
                getattr(self, name).set_params(**{inner: value})
            else:
                setattr(self, name, value)
        return self
