"""The findings in words, from the best candidate down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from cvpipe.comparison.candidate import Candidate
from cvpipe.comparison.result import Comparison
from cvpipe.comparison.verdicts import Pair
from cvpipe.errors import listed

LEAST_P = 0.001
"""Smaller p values are not told apart."""
SURE = 0.95
"""Two candidates count as practically the same where that is at least so probable."""
TESTS = {
    "mcnemar": "McNemar's test",
    "corrected_t": "the corrected resampled t-test",
    "5x2cv_f": "the 5x2cv F test",
    "bootstrap": "the paired bootstrap",
    "friedman": "Friedman's test",
}
"""Names of tests for readers."""
OVER_SPLITS = ("corrected_t", "5x2cv_f")
"""Tests that weigh the differences between splits, not those between images."""
METRICS = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1"}


def sentences(comparison: Comparison) -> list[str]:
    """Who beats whom by how much, who cannot be told apart, who failed."""
    ranked = comparison.ranked
    return [
        *_best(comparison, ranked),
        *_steps(comparison, ranked),
        *_footing(comparison),
        *(f"`{c.name}` failed: {c.reason}." for c in comparison.failed),
    ]


def p_text(p: float) -> str:
    """`p < 0.001`, `p = 0.034`."""
    return f"p < {LEAST_P}" if p < LEAST_P else f"p = {p:.2g}" if p < 0.1 else f"p = {p:.2f}"


def points(value: float) -> str:
    """A share as points of a hundred: `3.1`."""
    return f"{100 * value:.1f}"


def _best(comparison: Comparison, ranked: Sequence[Candidate]) -> Iterator[str]:
    if ranked:
        mean, metric = points(ranked[0].scores[comparison.metric].mean), METRICS[comparison.metric]
        yield f"`{ranked[0].name}` has the highest {metric}, {mean} %."


def _steps(comparison: Comparison, ranked: Sequence[Candidate]) -> Iterator[str]:
    """From each candidate to the ones it cannot be told apart from, and to the next one it beats."""
    place = 0
    while place < len(ranked) - 1:
        pairs = [comparison.pair(ranked[place].name, other.name) for other in ranked[place + 1 :]]
        beaten = next((i for i, pair in enumerate(pairs) if pair.better), len(pairs))
        if beaten:
            yield _alike(ranked[place : place + beaten + 1], pairs[:beaten])
        if beaten < len(pairs):
            yield _beats(pairs[beaten])
        place += beaten + 1


def _alike(candidates: Sequence[Candidate], pairs: Sequence[Pair]) -> str:
    names = listed((f"`{c.name}`" for c in candidates), "and")
    said = f"{names} cannot be told apart here"
    belief = pairs[0].belief
    if len(pairs) == 1 and belief and belief.equivalent >= SURE:
        within = f"within {100 * belief.rope:g} point" + ("" if belief.rope == 0.01 else "s")
        return f"{said}, and are practically the same ({within} with probability {belief.equivalent:.2f})."
    if len(pairs) == 1:
        return f"{said} ({_interval(pairs[0])}; {p_text(pairs[0].p)})."
    return f"{said} (p at least {min(pair.p for pair in pairs):.2g} against `{candidates[0].name}`)."


def _beats(pair: Pair) -> str:
    by = f"{points(pair.difference)} points"
    return f"`{pair.a}` beats `{pair.b}` by {by} ({_interval(pair)}; {p_text(pair.p)})."


def _interval(pair: Pair) -> str:
    """Of the evidence that the deciding test weighs, so that it and the p value beside it tell the same."""
    if pair.tests[0].name in OVER_SPLITS and pair.ci95_splits:
        low, high = map(points, pair.ci95_splits)
        return f"95 % interval over splits {low} to {high}"
    low, high = map(points, pair.ci95)
    return f"95 % interval {low} to {high}"


def _stand_in(comparison: Comparison) -> Iterator[str]:
    """For which pairs another test decides than the one that the splits ask for, and why."""
    pairs = [pair for pair in comparison.pairs if pair.tests[0].name == "bootstrap"]
    if not pairs or comparison.splits == 1:
        return
    named = [f"`{pair.a}` and `{pair.b}`" for pair in pairs]
    who = named[0] if len(pairs) == 1 else f"{len(pairs)} pairs, such as {named[0]},"
    yield (
        f"For {who} the difference is the same in every split, which leaves tests over splits no variance to judge by; "
        f"{TESTS['bootstrap']} decides."
    )


def _footing(comparison: Comparison) -> Iterator[str]:
    """Which test the p values come from."""
    if not comparison.pairs:
        return
    usual = Counter(pair.tests[0].name for pair in comparison.pairs).most_common(1)[0][0]
    count = len(comparison.pairs)
    yield f"p values are of {TESTS[usual]}" + (f", corrected for {count} pairs (Holm)." if count > 1 else ".")
    yield from _stand_in(comparison)
    if comparison.many:
        p = p_text(comparison.many.test.p)
        alike = f"{comparison.many.critical_difference:.2f}"
        yield f"Over the splits, ranks differ with {p} (Friedman); mean ranks closer than {alike} do not (Nemenyi)."
