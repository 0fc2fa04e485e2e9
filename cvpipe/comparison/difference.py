"""What differs between two runs, line by line: specs, data, environment, scores, predictions.

Times are not compared: they differ always.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cvpipe.comparison.run_files import Row, RunFiles
from cvpipe.wording import mean_and_spread

Sign = Literal["-", "+", " "]
UNCOMPARED = ("when",)
"""Facts about an environment that are never the same."""
DIGITS = 4
"""Decimals of a score in words."""


@dataclass(frozen=True)
class Line:
    """`-` stands in the first run only, `+` in the second only, a blank is a remark about both."""

    sign: Sign
    text: str

    def __str__(self) -> str:
        return f"{self.sign} {self.text}"


@dataclass(frozen=True)
class Section:
    """What differs in one respect; without lines, nothing does."""

    title: str
    lines: list[Line]


def differences(first: RunFiles, second: RunFiles) -> list[Section]:
    """A section for each respect, in a fixed order, also where nothing differs."""
    return [
        Section("spec", changed(spec_lines(first.spec), spec_lines(second.spec))),
        Section("data", changed(_data_lines(first), _data_lines(second))),
        Section("environment", changed(environment_lines(first), environment_lines(second))),
        Section("scores", score_lines(first, second)),
        Section("predictions", prediction_lines(first.predictions, second.predictions)),
    ]


def changed(first: Sequence[str], second: Sequence[str]) -> list[Line]:
    """Lines of either, in their order, without those that both have in the same place.

    Where options have other values, the two lines of each stand below each other; else all of the first come first.
    """
    lines: list[Line] = []
    for tag, i, i_end, j, j_end in difflib.SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        gone, come = (
            [Line("-", text) for text in first[i:i_end]],
            [Line("+", text) for text in second[j:j_end]],
        )
        same = list(map(_option, gone)) == list(map(_option, come))
        lines += [line for pair in zip(gone, come, strict=True) for line in pair] if same else gone + come
    return lines


def _option(line: Line) -> str:
    return line.text.partition(":")[0]


def spec_lines(spec: Mapping[str, Any]) -> list[str]:
    """A resolved spec with one option on each line, `bag_of_words.words: 500`: each says where it belongs."""
    lines: list[str] = []
    for key, value in spec.items():
        if key == "stages":
            for stage in value:
                lines += _flat(stage, "")
        else:
            lines += _flat(value, key)
    return lines


def _flat(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for place, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{place}]")
    elif value == {}:
        yield path
    else:
        text = json.dumps(value, ensure_ascii=False)
        yield f"{path}: {text}" if path else text


def _data_lines(run: RunFiles) -> list[str]:
    data = run.summary["data"]
    facts = ("name", "images", "classes", "fingerprint", "note")
    return [f"{fact}: {data[fact]}" for fact in facts if data.get(fact) not in (None, "")]


def environment_lines(run: RunFiles) -> list[str]:
    """`numpy: 2.4.1`: machine, versions, device, one on each line."""
    facts = {key: value for key, value in run.summary["environment"].items() if key not in UNCOMPARED}
    libraries = facts.pop("libraries", {})
    return [f"{key}: {value}" for key, value in (facts | libraries).items()]


def score_lines(first: RunFiles, second: RunFiles) -> list[Line]:
    """Every metric that differs, and by how much."""
    lines: list[Line] = []
    before, after = first.summary["scores"], second.summary["scores"]
    for metric in dict.fromkeys([*before, *after]):
        old, new = before.get(metric), after.get(metric)
        if old == new:
            continue
        lines += [Line("-", _score(metric, old))] if old else []
        lines += [Line("+", _score(metric, new))] if new else []
        if old and new:
            lines.append(Line(" ", _by_how_much(metric, old, new)))
    return lines


def _score(metric: str, score: Mapping[str, Any]) -> str:
    values = ", ".join(f"{value:.{DIGITS}f}" for value in score["values"][:10])
    mean, std = f"{score['mean']:.{DIGITS}f}", f"{score['std']:.{DIGITS}f}"
    more = ", …" if len(score["values"]) > 10 else ""
    return f"{metric}: {mean_and_spread(mean, std, len(score['values']))} ({values}{more})"


def _by_how_much(metric: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    by = new["mean"] - old["mean"]
    if not by:
        return f"{metric}: the same mean"
    return f"{metric}: {100 * by:+.2f} points" if abs(by) >= 5e-5 else f"{metric}: {100 * by:+.1e} points"


def prediction_lines(first: Sequence[Row], second: Sequence[Row]) -> list[Line]:
    """How many predictions differ: image by image where each was tested once, else by image and split."""
    before, after = _keyed(first, second)
    lines = _only(before, after, "-") + _only(after, before, "+")
    both = [(before[key], after[key]) for key in before if key in after]
    other = [(a, b) for a, b in both if a.prediction != b.prediction]
    if other:
        gained = sum(a.prediction != a.truth and b.prediction == b.truth for a, b in other)
        lost = sum(a.prediction == a.truth and b.prediction != b.truth for a, b in other)
        which = (
            f"{gained:,} right in the second only, {lost:,} right in the first only, "
            f"{len(other) - gained - lost:,} wrong in both"
        )
        lines.append(Line(" ", f"{len(other):,} of {len(both):,} predictions differ: {which}"))
    scores = sum(a.score != b.score for a, b in both if a.prediction == b.prediction)
    if scores:
        lines.append(Line(" ", f"{scores:,} of {len(both):,} predictions are the same with another score"))
    return lines


def _keyed(*runs: Sequence[Row]) -> list[dict[tuple[str, ...], Row]]:
    once = all(len({row.id for row in rows}) == len(rows) for rows in runs)
    return [{(row.id,) if once else (row.id, f"in split {row.split}"): row for row in rows} for rows in runs]


def _only(
    these: Mapping[tuple[str, ...], Row], others: Mapping[tuple[str, ...], Row], sign: Sign
) -> list[Line]:
    only = [key for key in these if key not in others]
    if not only:
        return []
    name = " ".join([f"'{only[0][0]}'", *only[0][1:]])
    return [Line(sign, f"{len(only):,} predictions that only this run has, such as {name}")]
