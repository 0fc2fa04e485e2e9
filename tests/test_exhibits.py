"""What stages show of themselves in the report: pictures, curves and facts, and what happens if they cannot."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast

import cv2
import numpy as np
import pytest

from cvpipe.conductor.result import RunResult
from cvpipe.data import Features
from cvpipe.data.exhibits import Curves, Exhibit, Facts, Gallery
from cvpipe.report.chart import lines
from cvpipe.report.exhibits import CAPTIONED, MOST, SIDE, section
from cvpipe.report.html import environment
from cvpipe.stage import Learner
from cvpipe.stages.features.colour_histogram import ColourHistogram
from cvpipe.stages.features.join import Join


class Shower(Learner):
    """Shows what it is given."""

    shown_: list[Any]

    def fit(self, batch: Features, labels: np.ndarray | None = None) -> Self:
        """Learns nothing."""
        return self

    def transform(self, batch: Features) -> Features:
        """The same."""
        return batch

    def exhibits(self) -> list[Exhibit]:
        """What was put in."""
        return self.shown_


@dataclass
class Fitted:
    fitted: list[Any] = field(default_factory=list)


@dataclass
class Result:
    pipeline: Fitted
    trained_on: str = "split 0 (8 images)"


def made(*exhibits: Exhibit) -> dict[str, Any] | None:
    stage = Shower()
    stage.shown_ = list(exhibits)
    return section(cast(RunResult, Result(Fitted([ColourHistogram(), stage]))))


def page(content: dict[str, Any]) -> str:
    return environment().get_template("exhibits.html").render(section=content)


def drawn(content: dict[str, Any] | None) -> list[dict[str, Any]]:
    assert content is not None
    return [drawing for _, drawings in content["stages"] for drawing in drawings]


def decoded(uri: str) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)


def test_stages_without_exhibits_have_no_section() -> None:
    assert made() is None


def test_a_gallery_is_one_picture_that_holds_all_pixels() -> None:
    images = np.random.default_rng(0).integers(0, 256, (11, 5, 7, 3), dtype=np.uint8)
    only = drawn(made(Gallery("Filters", images, note="see <b>")))[0]
    sheet = decoded(only["src"])
    columns = (sheet.shape[1] + 1) // 8
    for number, image in enumerate(images):
        top, left = number // columns * 6, number % columns * 8
        np.testing.assert_array_equal(sheet[top : top + 5, left : left + 7, :3], image)
        assert (sheet[top : top + 5, left : left + 7, 3] == 255).all()
    assert (sheet[5, :, 3] == 0).all()  # the gap is clear
    assert only["scale"] == SIDE // 7
    content = made(Gallery("Filters", images, note="see <b>"))
    assert content is not None
    text = page(content)
    assert 'alt="11\N{NO-BREAK SPACE}pictures: Filters"' in text
    assert "see &lt;b&gt;" in text


def test_captions_stand_below_their_pictures() -> None:
    images = np.zeros((3, 64, 64, 3), np.uint8)
    content = made(Gallery("Parts", images, captions=["one", "<two>", "three"]))
    assert content is not None
    text = page(content)
    assert text.count("data:image/png") == 1
    assert re.findall(r'aria-label="([^"]+)" style="background-position: (-\d+px -\d+px)"', text) == [
        ("one", "-0px -0px"), ("&lt;two&gt;", "-65px -0px"), ("three", "-130px -0px"),
    ]  # fmt: skip


@pytest.mark.parametrize(("captions", "most"), [((), MOST), (tuple(map(str, range(1000))), CAPTIONED)])
def test_large_galleries_are_cut_and_say_so(captions: tuple[str, ...], most: int) -> None:
    content = made(Gallery("Words", np.zeros((1000, 4, 4, 3), np.uint8), captions))
    assert content is not None
    assert drawn(content)[0]["count"] == most
    assert f"{most} of 1,000" in page(content)


def test_an_empty_gallery_is_legal() -> None:
    content = made(Gallery("Nothing", np.zeros((0, 4, 4, 3), np.uint8)))
    assert content is not None
    assert "<img" not in page(content)


def test_curves_and_facts() -> None:
    x = np.arange(1, 6)
    series = {"training": (x, 1.0 / x), "validation": (x, 1.2 / x)}
    content = made(Curves("Loss", "epoch", "loss", series, "falls"), Facts("Use", [("dead", "3 < 4")]))
    assert content is not None
    text = page(content)
    assert 'aria-label="Loss: loss against epoch. training ends at 0.2. validation ends at 0.24."' in text
    assert "<dt>dead</dt><dd>3 &lt; 4</dd>" in text
    chart = drawn(content)[0]["chart"]
    points = chart["lines"][0]["points"]
    assert points == [(chart["x"].at(a), chart["y"].at(1.0 / a)) for a in x]
    assert lines(series, "epoch", "loss")["named"]


def test_a_stage_that_cannot_show_itself_does_not_end_the_run() -> None:
    broken = Shower()  # not fitted: asking for what it learned raises
    content = section(cast(RunResult, Result(Fitted([broken]))))
    assert content is not None
    assert drawn(content)[0]["rows"] == [
        ("reason", "NotFitted: stage 'shower' is not fitted: call fit first")
    ]


def test_branches_show_theirs() -> None:
    inner = Shower()
    inner.shown_ = [Facts("Inside", [("a", "b")])]
    join = Join(branches=((ColourHistogram(), inner), (ColourHistogram(),)))
    join.adopt([[ColourHistogram(), inner], [ColourHistogram()]])
    content = section(cast(RunResult, Result(Fitted([join]))))
    assert content is not None
    assert [name for name, _ in content["stages"]] == ["join, branch 1: shower"]


def test_a_run_shows_what_its_stages_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, class_folders: Callable[..., Path]
) -> None:
    import cvpipe

    monkeypatch.chdir(tmp_path)
    root = class_folders({"cat": 12, "dog": 12})
    spec = {"data": {"folder": str(root)}, "split": {"kfold": 2},
            "stages": [{"raw_pixels": {"size": 4}}, {"svm": {"C": "search", "kernel": "linear"}}]}  # fmt: skip
    cvpipe.run(spec, out="out")
    text = (tmp_path / "out" / "report.html").read_text()
    assert 'id="exhibits"' in text
    assert "Search for C" in text
