"""Hashes of how images look: copies stay near, others do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from cvpipe.threads import allow
from cvpipe.vision._hamming_kernel import near_pairs
from cvpipe.vision.perceptual_hash import FARTHEST, LEAST, _correlation, alike, look, perceptual_hash


def scene(seed: int, side: int = 128) -> np.ndarray:
    """(side, side, 3) uint8: smooth patches of colour, as in a photograph."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


def bits_apart(a: np.ndarray, b: np.ndarray) -> int:
    return int(perceptual_hash(look(a)) ^ perceptual_hash(look(b))).bit_count()


def pairs_of(images: list[np.ndarray]) -> list[tuple[int, int]]:
    return [tuple(pair) for pair in alike(np.stack([look(image) for image in images])).tolist()]


def compressed(image: np.ndarray, quality: int) -> np.ndarray:
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "jpeg 90": lambda image: compressed(image, 90),
    "jpeg 30": lambda image: compressed(image, 30),
    "half": lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "three times": lambda image: cv2.resize(image, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC),
    "another shape": lambda image: cv2.resize(image, (100, 140), interpolation=cv2.INTER_AREA),
    "brighter": lambda image: np.clip(image.astype(int) + 12, 0, 255).astype(np.uint8),
    "grey": lambda image: np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
}
OTHERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mirrored": lambda image: image[:, ::-1],
    "turned": lambda image: np.rot90(image),
    "negative": lambda image: 255 - image,
    "a quarter of it": lambda image: image[:64, :64],
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_copies_are_alike(copy: Callable[[np.ndarray], np.ndarray]) -> None:
    for seed in range(10):
        changed = np.ascontiguousarray(copy(scene(seed)))
        assert bits_apart(scene(seed), changed) <= FARTHEST
        assert pairs_of([scene(seed), changed]) == [(0, 1)]


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_other_pictures_are_not(change: Callable[[np.ndarray], np.ndarray]) -> None:
    for seed in range(10):
        assert pairs_of([scene(seed), np.ascontiguousarray(change(scene(seed)))]) == []
    assert pairs_of([scene(seed) for seed in range(60)]) == []


def test_flat_images_are_like_nothing() -> None:
    flat = [np.full((9, 9, 3), value, np.uint8) for value in (0, 0, 128)]
    assert [int(perceptual_hash(look(image))) for image in flat] == [0, 0, 0]
    assert pairs_of(flat) == []
    assert alike(np.empty((0, 32, 32), np.uint8)).shape == (0, 2)


def test_the_hash_is_the_sign_of_scipys_lowest_frequencies() -> None:
    from scipy.fft import dctn

    grey = look(scene(3))
    low = dctn(grey.astype(float), norm="ortho")[:8, :8].ravel()
    expected = low > np.median(low[1:])
    expected[0] = False
    got = np.unpackbits(np.array([perceptual_hash(grey)]).view(np.uint8)).astype(bool)
    np.testing.assert_array_equal(got, expected)


def test_pairs_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(1, 2**63, 300, dtype=np.uint64)
    for copy in range(40):  # some that are near others
        hashes[100 + copy] = hashes[copy] ^ np.uint64(
            sum(1 << int(b) for b in rng.choice(64, copy % 13, False))
        )
    hashes[[7, 9]] = 0
    expected = [(i, j) for i in range(50, 300) for j in range(i + 1, 300)
                if (int(hashes[i]) ^ int(hashes[j])).bit_count() <= 8 and hashes[i] and hashes[j]]  # fmt: skip
    got = near_pairs(hashes, 50, 300, 8)
    assert [tuple(pair) for pair in got.tolist()] == expected
    assert near_pairs(np.full(60, 1, np.uint64), 0, 60, 0).shape == (
        60 * 59 // 2,
        2,
    )  # more than fit at first


def test_correlation_is_numpys() -> None:
    a, b = (np.random.default_rng(seed).integers(0, 256, (5, 32, 32)).astype(np.uint8) for seed in (0, 1))
    expected = [np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(_correlation(a, b), expected, atol=1e-5)
    assert 0.9 < LEAST < 1


def test_threads_change_nothing() -> None:
    looks = np.stack([look(scene(seed % 400)) for seed in range(1100)])
    alone = alike(looks)
    with allow(3):
        np.testing.assert_array_equal(alike(looks), alone)
    assert len(alone) == 400 + 300 * 2  # 400 seeds twice, 300 of them three times


def test_photographs_are_told_apart(real_data: Callable[[str], Path]) -> None:
    files = sorted((real_data("ucmerced")).glob("[a-c]*/*.jpg"))
    assert len(files) > 300
    found = pairs_of([cv2.imread(str(file))[..., ::-1].copy() for file in files])
    assert [(files[i].stem, files[j].stem) for i, j in found] == [
        ("airplane01", "airplane02"),  # equal
        ("beach74", "beach75"),  # the same shore and pier on another day
    ]
