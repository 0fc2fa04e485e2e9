"""The report of a run: one HTML file that a browser opens without a network."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cvpipe.conductor.measured import Score, SplitResult, StageCost
from cvpipe.conductor.result import RunResult
from cvpipe.data import Dataset, Descriptors, Features, Images, Keypoints, Predictions, offsets_of
from cvpipe.errors import BadImage, NotFitted
from cvpipe.report.axis import axis_for
from cvpipe.report.confusion import level
from cvpipe.report.confusion import section as confusion_section
from cvpipe.report.examples import section as examples_section
from cvpipe.report.html import render, write_report
from cvpipe.report.keypoints import POINTS
from cvpipe.report.keypoints import section as keypoints_section
from cvpipe.report.words import count, counted, percent, plain, seconds, short
from cvpipe.stages.features.join import Join

VOID = {"meta", "img", "br", "hr", "input", "link"}  # elements without an end tag
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NAMES = ["airplane", "beach", "storage tanks", "dense residential"]


class Grid:
    """A stage that finds nine points in every image; the fifth is the strongest."""

    name = "grid"

    def __init__(self, gives: type = Descriptors, per_image: int = 9) -> None:
        self.gives, self.per_image = gives, per_image

    def transform(self, images: Images) -> Descriptors | Keypoints:
        n, m = len(images), self.per_image
        pixels = [image.shape[:2] for image in images]
        xy = np.tile(np.linspace(1, 20, m, dtype=np.float32)[:, None], (n, 2))
        strength = np.tile(np.arange(m, dtype=np.float32), n)
        shared = {"offsets": offsets_of([m] * n), "xy": xy, "scale": np.ones(n * m, np.float32)}
        size = np.array(pixels, np.int32)
        if self.gives is Keypoints:
            return Keypoints(angle=strength * 0, response=strength, size=size, images=images, **shared)
        return Descriptors(values=np.ones((n * m, 4), np.float32), size=size, **shared)

    def exhibits(self) -> list[Any]:
        return []


class Means:
    """A stage that goes straight to features."""

    name = "means"

    def transform(self, images: Images) -> Features:
        return Features(values=np.zeros((len(images), 3), np.float32))

    def exhibits(self) -> list[Any]:
        return []


class FakePipeline:
    def __init__(self, *stages: Any) -> None:
        self.stages = list(stages)
        self.fitted = self.stages


class Gone:
    """An image whose file went away after the run."""

    def read(self) -> np.ndarray:
        raise BadImage("cannot be decoded")

    def token(self) -> str:
        return "gone"


def fake_result(
    names: list[str] = NAMES, per_class: int = 6, splits: int = 3, side: int = 24, seed: int = 0
) -> RunResult:
    """A run on noise whose predictions are right about three times in four."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.array(names), per_class)
    n, k = len(labels), len(names)
    images = Images.from_arrays(rng.integers(0, 256, (n, side, side, 3), dtype=np.uint8))
    dataset = Dataset("noise", images, labels)
    truth = np.searchsorted(dataset.classes, labels)
    scores = rng.normal(size=(n, k)).astype(np.float32)
    scores[np.arange(n), truth] += 2.5
    rows = np.array_split(rng.permutation(n), splits)
    results = [split_result(n, np.sort(test), scores, dataset.classes) for test in rows]
    confusion = np.zeros((k, k), np.int64)
    np.add.at(confusion, (truth, scores.argmax(axis=1)), 1)
    recall = np.diag(confusion) / confusion.sum(axis=1)
    values = [float((r.predictions.labels == labels[r.test]).mean()) for r in results]
    score = Score(float(np.mean(values)), float(np.std(values)), values, [min(values), max(values)])
    chance = Score(1 / k, 0.0, [1 / k] * splits, [1 / k, 1 / k])
    return RunResult(
        name="sift_bow_svm", dataset=dataset, fingerprint="4f2a9c", split={"kfold": splits}, seed=7,
        splits=results, scores={"accuracy": score, "macro_f1": score},
        baseline={"accuracy": chance, "macro_f1": chance},
        beats_baseline=True, confusion=confusion,
        per_class={str(c): {"precision": float(r), "recall": float(r), "f1": float(r), "support": per_class}
                   for c, r in zip(dataset.classes, recall, strict=True)},
        stages=[StageCost("grid", 0.0, 1.25, 480.0, 310.0, "Descriptors 24 images, 216 x 4 float32", False),
                StageCost("svm", 2.5, 0.1, 6000.0, 402.0, "Predictions 24 images", False)],
        total_s=71.0, skipped=[], environment={"cvpipe": "0.1.0", "device": "cpu", "jobs": 2},
        spec={"name": "sift_bow_svm", "stages": [{"sift": {"max_keypoints": 500}}]},
        pipeline=FakePipeline(Grid()), trained_on="split 0 (16 images)", warnings=[],
    )  # fmt: skip


