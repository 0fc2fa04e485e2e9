"""Saliency maps of one photograph, one thread each: context-aware against a numpy loop, and all stages by themselves.

    python benchmarks/saliency_speed.py [--side 256] [--rounds 5]

The loop is what one writes from the paper: for each patch the distances to all others by numpy, and their 64 smallest
by `np.partition`. Both take turns until the loop has had a few seconds; the shortest CPU time of each counts.
Target: the loop takes at least 8 times as long.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from cvpipe import registry
from cvpipe.data import Images
from cvpipe.stages.saliency.context_aware import ContextAware
from cvpipe.vision.context_saliency import normal_lab, searched
from cvpipe.vision.patch_grid import Grid, grid_of
from cvpipe.vision.working_size import limited, scaled

CASES = ((250, 3), (128, 3), (64, 3), (64, 1))
"""Longer side at which the map is computed, and px between patches."""
LOOP_SECONDS = 3.0
"""CPU time after which the loop is not run again: what takes seconds is not disturbed by much."""


def photograph(side: int) -> np.ndarray:
    """(side, side, 3) uint8 RGB."""
    from skimage import data

    return cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_AREA)


def by_loop(grid: Grid, among: list[Grid], stage: ContextAware) -> np.ndarray:
    """(m,) mean distance of each patch to the nearest ones, patch after patch."""
    values = np.concatenate([other.values for other in among])
    x, y = (np.concatenate([getattr(other, name) for other in among]) for name in "xy")
    most = min(stage.neighbours, len(values) - 1)
    means = np.empty(len(grid.values), np.float32)
    for i, patch in enumerate(grid.values):
        colour = np.sqrt(((values - patch) ** 2).sum(axis=1))
        apart = np.sqrt((x - grid.x[i]) ** 2 + (y - grid.y[i]) ** 2)
        distance = colour / (1 + stage.position_weight * apart)
        means[i] = np.partition(distance, most)[: most + 1].sum() / most  # the patch itself is at 0
    return means


def loop_over(image: np.ndarray, stage: ContextAware) -> None:
    """What the loop does for all scales of an image."""
    lab = normal_lab(limited(image, stage.size))
    for scale in stage.scales:
        grids = [grid_of(scaled(lab, each), stage.patch, stage.step) for each in searched(scale)]
        by_loop(grids[0], grids, stage)


def seconds(way: Callable[[], object]) -> float:
    """CPU seconds."""
    began = time.process_time()
    way()
    return time.process_time() - began


def shortest(way: Callable[[], object], rounds: int) -> float:
    """CPU seconds."""
    way()  # compiles and warms up
    return min(seconds(way) for _ in range(rounds))


def in_turns(ours: Callable[[], object], loop: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Shortest CPU seconds of both."""
    ours()  # compiles and warms up
    times, loops = [], [seconds(loop)]
    while len(times) < rounds or sum(loops) < LOOP_SECONDS:
        times.append(seconds(ours))
        if sum(loops) < LOOP_SECONDS:
            loops.append(seconds(loop))
    return min(times), min(loops)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--side", type=int, default=256, help="px")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        measure(options.side, options.rounds)


def measure(side: int, rounds: int) -> None:
    """Print all times."""
    image = photograph(side)
    images = Images.from_arrays([image])
    print(f"{side} px, CPU ms for one image")
    for size, step in CASES:
        stage = ContextAware(size=size, step=step)
        ours, loop = in_turns(
            lambda stage=stage: stage.transform(images),
            lambda stage=stage: loop_over(image, stage),
            rounds,
        )
        head = f"context_aware, {size} px, step {step}"
        print(f"{head:30s} {1000 * ours:8.1f}   loop {1000 * loop:8.1f}   {loop / ours:5.1f} x")
    for name in saliency_words():
        ours = shortest(lambda name=name: registry.stage_class(name)().transform(images), rounds)
        print(f"{name:30s} {1000 * ours:8.1f}")


def saliency_words() -> list[str]:
    """The names of the stages in `stages/saliency`."""
    folder = "cvpipe.stages.saliency."
    return [
        name for name in registry.stage_names() if registry.stage_class(name).__module__.startswith(folder)
    ]


if __name__ == "__main__":
    main()
