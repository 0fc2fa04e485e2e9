"""Difference-of-Gaussians keypoints with SIFT descriptors: cvpipe's two stages, OpenCV and scikit-image.

    python benchmarks/dog_sift_speed.py [IMAGE ...] [--rounds 5]

One thread each; without images, photographs of scikit-image. All find every keypoint at the same thresholds. Rounds
alternate; the shortest time of each counts. Targets: 5 times as fast as scikit-image, at least half as fast as OpenCV.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from cvpipe.data import Images
from cvpipe.stages.descriptors.sift_descriptors import SiftDescriptors
from cvpipe.stages.keypoints.dog_keypoints import DogKeypoints

PHOTOGRAPHS = ("camera", "astronaut", "coffee", "chelsea", "rocket", "coins")


def by_cvpipe(image: np.ndarray) -> int:
    """Both stages, as a pipeline runs them: the scale space is made twice."""
    found = DogKeypoints(max_keypoints=None).transform(Images.from_arrays([image]))
    return len(SiftDescriptors().transform(found).values)


def by_opencv(image: np.ndarray) -> int:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return len(cv2.SIFT_create(enable_precise_upscale=True).detectAndCompute(grey, None)[0])


def by_scikit_image(image: np.ndarray) -> int:
    from skimage.feature import SIFT

    sift = SIFT(c_dog=0.04 / 3)
    sift.detect_and_extract(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    return len(sift.keypoints)


WAYS: dict[str, Callable[[np.ndarray], int]] = {
    "cvpipe": by_cvpipe, "OpenCV": by_opencv, "scikit-image": by_scikit_image
}  # fmt: skip


def photographs(paths: list[str]) -> list[np.ndarray]:
    """(H, W, 3) uint8 RGB images."""
    from skimage import data

    read = [cv2.imread(path, cv2.IMREAD_COLOR_RGB) for path in paths]
    found = read or [getattr(data, name)() for name in PHOTOGRAPHS]
    return [np.dstack([i] * 3) if i.ndim == 2 else np.ascontiguousarray(i[..., :3]) for i in found]


def seconds(work: Callable[[np.ndarray], int], images: list[np.ndarray]) -> tuple[float, int]:
    began = time.perf_counter()
    rows = sum(work(image) for image in images)
    return time.perf_counter() - began, rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    images = photographs(options.images)
    cv2.setNumThreads(1)
    by_cvpipe(images[0])  # compiles
    taken: dict[str, list[tuple[float, int]]] = {name: [] for name in WAYS}
    with threadpool_limits(1):
        for _ in range(options.rounds):
            for name, way in WAYS.items():
                taken[name].append(seconds(way, images))
    ours = min(taken["cvpipe"])[0]
    print(f"{len(images)} images, one thread\n{'':14} seconds  images/s  keypoints  time in that of cvpipe")
    for name, rounds in taken.items():
        best, rows = min(rounds)
        print(f"{name:14} {best:7.3f}  {len(images) / best:8.1f}  {rows:9}  {best / ours:6.2f}")


if __name__ == "__main__":
    main()
