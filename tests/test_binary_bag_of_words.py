from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from cvpipe.data import BinaryDescriptors, offsets_of
from cvpipe.errors import RunError
from cvpipe.stages.features.binary_bag_of_words import BinaryBagOfWords
from cvpipe.vision.kmajority import kmajority, nearest_strings


def batch(values: np.ndarray, counts: list[int]) -> BinaryDescriptors:
    rows = len(values)
    return BinaryDescriptors(
        offsets=offsets_of(counts),
        values=values,
        xy=np.zeros((rows, 2), np.float32),
        scale=np.ones(rows, np.float32),
        size=np.full((len(counts), 2), 9, np.int32),
    )


def strings(rows: int, width: int = 61, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, width), dtype=np.uint8)


def test_the_nearest_string_is_that_of_opencv() -> None:
    rows, centres = strings(700), strings(40, seed=1)
    index, distance = nearest_strings(rows, centres)
    for match in cv2.BFMatcher(cv2.NORM_HAMMING).match(rows, centres):
        assert (index[match.queryIdx], distance[match.queryIdx]) == (match.trainIdx, match.distance)


def by_definition(rows: np.ndarray, centres: np.ndarray, iterations: int) -> np.ndarray:
    """k-majority in plain loops, for clusters that never lose all strings."""
    bits, now = np.unpackbits(rows, axis=1), np.unpackbits(centres, axis=1)
    for _ in range(iterations):
        word = (bits[:, None] != now).sum(axis=2).argmin(axis=1)
        for k in range(len(now)):
            ones, count = bits[word == k].sum(axis=0), (word == k).sum()
            assert count
            now[k] = np.where(2 * ones == count, now[k], 2 * ones > count)
    return np.packbits(now, axis=1)


@pytest.mark.parametrize("iterations", [1, 2, 5])
def test_centres_are_votes(iterations: int) -> None:
    rows = strings(300, width=4)
    start = kmajority(rows, 6, 0, 0.0, np.random.default_rng(7))
    got = kmajority(rows, 6, iterations, 0.0, np.random.default_rng(7))
    assert not np.array_equal(start, got)
    np.testing.assert_array_equal(got, by_definition(rows, start, iterations))


def test_clusters_are_found_again() -> None:
    rng, truth = np.random.default_rng(3), strings(5, width=32, seed=4)
    flips = np.packbits(rng.random((400, 256)) < 0.1, axis=1)
    rows = truth[rng.integers(0, 5, 400)] ^ flips
    found = [kmajority(rows, 5, 30, 1e-3, np.random.default_rng(seed)) for seed in range(5)]
    assert any({w.tobytes() for w in f} == {t.tobytes() for t in truth} for f in found)


@pytest.mark.parametrize("norm", ["l1", "l2", "none"])
def test_histograms_count_words(norm: Any) -> None:
    rows = strings(60, width=8)
    images = batch(rows, [20, 0, 33, 7])
    stage = BinaryBagOfWords(words=9, norm=norm, seed=0).fit(images)
    word = nearest_strings(rows, stage.vocabulary_)[0]
    want = np.array([np.bincount(word[images.rows(i)], minlength=9) for i in range(4)], float)
    length = {"l1": want.sum(axis=1), "l2": np.sqrt((want**2).sum(axis=1)), "none": np.ones(4)}[norm]
    got = stage.transform(images).values
    np.testing.assert_allclose(got, want / np.where(length > 0, length, 1)[:, None], rtol=1e-6)
    assert not got[1].any()


def test_more_words_than_strings() -> None:
    rows = np.repeat(strings(3, width=8), 4, axis=0)
    stage = BinaryBagOfWords(words=10, norm="none", seed=0).fit(batch(rows, [12]))
    assert {w.tobytes() for w in stage.vocabulary_} == {r.tobytes() for r in rows}
    assert sorted(stage.transform(batch(rows, [12])).values[0]) == [0] * 7 + [4] * 3


def test_errors() -> None:
    with pytest.raises(RunError, match="binary_bag_of_words: the training images have no descriptors"):
        BinaryBagOfWords().fit(batch(strings(0), [0, 0]))
    stage = BinaryBagOfWords(words=2, seed=0).fit(batch(strings(9), [9]))
    with pytest.raises(RunError, match="descriptors are 32 bytes long, the words 61"):
        stage.transform(batch(strings(4, width=32), [4]))
