"""VLAD against ten lines that say what it is."""

from __future__ import annotations

import numpy as np
import pytest
from vectors import clusters, descriptors

from cvpipe.errors import RunError
from cvpipe.stages.features.vlad import Vlad


def by_hand(rows: np.ndarray, words: np.ndarray, intra: bool, power: float, norm: str) -> np.ndarray:
    sums = np.zeros(words.shape)
    for row in rows.astype(float):
        word = ((words - row) ** 2).sum(axis=1).argmin()
        sums[word] += row - words[word]
    sums = np.sign(sums) * np.abs(sums) ** power
    if intra:
        for part in sums:
            part /= np.linalg.norm(part) or 1
    return sums.ravel() / ((np.linalg.norm(sums) or 1) if norm == "l2" else 1)


@pytest.mark.parametrize("power", [1.0, 0.5])
@pytest.mark.parametrize(("intra", "norm"), [(True, "l2"), (False, "l2"), (False, "none"), (True, "none")])
def test_it_is_what_ten_lines_say(intra: bool, norm: str, power: float) -> None:
    batch = clusters([60, 0, 1, 300])
    stage = Vlad(words=5, intra=intra, norm=norm, power=power, seed=0).fit(batch)
    got = stage.transform(batch).values
    assert got.shape == (4, 40)
    assert got.dtype == np.float32
    for image in range(4):
        rows = batch.values[batch.rows(image)]
        want = by_hand(rows, stage.vocabulary_.astype(float), intra, power, norm)
        np.testing.assert_allclose(got[image], want, rtol=1e-4, atol=1e-4 * np.abs(want).max())


def test_whole_numbers_are_descriptors_too() -> None:
    raw = np.random.default_rng(0).integers(0, 256, (50, 8), dtype=np.uint8)
    batch = descriptors([20, 30], values=raw)
    same = descriptors([20, 30], values=raw.astype(np.float32))
    stage = Vlad(words=4, seed=0).fit(batch)
    np.testing.assert_array_equal(stage.transform(batch).values, stage.transform(same).values)


def test_an_image_does_not_depend_on_the_others() -> None:
    batch = clusters([300, 1, 2, 700, 5], 32)
    stage = Vlad(words=12, seed=0).fit(batch)
    together = stage.transform(batch).values
    for image in range(5):
        np.testing.assert_array_equal(stage.transform(batch[[image]]).values[0], together[image])


def test_columns_without_a_word_stay_zero() -> None:
    stage = Vlad(words=10, seed=0).fit(descriptors([2, 0, 1]))
    got = stage.transform(descriptors([40, 3], seed=1)).values.reshape(2, 10, 8)
    assert not got[:, 3:].any()
    assert got[0, :3].any(axis=1).all()


def test_equal_descriptors_differ_from_no_word() -> None:
    constant = descriptors([30], values=np.full((30, 8), 7, np.float32))
    assert not Vlad(words=3, seed=0).fit(constant).transform(constant).values.any()


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(RunError, match="vlad: the training images have no descriptors"):
        Vlad().fit(descriptors([0, 0]))
    stage = Vlad(words=3, seed=0).fit(descriptors([20]))
    assert stage.fit_rows == 3000
    with pytest.raises(RunError, match="vlad: descriptors are 16 numbers long, the words 8"):
        stage.transform(descriptors([4], width=16))
