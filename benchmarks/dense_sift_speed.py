"""Dense SIFT of one photograph at four scales, one thread each: cvpipe, VLFeat, OpenCV.

    python benchmarks/dense_sift_speed.py [--side 256] [--step 4] [--rounds 9]

Rounds alternate; the shortest CPU time of each counts. VLFeat's rows need cyvlfeat and are left out where it is absent:
`phow` is VLFeat's fast one as it comes, grey image in, smoothing included; `dsift` is its compiled part, on planes
smoothed before. OpenCV describes a grid of keypoints at the same places of the same image. Targets: at least 2 times
VLFeat's phow (aim 3), at least 8 times OpenCV's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np

from cvpipe.data import Images
from cvpipe.stages.descriptors.dense_sift import DenseSift
from cvpipe.vision.dense_sift import smooth

SIZES = (4, 6, 8, 10)


def photograph(side: int) -> np.ndarray:
    """(side, side, 3) uint8 RGB."""
    from skimage import data

    return cv2.resize(data.astronaut()[:400, 60:460], (side, side), interpolation=cv2.INTER_AREA)


def by_opencv(image: np.ndarray, step: int) -> Callable[[], object]:
    """Upright keypoints whose bins, 3 sigma wide, are those of the stage."""
    stage = DenseSift(step=step).transform(Images.from_arrays([image]))
    places = zip(stage.xy.tolist(), stage.scale.tolist(), strict=True)
    points = [cv2.KeyPoint(x, y, 2 * sigma, 0) for (x, y), sigma in places]
    sift, grey = cv2.SIFT.create(), cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return lambda: sift.compute(grey, points)


def by_vlfeat(image: np.ndarray, step: int) -> dict[str, Callable[[], object]]:
    """Nothing where cyvlfeat is not installed."""
    try:
        from cyvlfeat.sift import dsift, phow
    except ImportError:
        return {}
    grey = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2GRAY)
    smoothed = {size: smooth(grey, size / 6) for size in SIZES}

    def alone() -> None:
        for size, plane in smoothed.items():
            dsift(plane, step=step, size=size, norm=True, fast=True)

    return {"VLFeat phow, fast": lambda: phow(grey, step=step, sizes=SIZES), "VLFeat dsift alone": alone}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--side", type=int, default=256, help="px")
    parser.add_argument("--step", type=int, default=4, help="px")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    image = photograph(options.side)
    images = Images.from_arrays([image])
    ways = {"cvpipe, grey": lambda: DenseSift(step=options.step).transform(images)}
    ways |= by_vlfeat(image, options.step) | {"OpenCV SIFT.compute": by_opencv(image, options.step)}
    ways["cvpipe, opponent"] = lambda: DenseSift(step=options.step, colour="opponent").transform(images)
    best = dict.fromkeys(ways, np.inf)
    for _ in range(options.rounds + 1):  # the first compiles and warms up, and is never the shortest
        for name, way in ways.items():
            began = time.process_time()
            way()
            best[name] = min(best[name], time.process_time() - began)
    ours = best["cvpipe, grey"]
    print(f"{options.side} px, step {options.step}, bins of {SIZES} px")
    for name, seconds in best.items():
        print(
            f"{name:22s} {1000 * seconds:8.1f} ms {1 / seconds:7.1f} images/s   {seconds / ours:6.2f} x cvpipe"
        )


if __name__ == "__main__":
    main()
