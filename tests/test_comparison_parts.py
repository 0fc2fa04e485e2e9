"""The parts of the comparison's page: who is on the front, which images are shown, what the map says, how large it
gets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from comparisons import _pair, small_comparison

import cvpipe
from cvpipe.comparison.candidate import Answers, Candidate
from cvpipe.comparison.feature_rows import FILE, _principal, keep_features, read_features
from cvpipe.comparison.result import Comparison
from cvpipe.data import Images
from cvpipe.errors import RunError
from cvpipe.report.chart import linear, lines, logarithmic, tick_text
from cvpipe.report.comparison.answers import drawn_classes
from cvpipe.report.comparison.disagreements import chosen
from cvpipe.report.comparison.feature_map import _unit, maps_of, purity
from cvpipe.report.comparison.page import render, write_comparison
from cvpipe.report.comparison.pictures import FEW, Pictures
from cvpipe.report.comparison.tradeoff import pareto
from cvpipe.report.sprite import make_sprite, squared
from cvpipe.report.words import code_marks


def test_the_front_is_what_nothing_dominates() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        points = [tuple(p) for p in rng.integers(0, 6, (9, 2)).tolist()]

        best = {p for p in points if not any(q[0] <= p[0] and q[1] >= p[1] and q != p for q in points)}
        front = pareto(points)
        assert {points[i] for i in front} == best
        assert [points[i][0] for i in front] == sorted({points[i][0] for i in front})
    assert pareto([(1.0, 0.5)]) == [0]


def candidate(name: str, predicted: list[str], truth: list[str]) -> Candidate:
    n = len(truth)
    ids = np.array([f"{i:03d}" for i in range(n)])
    answers = Answers(ids, np.zeros(n, np.int64), np.array(truth), np.array(predicted), np.zeros(n))
    return Candidate(name, {}, answers=answers)


def test_images_are_chosen_fairly() -> None:
    truth = ["a"] * 50 + ["b"] * 50
    right = list(truth)
    wrong_b = ["a"] * 100
    wrong_a = ["b"] * 100
    three = [candidate("x", right, truth), candidate("y", wrong_b, truth), candidate("z", wrong_a, truth)]
    places = chosen(three, most=30)
    assert len(places) == 30
    assert (places == np.sort(places)).all()
    share = np.mean([truth[place] == "a" for place in places])
    assert 0.3 < share < 0.7  # both classes, though each pair but one disagrees on one class only
    everything = chosen(three)
    assert len(everything) == 100
    same = [candidate("x", right, truth), candidate("y", right, truth)]
    assert len(chosen(same)) == 0
    assert len(chosen(same[:1])) == 0


def test_an_image_of_several_splits_is_shown_once() -> None:
    a, b = candidate("x", ["a"] * 4, ["a"] * 4), candidate("y", ["b"] * 4, ["a"] * 4)
    for one in (a, b):
        assert one.answers is not None
        one.answers = replace(one.answers, ids=np.array(["1", "2", "1", "2"]))
    assert chosen([a, b]).tolist() == [0, 1]


def test_purity_is_that_of_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    values, labels = rng.normal(size=(40, 5)).astype(np.float32), rng.integers(0, 3, 40)
    hits = []
    for i in range(40):
        distances = [np.inf if j == i else float(((values[i] - values[j]) ** 2).sum()) for j in range(40)]
        hits.append(labels[int(np.argmin(distances))] == labels[i])
    assert purity(values, labels) == pytest.approx(np.mean(hits))


def test_components_are_scikit_learns() -> None:
    from sklearn.decomposition import PCA

    values = np.random.default_rng(0).normal(size=(30, 200)) * np.linspace(3, 0.1, 200)
    components, explained = _principal(values.astype(np.float32))
    pca = PCA(29).fit(values)
    np.testing.assert_allclose(np.abs(components[:, :29]), np.abs(pca.transform(values)), atol=1e-3)
    np.testing.assert_allclose(explained[:29], pca.explained_variance_ratio_, atol=1e-6)
    flat, share = _principal(np.ones((5, 3), np.float32))
    assert np.isfinite(flat).all()
    assert not share.any()


def test_places_keep_their_proportions() -> None:
    places = np.array(_unit(np.array([[0.0, 0], [10, 0], [10, 5]])))
    assert 0 < places.min() < places.max() < 1
    assert places[1, 0] - places[0, 0] == pytest.approx(2 * (places[2, 1] - places[1, 1]), abs=2e-3)
    assert np.isfinite(_unit(np.zeros((3, 1)))).all()


def test_a_run_keeps_its_features_and_damage_is_no_harm(
    tmp_path: Path, class_folders: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = class_folders({"cat": 8, "dog": 8})
    spec = {
        "data": {"folder": str(root)},
        "split": {"kfold": 2},
        "stages": [{"raw_pixels": {"size": 4}}, "knn"],
    }
    result = cvpipe.run(spec, out="out")
    keep_features(result)
    found = read_features(result.folder)
    assert found is not None
    rows = result.splits[0].test
    assert found.ids == [result.dataset.images.ids[row] for row in rows]
    assert found.labels == result.dataset.labels[rows].tolist()
    stage = result.pipeline.fitted[0]
    values = stage.transform(result.dataset.images[rows]).values
    assert found.dimension == values.shape[1]
    expected = ((values[:, None] - values[None]) ** 2).sum(axis=2)
    got = ((found.values[:, None] - found.values[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3)
    data = (tmp_path / "out" / FILE).read_bytes()
    for damaged in (data[:-7], b"", data[50:]):
        (tmp_path / "out" / FILE).write_bytes(damaged)
        assert read_features(tmp_path / "out") is None
    assert read_features(tmp_path / "nowhere") is None
    assert read_features(None) is None


def many(count: int, images: int, classes: int = 21) -> Comparison:
    """A comparison of so many candidates that are each right in some two thirds of the images."""
    words = [f"class_{c:02d}" for c in range(classes)]
    comparison = small_comparison()
    rng = np.random.default_rng(0)
    truth = np.arange(images) % classes
    base = comparison.candidates[0]
    comparison.data |= {"class_names": words, "classes": classes, "images": images}
    comparison.candidates = []
    for number in range(count):
        predicted = np.where(rng.random(images) < 0.66, truth, rng.integers(0, classes, images))
        matrix = np.zeros((classes, classes), np.int64)
        np.add.at(matrix, (truth, predicted), 1)
        ids = np.array([f"{words[t]}/image{i:05d}.jpg" for i, t in enumerate(truth)])
        answers = Answers(
            ids, np.arange(images) % 5, np.array(words)[truth], np.array(words)[predicted], rng.random(images)
        )
        per_class = {word: {"precision": 0.5, "recall": float(matrix[c, c] / matrix[c].sum()), "f1": 0.5,
                            "support": int(matrix[c].sum())} for c, word in enumerate(words)}  # fmt: skip
        spec = {**base.spec, "stages": base.spec["stages"] * 6}
        comparison.candidates.append(
            replace(base, name=f"pipeline_number_{number:02d}", spec=spec, answers=answers, confusion=matrix,
                    per_class=per_class)
        )  # fmt: skip
    ranked = comparison.ranked
    comparison.pairs = [_pair(a, b) for a, b in combinations(ranked, 2)]
    comparison.many = None
    return comparison


def test_twenty_pipelines_fit_into_three_megabytes() -> None:
    comparison = many(20, 2100)
    answers = comparison.candidates[0].answers
    assert answers is not None
    rng = np.random.default_rng(0)
    noise = [
        rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(10)
    ]  # the worst case for a codec
    images = Images.from_arrays([noise[i % 10] for i in range(2100)], answers.ids.tolist())
    text = render(comparison, Pictures(images))
    assert len(text.encode()) < 3_000_000
    assert text.count("data:image/webp") == 1
    assert "http://" not in re.sub(r"http://www\.w3\.org/2000/svg", "", text)
    assert "https://" not in text


def noise(count: int) -> Images:
    rng = np.random.default_rng(0)
    return Images.from_arrays(rng.integers(0, 256, (count, 20, 30, 3), dtype=np.uint8))


def test_pictures_made_in_advance_are_those_of_all_images() -> None:
    images = noise(30)
    pictures = Pictures(images)
    alone = pictures.of(images.ids[:20])
    assert list(alone[0]) == images.ids[:20]
    pictures.get_ready()
    ahead = pictures.of(images.ids[:20])
    assert list(ahead[0]) == images.ids
    assert ahead == Pictures(images).of(images.ids)
    assert pictures.of(images.ids[:10]) == Pictures(images).of(images.ids[:10])  # most would not be shown
    assert pictures.of(["gone", *images.ids[:2]])[0] == {images.ids[0]: 0, images.ids[1]: 1}


@pytest.mark.parametrize("images", [None, noise(FEW + 1)])
def test_no_pictures_are_made_in_advance_where_few_will_be_shown(images: Images | None) -> None:
    pictures = Pictures(images)
    pictures.get_ready()
    assert pictures.of([]) == ({}, make_sprite([], 1))
    assert pictures._all is None


def test_what_a_comparison_may_lack(tmp_path: Path) -> None:
    comparison = small_comparison()
    comparison.candidates = comparison.candidates[:1]
    comparison.pairs, comparison.many = [], None
    alone = render(comparison)
    assert 'id="two"' not in alone
    assert 'id="ranks"' not in alone
    comparison = small_comparison()
    for one in comparison.candidates:
        one.status, one.reason, one.answers = "failed", "no luck", None
    comparison.pairs, comparison.many = [], None
    failed = render(comparison)
    assert failed.count("no luck") == 4
    assert 'id="tradeoff"' not in failed
    without = small_comparison()
    for one in without.candidates:
        one.costs, one.answers, one.curve = None, None, []
    text = render(without)
    assert 'id="curves"' not in text
    assert 'id="gallery"' not in text
    write_comparison(without, tmp_path)
    assert (tmp_path / "comparison.html").read_text() == text
    with pytest.raises(RunError, match="cannot write the results"):
        write_comparison(without, tmp_path / "nowhere")
    assert maps_of(without) == []


def test_only_the_most_confused_of_many_classes_are_drawn() -> None:
    comparison = many(2, 900, classes=90)
    kept = drawn_classes(comparison.ranked, 90)
    assert len(kept) == 60
    assert kept == sorted(kept)
    assert "Only the 60 classes with the most errors are drawn." in render(comparison)
    payload = json.loads(render(comparison).partition('id="data">')[2].partition("</script>")[0])
    assert len(payload["drawn"]) == 60
    assert (
        sum(payload["totals"][0]) == 600
    )  # rows keep the images that were taken for a class that is not drawn


@pytest.mark.parametrize("values", [(0.61, 0.93), (0.0, 1.0), (3.0, 3.0), (-5.0, 1e4), (1e-9, 3e-9), (7.0,)])
def test_scales_hold_their_values_between_round_ends(values: tuple[float, ...]) -> None:
    scale = linear(values, 50, 450)
    assert scale.low <= min(values)
    assert scale.high >= max(values)
    assert 2 <= len(scale.ticks) <= 7
    steps = np.diff(scale.ticks)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    assert scale.at(scale.low) == 50
    assert scale.at(scale.high) == 450


def test_logarithmic_scales() -> None:
    scale = logarithmic([0.3, 40.0, 0.0], 0, 100)
    assert scale.ticks == (0.5, 1.0, 2.0, 5.0, 10.0, 20.0) or set(scale.ticks) <= {0.5, 1, 2, 5, 10, 20, 40}
    assert scale.at(0.3) > 0
    assert scale.at(40) < 100
    middle = (scale.at(1.0) + scale.at(4.0)) / 2
    assert scale.at(2.0) == pytest.approx(middle, abs=0.1)
    assert len(logarithmic([1e-6, 1e6], 0, 100).ticks) < 14
    assert logarithmic([5.0], 0, 100).at(5.0) == pytest.approx(50, abs=1)
    assert [tick_text(v) for v in (0, 0.25, 1000, 2e6, 1e-7, 40.0)] == [
        "0",
        "0.25",
        "1,000",
        "2e+06",
        "1e-07",
        "40",
    ]


def test_labels_of_lines_do_not_overlap() -> None:
    x = np.arange(5.0)
    chart = lines({f"line {i}": (x, x * 0 + 1 + i * 1e-3) for i in range(12)}, "x", "y")
    ys = sorted(line["label_y"] for line in chart["lines"])
    assert min(np.diff(ys)) >= 14.9
    assert ys[-1] <= chart["height"]
    styles = {(line["style"], line["marker"], line["dash"]) for line in chart["lines"]}
    assert len(styles) == 12
    holes = lines({"a": ([0, 1, np.nan, 3], [1.0, np.inf, 2, 5])}, "x", "y")["lines"][0]
    assert len(holes["points"]) == 2
    assert lines({}, "x", "y")["lines"] == []


def test_a_sprite_shrinks_to_its_budget() -> None:
    rng = np.random.default_rng(0)
    noise = [squared(rng.integers(0, 256, (80, 50, 3), dtype=np.uint8)) for _ in range(60)]
    large, small = make_sprite(noise, 10**7), make_sprite(noise, 90_000)
    assert (large.columns, large.rows, large.side) == (25, 3, 112)
    assert small.side < 112
    assert len(small.uri) < 90_000 * 4 / 3 + 100
    assert make_sprite([], 1000).uri == ""


def test_a_thumbnail_is_the_whole_image_amid_grey() -> None:
    tall = np.full((400, 100, 3), 255, np.uint8)
    square = squared(tall, 40)
    assert square.shape == (40, 40, 3)
    assert (square[:, 15:25] == 255).all()
    assert (square[:, :15] == 128).all()
    assert (square[:, 25:] == 128).all()
    tiny = squared(np.arange(12, dtype=np.uint8).reshape(2, 2, 3), 40)
    assert np.unique(tiny.reshape(-1, 3), axis=0).tolist() == np.arange(12).reshape(4, 3).tolist()


def test_backticks_become_code_and_nothing_else_markup() -> None:
    assert code_marks("`a<b>` beats `c` & d") == "<code>a&lt;b&gt;</code> beats <code>c</code> &amp; d"
    assert code_marks("one ` only <") == "one ` only &lt;"


def test_a_name_that_no_candidate_has() -> None:
    comparison = small_comparison()
    names = [c.name for c in comparison.candidates]
    with pytest.raises(
        KeyError, match=rf"no candidate '{names[0]}x' \(did you mean '{names[0]}'\?\); there are "
    ):
        comparison.candidate(f"{names[0]}x")
    with pytest.raises(KeyError, match="no candidate 'zzzz'; there are"):
        comparison.pair(names[0], "zzzz")
    failed = comparison.failed[0].name
    with pytest.raises(KeyError, match=f"'{names[0]}' and '{failed}' were not compared"):
        comparison.pair(names[0], failed)


def test_a_candidate_is_one_line() -> None:
    comparison = small_comparison()
    best, failed = comparison.ranked[0], comparison.failed[0]
    assert repr(best).startswith(f"<Candidate '{best.name}': accuracy 0.")
    assert repr(failed) == f"<Candidate '{failed.name}': failed: {failed.reason}>"
    assert all(len(repr(one)) < 200 and "\n" not in repr(one) for one in comparison.candidates)
