"""What goes wrong, said so that it can be mended: where, what, got, allowed, nearest.

Every error a user can cause is a `CvpipeError`. It carries one `Problem` or several (all that were found, not the first
one), and the exit code that the command line ends with.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, in one line.

    `where` is a place a reader can go to (`file:line:column`, a path, a stage), or empty.
    """

    message: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class CvpipeError(Exception):
    """Base of every error that is explained to the user instead of traced. `str(error)` has one line per problem."""

    exit_code = 4

    def __init__(self, problems: str | Problem | Iterable[str | Problem], where: str = "") -> None:
        if isinstance(problems, str | Problem):
            problems = [problems]
        self.problems = tuple(p if isinstance(p, Problem) else Problem(p, where) for p in problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple:
        # Raised inside workers too: an exception crosses a process border by its arguments.
        return type(self), (self.problems,)


class SpecError(CvpipeError):
    """The spec, the pipeline or the command line is wrong."""

    exit_code = 2


class DataError(CvpipeError):
    """The data or a saved model is unusable."""

    exit_code = 3


class BadImage(DataError):
    """One image cannot be decoded; `on_bad_image` decides what happens to it."""


class RunError(CvpipeError):
    """The run itself failed: a full disk, a learner that diverged, a stage that broke its contract."""

    exit_code = 4


class NotFitted(RunError, AttributeError):
    """A learner was used before `fit`. An `AttributeError` too, so that `hasattr` answers False."""


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """` (did you mean 'words'?)` for the nearest allowed word, or an empty string if none is near."""
    by_lower = {name.lower(): name for name in allowed}
    cutoff = 0.5 if len(word) <= 2 else 0.6  # one letter of two: l3 is near l1
    near = difflib.get_close_matches(str(word).lower(), list(by_lower), n=1, cutoff=cutoff)
    return f" (did you mean '{by_lower[near[0]]}'?)" if near else ""


def listed(words: Iterable[str], last: str = "or") -> str:
    """`a, b or c`: words as they stand in a sentence."""
    words = list(words)
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1] if words else ""]))