def split_result(n: int, test: np.ndarray, scores: np.ndarray, classes: np.ndarray) -> SplitResult:
    train = np.setdiff1d(np.arange(n), test)
    return SplitResult(train, test, Predictions(scores=scores[test], classes=classes))


class Page(HTMLParser):
    """What a page holds: its elements, its text, and whether every element was closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(result: RunResult) -> Page:
    return Page(render(result, Path("runs/x/1")))


def section_ids(page: Page) -> list[str | None]:
    return [attributes.get("id") for attributes in page.all("section")]


def test_every_element_is_closed_and_every_section_is_there():
    page = page_of(fake_result())
    assert page.unbalanced == []
    assert page.open == []
    expected = ["scores", "confusion", "classes", "examples", "keypoints", "cost", "provenance"]
    assert section_ids(page) == expected
    assert [link["href"] for link in page.all("a")] == [f"#{name}" for name in expected]


def test_it_is_a_semantic_page_in_english():
    page = page_of(fake_result())
    assert page.all("html") == [{"lang": "en"}]
    assert all(page.all(tag) for tag in ("header", "nav", "main", "footer", "h1", "h2", "h3"))
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert all(image["alt"] for image in page.all("img"))
    assert all("aria-label" in svg or svg.get("aria-hidden") == "true" for svg in page.all("svg"))


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs():
    result = fake_result()
    page = page_of(result)
    addresses = [
        v for _, a in page.elements for k, v in a.items() if k in ("src", "href", "srcset", "data", "action")
    ]
    assert addresses
    assert all(address.startswith(("data:image/", "#")) for address in addresses)
    assert not page.all("script")
    assert not page.all("link")
    assert not re.search(r"https?://|url\(|@import", render(result, Path("runs")))


def test_names_from_users_are_escaped():
    evil = '<script>alert("x")</script>'
    result = fake_result([evil, "a & b", "c"])
    ids = [f'"><img src=x onerror=alert({i})>' for i in range(len(result.dataset))]
    dataset = replace(result.dataset, name=evil, images=Images(ids, result.dataset.images.items), note=evil)
    skipped = [{"id": evil, "reason": "<b>cut</b>"}]
    page = page_of(replace(result, name=evil, dataset=dataset, skipped=skipped, warnings=[evil],
                           spec={"name": evil}, environment={"device": evil}, trained_on=evil))  # fmt: skip
    assert not page.all("script")
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert page.unbalanced == []
    assert evil in page.text
    assert "a & b" in page.text


def test_the_head_says_score_interval_baseline_and_size():
    result = fake_result()
    text = page_of(result).text
    score = result.scores["accuracy"]
    assert f"{100 * score.mean:.1f} % accuracy" in text
    assert f"95 % interval {100 * score.ci95[0]:.1f} % to {100 * score.ci95[1]:.1f} %" in text
    assert "majority baseline 25.0 %" in text
    assert "noise: 24 images in 4 classes, 3 splits (kfold 3), 1 min 11 s." in text
    assert "does not beat" not in text


def test_a_warning_is_told_once():
    result = replace(fake_result(), beats_baseline=False, warnings=["does not beat a classifier"])
    assert page_of(result).text.count("does not beat a classifier") == 1


def test_skipped_images_are_named_with_their_reason():
    skipped = [{"id": f"cat/{i}.jpg", "reason": "the JPEG is cut short"} for i in range(150)]
    text = page_of(replace(fake_result(), skipped=skipped)).text
    assert "150 images skipped" in text
    assert "cat/0.jpg the JPEG is cut short" in text
    assert "and 50 more" in text
    assert "skipped" not in page_of(fake_result()).text


def test_one_split_has_no_deviation_and_no_table_of_splits():
    text = page_of(fake_result(splits=1)).text
    assert "±" not in text
    assert "Scores of each split" not in text
    assert "1 split (kfold 1)" in text


def test_a_run_without_scores_still_has_a_report():
    result = replace(fake_result(), scores={}, baseline={}, per_class={}, stages=[], beats_baseline=False)
    assert section_ids(page_of(result)) == ["confusion", "examples", "keypoints", "provenance"]


def test_a_run_without_a_spec_has_no_command_to_repeat_it():
    text = page_of(replace(fake_result(), spec={})).text
    assert "cvpipe run" not in text
    assert "Resolved spec" not in text
    assert "cvpipe predict" in text


def test_commands_are_quoted_for_a_shell(tmp_path: Path):
    text = Page(render(fake_result(), Path("my runs/1"))).text
    assert "cvpipe run 'my runs/1/spec.yaml'" in text
    assert "cvpipe predict 'my runs/1/model' IMAGE" in text


@pytest.mark.parametrize("classes", [2, 10, 21, 100, 130])
def test_confusion_matrix_draws_every_count_that_is_not_zero(classes: int):
    result = fake_result([f"class {i:03d}" for i in range(classes)], per_class=3, splits=1, side=8)
    content = confusion_section(result)
    assert content is not None
    figure = content["figure"]
    drawn = [cell for row in figure["rows"] for cell in row]
    if classes <= 100:
        assert len(drawn) == np.count_nonzero(result.confusion)
    else:
        assert len(figure["labels"]) == 100
    assert figure["height"] >= figure["top"] + len(figure["rows"]) * figure["cell"]
    assert all(0 <= cell["x"] < figure["side"] for cell in drawn)
    assert (content["table"] != []) == (classes <= 30)


def test_confusion_matrix_says_in_words_what_is_confused_most():
    result = fake_result(["a", "b", "c"], splits=1)
    content = confusion_section(replace(result, confusion=np.array([[5, 1, 0], [4, 2, 0], [0, 0, 6]])))
    assert content is not None
    assert [(c["truth"], c["predicted"], c["count"], c["of"]) for c in content["common"]] == [
        ("b", "a", 4, 6),
        ("a", "b", 1, 6),
    ]
    titles = [cell["title"].replace("\N{NO-BREAK SPACE}", " ") for cell in content["figure"]["rows"][1]]
    assert titles == ["b taken for a, 4 of 6 (66.7 %)", "b: right, 2 of 6 (33.3 %)"]
    assert confusion_section(replace(result, confusion=np.zeros((3, 3), np.int64))) is None


def test_shades_grow_with_the_share():
    shades = [level(share) for share in (0.001, 0.01, 0.1, 0.3, 0.6, 1.0)]
    assert shades == sorted(shades)
    assert (shades[0], shades[-1]) == (1, 9)


def test_the_surest_wrong_prediction_comes_first_and_each_pair_once_before_repeats():
    result = fake_result(["a", "b", "c"], per_class=4, splits=1)
    scores = np.tile(np.array([9, 0, 0], np.float32), (12, 1))  # everything is called a
    scores[4:8, 0] += [1, 5, 2, 3]  # b's images: the second is the surest
    split = SplitResult(
        np.arange(0), np.arange(12), Predictions(scores=scores, classes=np.array(["a", "b", "c"]))
    )
    content = examples_section(replace(result, splits=[split, split]))
    assert content is not None
    (_, _, wrong), (_, _, right) = content["groups"]
    assert [e["guess"].row for e in wrong] == [5, 8, 7, 6, 4, 9, 10, 11]
    assert wrong[0]["guess"].margin == pytest.approx(14)
    assert [e["guess"].truth for e in right] == ["a"]


def test_images_that_are_gone_are_left_out():
    result = fake_result()
    items = [Gone() if i % 2 else item for i, item in enumerate(result.dataset.images.items)]
    images = Images(result.dataset.images.ids, items)
    page = page_of(replace(result, dataset=replace(result.dataset, images=images)))
    assert page.all("img")
    assert not any(int(a["alt"].split()[1].rstrip(":")) % 2 for a in page.all("img"))
    gone = Images(images.ids, [Gone()] * len(images))
    page = page_of(replace(result, dataset=replace(result.dataset, images=gone)))
    assert "examples" not in section_ids(page)
    assert "keypoints" not in section_ids(page)


def test_keypoints_of_different_classes_are_drawn_in_pixels_of_the_image():
    content = keypoints_section(fake_result())
    assert content is not None
    assert [shown["label"] for shown in content["shown"][:4]] == sorted(NAMES)
    first = content["shown"][0]
    assert (first["width"], first["height"], first["count"]) == (24, 24, 9)
    drawn = sorted(x for x, _, _ in first["circles"])
    assert drawn == pytest.approx(np.linspace(1, 20, 9), abs=0.051)
    assert {radius for _, _, radius in first["circles"]} == {3.0}


def test_the_strongest_keypoints_are_drawn_where_there_are_many():
    result = replace(fake_result(), pipeline=FakePipeline(Grid(Keypoints, 2 * POINTS)))
    content = keypoints_section(result)
    assert content is not None
    circles = content["shown"][0]["circles"]
    assert len(circles) == POINTS
    assert min(x for x, _, _ in circles) > 10  # strength grows with x, from 1 to 20


def test_keypoints_come_from_the_fitted_stages():
    class Unfitted(Grid):
        def transform(self, images: Images) -> Descriptors | Keypoints:
            raise NotFitted("stage 'grid' is not fitted: call fit first")

    pipeline = FakePipeline(Unfitted())
    assert keypoints_section(replace(fake_result(), pipeline=pipeline)) is None
    pipeline.fitted = [Grid()]
    assert keypoints_section(replace(fake_result(), pipeline=pipeline)) is not None


def test_keypoints_of_the_first_branch_that_has_some_are_drawn():
    join = Join()
    join.adopt([[Means()], [Grid()]])  # type: ignore[list-item]
    content = keypoints_section(replace(fake_result(), pipeline=FakePipeline(join)))
    assert content is not None
    assert {shown["stage"] for shown in content["shown"]} == {"grid"}


def test_no_keypoints_section_where_no_leading_stage_gives_any():
    result = fake_result()
    assert keypoints_section(replace(result, pipeline=FakePipeline(Means(), Grid()))) is None
    assert keypoints_section(replace(result, pipeline=FakePipeline())) is None


def test_a_report_of_21_classes_and_2100_images_is_under_1_mb(tmp_path: Path):
    result = fake_result([f"class {i:02d}" for i in range(21)], per_class=100, splits=5, side=96)
    write_report(result, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 1_000_000
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_report_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        write_report(fake_result(), path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_numbers_are_written_with_their_unit():
    plain_text = [
        percent(0.7682),
        seconds(0.034),
        seconds(7.31),
        seconds(200),
        seconds(7500),
        counted(1, "class"),
    ]
    assert [t.replace("\N{NO-BREAK SPACE}", " ") for t in plain_text] == [
        "76.8 %", "0.034 s", "7.3 s", "3 min 20 s", "2 h 05 min", "1 class",
    ]  # fmt: skip
    assert count(2100) == "2,100"
    assert short("a" * 10 + "z" * 10, 9) == "aaaa…zzzz"
    assert plain({"kfold": 5, "grouped": True, "of": [1, None]}) == "kfold 5, grouped yes, of 1, none"


@pytest.mark.parametrize("values", [[0.5], [0.76, 0.79], [0.0, 1.0], [], [0.048, 0.81]])
def test_an_axis_holds_all_values_with_few_round_ticks(values: list[float]):
    axis = axis_for(values, 10, 110)
    assert all(axis.holds(v) and 10 <= axis.at(v) <= 110 for v in values)
    assert 2 <= len(axis.ticks) <= 6
    assert axis.at(axis.ticks[0]) == 10
    assert axis.at(axis.ticks[-1]) == 110


def colours(css: str) -> list[dict[str, str]]:
    """The variables of the light, the dark and the printed page."""
    blocks = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", b)) for b in re.findall(r":root \{(.*?)\}", css, re.S)
    ]
    return [blocks[0], blocks[0] | blocks[1], blocks[0] | blocks[2]]


def channels(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def contrast(first: np.ndarray, second: np.ndarray) -> float:
    """Contrast ratio of two sRGB colours, WCAG 2.2."""
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in (first, second)]
    light, dark = sorted((float(c @ [0.2126, 0.7152, 0.0722]) for c in linear), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("page", [0, 1, 2], ids=["light", "dark", "print"])
def test_text_has_contrast_aa(page: int):
    css = (Path(__file__).parents[1] / "cvpipe/report/report.css").read_text()
    colour = {name: channels(value) for name, value in colours(css)[page].items()}
    for paper in ("paper", "raised", "warn-paper"):
        for ink in ("ink", "muted", "accent", "wrong"):
            assert contrast(colour[ink], colour[paper]) >= 4.5, (ink, paper)
    opacities = [float(o) for o in re.findall(r"\.l\d \{ fill-opacity: ([\d.]+)", css)]
    assert len(opacities) == 9
    for i, opacity in enumerate(opacities, start=1):
        ink = colour["strong-ink" if i > 6 else "weak-ink"]
        for fill in ("accent", "wrong"):
            cell = opacity * colour[fill] + (1 - opacity) * colour["raised"]
            assert contrast(ink, cell) >= 4.5, (i, fill)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
@pytest.mark.parametrize("classes", [2, 21, 100])
def test_a_phone_needs_no_sideways_scroll(tmp_path: Path, classes: int):
    long = [f"a rather long name of class number {i}" for i in range(classes)]
    result = replace(fake_result(long, per_class=3), fingerprint="f" * 64, warnings=["w" * 200])
    path = tmp_path / "report.html"
    write_report(result, path)
    frame = tmp_path / "phone.html"  # a frame is as narrow as a phone; a window of chromium is not
    frame.write_text(
        f'<iframe id=f src="{path.name}" width=360 height=700 style="border:0"></iframe><p id=out></p>'
        "<script>onload = () => { const page = f.contentDocument.documentElement;"
        "out.textContent = page.scrollWidth - page.clientWidth }</script>"
    )
    assert CHROMIUM is not None
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}",
         "--virtual-time-budget=5000", "--dump-dom", frame.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert re.findall(r'<p id="out">(-?\d+)', done.stdout) == ["0"]
