"""What a comparison found out, in Python. `comparison.json` is the same without the answers for single images."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cvpipe.comparison.candidate import Candidate
from cvpipe.comparison.verdicts import Many, Pair
from cvpipe.errors import did_you_mean, listed


@dataclass(eq=False, repr=False)
class Comparison:
    """Everything that `cvpipe.compare` knows at its end."""

    name: str
    data: dict[str, Any]
    """name, images, classes (their number), class_names, fingerprint, note."""
    split: dict[str, Any]
    """As in a spec, such as `{"kfold": 5}`."""
    seed: int
    metric: str
    """What candidates are ranked and compared by."""
    candidates: list[Candidate]
    """In the order that was asked for."""
    pairs: list[Pair]
    """Every two that did not fail; `a` ranks before `b`."""
    many: Many | None
    """None for fewer than three candidates or for one split."""
    sentences: list[str]
    """The findings in words."""
    environment: dict[str, Any]
    """Versions, machine, device, jobs."""
    total_s: float = 0.0
    """Wall seconds of the whole comparison: of what was finished before, those of its runs."""
    warnings: list[str] = field(default_factory=list)
    folder: Path | None = None
    """Where its files are, if any were written."""

    def __repr__(self) -> str:
        """One line: what is in it are thousands of answers."""
        counted = f"{len(self.candidates)} pipelines on {self.data['name']}"
        return f"<Comparison '{self.name}': {counted}, by {self.metric}>"

    def __str__(self) -> str:
        """The findings in words."""
        return "\n".join(self.sentences)

    @property
    def ranked(self) -> list[Candidate]:
        """Candidates that did not fail, best first; equal ones in the order that was asked for."""
        return sorted((c for c in self.candidates if c.ok), key=lambda c: -c.scores[self.metric].mean)

    @property
    def failed(self) -> list[Candidate]:
        return [c for c in self.candidates if not c.ok]

    @property
    def splits(self) -> int:
        """How many splits candidates were tested on; 0 if all failed."""
        return len(self.ranked[0].scores[self.metric].values) if self.ranked else 0

    def candidate(self, name: str) -> Candidate:
        """The candidate of that name. Raises `KeyError`, which names those there are."""
        by_name = {c.name: c for c in self.candidates}
        if name not in by_name:
            raise KeyError(
                f"no candidate '{name}'{did_you_mean(name, by_name)}; there are {listed(by_name, 'and')}"
            )
        return by_name[name]

    def pair(self, a: str, b: str) -> Pair:
        """The pair of two names, in either order. Raises `KeyError`, also where one of them failed."""
        pairs = {frozenset((pair.a, pair.b)): pair for pair in self.pairs}
        names = frozenset(self.candidate(name).name for name in (a, b))
        if names not in pairs:
            raise KeyError(f"'{a}' and '{b}' were not compared: they are one, or one of them failed")
        return pairs[names]

    def tied_with_best(self, name: str) -> bool:
        """Whether it is the best one, or cannot be told apart from it."""
        best = self.ranked[0].name if self.ranked else ""
        return name == best or (self.candidate(name).ok and self.pair(best, name).better is None)

    def summary(self) -> dict[str, Any]:
        """The content of `comparison.json`."""
        return {
            "name": self.name,
            "data": self.data,
            "split": self.split,
            "seed": self.seed,
            "metric": self.metric,
            "ranking": [c.name for c in self.ranked],
            "candidates": [c.summary(self.folder) for c in self.candidates],
            "pairs": [pair.summary() for pair in self.pairs],
            "many": asdict(self.many) if self.many else None,
            "sentences": self.sentences,
            "warnings": self.warnings,
            "total_s": self.total_s,
            "environment": self.environment,
        }
