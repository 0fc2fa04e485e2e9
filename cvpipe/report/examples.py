"""Images that the pipeline gets right and wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from cvpipe.conductor.measured import SplitResult
from cvpipe.conductor.result import RunResult
from cvpipe.report.thumbnails import data_uri, read_or_none

WRONG, RIGHT = 16, 8  # images shown of each kind
SIDE = 160  # px, the longer side of a thumbnail


@dataclass(frozen=True)
class Guess:
    """One prediction for one image."""

    row: int
    truth: str
    predicted: str
    score: float
    rival: float
    """The score of the true class where the prediction is wrong, of the next best class where it is right."""

    @property
    def margin(self) -> float:
        """How sure the prediction is: score minus the rival's, not negative."""
        return self.score - self.rival


def section(result: RunResult) -> dict[str, Any] | None:
    """The surest wrong predictions, each pair of classes once first, and typical right ones; None if none."""
    guesses = _once_each(g for split in result.splits for g in _guesses(split, result.dataset.labels))
    wrong = sorted((g for g in guesses if g.truth != g.predicted), key=lambda g: -g.margin)
    right = [g for g in guesses if g.truth == g.predicted]
    groups = [
        ("wrong", "Wrong, and most sure of it", list(_shown(result, _one_per_pair(wrong), WRONG))),
        ("right", "Right, with a margin typical of its class", list(_shown(result, _typical(right), RIGHT))),
    ]
    if not any(shown for _, _, shown in groups):
        return None
    return {"id": "examples", "title": "Examples", "template": "examples.html",
            "groups": [g for g in groups if g[2]], "all_right": not wrong}  # fmt: skip


def _guesses(split: SplitResult, labels: np.ndarray) -> Iterator[Guess]:
    scores, classes = split.predictions.scores, split.predictions.classes
    columns = {name: j for j, name in enumerate(classes)}
    for row, line in zip(split.test, scores, strict=True):
        best, second = _two_best(line)
        truth = labels[row]
        rival = second if truth == classes[best] else columns.get(truth, second)
        yield Guess(int(row), str(truth), str(classes[best]), float(line[best]), float(line[rival]))


def _two_best(line: np.ndarray) -> tuple[int, int]:
    """The columns of the highest score and of the next one; the same twice if there is one class only."""
    best = int(line.argmax())
    others = np.delete(np.arange(len(line)), best)
    return best, int(others[line[others].argmax()]) if len(others) else best


def _once_each(guesses: Iterable[Guess]) -> list[Guess]:
    """The first prediction of each image: repeated splits test an image many times."""
    first: dict[int, Guess] = {}
    for guess in guesses:
        first.setdefault(guess.row, guess)
    return list(first.values())


def _one_per_pair(wrong: list[Guess]) -> list[Guess]:
    """The surest of each pair of classes, then all others, so that one bad pair does not fill the page."""
    first: dict[tuple[str, str], Guess] = {}
    for guess in wrong:
        first.setdefault((guess.truth, guess.predicted), guess)
    return list(dict.fromkeys([*first.values(), *wrong]))


def _typical(right: list[Guess]) -> list[Guess]:
    """The image with the median margin of each class, for classes spread evenly over the alphabet."""
    by_class: dict[str, list[Guess]] = {}
    for guess in sorted(right, key=lambda g: (g.truth, g.margin)):
        by_class.setdefault(guess.truth, []).append(guess)
    middle = [guesses[len(guesses) // 2] for guesses in by_class.values()]
    return [middle[i] for i in np.linspace(0, len(middle) - 1, min(RIGHT, len(middle))).astype(int)]


def _shown(result: RunResult, guesses: list[Guess], most: int) -> Iterator[dict[str, Any]]:
    """At most so many guesses with a thumbnail; images that cannot be read any more are passed over."""
    read = ((guess, read_or_none(result.dataset.images, guess.row)) for guess in guesses[: 2 * most])
    ids = result.dataset.images.ids
    for guess, pixels in islice(((g, p) for g, p in read if p is not None), most):
        yield {
            "guess": guess,
            "id": ids[guess.row],
            "src": data_uri(pixels, SIDE),
            "tiny": max(pixels.shape[:2]) < SIDE // 2,
        }
