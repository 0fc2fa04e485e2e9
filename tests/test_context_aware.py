"""Context-aware saliency against a plain loop over patches, in doubles, written from the paper."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from cvpipe.data import Images
from cvpipe.stages.saliency.context_aware import ContextAware
from cvpipe.vision.context_saliency import near_foci, normal_lab, spread
from cvpipe.vision.patch_grid import grid_of
from cvpipe.vision.patch_neighbours import mean_distances


def small(image: np.ndarray, scale: float) -> np.ndarray:
    height, width = (round(side * scale) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def patches(lab: np.ndarray, patch: int, step: int) -> tuple[list[np.ndarray], list[tuple[float, float]]]:
    """Every patch of a centred grid, and its centre as row and column, px."""
    height, width = lab.shape[:2]
    tops = range((height - patch) % step // 2, height - patch + 1, step)
    lefts = range((width - patch) % step // 2, width - patch + 1, step)
    windows = [lab[t : t + patch, left : left + patch].ravel() for t in tops for left in lefts]
    return windows, [(t + patch // 2, left + patch // 2) for t in tops for left in lefts]


def distances_by_loop(lab: np.ndarray, finer: list[np.ndarray], stage: ContextAware) -> np.ndarray:
    """(m,) mean distance of each patch of `lab` to its nearest in `lab` and `finer`; equation 1."""
    own, own_places = patches(lab, stage.patch, stage.step)
    groups = [(lab, own, own_places), *((f, *patches(f, stage.patch, stage.step)) for f in finer)]
    means = []
    for i, (one, place) in enumerate(zip(own, own_places, strict=True)):
        found = []
        for image, others, places in groups:
            for j, (other, there) in enumerate(zip(others, places, strict=True)):
                if image is lab and i == j:
                    continue
                here = (np.array(place) + 0.5) / max(lab.shape[:2])
                apart = np.linalg.norm(here - (np.array(there) + 0.5) / max(image.shape[:2]))
                colour = np.sqrt(np.mean((one - other) ** 2))
                found.append(colour / (1 + stage.position_weight * apart))
        means.append(np.mean(sorted(found)[: stage.neighbours]))
    return np.array(means)


def saliency_by_loop(image: np.ndarray, stage: ContextAware) -> np.ndarray:
    """(H, W) of an image that is small enough to stay as it is."""
    from scipy.interpolate import RegularGridInterpolator

    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).astype(float) / [100, 255, 255]
    maps = []
    for scale in stage.scales:
        finer = [small(lab, scale * part) for part in (0.5, 0.25) if scale * part >= 0.2]
        seen = small(lab, scale)
        saliency = 1 - np.exp(-distances_by_loop(seen, finer, stage))
        saliency = (saliency - saliency.min()) / (saliency.max() - saliency.min())
        places = np.array(patches(seen, stage.patch, stage.step)[1], float)
        foci = places[saliency > stage.focus]
        for k, place in enumerate(places):
            nearest = min(np.linalg.norm(foci - place, axis=1)) / max(seen.shape[:2])
            saliency[k] *= 1 - min(nearest, 1)
        rows, columns = np.unique(places[:, 0]), np.unique(places[:, 1])
        grid = RegularGridInterpolator((rows, columns), saliency.reshape(len(rows), len(columns)))
        y, x = (
            np.clip((np.arange(n) + 0.5) * m / n - 0.5, c[0], c[-1])
            for n, m, c in zip(image.shape, seen.shape, (rows, columns), strict=False)
        )
        maps.append(grid(tuple(np.meshgrid(y, x, indexing="ij"))))
    return np.mean(maps, axis=0)


@pytest.fixture
def photo() -> np.ndarray:
    """(44, 60, 3) uint8: a cat's eye."""
    from skimage import data

    return cv2.resize(data.chelsea()[60:192, 130:310], (60, 44), interpolation=cv2.INTER_AREA)


def saliency(image: np.ndarray, **options: object) -> np.ndarray:
    return ContextAware(**options).transform(Images.from_arrays([image])).stack(0)[..., 0]


@pytest.mark.slow
def test_a_photograph_against_the_loop(photo: np.ndarray) -> None:
    options = {"scales": (1.0, 0.8, 0.5), "neighbours": 20}
    want = saliency_by_loop(photo, ContextAware(**options))
    np.testing.assert_allclose(saliency(photo, **options), want, atol=1e-4)
    assert want.max() > 0.7


@pytest.mark.parametrize("neighbours", [1, 64, 10_000])
def test_mean_distances_against_the_loop(photo: np.ndarray, neighbours: int) -> None:
    stage = ContextAware(neighbours=neighbours)
    lab = normal_lab(photo)
    grids = [grid_of(part, stage.patch, stage.step) for part in (lab, small(lab, 0.5))]
    got = mean_distances(grids, neighbours, stage.position_weight)
    want = distances_by_loop(lab.astype(float), [small(lab, 0.5).astype(float)], stage)
    np.testing.assert_allclose(got, want, rtol=1e-4)


