"""A spec: YAML to a checked `Spec` and back, with all problems at once and the line of each."""

from cvpipe.spec.build import build_stage, option_problems
from cvpipe.spec.find import shipped_specs
from cvpipe.spec.load import load_spec, parse_split
from cvpipe.spec.model import Spec, dump
from cvpipe.spec.schema import json_schema

__all__ = [
    "Spec",
    "build_stage",
    "dump",
    "json_schema",
    "load_spec",
    "option_problems",
    "parse_split",
    "shipped_specs",
]
