"""Where a network comes from, as the docstrings in its file tell it. The file is not run, since that needs torch."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from cvpipe.nets.table import NETS


@cache
def documentation(net: str) -> tuple[str, ...]:
    """The docstrings that name papers after `Source:` for a network: that of its maker, or, where that names none, all
    at the top of its file. Nothing for networks of others."""
    if net not in NETS:
        return ()
    family, _, maker = NETS[net].maker.partition(".")
    tree = ast.parse(Path(__file__).with_name(f"{family}.py").read_text(encoding="utf-8"))
    parts = [part for part in tree.body if isinstance(part, ast.FunctionDef | ast.ClassDef)]
    told = {part.name: text for part in parts if "Source:" in (text := ast.get_docstring(part) or "")}
    return (told[maker],) if maker in told else tuple(told.values())
