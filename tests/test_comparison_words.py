"""The findings in words, and the tables."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from comparisons import small_comparison
from cvpipe_cli.compare import print_comparison

from cvpipe.comparison import tables, words
from cvpipe.comparison.result import Comparison
from cvpipe.comparison.verdicts import Significance
from cvpipe.report.comparison import answers


def decided(p_of: dict[tuple[str, str], float]) -> Comparison:
    comparison = small_comparison()
    comparison.pairs = [replace(pair, p=p_of.get((pair.a, pair.b), 1.0)) for pair in comparison.pairs]
    comparison.sentences = words.sentences(comparison)
    return comparison


def test_who_beats_whom_and_who_cannot_be_told_apart() -> None:
    said = decided({("alpha", "gamma"): 1e-5, ("beta", "gamma"): 0.034, ("alpha", "beta"): 0.42}).sentences
    assert said == [
        "`alpha` has the highest accuracy, 87.5 %.",
        "`alpha` and `beta` cannot be told apart here (95 % interval 2.5 to 22.5; p = 0.42).",
        "`alpha` beats `gamma` by 32.5 points (95 % interval 22.5 to 42.5; p < 0.001).",
        "p values are of McNemar's test, corrected for 3 pairs (Holm).",
        "Over the splits, ranks differ with p = 0.015 (Friedman); mean ranks closer than 1.48 do not (Nemenyi).",
        "`delta` failed: out of memory while fitting on 32 images.",
    ]


def test_a_chain_of_winners() -> None:
    said = decided({("alpha", "beta"): 0.01, ("alpha", "gamma"): 0.01, ("beta", "gamma"): 0.01}).sentences
    assert said[1:3] == [
        "`alpha` beats `beta` by 12.5 points (95 % interval 2.5 to 22.5; p = 0.01).",
        "`beta` beats `gamma` by 20.0 points (95 % interval 10.0 to 30.0; p = 0.01).",
    ]


def test_several_that_cannot_be_told_apart() -> None:
    said = decided({("alpha", "beta"): 0.6, ("alpha", "gamma"): 0.2}).sentences
    assert (
        said[1] == "`alpha`, `beta` and `gamma` cannot be told apart here (p at least 0.2 against `alpha`)."
    )


def test_the_interval_is_of_what_the_deciding_test_weighs() -> None:
    comparison = decided({})
    first = replace(comparison.pairs[0], ci95=(0.064, 0.219), ci95_splits=(-0.12, 0.4), p=0.3)
    for name, interval in (
        ("mcnemar", "6.4 to 21.9"),
        ("bootstrap", "6.4 to 21.9"),
        ("corrected_t", "over splits -12.0 to 40.0"),
        ("5x2cv_f", "over splits -12.0 to 40.0"),
    ):
        tests = [Significance(name, 0.0, 0.3)]
        two = replace(comparison, pairs=[replace(first, tests=tests)], candidates=comparison.candidates[:2])
        assert f"cannot be told apart here (95 % interval {interval}; p = 0.30)." in words.sentences(two)[1]


def test_the_same_difference_in_every_split_is_said() -> None:
    comparison = decided({("alpha", "gamma"): 0.02})
    tests = {name: [Significance(name, 1.0, 0.02)] for name in ("corrected_t", "bootstrap")}
    usual = [replace(pair, tests=tests["corrected_t"]) for pair in comparison.pairs]
    same = [
        replace(pair, tests=tests["bootstrap"], ci95_splits=None, belief=None) for pair in comparison.pairs
    ]
    why = (
        "the difference is the same in every split, which leaves tests over splits no variance to judge by; "
    )
    why += "the paired bootstrap decides."
    comparison.pairs = [usual[0], same[1], usual[2]]
    said = words.sentences(comparison)
    assert said[2] == "`alpha` beats `gamma` by 32.5 points (95 % interval 22.5 to 42.5; p = 0.02)."
    assert said[3:5] == [
        "p values are of the corrected resampled t-test, corrected for 3 pairs (Holm).",
        f"For `alpha` and `gamma` {why}",
    ]
    comparison.pairs = same
    assert words.sentences(comparison)[3:5] == [
        "p values are of the paired bootstrap, corrected for 3 pairs (Holm).",
        f"For 3 pairs, such as `alpha` and `beta`, {why}",
    ]
    facts = [dict(answers._pair(pair, pair.a, comparison.splits)["facts"]) for pair in (usual[0], same[0])]
    over = [fact["95 % interval, over splits"] for fact in facts]
    assert over == ["+0.5 to +24.5", "none: the difference is the same in every split"]


def test_practically_the_same() -> None:
    comparison = decided({("alpha", "beta"): 0.6, ("alpha", "gamma"): 0.001, ("beta", "gamma"): 0.001})
    belief = replace(comparison.pairs[0].belief, equivalent=0.97)  # type: ignore[type-var]
    comparison.pairs[0] = replace(comparison.pairs[0], belief=belief)
    assert words.sentences(comparison)[1] == (
        "`alpha` and `beta` cannot be told apart here, and are practically the same "
        "(within 1 point with probability 0.97)."
    )


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "p < 0.001"), (0.0123, "p = 0.012"), (0.96, "p = 0.96"), (1.0, "p = 1.00")]
)
def test_p_values(p: float, text: str) -> None:
    assert words.p_text(p) == text


def test_the_leaderboard() -> None:
    rows = tables.rows(decided({("alpha", "gamma"): 0.001}))
    assert [row[:3] for row in rows] == [
        ("1", "alpha", "87.5 ± 8.8"),
        ("2=", "beta", "75.0 ± 17.7"),
        ("3", "gamma", "55.0 ± 19.0"),
        ("", "delta", "failed"),
    ]
    assert len({len(row) for row in rows}) == 1


def test_why_one_failed_stands_below_the_table_and_does_not_widen_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    comparison, short = small_comparison(), small_comparison()
    comparison.failed[0].reason = "the kernel chi2 needs features of at least 0, " * 5 + "got -1"
    for one in (comparison, short):
        one.sentences = words.sentences(one)
    print_comparison(short)
    plain = capsys.readouterr().out
    print_comparison(comparison)
    lines = capsys.readouterr().out.splitlines()
    why = f"`delta` failed: {comparison.failed[0].reason}."
    assert lines.index(why) > max(i for i, line in enumerate(lines) if "─" in line)
    assert [line for line in lines if line != why] == [
        line for line in plain.splitlines() if "out of memory" not in line
    ]
    tex = tables.latex(comparison).splitlines()
    assert [line.split(" & ")[1:3] for line in tex if "delta &" in line] == [["delta", "failed"]]
    assert tex[1] == f"% delta failed: {comparison.failed[0].reason}"


def test_csv_has_plain_numbers() -> None:
    table = list(csv.DictReader(io.StringIO(tables.csv_table(decided({("alpha", "gamma"): 0.001})))))
    assert [row["name"] for row in table] == ["alpha", "beta", "gamma", "delta"]
    assert [row["as_good_as_the_best"] for row in table] == ["true", "true", "false", ""]
    assert float(table[0]["accuracy_mean"]) == 0.875
    assert float(table[1]["predict_ms_per_image"]) == pytest.approx(10.1 * 0.88)
    assert table[3]["reason"] == "out of memory while fitting on 32 images"


def test_markdown_and_latex_are_whole() -> None:
    comparison = decided({})
    text = tables.markdown(comparison)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 4 + 2 + 3  # leaderboard with one that failed, learning curves
    assert "accuracy in % on surfaces: 40 images, 4 classes, split {kfold: 5}, seed 0" in text
    tex = tables.latex(comparison)
    assert tex.count(r"\\") == 5
    assert r"\textbf{87.5 $\pm$ 8.8}" in tex
    assert tables._latex("a_b & 50 % {c}") == r"a\_b \& 50 \% \{c\}"


def test_a_comparison_prints_its_findings_and_not_its_arrays() -> None:
    comparison = decided({("alpha", "gamma"): 0.001})
    assert str(comparison) == "\n".join(comparison.sentences)
    assert repr(comparison) == f"<Comparison '{comparison.name}': 4 pipelines on surfaces, by accuracy>"
