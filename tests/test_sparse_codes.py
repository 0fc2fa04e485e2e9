"""Sparse codes of descriptors as a stage, and ScSPM from it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import sparse_encode

from cvpipe.data import Descriptors, offsets_of
from cvpipe.errors import RunError
from cvpipe.stages.descriptors.sparse_codes import SparseCodes
from cvpipe.stages.features.max_pool import MaxPool
from cvpipe.stages.features.spatial_pyramid import SpatialPyramid


def descriptors(counts: list[int], width: int = 16, seed: int = 0) -> Descriptors:
    rng = np.random.default_rng(seed)
    rows = sum(counts)
    return Descriptors(
        offsets=offsets_of(counts),
        values=rng.integers(0, 256, (rows, width), dtype=np.uint8),
        xy=(rng.random((rows, 2)) * 31).astype(np.float32),
        scale=np.ones(rows, np.float32),
        size=np.full((len(counts), 2), 32, np.int32),
    )


@pytest.mark.parametrize("encode", ["lasso", "omp"])
def test_codes_are_sizes_of_the_coefficients_of_unit_descriptors(encode: str) -> None:
    batch = descriptors([40, 0, 30])
    stage = SparseCodes(atoms=24, encode=encode, nonzero=4, penalty=0.1, seed=0).fit(batch)
    rows = batch.values / np.linalg.norm(batch.values.astype(float), axis=1, keepdims=True)
    options = (
        {"algorithm": "omp", "n_nonzero_coefs": 4}
        if encode == "omp"
        else {"algorithm": "lasso_cd", "alpha": 0.1}
    )
    want = np.abs(sparse_encode(rows, stage.atoms_.astype(float), max_iter=50_000, **options))
    got = stage.transform(batch)
    np.testing.assert_allclose(got.values, want, atol=0.02)  # coefficients are up to 0.9
    np.testing.assert_array_equal(got.offsets, batch.offsets)
    np.testing.assert_array_equal(got.xy, batch.xy)


def test_with_a_pyramid_of_largest_values_it_is_scspm() -> None:
    batch = descriptors([50, 60])
    codes = SparseCodes(atoms=10, seed=0).fit(batch).transform(batch)
    pyramid = SpatialPyramid(levels=(1, 2), encoder=MaxPool()).fit(codes)
    got = pyramid.transform(codes).values
    assert got.shape == (2, 50)
    first = codes[:1]
    np.testing.assert_array_equal(got[0, :10], first.values.max(axis=0))
    upper_left = first.values[((first.xy + 0.5) < 16).all(axis=1)]
    np.testing.assert_array_equal(got[0, 10:20], upper_left.max(axis=0))


def test_zeros_have_no_code_and_errors_say_what_is_wrong() -> None:
    batch = descriptors([40])
    batch.values[3] = 0
    stage = SparseCodes(atoms=8, seed=0).fit(batch)
    assert not stage.transform(batch).values[3].any()
    with pytest.raises(RunError, match="sparse_codes: descriptors are 12 numbers long, the atoms 16"):
        stage.transform(descriptors([4], width=12))
    batch.values[:] = 0
    with pytest.raises(
        RunError, match="sparse_codes: the training images have no descriptors to learn atoms"
    ):
        SparseCodes().fit(batch)


def test_no_more_descriptors_than_asked_for_are_learned_from() -> None:
    stage = SparseCodes(atoms=50, samples=9, seed=0).fit(descriptors([300]))
    assert stage.fit_rows == 9
    assert stage.atoms_.shape == (9, 16)
