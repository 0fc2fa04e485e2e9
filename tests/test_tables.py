"""Tables on terminals of any width: no word is broken, and what is left out is named."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest
from cvpipe_cli import tables

HEAD = [
    ">rank",
    "pipeline",
    ">mean ± std",
    ">95 % interval",
    ">fit s",
    ">ms/image",
    ">memory MB",
    ">model MB",
]
ROWS = [("1", "sift_bow_svm", "76.8 ± 1.2", "74.9 to 78.8", "12.3", "1.23", "1,208", "0.17"),
        ("2=", "lbp_svm", "65.0 ± 11.1", "61.1 to 69.0", "0.0002", "15.7", "219", "0.0932")]  # fmt: skip
CELLS = [cell for row in ROWS for cell in row]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """What a table looks like on a terminal of so many columns, or in a pipe."""

    def tell(width: int | None, *what: object, **options: object) -> list[str]:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(width or 20))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: width is not None)
        tables.show(*what, **options)  # type: ignore[arg-type]
        return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()

    return tell


def test_a_pipe_gets_everything(told: Callable[..., list[str]]) -> None:
    lines = told(None, HEAD, ROWS)
    assert all(cell in lines[-3] + lines[-2] for cell in CELLS)
    assert [len(lines), lines[0], lines[-1]] == [6, "", ""]


@pytest.mark.parametrize("width", [10, 40, 60, 80, 100, 120])
def test_no_word_is_broken(told: Callable[..., list[str]], width: int) -> None:
    lines = told(width, HEAD, ROWS)
    words = " ".join([*HEAD, *CELLS, "left out, for the terminal is only columns wide: (`| cat` shows all)"])
    allowed = {word.strip(">,") for word in words.split()} | {str(width)}
    got = {word.strip(",") for line in lines for word in line.split() if "─" not in word}
    assert got <= allowed
    assert {"sift_bow_svm", "lbp_svm"} <= got
    assert width < 40 or max(map(len, lines[:-1])) <= width


def test_what_is_left_out_is_said(told: Callable[..., list[str]]) -> None:
    lines = told(76, HEAD, ROWS)
    assert lines[-1] == "left out, for the terminal is only 76 columns wide: model MB (`| cat` shows all)"
    assert "left out" not in "".join(told(100, HEAD, ROWS))
    assert "".join(told(40, HEAD, ROWS)).count("mean") == 1


def test_what_can_be_spared_is_left_out_first(told: Callable[..., list[str]]) -> None:
    head = ["group", "stage", "takes", "gives", "what it is"]
    rows = [
        ("features", "bag_of_words", "BinaryDescriptors", "Features", "Counts of the nearest visual words")
    ]
    lines = told(44, head, rows, spare=("takes", "gives"))
    assert "wide: takes, gives (" in lines[-1]
    assert "visual" in "".join(lines)
    assert "BinaryDescriptors" not in "".join(lines)
