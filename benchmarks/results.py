"""The table of results: finished comparisons of the benchmark beside published figures, as `docs/results.md`.

    python benchmarks/results.py FOLDER... [--note TEXT] [--out docs/results.md]

Each FOLDER is one that `cvpipe compare benchmarks/….yaml` wrote. A pipeline that is in several is taken from the first.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from pathlib import Path

from cvpipe.comparison import tables
from cvpipe.comparison.candidate import Candidate
from cvpipe.comparison.load import load_comparison
from cvpipe.comparison.result import Comparison
from cvpipe.comparison.suite import read_suite
from cvpipe.errors import listed
from cvpipe.files import write_whole

HERE = Path(__file__).parent
HEAD = ("pipeline", "accuracy %, mean ± std", "95 % interval", "published %", "fit s", "ms/image", "memory MB",
        "dimension", "suite")  # fmt: skip


def published() -> dict[str, dict[str, str]]:
    """Rows of `published.csv` by pipeline."""
    with open(HERE / "published.csv", newline="", encoding="utf-8") as file:
        return {row["pipeline"]: row for row in csv.DictReader(file)}


def row(candidate: Candidate, metric: str, suite: str, known: dict[str, dict[str, str]]) -> tuple[str, ...]:
    """One line of the table."""
    name, spread, interval, *costs = tables.row(candidate, metric)
    figure = known[name]["accuracy"] if name in known else "–"
    return (f"`{name}`", spread, interval, figure, *costs[:4], suite)


def page(comparisons: list[Comparison], note: str = "") -> str:
    """The whole page."""
    known, rows, seen = published(), [], set()
    for comparison in comparisons:
        fresh = [c for c in comparison.ranked if c.name not in seen]
        rows += [(c.scores["accuracy"].mean, row(c, "accuracy", comparison.name, known)) for c in fresh]
        seen |= {c.name for c in fresh}
    rows.sort(key=lambda pair: -pair[0])
    parts = [
        "# Results on UC Merced",
        "Which image features work best on 21 kinds of land use in 2,100 aerial photographs? Made by "
        "`benchmarks/results.py` from finished comparisons; not edited by hand.",
        *[_suite(comparison) for comparison in comparisons],
        *([note] if note else []),
        tables.markdown_table(HEAD, [line for _, line in rows]),
        *_one_by_one(
            [name for comparison in comparisons for name in _missing(comparison) if name not in seen]
        ),
        "`published` is the figure of the nearest published pipeline on the same data and number of folds. It is on "
        "the original TIFF files, with other folds and other parameters: it says where ours should be, not more.",
        _sources({name for comparison in comparisons for name in (c.name for c in comparison.ranked)}, known),
        *[_findings(comparison) for comparison in comparisons],
    ]
    return "\n\n".join(parts) + "\n"


def _suite(comparison: Comparison) -> str:
    where = comparison.environment
    machine = (
        f"{where['processor']}, {where['cores']} cores, {where['jobs']} workers, device {where['device']}"
    )
    command = f"cvpipe compare benchmarks/{comparison.name}.yaml --data path/to/ucmerced"
    seconds = sum(candidate.costs.total_s for candidate in comparison.ranked if candidate.costs)
    time = f"all runs together {seconds / 60:.0f} minutes"
    failed = "".join(f" `{c.name}` failed: {c.reason}." for c in comparison.failed)
    missing = [f"`{name}`" for name in _missing(comparison)]
    notes = failed + (f" Not run in it: {listed(missing, 'and')}." if missing else "")
    return f"`{comparison.name}`: `{command}`; {tables.about(comparison)}; {machine}; {time}.{notes}"


def _missing(comparison: Comparison) -> list[str]:
    """Pipelines of the suite that have not been run."""
    asked = [str(one.spec) for one in read_suite(HERE / f"{comparison.name}.yaml").asked]
    names = {candidate.name for candidate in comparison.candidates}
    return [name for name in asked if name not in names]


def _one_by_one(names: list[str]) -> list[str]:
    """What the headers of specs state about pipelines that no comparison has run, if there are any."""
    lines = [f"- `{name}`: {said}" for name in dict.fromkeys(names) if (said := stated_score(name))]
    if not lines:
        return []
    why = "Not in the table, since they were measured one by one, by earlier commits; the headers of their specs say:"
    return ["\n".join([why, "", *lines])]


def stated_score(name: str) -> str:
    """The score in the header of a shipped spec, as one line; empty if it states none."""
    lines = iter((HERE.parent / "pipelines" / f"{name}.yaml").read_text(encoding="utf-8").splitlines())
    first = next((line for line in lines if line.startswith("# Score: ")), "")
    more = itertools.takewhile(lambda line: line.startswith("#  "), lines)
    return " ".join([first.removeprefix("# Score: "), *(line.lstrip("# ") for line in more)]).strip()


def _sources(names: set[str], known: dict[str, dict[str, str]]) -> str:
    lines = [f"- `{name}`: {r['what']}, {r['accuracy']} % ({r['protocol']}; {r['source']})"
             for name, r in known.items() if name in names]  # fmt: skip
    return "\n".join(["Published figures:", "", *lines])


def _findings(comparison: Comparison) -> str:
    lines = [f"- {sentence}" for sentence in comparison.sentences]
    return "\n".join([f"## What `{comparison.name}` says", "", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "results.md")
    parser.add_argument("--note", default="", help="what no file knows, such as what else the machine did")
    arguments = parser.parse_args()
    write_whole(
        arguments.out, page([load_comparison(folder) for folder in arguments.folders], arguments.note)
    )
    print(f"written to {arguments.out}")


if __name__ == "__main__":
    main()
