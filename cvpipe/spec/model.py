"""The checked spec, and how it is written down with every default and seed explicit."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvpipe.conductor.seeding import seeded, with_seed
from cvpipe.conductor.stand_ins import pinned
from cvpipe.configurable import Configurable
from cvpipe.datasets._source import Source
from cvpipe.help import option_types
from cvpipe.options import IS_PATH, IS_PATH_OR_WORD
from cvpipe.stage import Stage

if TYPE_CHECKING:
    from cvpipe.splits.kinds import Split

KEYS = ("name", "data", "split", "seed", "stages", "metrics", "on_bad_image")
"""The sections of a spec."""
DEFAULTS: dict[str, Any] = {
    "split": {"kfold": 5},
    "seed": 0,
    "metrics": ["accuracy", "macro_f1", "confusion"],
    "on_bad_image": "fail",
}
"""What a section is if a spec leaves it out."""


@dataclass(frozen=True, eq=False)
class Spec:
    """What to run: data, split, stages. Made by `load_spec`; everything in it has been checked."""

    name: str
    data: Source
    split: Split
    seed: int
    stages: list[Stage]
    metrics: list[str]
    on_bad_image: str
    """`fail` or `skip`."""

    def resolved(self) -> dict[str, Any]:
        """The spec as plain values with every default and seed explicit and paths absolute.

        Loading it again gives an equal one, whatever the defaults are by then.
        """
        return {
            "name": self.name,
            "data": resolved_part(with_seed(self.data, self.seed, self.data.name)),
            "split": next(iter(resolved_part(self.split).values())),
            "seed": self.seed,
            "stages": [resolved_part(stage) for stage in seeded(pinned(self.stages), self.seed)],
            "metrics": list(self.metrics),
            "on_bad_image": self.on_bad_image,
        }


def resolved_part(thing: Configurable) -> dict[str, Any]:
    """`{word: {option: value}}` with all options, as plain values; paths are made absolute."""
    hints = option_types(type(thing))
    return {thing.name: {name: _plain(getattr(thing, name), hints[name]) for name in thing.parameters()}}


def dump(resolved: dict[str, Any]) -> str:
    """A spec as YAML, to be read by `load_spec`. Long values stay on one line."""
    from ruamel.yaml import YAML

    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.width = 10_000
    yaml.allow_unicode = True
    text = io.StringIO()
    yaml.dump(resolved, text)
    return text.getvalue()


def _is_path(value: Any, hint: Any) -> bool:
    marks = getattr(hint, "__metadata__", ()) if isinstance(value, str) else ()
    return IS_PATH in marks or (IS_PATH_OR_WORD in marks and os.path.isfile(value))


def _plain(value: Any, hint: Any = None) -> Any:
    if isinstance(value, Configurable):
        return resolved_part(value)
    if isinstance(value, Path) or _is_path(value, hint):
        return os.path.abspath(os.path.expanduser(value))
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if type(value) is int and hint is float:
        return float(value)
    return value.item() if hasattr(value, "item") else value
