from __future__ import annotations

import numpy as np
import pytest

from cvpipe.data import Descriptors, offsets_of
from cvpipe.errors import RunError
from cvpipe.stages.features.bag_of_words import BagOfWords


def descriptors(counts: list[int], width: int = 8, seed: int = 0) -> Descriptors:
    rows = sum(counts)
    return Descriptors(
        offsets=offsets_of(counts),
        values=np.random.default_rng(seed).random((rows, width), dtype=np.float32),
        xy=np.zeros((rows, 2), np.float32),
        scale=np.ones(rows, np.float32),
        size=np.full((len(counts), 2), 9, np.int32),
    )


def histogram(rows: np.ndarray, words: np.ndarray) -> np.ndarray:
    """By the definition, one descriptor after the other."""
    counts = np.zeros(len(words))
    for row in rows.astype(float):
        counts[((words - row) ** 2).sum(axis=1).argmin()] += 1
    return counts


@pytest.mark.parametrize("norm", ["l1", "l2", "none"])
def test_histograms_follow_the_definition(norm: str) -> None:
    batch = descriptors([30, 0, 1, 12])
    stage = BagOfWords(words=5, norm=norm, seed=0).fit(batch)
    got = stage.transform(batch).values
    assert got.dtype == np.float32
    for i in (0, 2, 3):
        counts = histogram(batch.values[batch.rows(i)], stage.vocabulary_.astype(float))
        length = {"l1": counts.sum(), "l2": np.sqrt((counts**2).sum()), "none": 1}[norm]
        np.testing.assert_allclose(got[i], counts / length, rtol=1e-6)
    assert not got[1].any()


def test_words_are_centres_of_the_training_descriptors() -> None:
    batch = descriptors([200, 200])
    stage = BagOfWords(words=4, iterations=200, tolerance=0, seed=0).fit(batch)
    nearest = ((batch.values[:, None] - stage.vocabulary_) ** 2).sum(axis=2).argmin(axis=1)
    for word in range(4):
        np.testing.assert_allclose(
            batch.values[nearest == word].mean(axis=0), stage.vocabulary_[word], atol=1e-5
        )


def test_the_words_depend_on_the_seed_only() -> None:
    batch = descriptors([200, 200])
    first, again = (BagOfWords(words=4, seed=3).fit(batch).vocabulary_ for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(BagOfWords(words=4, seed=4).fit(batch).vocabulary_, first)


def test_at_most_so_many_rows_are_learned_from() -> None:
    stage = BagOfWords(words=3, rows_per_word=2, iterations=1, seed=0)
    assert stage.fit_rows == 6
    batch = descriptors([5000])
    stage.fit(batch)
    # Means of two rows each are spread about 1 / sqrt(2) as far as rows; means of 1,600 would hardly be.
    assert stage.vocabulary_.std(axis=0).mean() > 0.1


def test_columns_without_a_word_stay_zero() -> None:
    batch = descriptors([3, 4])
    stage = BagOfWords(words=50, seed=0).fit(batch)
    assert stage.vocabulary_.shape == (7, 8)
    got = stage.transform(batch).values
    assert got.shape == (2, 50)
    assert not got[:, 7:].any()
    np.testing.assert_allclose(got.sum(axis=1), 1, rtol=1e-6)


def test_a_histogram_does_not_depend_on_the_other_images() -> None:
    batch = descriptors([300, 1, 2, 700, 5], width=128)
    stage = BagOfWords(words=60, iterations=2, seed=0).fit(batch)
    together = stage.transform(batch).values
    for i in range(5):
        np.testing.assert_array_equal(stage.transform(batch[i : i + 1]).values[0], together[i])


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(RunError, match="bag_of_words: the training images have no descriptors"):
        BagOfWords().fit(descriptors([0, 0]))
    stage = BagOfWords(words=3, seed=0).fit(descriptors([20]))
    with pytest.raises(RunError, match="bag_of_words: descriptors are 16 numbers long, the words 8"):
        stage.transform(descriptors([4], width=16))


def test_soft_words_are_the_codeword_uncertainty_of_van_gemert() -> None:
    batch = descriptors([600, 0, 1, 12])
    stage = BagOfWords(words=7, assignment="soft", seed=0).fit(batch)
    got = stage.transform(batch).values
    words = stage.vocabulary_.astype(float)
    for i in (0, 2, 3):
        want = np.zeros(7)
        for row in batch.values[batch.rows(i)].astype(float):
            kernel = np.exp(-((words - row) ** 2).sum(axis=1) / (2 * stage.sigma_**2))
            want += kernel / kernel.sum()
        np.testing.assert_allclose(got[i], want / batch.counts[i], atol=1e-5)
    assert not got[1].any()


def test_the_width_of_soft_words_follows_the_distances_of_descriptors() -> None:
    batch = descriptors([400])
    stage = BagOfWords(words=5, softness=0.5, iterations=200, tolerance=0, seed=0).fit(batch)
    nearest = ((batch.values[:, None] - stage.vocabulary_) ** 2).sum(axis=2).min(axis=1)
    assert stage.sigma_ == pytest.approx(0.5 * np.sqrt(nearest.mean()), rel=1e-3)


def test_the_softest_words_are_shared_and_the_hardest_are_hard() -> None:
    batch = descriptors([50, 3])
    hard = BagOfWords(words=6, norm="l2", seed=0).fit(batch).transform(batch).values
    nearly = (
        BagOfWords(words=6, norm="l2", assignment="soft", softness=1e-3, seed=0).fit(batch).transform(batch)
    )
    np.testing.assert_allclose(nearly.values, hard, atol=1e-6)
    even = BagOfWords(words=6, assignment="soft", softness=1e3, seed=0).fit(batch).transform(batch)
    np.testing.assert_allclose(even.values, 1 / 6, atol=1e-4)


def test_soft_words_that_are_the_descriptors_themselves_are_hard() -> None:
    batch = descriptors([3, 4])
    stage = BagOfWords(words=50, assignment="soft", norm="none", seed=0).fit(batch)
    assert stage.sigma_ == pytest.approx(0, abs=1e-3)
    np.testing.assert_allclose(stage.transform(batch).values.sum(axis=1), [3, 4], rtol=1e-5)
