"""SIFT over a folder: a plain loop of OpenCV with its own threads, against the workers of cvpipe.

    python benchmarks/sift_speed.py FOLDER [--images 320] [--rounds 3] [--jobs 2]

Both read and decode the files. Rounds alternate; the shortest time of each counts. Workers take chunks of 32 images, so
with a few more than a multiple of that all but one of them idle at the end. Target: 1.4 times as fast. One worker takes
about six tenths of OpenCV's time on one thread, two take half of that; OpenCV's own two threads gain 1.3 to 1.8, which
changes from run to run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import cv2

from cvpipe.conductor import workers
from cvpipe.conductor.chunks import CHUNK
from cvpipe.data import Images
from cvpipe.datasets.folder import Folder
from cvpipe.stages.descriptors.sift import Sift


def plain_loop(paths: list[str]) -> int:
    """What a user writes."""
    rows = 0
    for path in paths:
        grey = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2GRAY)
        _, values = cv2.SIFT_create().detectAndCompute(grey, None)
        rows += 0 if values is None else len(values)
    return rows


def with_workers(images: Images, jobs: int) -> int:
    """The same descriptors from the stage, a chunk of images for each worker."""
    parts = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    stage = Sift(max_keypoints=None, precise_upscale=False)
    with workers.over(jobs, stage.transform, parts) as done:
        return sum(len(part.values) for part in done)


def seconds(work: Callable[[], int]) -> tuple[float, int]:
    began = time.perf_counter()
    rows = work()
    return time.perf_counter() - began, rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("--images", type=int, default=10 * CHUNK)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    everything = Folder(path=options.folder).load().images
    images = everything[:: max(1, len(everything) // options.images)]
    paths = [str(item.path) for item in images.items]  # type: ignore[attr-defined]
    times: dict[str, list[float]] = {"plain loop": [], "cvpipe": []}
    for _ in range(options.rounds):
        plain, expected = seconds(partial(plain_loop, paths))
        ours, rows = seconds(partial(with_workers, images, options.jobs))
        assert rows == expected, "not the same keypoints"
        times["plain loop"].append(plain)
        times["cvpipe"].append(ours)
    base = min(times["plain loop"])
    print(f"{len(images)} images, {options.jobs} workers\n{'':12} seconds  images/s  ratio")
    for name, taken in times.items():
        print(f"{name:12} {min(taken):7.2f}  {len(images) / min(taken):8.1f}  {base / min(taken):5.2f}")


if __name__ == "__main__":
    main()
