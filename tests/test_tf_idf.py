from __future__ import annotations

import numpy as np
import pytest

from cvpipe.data import Features
from cvpipe.errors import RunError
from cvpipe.stages.features.tf_idf import TfIdf


def counts(rows: int = 20, width: int = 9, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(0.7, (rows, width)).astype(np.float32)


def test_it_is_the_equation_of_sivic_and_zisserman() -> None:
    values, later = counts(), counts(6, seed=1)
    got = TfIdf().fit(Features(values=values)).transform(Features(values=later)).values
    for d in range(6):
        for i in range(9):
            images_with_i = sum(row[i] > 0 for row in values)
            assert got[d, i] == pytest.approx(later[d, i] * np.log(20 / images_with_i), rel=1e-5)


def test_it_is_that_of_scikit_learn_less_the_one_it_adds() -> None:
    from sklearn.feature_extraction.text import TfidfTransformer

    values, later = counts(50, 30), counts(7, 30, seed=1)
    theirs = TfidfTransformer(norm=None, smooth_idf=False).fit(values).transform(later).toarray() - later
    got = TfIdf().fit(Features(values=values)).transform(Features(values=later)).values
    np.testing.assert_allclose(got, theirs, rtol=1e-4, atol=1e-5)


def test_words_of_all_images_become_zero_and_words_of_none_count_as_of_one() -> None:
    values = np.array([[1, 2, 0], [3, 0, 0]], np.float32)
    stage = TfIdf().fit(Features(values=values))
    np.testing.assert_allclose(stage.idf_, [0, np.log(2), np.log(2)], rtol=1e-6)


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(RunError, match="tf_idf: there are no training images"):
        TfIdf().fit(Features(values=counts()[:0]))
    with pytest.raises(RunError, match=r"tf_idf: counts of words are not negative, but one feature is -1"):
        TfIdf().fit(Features(values=counts() - 1))
    with pytest.raises(RunError, match="tf_idf: features are 4 numbers long, 9 when it was fitted"):
        TfIdf().fit(Features(values=counts())).transform(Features(values=counts(3, 4)))
