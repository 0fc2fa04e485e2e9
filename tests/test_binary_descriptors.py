from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from cvpipe.conductor.edges import chain_problems
from cvpipe.data import BinaryDescriptors, Images
from cvpipe.registry import stage_class
from cvpipe.spec import build_stage
from cvpipe.vision.kmajority import nearest_strings

WORDS = ["orb", "akaze", "brisk"]


def photograph(side: int = 256) -> np.ndarray:
    from skimage.data import astronaut

    return astronaut()[:side, 100 : 100 + side]


def by_opencv(word: str) -> Any:
    where = cv2 if hasattr(cv2, f"{word.upper()}_create") else cv2.xfeatures2d
    return getattr(where, f"{word.upper()}_create")()


@pytest.mark.parametrize("word", WORDS)
def test_all_rows_are_those_of_opencv(word: str) -> None:
    image = photograph()
    stage = build_stage(word, {} if word == "orb" else {"max_keypoints": None})
    got = stage.transform(Images.from_arrays([image]))
    found, values = by_opencv(word).detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
    want = np.column_stack([[k.pt for k in found], values]).astype(np.float32)
    rows = np.column_stack([got.xy, got.values]).astype(np.float32)
    assert len(want) > 100
    np.testing.assert_array_equal(rows[np.lexsort(rows.T)], want[np.lexsort(want.T)])


@pytest.mark.parametrize("word", WORDS)
def test_the_strongest_are_kept(word: str) -> None:
    image = photograph()
    got = build_stage(word, {"max_keypoints": 40}).transform(Images.from_arrays([image]))
    assert len(got.values) == 40
    if word != "orb":  # whose limit is a share for each level
        found = by_opencv(word).detect(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
        strongest = sorted(found, key=lambda k: -k.response)[:40]
        assert {k.pt for k in strongest} == {tuple(p) for p in got.xy.tolist()}


@pytest.mark.parametrize("word", WORDS)
def test_an_enlarged_image_has_the_same_strings_at_larger_scales(word: str) -> None:
    image = photograph()
    larger = cv2.resize(image, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    both = build_stage(word, {"max_keypoints": 300}).transform(Images.from_arrays([image, larger]))
    one, other = (BinaryDescriptors.take_rows(both[i : i + 1], np.arange(both.counts[i])) for i in range(2))
    index, distance = nearest_strings(one.values, other.values)
    close = distance < 0.15 * 8 * one.values.shape[1]
    same = np.hypot(*(one.xy * 1.5 - other.xy[index]).T) < 4
    assert (close & same).sum() > 20
    ratio = other.scale[index] / one.scale
    assert abs(np.median(ratio[close & same]) - 1.5) < 0.2


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 64), (48, 2), (5, 5), (12, 7), (16, 16), (62, 63)])
def test_small_images_are_no_error(word: str, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = stage_class(word)().transform(Images.from_arrays([noise, np.full(shape, 7, np.uint8)]))
    assert found.size.tolist() == [list(shape)] * 2
    assert found.counts[1] == 0
    assert found.values.dtype == np.uint8


@pytest.mark.parametrize(
    ("word", "options"),
    [("orb", {"levels": 60, "border": 5}), ("akaze", {"octaves": 20}), ("brisk", {"octaves": 5})],
)
def test_more_levels_than_an_image_has(word: str, options: dict[str, Any]) -> None:
    images = Images.from_arrays([photograph(side) for side in (31, 33, 63, 64, 65, 80)])
    assert len(build_stage(word, options).transform(images)) == 6


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("after", ["root_sift", "bag_of_words", "mean_pool", "svm"])
def test_stages_for_numbers_refuse_bits_before_a_run(word: str, after: str) -> None:
    stages = [build_stage(word), build_stage(after)]
    message = chain_problems(stages)[0][1]
    assert f"but '{word}' gives BinaryDescriptors" in message
    good = [build_stage(word), build_stage("binary_bag_of_words"), build_stage("svm")]
    assert chain_problems(good) == []
