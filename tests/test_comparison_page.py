"""The page of a comparison in a real browser: sorted, filtered and looked at by clicks and keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import chromium, printed, width_of_page
from comparisons import CLASSES, small_comparison

from cvpipe.comparison.feature_rows import FILE, _principal
from cvpipe.comparison.result import Comparison
from cvpipe.comparison.tsne import tsne
from cvpipe.data import Images
from cvpipe.report.comparison.page import render
from cvpipe.report.comparison.pictures import Pictures


def pictures(comparison: Comparison) -> Images:
    """A picture for each image, of a colour for each class."""
    answers = comparison.candidates[0].answers
    assert answers is not None
    rng = np.random.default_rng(0)
    arrays = [
        np.clip(rng.normal(40 + 50 * CLASSES.index(str(label)), 12, (48, 64, 3)), 0, 255).astype(np.uint8)
        for label in answers.truth
    ]
    return Images.from_arrays(arrays, [str(name) for name in answers.ids])


def with_features(comparison: Comparison, folder: Path) -> None:
    """Features beside the runs of the first two candidates, which tell the classes apart."""
    import json

    from safetensors.numpy import save

    for candidate in comparison.candidates[:2]:
        assert candidate.answers is not None
        candidate.folder = folder / "runs" / candidate.name
        candidate.folder.mkdir(parents=True)
        labels = candidate.answers.truth.tolist()
        numbers = np.array([CLASSES.index(label) for label in labels])
        values = np.eye(4)[numbers] * 9 + np.random.default_rng(1).normal(size=(len(labels), 4))
        components, explained = _principal(values.astype(np.float32))
        about = {"ids": candidate.answers.ids.tolist(), "labels": labels, "dimension": 4}
        arrays = {"values": components, "explained": explained, "tsne": tsne(components)}
        data = save(arrays, metadata={"about": json.dumps(about)})
        (candidate.folder / FILE).write_bytes(data)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("comparison")
    comparison = small_comparison()
    with_features(comparison, folder)
    (folder / "comparison.html").write_text(
        render(comparison, Pictures(pictures(comparison))), encoding="utf-8"
    )
    return folder / "comparison.html"


@pytest.fixture
def page(browser: Any, file: Path) -> Iterator[Any]:
    """The page, fresh; it must not have written an error to the console in the end."""
    browser.get(file.as_uri())
    yield browser
    assert [entry["message"] for entry in browser.get_log("browser")] == []


def find(page: Any, selector: str) -> Any:
    return page.find_element("css selector", selector)


def find_all(page: Any, selector: str) -> list[Any]:
    return page.find_elements("css selector", selector)


def texts(page: Any, selector: str) -> list[str]:
    return [element.text for element in find_all(page, selector)]


def click(page: Any, element: Any) -> None:
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
    element.click()


def choose(page: Any, selector: str, text: str) -> None:
    from selenium.webdriver.support.ui import Select

    Select(find(page, selector)).select_by_visible_text(text)


def order(page: Any) -> list[str]:
    return [text.split()[0] for text in texts(page, "#board tbody:first-of-type th")]


def test_headings_sort_the_leaderboard(page: Any) -> None:
    assert order(page) == ["alpha", "beta", "gamma"]
    headings = {button.text: button for button in find_all(page, "#board thead button")}
    assert set(headings) == {
        "Rank", "Pipeline", "Accuracy", "Macro F1", "Predict an image", "Fit", "Memory", "Dimension", "Model"
    }  # fmt: skip
    click(page, headings["Dimension"])  # beta has a shorter name, and so a smaller vocabulary
    assert order(page) == ["beta", "alpha", "gamma"]
    assert headings["Dimension"].find_element("xpath", "..").get_attribute("aria-sort") == "ascending"
    assert len(find_all(page, "#board [aria-sort]")) == 1
    click(page, headings["Dimension"])
    assert order(page) == ["alpha", "gamma", "beta"]
    assert headings["Dimension"].find_element("xpath", "..").get_attribute("aria-sort") == "descending"
    click(page, headings["Pipeline"])
    click(page, headings["Pipeline"])
    assert order(page) == ["gamma", "beta", "alpha"]
    assert texts(page, "#board tbody.failed th") == ["delta failed"]


def test_headings_work_with_the_keyboard(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    find(page, "#board").find_element("xpath", "..").send_keys(
        Keys.TAB
    )  # from the box that scrolls into the table
    active = page.switch_to.active_element
    assert active.text == "Rank"
    outline = active.value_of_css_property("outline-style")
    assert outline == "solid"  # what has the focus can be seen
    active.send_keys(Keys.ENTER)
    assert order(page) == ["gamma", "beta", "alpha"]
    active.send_keys(Keys.SPACE)
    assert order(page) == ["alpha", "beta", "gamma"]


def test_two_are_set_side_by_side(page: Any) -> None:
    assert find(page, "#verdict").text.startswith("alpha and beta cannot be told apart here (+")
    assert texts(page, "#confusions figcaption") == ["A alpha", "B beta"]
    assert texts(page, "#spec-diff span") == [
        "--- A alpha", "+++ B beta", "- bag_of_words.words: 350", "+ bag_of_words.words: 300"
    ]  # fmt: skip
    choose(page, "#pick-b", "3 gamma")
    assert find(page, "#verdict").text.startswith("alpha is better than gamma by ")
    before = dict(zip(texts(page, "#tests dt"), texts(page, "#tests dd"), strict=True))
    click(page, find(page, "#swap"))
    assert texts(page, "#confusions figcaption") == ["A gamma", "B alpha"]
    assert find(page, "#verdict").text.startswith("alpha is better than gamma by ")
    after = dict(zip(texts(page, "#tests dt"), texts(page, "#tests dd"), strict=True))
    flip = str.maketrans("+\N{MINUS SIGN}", "\N{MINUS SIGN}+")
    assert after["Difference"] == before["Difference"].translate(flip)
    low, high = before["95 % interval, over images"].split(" to ")
    assert after["95 % interval, over images"] == f"{high} to {low}".translate(flip)
    assert after["… that B is better"] == "0.60"
    assert after["Probability that A is better by more than 1 point"] == "0.10"
    choose(page, "#pick-b", "3 gamma")
    assert find(page, "#verdict").text == "Choose two different pipelines."


def test_a_cell_of_the_table_of_pairs_chooses_its_pair(page: Any) -> None:
    cells = {(b.get_attribute("data-a"), b.get_attribute("data-b")): b for b in find_all(page, "button.cell")}
    assert len(cells) == 6
    assert cells["gamma", "alpha"].text.startswith("▼")
    assert cells["alpha", "beta"].text.startswith("≈")
    click(page, cells["gamma", "beta"])
    assert texts(page, "#confusions figcaption") == ["A gamma", "B beta"]
    assert page.switch_to.active_element.get_attribute("id") == "pick-a"


def test_arrow_keys_walk_the_table_of_pairs(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    assert len([b for b in find_all(page, "button.cell") if b.get_attribute("tabindex") == "0"]) == 1
    first = find(page, "button.cell")
    page.execute_script("arguments[0].focus()", first)

    def pair() -> tuple[str, str]:
        active = page.switch_to.active_element
        return active.get_attribute("data-a"), active.get_attribute("data-b")

    assert pair() == ("alpha", "beta")
    for key, expected_pair in (
        (Keys.ARROW_RIGHT, ("alpha", "gamma")),
        (Keys.ARROW_RIGHT, ("alpha", "gamma")),  # the end
        (Keys.ARROW_DOWN, ("beta", "gamma")),
        (Keys.ARROW_LEFT, ("beta", "alpha")),  # over the diagonal
        (Keys.ARROW_DOWN, ("gamma", "alpha")),
    ):
        page.switch_to.active_element.send_keys(key)
        assert pair() == expected_pair
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert texts(page, "#confusions figcaption") == ["A gamma", "B alpha"]


def test_confusions_have_their_numbers(page: Any) -> None:
    comparison = small_comparison()
    matrix = comparison.candidate("alpha").confusion
    assert matrix is not None
    titles = [t.get_attribute("textContent") for t in find_all(page, "#confusions figure:first-child title")]
    assert len(titles) == np.count_nonzero(matrix)
    assert f"brick: right, {matrix[0, 0]} of 10 ({10 * matrix[0, 0]:.1f}\N{NO-BREAK SPACE}%)" in titles
    rows = texts(page, "#classes-table tbody th")
    assert sorted(rows) == sorted(CLASSES)
    assert "Most often wrong:" in find(page, "#confusions svg").get_attribute("aria-label")


def expected(first: str, second: str, kind: str, label: str = "") -> int:
    comparison = small_comparison()
    a, b = comparison.candidate(first).answers, comparison.candidate(second).answers
    assert a is not None
    assert b is not None
    masks = {"all": a.prediction != b.prediction, "a": a.hits & ~b.hits, "b": b.hits & ~a.hits}
    mask = masks[kind] & (a.truth == label if label else True)
    return int(mask.sum())


def test_images_are_filtered_by_pair_kind_and_class(page: Any) -> None:
    assert len(find_all(page, "#gallery li")) == expected("alpha", "beta", "all")
    choose(page, "#kind", "only A is right")
    assert len(find_all(page, "#gallery li")) == expected("alpha", "beta", "a") > 0
    for card in find_all(page, "#gallery li"):
        assert card.find_element("css selector", ".right .mark").text.startswith("A ✓")
        assert card.find_element("css selector", ".wrong .mark").text.startswith("B ✗")
        truth = card.find_element("css selector", "b").text
        assert card.find_element("css selector", ".right .mark").text.endswith(truth)
    choose(page, "#pick-b", "3 gamma")
    assert len(find_all(page, "#gallery li")) == expected("alpha", "gamma", "a")
    choose(page, "#class", "sand")
    assert len(find_all(page, "#gallery li")) == expected("alpha", "gamma", "a", "sand") > 0
    assert set(texts(page, "#gallery b")) == {"sand"}
    count = expected("alpha", "gamma", "a", "sand")
    assert find(page, "#shown").text.startswith(f"{count} of {count} pictures.")
    choose(page, "#kind", "only B is right")
    assert len(find_all(page, "#gallery li")) == expected("alpha", "gamma", "b", "sand")


def test_pictures_are_those_of_the_images(page: Any) -> None:
    """What the browser paints is of the brightness that the image's class has."""
    from io import BytesIO

    from PIL import Image

    for card in find_all(page, "#gallery li")[:4]:
        picture = card.find_element("css selector", ".thumb")
        page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", picture)
        painted = np.asarray(Image.open(BytesIO(picture.screenshot_as_png)).convert("L"), float)
        middle = painted[painted.shape[0] // 2 - 5 :, painted.shape[1] // 2 - 5 :][:10, :10].mean()
        label = card.find_element("css selector", "b").text
        assert abs(middle - (40 + 50 * CLASSES.index(label))) < 12
        assert label in picture.get_attribute("aria-label")


def test_the_map_follows_its_controls(page: Any) -> None:
    assert len(find_all(page, "#map .thumb")) == 40
    assert "t-SNE map of 40 images by the features of alpha" in find(page, "#map").get_attribute("aria-label")
    places = [spot.get_attribute("style") for spot in find_all(page, "#map .spot")]
    choose(page, "#map-how", "PCA")
    assert [spot.get_attribute("style") for spot in find_all(page, "#map .spot")] != places
    choose(page, "#map-of", "beta")
    assert "PCA map of 40 images by the features of beta" in find(page, "#map").get_attribute("aria-label")
    click(page, find(page, "#map-thumbs"))
    assert (len(find_all(page, "#map .thumb")), len(find_all(page, "#map .dot"))) == (0, 40)
    choose(page, "#map-class", "grass")
    assert (len(find_all(page, "#map .on")), len(find_all(page, "#map .off"))) == (10, 30)
    assert all(spot.get_attribute("title").startswith("grass: ") for spot in find_all(page, "#map .on"))


def test_every_control_has_a_name(page: Any) -> None:
    tree = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    controls = [n for n in tree if n.get("role", {}).get("value") in ("button", "combobox", "checkbox", "link", "image")
                and not n.get("ignored")]  # fmt: skip
    assert len(controls) > 30
    assert [n for n in controls if not n.get("name", {}).get("value")] == []
    assert len(find_all(page, "h1")) == 1
    for selector in ("table th:not([scope])", "img:not([alt])", "svg[role=img]:not([aria-label])"):
        assert find_all(page, selector) == []


@pytest.mark.parametrize("width", [390, 800, 1200])
def test_nothing_sticks_out_sideways(page: Any, width: int) -> None:
    assert width_of_page(page, width) <= width


def test_dark_and_light_have_contrast(page: Any) -> None:
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        paper = rgb(find(page, "body").value_of_css_property("background-color"))
        assert (luminance(paper) > 0.5) == (scheme == "light")
        for selector in (
            "h1",
            ".note",
            "#board td",
            ".mark",
            ".cell.better",
            "#spec-diff .gone",
            "#spec-diff .come",
        ):
            ink = rgb(find(page, selector).value_of_css_property("color"))
            assert contrast(ink, paper) >= 4.5, (scheme, selector)  # WCAG 2.1, level AA
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def rgb(text: str) -> list[float]:
    return [float(part) / 255 for part in text.partition("(")[2].rstrip(")").split(",")[:3]]


def luminance(colour: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: list[float], b: list[float]) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_it_prints(page: Any) -> None:
    pdf = printed(page)
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type/Page/") <= 20


def test_nothing_is_loaded(page: Any) -> None:
    loaded = page.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []


def test_hostile_names_stay_text(browser: Any, tmp_path: Path) -> None:
    comparison = small_comparison()
    bad = "</script><img src=x onerror=alert(1)>"
    comparison.name = bad
    comparison.sentences = [f"`{bad}` wins"]
    comparison.candidates[3].reason = bad
    comparison.data["class_names"][0] = bad
    for candidate in comparison.candidates[:3]:
        answers = candidate.answers
        assert answers is not None
        for column in ("truth", "prediction"):
            words = [bad if word == "brick" else word for word in getattr(answers, column).tolist()]
            object.__setattr__(answers, column, np.array(words))
    (tmp_path / "page.html").write_text(render(comparison), encoding="utf-8")
    browser.get((tmp_path / "page.html").as_uri())
    assert find(browser, "h1").text == bad
    assert find_all(browser, "img") == []
    assert bad in texts(browser, "#classes-table tbody th")
    assert browser.get_log("browser") == []
