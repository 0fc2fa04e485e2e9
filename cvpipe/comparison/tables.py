"""The leaderboard as CSV for machines, and as Markdown and LaTeX for readers."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from cvpipe.comparison.candidate import Candidate
from cvpipe.comparison.result import Comparison
from cvpipe.comparison.words import METRICS
from cvpipe.wording import mean_and_spread, number, split_text

HEAD = (
    "rank",
    "pipeline",
    "mean ± std",
    "95 % interval",
    "fit s",
    "ms/image",
    "memory MB",
    "dimension",
    "model MB",
)
"""Columns for readers."""
COSTS = ("fit_s", "predict_ms_per_image", "peak_rss_mb", "dimension", "model_mb", "total_s")
"""Columns for machines."""
TIED = "="
"""Marks what cannot be told apart from the best."""
LATEX = {
    "_": r"\_",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "±": r"$\pm$",
    "{": r"\{",
    "}": r"\}",
    "\\": r"\textbackslash{}",
}


def rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """A row of `HEAD` for each candidate, best first, those that failed last; why is told in a sentence below. A rank
    with `=` is one that cannot be told apart from the best."""
    found = []
    for rank, candidate in enumerate(comparison.ranked):
        tied = rank > 0 and comparison.tied_with_best(candidate.name)
        found.append((f"{rank + 1}{TIED if tied else ''}", *row(candidate, comparison.metric)))
    blank = [""] * (len(HEAD) - 3)
    return found + [("", c.name, "failed", *blank) for c in comparison.failed]


def csv_table(comparison: Comparison) -> str:
    """One row for each candidate: plain numbers, scores of all metrics, costs."""
    metrics = list(comparison.ranked[0].scores) if comparison.ranked else []
    numbers = [f"{metric}_{what}" for metric in metrics for what in ("mean", "std", "low", "high")]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("rank", "name", "status", "as_good_as_the_best", *numbers, *COSTS, "device", "reason"))
    for rank, c in enumerate(comparison.ranked):
        scores = [f"{v:.6g}" for m in metrics for v in (c.scores[m].mean, c.scores[m].std, *c.scores[m].ci95)]
        costs = [_plain(getattr(c.costs, name, None)) for name in COSTS]
        tied = str(comparison.tied_with_best(c.name)).lower()
        table.writerow((rank + 1, c.name, c.status, tied, *scores, *costs, c.device, ""))
    for c in comparison.failed:
        table.writerow(("", c.name, c.status, "", *[""] * (len(numbers) + len(COSTS)), "", c.reason))
    return text.getvalue()


def markdown(comparison: Comparison) -> str:
    """A title, the leaderboard and the findings."""
    findings = [f"- {sentence}" for sentence in comparison.sentences]
    warnings = [f"- Warning: {warning}" for warning in comparison.warnings]
    note = f"{TIED} behind a rank: cannot be told apart from the best."
    parts = [
        f"# {comparison.name}",
        about(comparison),
        markdown_table(_head(comparison), rows(comparison)),
        note,
    ]
    if any(c.curve for c in comparison.ranked):
        parts += ["By the number of training images of each class:", markdown_table(*curve_rows(comparison))]
    parts.append("\n".join([*findings, *warnings]))
    return "\n\n".join(parts) + "\n"


def latex(comparison: Comparison) -> str:
    """A `tabular` for a paper (package booktabs); the best, and what cannot be told apart from it, in bold. What was
    compared, and why candidates failed, are comments."""
    lines = []
    for row in rows(comparison):
        cells = [_latex(cell) for cell in row]
        if row[0] == "1" or row[0].endswith(TIED):
            cells[2] = rf"\textbf{{{cells[2]}}}"
        lines.append(" & ".join(cells) + r" \\")
    head = " & ".join(map(_latex, _head(comparison))) + r" \\"
    columns = "rl" + "r" * (len(HEAD) - 2)
    body = [r"\toprule", head, r"\midrule", *lines, r"\bottomrule"]
    comments = [about(comparison), *(f"{c.name} failed: {c.reason}" for c in comparison.failed)]
    notes = [f"% {comment}" for comment in comments]
    return "\n".join([*notes, rf"\begin{{tabular}}{{{columns}}}", *body, r"\end{tabular}", ""])


def about(comparison: Comparison) -> str:
    """What was compared on what: one line."""
    data, split = comparison.data, split_text(comparison.split)
    note = f" ({data['note']})" if data.get("note") else ""
    return (
        f"{METRICS[comparison.metric]} in % on {data['name']}{note}: {data['images']:,} images, "
        f"{data['classes']} classes, split {split}, seed {comparison.seed}"
    )


def curve_rows(comparison: Comparison) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The heading and a row for each candidate that has a learning curve: scores by training images of each class."""
    curved = [c for c in comparison.ranked if c.curve]
    sizes = sorted({point.train_size for c in curved for point in c.curve})
    found = []
    for c in curved:
        by_size = {point.train_size: _mean(point) for point in c.curve}
        found.append((c.name, *(by_size.get(size, "–") for size in sizes)))
    return ("pipeline", *map(str, sizes)), found


def _mean(score: Any) -> str:
    """Mean and standard deviation of shares in points; one split has no deviation."""
    return mean_and_spread(f"{100 * score.mean:.1f}", f"{100 * score.std:.1f}", len(score.values))


def _cost(value: float | None) -> str:
    return "–" if value is None else number(value)


def markdown_table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Rows below a heading; all but the column `pipeline` are set to the right."""
    rule = ["---" if name == "pipeline" else "---:" for name in head]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in (head, rule, *body)
    )


def _head(comparison: Comparison) -> tuple[str, ...]:
    return tuple(METRICS[comparison.metric] + " %, " + cell if "mean" in cell else cell for cell in HEAD)


def row(candidate: Candidate, metric: str) -> tuple[str, ...]:
    """The cells of `HEAD` after the rank, for a candidate that finished."""
    score, costs = candidate.scores[metric], candidate.costs
    low, high = score.ci95
    assert costs is not None
    return (
        candidate.name,
        _mean(score),
        f"{100 * low:.1f} to {100 * high:.1f}",
        _cost(costs.fit_s),
        _cost(costs.predict_ms_per_image),
        _cost(costs.peak_rss_mb),
        "–" if costs.dimension is None else f"{costs.dimension:,}",
        _cost(costs.model_mb),
    )


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _latex(text: str) -> str:
    return "".join(LATEX.get(letter, letter) for letter in text)
