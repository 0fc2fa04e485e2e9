from __future__ import annotations

import numpy as np

from cvpipe.data import Descriptors, offsets_of
from cvpipe.stages.features.mean_pool import MeanPool


def test_means_are_those_of_the_images_and_no_descriptors_give_zeros() -> None:
    values = np.random.default_rng(0).integers(0, 256, (9, 5), dtype=np.uint8)
    batch = Descriptors(
        offsets=offsets_of([0, 4, 0, 5, 0]),
        values=values,
        xy=np.zeros((9, 2), np.float32),
        scale=np.ones(9, np.float32),
        size=np.full((5, 2), 9, np.int32),
    )
    got = MeanPool().transform(batch).values
    assert got.dtype == np.float32
    np.testing.assert_allclose(got[1], values[:4].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(got[3], values[4:].mean(axis=0), rtol=1e-6)
    assert not got[[0, 2, 4]].any()
