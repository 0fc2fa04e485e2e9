"""Numbers and names as a reader sees them in a report: rounded once, with their unit."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

NBSP = "\N{NO-BREAK SPACE}"  # keeps a number and its unit on one line


def percent(share: float, digits: int = 1) -> str:
    """0.7682 -> `76.8 %`."""
    return f"{100 * share:.{digits}f}{NBSP}%"


def points(share: float) -> str:
    """A difference or a deviation of shares, in percentage points without the unit: 0.0123 -> `1.2`."""
    return f"{100 * share:.1f}"


def score(value: float) -> str:
    """A classifier's score, whose range is its own, with two decimals and a true minus sign."""
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def seconds(value: float) -> str:
    """A time in s as `0.04 s`, `7.3 s`, `3 min 20 s` or `2 h 05 min`."""
    if value < 60:
        return f"{value:.2g}{NBSP}s" if value < 10 else f"{value:.0f}{NBSP}s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes}{NBSP}min{NBSP}{rest:02d}{NBSP}s"
    return f"{minutes // 60}{NBSP}h{NBSP}{minutes % 60:02d}{NBSP}min"


def count(value: float) -> str:
    """A count with thousands set apart by commas."""
    return f"{value:,.0f}"


def counted(value: int, noun: str) -> str:
    """`1 image`, `2,100 images`, `21 classes`."""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{count(value)}{NBSP}{noun if value == 1 else plural}"


def short(text: str, length: int = 22) -> str:
    """A name cut in its middle to at most `length` characters, since names often differ at their ends."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def title(name: str) -> str:
    """`macro_f1` -> `Macro F1`."""
    words = name.replace("_", " ").replace(" f1", " F1")
    return words[:1].upper() + words[1:]


def plain(value: Any) -> str:
    """A value of an environment or a split on one line: lists and mappings are joined by commas."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    if value is None:
        return "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def code_marks(text: str) -> Markup:
    """Text of which what stands between backticks is set as code; everything is escaped."""
    from markupsafe import Markup, escape

    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:  # a backtick without its partner
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if odd else part
        for odd, part in zip(cycle((0, 1)), parts, strict=False)
    )
