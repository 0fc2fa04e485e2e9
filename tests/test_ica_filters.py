"""Independent components, against scikit-learn and against the sources."""

from __future__ import annotations

import numpy as np
import pytest
from filter_learning import photographs, sampler, white_patches
from sklearn.decomposition import FastICA

from cvpipe.stages.filters.ica_filters import IcaFilters
from cvpipe.vision.ica import fast_ica
from cvpipe.vision.whitening import whitening


def mixed() -> tuple[np.ndarray, np.ndarray]:
    """White rows of five mixed sources that are not Gaussian, and the sources."""
    rng = np.random.default_rng(0)
    sources = np.stack(
        [rng.laplace(size=4000) for _ in range(3)] + [rng.uniform(-1, 1, 4000) for _ in range(2)], 1
    )
    rows = (sources @ rng.standard_normal((5, 5))).astype(np.float32)
    return whitening(rows, "pca", 0.0)(rows), sources


def test_the_sources_are_found() -> None:
    rows, sources = mixed()
    found = rows @ fast_ica(rows, 5, 200, 1e-6, np.random.default_rng(0)).T
    alike = np.abs(np.corrcoef(found.T, sources.T)[:5, 5:])
    assert (alike.max(axis=0) > 0.98).all()
    assert sorted(alike.argmax(axis=0)) == list(range(5))


def test_the_directions_are_those_of_scikit_learn() -> None:
    rows, _ = mixed()
    ours = fast_ica(rows, 5, 500, 1e-9, np.random.default_rng(0))
    theirs = FastICA(5, whiten=False, fun="logcosh", max_iter=500, tol=1e-9, random_state=0).fit(
        rows.astype(float)
    )
    cosines = np.abs(ours @ theirs.components_.T)
    np.testing.assert_allclose(np.sort(cosines.max(axis=1)), 1, atol=1e-3)
    np.testing.assert_allclose(ours @ ours.T, np.eye(5), atol=1e-5)


@pytest.mark.parametrize("sign", ["split", "absolute"])
def test_an_image_is_what_the_components_say_of_it(sign: str) -> None:
    images = photographs()
    stage = IcaFilters(filters=12, patches=sampler(), sign=sign, threshold=0.1, seed=0)  # type: ignore[arg-type]
    stage.fit(stage.sampler.transform(images))
    z = white_patches(stage, images[2]).astype(np.float64) @ stage.filters_.T
    parts = np.hstack([z, -z]) if sign == "split" else np.abs(z)
    codes = np.maximum(parts - 0.1, 0)
    got = stage.transform(images[2:3]).values[0]
    np.testing.assert_allclose(got, [*codes.mean(axis=0), *codes.std(axis=0)], atol=1e-3)


def test_there_are_no_more_components_than_numbers_in_a_patch_or_patches() -> None:
    images = photographs(2)
    for count, most in ((200, 108), (3, 6)):
        few = sampler(count=count)
        stage = IcaFilters(filters=400, iterations=3, patches=few, seed=0).fit(few.transform(images))
        assert stage.filters_.shape == (most, 108)
