"""Images per second of every sampler of patches, one thread each, decoding included, against scikit-learn's.

    python benchmarks/patches_speed.py FOLDER [--images 100] [--count 100] [--size 8]

FOLDER holds images, such as UC Merced's. scikit-learn's `extract_patches_2d` draws as many random patches from images
that Pillow decodes; it may take a place twice. CPU seconds count; images are read once before.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from cvpipe.data import Images
from cvpipe.registry import stage_class
from cvpipe.stage import Stage
from cvpipe.stages.patches.saliency_patches import SaliencyPatches
from cvpipe.threads import one_blas_thread

MAPS = ("gradient_energy", "spectral_residual", "frequency_tuned", "fine_grained")
SIZES = (64, 128, 250)


def by_sklearn(files: list[Path], count: int, size: int) -> None:
    """Random patches of every image."""
    from PIL import Image
    from sklearn.feature_extraction.image import extract_patches_2d

    for seed, file in enumerate(files):
        with Image.open(file) as image:
            extract_patches_2d(
                np.asarray(image.convert("RGB")), (size, size), max_patches=count, random_state=seed
            )


def samplers(count: int, size: int) -> dict[str, Stage]:
    """By what the table calls them."""
    drawn = {"size": size, "count": count}
    context = stage_class("context_aware")
    return {
        "random_patches": stage_class("random_patches")(**drawn),
        "grid_patches, step 25": stage_class("grid_patches")(size=size, step=25),
        "patches_at_keypoints, dog": stage_class("patches_at_keypoints")(size=size),
        **{f"saliency_patches, {m}": SaliencyPatches(saliency=stage_class(m)(), **drawn) for m in MAPS},
        **{
            f"saliency_patches, context_aware {side}": SaliencyPatches(saliency=context(size=side), **drawn)
            for side in SIZES
        },
    }


def seconds(way: Callable[[], object]) -> float:
    """CPU seconds."""
    with one_blas_thread():  # as inside a run
        began = time.process_time()
        way()
        return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--count", type=int, default=100, help="patches in each image")
    parser.add_argument("--size", type=int, default=8, help="px")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    files = sorted(p for p in options.folder.rglob("*") if p.suffix.lower() in (".jpg", ".png", ".tif"))
    files = files[:: max(1, len(files) // options.images)][: options.images]
    images = Images.from_files(files)
    theirs = min(seconds(lambda: by_sklearn(files, options.count, options.size)) for _ in range(3))
    print(f"{len(files)} images, {options.count} patches of {options.size} px; images per CPU second")
    print(f"{'scikit-learn':40s} {len(files) / theirs:8.1f}")
    for name, stage in samplers(options.count, options.size).items():
        stage.transform(images[:2])  # compiles
        ours = min(
            seconds(lambda stage=stage: stage.transform(images)) for _ in range(1 if "context" in name else 3)
        )
        print(f"{name:40s} {len(files) / ours:8.1f}   {theirs / ours:6.2f} x scikit-learn")


if __name__ == "__main__":
    main()
