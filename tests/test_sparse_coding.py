"""Sparse coding of patches as a stage."""

from __future__ import annotations

import numpy as np
import pytest
from filter_learning import photographs, sampler, white_patches
from sklearn.decomposition import sparse_encode

from cvpipe.stages.filters.sparse_coding import SparseCoding


@pytest.mark.parametrize("encode", ["lasso", "omp", "threshold"])
@pytest.mark.parametrize("sign", ["split", "absolute"])
def test_an_image_is_the_codes_of_its_patches(encode: str, sign: str) -> None:
    images = photographs()
    stage = SparseCoding(filters=30, patches=sampler(), encode=encode, sign=sign, nonzero=4, seed=0)  # type: ignore[arg-type]
    stage.fit(stage.sampler.transform(images))
    rows, atoms = white_patches(stage, images[0]).astype(np.float64), stage.filters_.astype(np.float64)
    if encode == "threshold":
        products = rows @ atoms.T
        codes = np.sign(products) * np.maximum(np.abs(products) - stage.penalty, 0)
    else:
        options = {"algorithm": "omp", "n_nonzero_coefs": 4}
        if encode == "lasso":
            options = {"algorithm": "lasso_cd", "alpha": stage.penalty}
        codes = sparse_encode(rows, atoms, max_iter=50_000, **options)
    codes = np.maximum(np.hstack([codes, -codes]), 0) if sign == "split" else np.abs(codes)
    got = stage.transform(images[:1]).values[0]
    np.testing.assert_allclose(got, [*codes.mean(axis=0), *codes.std(axis=0)], atol=0.01 * codes.max())


def test_atoms_have_length_1_and_are_better_than_patches() -> None:
    images = photographs()
    stage = SparseCoding(filters=30, patches=sampler(), passes=10, seed=0)
    stage.fit(stage.sampler.transform(images))
    np.testing.assert_allclose(np.linalg.norm(stage.filters_, axis=1), 1, rtol=1e-5)
    assert stage.use_.shape == (30,)