def test_many_patches_in_several_blocks_are_found_all_the_same(noise: Callable[..., np.ndarray]) -> None:
    grid = grid_of(normal_lab(noise(90, 90)), 7, 1)  # 84 x 84 = 7,056 patches: several blocks both ways
    got = mean_distances([grid], 5, 0.0)
    for i in (0, 127, 128, 5000, 7055):
        apart = np.sqrt(((grid.values.astype(float) - grid.values[i]) ** 2).sum(axis=1))
        want = np.sort(np.delete(apart, i))[:5].mean()
        assert got[i] == pytest.approx(want, rel=1e-3, abs=1e-3)


def test_equal_distances_count_as_often_as_they_occur(noise: Callable[..., np.ndarray]) -> None:
    """Tiles of 12 px, four steps: every patch has 24 equals, and its next ones in groups of about 25."""
    grid = grid_of(normal_lab(np.tile(noise(12, 12), (5, 5, 1))), 7, 3)
    for neighbours in (16, 40, 64, 100):
        got = mean_distances([grid], neighbours, 0.0)
        for i in range(0, len(got), 41):
            apart = np.sqrt(((grid.values.astype(float) - grid.values[i]) ** 2).sum(axis=1))
            want = np.sort(np.delete(apart, i))[:neighbours].mean()
            assert got[i] == pytest.approx(want, abs=4e-4)  # rounding, where patches are equal


@pytest.mark.parametrize("values", [
    np.random.default_rng(0).random(500),
    np.random.default_rng(1).integers(0, 4, 500),
    np.zeros(300),
    np.repeat([-0.0, 0.0, np.inf], [100, 100, 50]),
    np.repeat([1e-38, 3e38], [64, 64]),
], ids=["all different", "four values", "zeros", "zeros of both signs", "far apart"])  # fmt: skip
@pytest.mark.parametrize("most", [1, 63, 64, 65, 127])
def test_the_smallest_are_picked_whatever_repeats(values: np.ndarray, most: int) -> None:
    from cvpipe.vision._nearest_kernel import _shorten

    want = np.sort(values.astype(np.float32))
    kept = np.random.default_rng(2).permutation(want)
    bound = _shorten(kept, most)
    np.testing.assert_array_equal(np.sort(kept[:most]), want[:most])
    assert bound >= want[most - 1]
    assert (want < bound).sum() <= most


def test_what_is_like_nothing_else_is_salient(noise: Callable[..., np.ndarray]) -> None:
    image = np.full((90, 120, 3), 120, np.uint8)
    image[30:42, 70:82] = (200, 60, 60)
    found = saliency(image)
    y, x = np.unravel_index(found.argmax(), found.shape)
    assert 27 <= y < 45
    assert 67 <= x < 85
    assert found[30:42, 70:82].mean() > 10 * found[60:, :50].mean()


@pytest.mark.parametrize("image", [
    np.full((64, 64, 3), 77, np.uint8),
    np.repeat(np.tile(np.repeat(np.array([0, 255], np.uint8), 3), 22)[None, :, None], 132, 0).repeat(3, 2),
    np.zeros((1, 1, 3), np.uint8),
    np.arange(6 * 64 * 3, dtype=np.uint8).reshape(6, 64, 3),
], ids=["flat", "stripes", "a pixel", "thinner than a patch"])  # fmt: skip
def test_nothing_salient_gives_zeros(image: np.ndarray) -> None:
    found = saliency(image, scales=(1.0,), focus=None)
    assert found.shape == image.shape[:2]
    assert not found.any()


def test_scales_at_which_nothing_fits_are_left_out(photo: np.ndarray) -> None:
    assert np.array_equal(saliency(photo, scales=(1.0, 0.1)), saliency(photo, scales=(1.0,)))


def test_large_images_are_reduced_and_the_map_is_enlarged(photo: np.ndarray) -> None:
    large = cv2.resize(photo, (240, 176), interpolation=cv2.INTER_CUBIC)
    found = saliency(large, size=60)
    assert found.shape == (176, 240)
    assert np.corrcoef(small(found, 0.25).ravel(), saliency(photo).ravel())[0, 1] > 0.98


def test_foci_of_attention() -> None:
    image = np.array([[0.9, 0.5, 0.4, 0.4]], np.float32)
    np.testing.assert_allclose(near_foci(image, 0.8, 0.25), [[0.9, 0.375, 0.2, 0.1]])
    np.testing.assert_allclose(near_foci(image, 0.8, 2.0), [[0.9, 0, 0, 0]])  # no distance is above 1
    np.testing.assert_array_equal(near_foci(image, 0.95, 0.25), image)


def test_a_map_is_linear_between_centres_and_constant_beyond(photo: np.ndarray) -> None:
    grid = grid_of(normal_lab(photo), 7, 3)
    values = np.tile(grid.columns, (len(grid.rows), 1)).astype(np.float32)
    want = np.clip(np.arange(photo.shape[1]), grid.columns[0], grid.columns[-1])
    got = spread(values, grid, *photo.shape[:2])
    np.testing.assert_allclose(got, np.tile(want, (photo.shape[0], 1)), atol=1e-4)
