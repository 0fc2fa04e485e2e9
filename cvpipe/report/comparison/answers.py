"""What the page's script needs to set two candidates side by side, as plain values."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from cvpipe.comparison.candidate import Candidate
from cvpipe.comparison.difference import spec_lines
from cvpipe.comparison.result import Comparison
from cvpipe.comparison.verdicts import Pair
from cvpipe.comparison.words import TESTS, p_text
from cvpipe.report.words import percent

MOST_CLASSES = 60
"""Classes in a confusion matrix; more are cut to those with the most errors."""


def payload(
    comparison: Comparison, places: np.ndarray, thumbs: dict[str, int], maps: list[dict[str, Any]]
) -> dict[str, Any]:
    """Everything by place of the candidate in the ranking and by number of the class. `places` are the answers that
    are shown, `thumbs` the number of each image's thumbnail by id."""
    ranked = comparison.ranked
    classes = [str(name) for name in comparison.data["class_names"]]
    kept = drawn_classes(ranked, len(classes))
    return {
        "metric": comparison.metric,
        "classes": classes,
        "names": [c.name for c in ranked],
        "drawn": kept,
        "confusion": [_sparse(c.confusion, kept) for c in ranked],
        "totals": [_totals(c.confusion, kept) for c in ranked],
        "recall": [[round(c.per_class.get(name, {}).get("recall", 0.0), 4) for name in classes] for c in ranked],
        "support": [c.per_class.get(name, {}).get("support", 0) for c in ranked[:1] for name in classes],
        "specs": [spec_lines({k: v for k, v in c.spec.items() if k != "name"}) for c in ranked],
        "pairs": {f"{i} {j}": _pair(comparison.pair(ranked[i].name, ranked[j].name), ranked[i].name, comparison.splits)
                  for i, j in combinations(range(len(ranked)), 2)},
        "answers": _answers(ranked, places, thumbs, classes),
        "maps": [_map(one, thumbs, classes) for one in maps],
    }  # fmt: skip


def drawn_classes(candidates: list[Candidate], classes: int) -> list[int]:
    """Numbers of the classes that a matrix shows, in their order."""
    matrices = [c.confusion for c in candidates if c.confusion is not None]
    if not matrices or classes <= MOST_CLASSES:
        return list(range(classes))
    total = np.sum(matrices, axis=0)
    errors = total.sum(axis=0) + total.sum(axis=1) - 2 * np.diag(total)
    return np.sort(np.argsort(-errors, kind="stable")[:MOST_CLASSES]).tolist()


def _sparse(matrix: np.ndarray | None, kept: list[int]) -> list[int]:
    """row, column, count, row, column, count, … of the cells that are not empty, in numbers of drawn classes."""
    if matrix is None:
        return []
    part = matrix[np.ix_(kept, kept)]
    rows, columns = np.nonzero(part)
    return np.column_stack([rows, columns, part[rows, columns]]).ravel().tolist()


def _totals(matrix: np.ndarray | None, kept: list[int]) -> list[int]:
    return [] if matrix is None else matrix.sum(axis=1)[kept].tolist()


def _pair(pair: Pair, first: str, splits: int) -> dict[str, Any]:
    """The pair as seen by its first candidate, on so many splits."""
    turn = 1 if pair.a == first else -1
    facts = [("Difference", f"{_signed(turn * pair.difference)} points")]
    facts.append(("95 % interval, over images", _range(pair.ci95, turn)))
    if pair.ci95_splits:
        facts.append(("95 % interval, over splits", _range(pair.ci95_splits, turn)))
    elif splits > 1:
        facts.append(("95 % interval, over splits", "none: the difference is the same in every split"))
    facts.append(("p, corrected for all pairs", p_text(pair.p).removeprefix("p = ").removeprefix("p ")))
    for test in pair.tests:
        note = f" ({test.note})" if test.note else ""
        facts.append(
            (f"{TESTS.get(test.name, test.name)}{note}", f"{p_text(test.p)}, statistic {test.statistic:.3g}")
        )
    if pair.cohens_d is not None:
        facts.append(("Effect size (Cohen's d)", _effect(turn * pair.cohens_d)))
    facts.append(("Effect size (Cohen's g)", _effect(turn * pair.cohens_g)))
    if pair.belief:
        b = pair.belief
        a, other = (b.a_better, b.b_better)[::turn]
        points = f"{100 * b.rope:g} {'point' if b.rope == 0.01 else 'points'}"
        facts.append((f"Probability that A is better by more than {points}", f"{a:.2f}"))
        facts.append(("… that they are practically the same", f"{b.equivalent:.2f}"))
        facts.append(("… that B is better", f"{other:.2f}"))
    only = (pair.only_a_right, pair.only_b_right)[::turn]
    return {"difference": round(turn * pair.difference, 6), "real": pair.better is not None, "facts": facts,
            "only": list(only), "p": p_text(pair.p)}  # fmt: skip


def _range(ends: tuple[float, float], turn: int) -> str:
    low, high = sorted(turn * end for end in ends)
    return f"{_signed(low)} to {_signed(high)}"


def _effect(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "\N{MINUS SIGN}")


def _answers(
    ranked: list[Candidate], places: np.ndarray, thumbs: dict[str, int], classes: list[str]
) -> list[dict[str, Any]]:
    """Id, split, truth, and what each candidate said with which score."""
    answers = [c.answers for c in ranked]
    first = next((a for a in answers if a is not None), None)
    if first is None:
        return []
    number = {name: i for i, name in enumerate(classes)}
    return [
        {
            "id": str(first.ids[place]),
            "split": int(first.split[place]),
            "t": number[str(first.truth[place])],
            "p": [number.get(str(a.prediction[place]), -1) if a else -1 for a in answers],
            "s": [_score(a.score[place]) if a else None for a in answers],
            "i": thumbs.get(str(first.ids[place]), -1),
        }
        for place in places.tolist()
    ]


def _score(value: float) -> float | None:
    return None if np.isnan(value) else float(f"{value:.3g}")


def _map(one: dict[str, Any], thumbs: dict[str, int], classes: list[str]) -> dict[str, Any]:
    number = {name: i for i, name in enumerate(classes)}
    return {
        "name": one["name"],
        "ids": one["ids"],
        "t": [number.get(label, -1) for label in one["labels"]],
        "i": [thumbs.get(name, -1) for name in one["ids"]],
        "pca": one["pca"],
        "tsne": one["tsne"],
        "purity": percent(one["purity"], 0),
    }
