"""Permuted descriptors are those of mirrored and turned images."""

from __future__ import annotations

import numpy as np
import pytest
from vectors import descriptors

from cvpipe.data import Images
from cvpipe.errors import RunError
from cvpipe.stages.descriptors.dense_sift import DenseSift
from cvpipe.stages.features.mean_pool import MeanPool
from cvpipe.stages.transforms.dihedral import Dihedral
from cvpipe.vision.dihedral import permutations


def described(image: np.ndarray, colour: str) -> np.ndarray:
    """(rows, columns, 128 c) of a square image: one scale, the grid symmetric in it."""
    dense = DenseSift(step=4, bin_sizes=(6,), colour=colour, quantise=False, contrast_threshold=0)
    found = dense.transform(Images.from_arrays([image]))
    low, high = found.xy.min(axis=0), found.xy.max(axis=0)
    np.testing.assert_allclose(low + high, np.array(image.shape[1::-1]) - 1)
    side = round(np.sqrt(len(found.values)))
    return found.values.reshape(side, side, -1)


@pytest.mark.parametrize("colour", ["grey", "opponent"])
def test_they_are_those_of_the_mirrored_and_turned_image(colour: str, noise) -> None:
    image = noise(53, 53)
    want = described(image, colour)
    orders = permutations("all")
    for number, order in enumerate(orders):
        moved = image[:, ::-1] if number >= 4 else image
        moved = np.rot90(moved, -(number % 4))  # towards the y axis, which points down
        back = np.rot90(described(np.ascontiguousarray(moved), colour), number % 4)
        back = back[:, ::-1] if number >= 4 else back
        permuted = want.reshape(*want.shape[:2], -1, 128)[..., order].reshape(want.shape)
        np.testing.assert_allclose(back, permuted, atol=1e-2 * want.max())


def test_the_orders_form_a_group() -> None:
    everything = {tuple(order) for order in permutations("all")}
    assert len(everything) == 8
    for one in everything:
        for other in everything:
            assert tuple(np.array(one)[list(other)]) in everything
    assert {tuple(order) for order in permutations("mirror")} | {
        tuple(order) for order in permutations("turns")
    } < everything
    assert [len(permutations(group)) for group in ("mirror", "turns", "all")] == [2, 4, 8]


def test_pooled_they_do_not_change_when_the_image_is_turned(noise) -> None:
    image = noise(53, 53)
    pooled = []
    for pixels in (image, np.rot90(image), image[::-1], image.transpose(1, 0, 2)):
        dense = DenseSift(step=4, bin_sizes=(6,), quantise=False)
        found = dense.transform(Images.from_arrays([np.ascontiguousarray(pixels)]))
        pooled.append(MeanPool().transform(Dihedral().transform(found)).values)
    np.testing.assert_allclose(np.concatenate(pooled[1:]), np.repeat(pooled[0], 3, axis=0), rtol=0.01)


def test_versions_follow_each_other_at_their_place() -> None:
    given = descriptors([2, 0, 1], width=128)
    got = Dihedral(group="turns").transform(given)
    assert got.counts.tolist() == [8, 0, 4]
    np.testing.assert_array_equal(got.values[::4], given.values)
    np.testing.assert_array_equal(got.xy, np.repeat(given.xy, 4, axis=0))


def test_another_width_is_refused() -> None:
    with pytest.raises(RunError, match="takes SIFT descriptors of 128 components a channel, got 64"):
        Dihedral().transform(descriptors([2], width=64))
