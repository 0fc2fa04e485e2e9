"""Augmentation on batches: what no strength leaves alone, what each change is, and that labels keep up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from cvpipe.nets import augment_places
from cvpipe.nets.augment import NAMES, STRENGTHS, augmented
from cvpipe.nets.augment_values import colour, erase
from cvpipe.nets.mixing import mixed


def batch(count: int = 64, channels: int = 3, height: int = 12, width: int = 10) -> Tensor:
    return torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(5))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", NAMES)
def test_no_strength_is_no_change(name: str) -> None:
    images = batch()
    assert torch.equal(augmented(images, {name: 0.0}, seeded()), images)
    targets = torch.arange(64)
    same = mixed(images, targets, {name: 0.0}, np.random.default_rng(0))
    assert same.share == 1
    assert torch.equal(same.images, images)


@pytest.mark.parametrize("channels", [1, 3])
def test_all_together_keep_the_shape_and_repeat_themselves(channels: int) -> None:
    images = batch(channels=channels)
    once, again = (augmented(images, STRENGTHS, seeded(3)) for _ in range(2))
    assert once.shape == images.shape
    assert torch.equal(once, again)
    assert not torch.equal(once, augmented(images, STRENGTHS, seeded(4)))
    assert 0 <= once.min() <= once.max() <= 1


def test_a_flip_is_the_mirror_image_of_some() -> None:
    images = batch()
    out = augment_places.flip(images, 0.25, seeded())
    turned = [torch.equal(o, i.flip(-1)) for o, i in zip(out, images, strict=True)]
    kept = [torch.equal(o, i) for o, i in zip(out, images, strict=True)]
    assert all(a != b for a, b in zip(turned, kept, strict=True))
    assert 5 <= sum(turned) <= 28


def test_a_crop_is_a_reflected_shift() -> None:
    images = batch()
    out = augment_places.crop(images, 0.25, seeded())
    shifts = set()
    for one, image in zip(out.numpy(), images.numpy(), strict=True):
        padded = np.pad(image, ((0, 0), (3, 3), (2, 2)), mode="reflect")
        found = [(y, x) for y in range(7) for x in range(5)
                 if np.array_equal(padded[:, y : y + 12, x : x + 10], one)]  # fmt: skip
        assert len(found) == 1
        shifts.add(found[0])
    assert len(shifts) > 15


def test_a_turn_is_that_of_scipy() -> None:
    images = batch(4, 1, 21, 21)
    images = torch.from_numpy(ndimage.gaussian_filter(images.numpy(), (0, 0, 2, 2)))
    generator = seeded(1)
    out = augment_places.warp(images, 30, 0.0, generator)
    angles = (2 * torch.rand(4, generator=seeded(1)) - 1) * 30
    for one, image, angle in zip(out.numpy(), images.numpy(), angles.tolist(), strict=True):
        want = ndimage.rotate(image[0], angle, order=1, reshape=False, mode="reflect")
        np.testing.assert_allclose(one[0, 4:-4, 4:-4], want[4:-4, 4:-4], atol=2e-3)


def test_a_turn_of_an_image_that_is_not_square_keeps_its_shape() -> None:
    image = torch.zeros(1, 1, 21, 41)
    image[0, 0, 10, 13:28] = 1  # a bar of 15 px
    generator = seeded(2)
    out = augment_places.warp(image, 90, 0.0, generator)
    angle = float(2 * torch.rand(1, generator=seeded(2)) - 1) * np.pi / 2
    ys, xs = np.nonzero(out[0, 0].numpy() > 0.3)
    long = np.hypot(ys.max() - ys.min(), xs.max() - xs.min())
    assert abs(long - 14) < 2.5, angle


def test_a_larger_size_shows_less_of_the_image() -> None:
    ramp = torch.linspace(0, 1, 41).expand(64, 1, 41, 41).contiguous()
    out = augment_places.warp(ramp, 0.0, 0.5, seeded())
    steps = (out[:, 0, 20, 21] - out[:, 0, 20, 19]) / 2 * 40
    assert 1 / 1.5 - 0.01 <= steps.min() < 0.8
    assert 1.25 < steps.max() <= 1.51


def test_colours_change_by_at_most_the_strength() -> None:
    grey = torch.full((64, 3, 4, 4), 0.5)
    out = colour(grey, 0.2, seeded())
    assert torch.allclose(out, out[:, :1, :1, :1].expand_as(out))  # a flat grey image has brightness only
    assert 0.4 - 1e-6 <= out.min() < 0.43
    assert 0.57 < out.max() <= 0.6 + 1e-6


def test_what_is_erased_is_a_rectangle_of_grey() -> None:
    images = torch.zeros(200, 1, 20, 20)
    out = erase(images, 0.5, seeded())
    touched = [one[0] for one in out if one.any()]
    assert 70 < len(touched) < 130
    for one in touched:
        ys, xs = torch.nonzero(one, as_tuple=True)
        box = one[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        assert (box == 0.5).all()
        assert box.numel() / 400 <= 0.45


def test_mixup_mixes_images_and_labels_alike() -> None:
    images = torch.eye(8).view(8, 1, 8, 1)
    out = mixed(images, torch.arange(8), {"mixup": 1.0}, np.random.default_rng(1))
    assert 0 < out.share < 1
    for row, (first, second) in enumerate(zip(out.first.tolist(), out.second.tolist(), strict=True)):
        want = torch.zeros(8)
        want[first] += out.share
        want[second] += 1 - out.share
        assert torch.allclose(out.images[row, 0, :, 0], want)


def test_cutmix_shares_labels_as_it_shares_the_area() -> None:
    images = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 1, 16, 16)
    for seed in range(5):
        out = mixed(images, torch.arange(6), {"cutmix": 1.0}, np.random.default_rng(seed))
        for row, first in enumerate(out.first.tolist()):
            own = (out.images[row] == first).float().mean().item()
            if out.second[row] != first:
                assert own == pytest.approx(out.share)
