"""Features of EfficientNet-Lite0 from JPEG files: cvpipe's conductor, and what it could not be faster than.

    python benchmarks/cnn_features_speed.py [FOLDER] [--images 192] [--rounds 3] [--jobs 2]

`forward passes` is the network alone, as it was built and on tensors that are ready, in batches of as many images as
cvpipe takes, by as many threads. `torchvision loop` is what a user would write: PIL, torchvision's transforms, a
`DataLoader` with that many workers, batches of 32 with torch's own threads. Without a folder, 256x256 JPEG files are
made from photographs of scikit-image. Rounds alternate; the shortest time of each counts.
Target: cvpipe within 1.15 times the forward passes. Measured on 2 cores that others used too: 62 images/s, the forward
passes took 1.32 times as long, the loop 4.3 times.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from cvpipe.conductor import workers
from cvpipe.data import Images
from cvpipe.nets import weights
from cvpipe.nets.build import build
from cvpipe.stages.networks._frozen import PIXELS
from cvpipe.stages.networks.cnn_features import CnnFeatures

SIDE = 224
CHUNK = 32
BATCH = PIXELS // SIDE**2


def network() -> torch.nn.Module:
    net = build("efficientnet_lite0", classes=1000, channels=3, size=(SIDE, SIDE))
    weights.load(net, "efficientnet_lite0", "lite0")
    return net.eval()


def make_files(folder: Path, count: int) -> list[Path]:
    """JPEG files of 256x256 px: pieces of photographs."""
    from skimage import data

    rng = np.random.default_rng(0)
    photographs = [getattr(data, name)() for name in ("astronaut", "coffee", "chelsea", "rocket")]
    for number in range(count):
        photograph = photographs[number % len(photographs)][..., ::-1]
        top, left = (int(rng.integers(0, side - 255)) for side in photograph.shape[:2])
        cv2.imwrite(str(folder / f"{number}.jpg"), photograph[top : top + 256, left : left + 256])
    return sorted(folder.iterdir())


def by_cvpipe(paths: list[Path], jobs: int) -> np.ndarray:
    images, stage = Images.from_files(paths), CnnFeatures()
    chunks = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    with workers.over(jobs, stage.transform, chunks) as done:
        return np.concatenate([features.values for features in done])


def by_forward_passes(paths: list[Path], jobs: int, net: torch.nn.Module, batch: torch.Tensor) -> None:
    def work(_: int) -> None:
        torch.set_num_threads(1)
        with torch.inference_mode():
            net(batch)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, range(len(paths) // BATCH)))


class Files(torch.utils.data.Dataset):
    """What a user would write."""

    def __init__(self, paths: list[Path]) -> None:
        from torchvision.transforms import Compose, Normalize, Resize, ToTensor

        self.paths = paths
        self.look = Compose([Resize((SIDE, SIDE)), ToTensor(), Normalize([127 / 255] * 3, [128 / 255] * 3)])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> torch.Tensor:
        from PIL import Image

        return self.look(Image.open(self.paths[row]).convert("RGB"))


def by_torchvision_loop(paths: list[Path], jobs: int, net: torch.nn.Module) -> np.ndarray:
    torch.set_num_threads(jobs)
    with torch.no_grad():
        return np.concatenate(
            [
                net[:-2](batch).numpy()
                for batch in torch.utils.data.DataLoader(Files(paths), 32, num_workers=jobs)
            ]
        )


def seconds(way: Callable[[], object]) -> float:
    began = time.perf_counter()
    way()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--images", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        found = (
            sorted(options.folder.rglob("*.jpg"))
            if options.folder
            else make_files(Path(made), options.images)
        )
        paths, jobs, net = found[: options.images], options.jobs, network()
        batch = torch.rand(BATCH, 3, SIDE, SIDE)
        ways = {
            "cvpipe": partial(by_cvpipe, paths, jobs),
            "forward passes": partial(by_forward_passes, paths, jobs, net, batch),
            "torchvision loop": partial(by_torchvision_loop, paths, jobs, net),
        }
        apart = np.abs(ways["cvpipe"]() - ways["torchvision loop"]()).mean()
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, way in ways.items():
                taken[name].append(seconds(way))
    ours = min(taken["cvpipe"])
    print(f"{len(paths)} images, {jobs} threads; the features differ by {apart:.3f} in the mean (resizing)")
    print(f"{'':16} seconds  images/s  time in that of cvpipe")
    for name, times in taken.items():
        print(f"{name:16} {min(times):7.2f}  {len(paths) / min(times):8.1f}  {min(times) / ours:6.2f}")


if __name__ == "__main__":
    main()
