"""Training a small network on MNIST: the usual tutorial loop against ours.

    python benchmarks/training_speed.py --root data [--images 20000] [--batch 128] [--jobs 2]

The tutorial: `DataLoader` with two workers over `torchvision.datasets.MNIST` with `ToTensor` and `Normalize`, once with
as many threads as torch takes by itself and once with one. The same network (`simple_cnn`, 119,530 parameters), batch,
optimiser and images for all. One epoch each. Images per second of wall time, and per CPU second of all processes; their
ratios are to the tutorial as it stands. Target: twice its images per second.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

from cvpipe.data.seeds import derive
from cvpipe.nets.build import build
from cvpipe.nets.examples import Examples
from cvpipe.nets.learning import Look
from cvpipe.nets.pixels import HeldPixels, spread
from cvpipe.nets.recipe import Recipe
from cvpipe.nets.trainer import Training


def network() -> nn.Module:
    torch.manual_seed(0)
    return build("simple_cnn", classes=10, channels=1, size=(28, 28))


def tutorial(root: str, images: int, batch: int, threads: int) -> None:
    torch.set_num_threads(threads)
    change = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    data = Subset(datasets.MNIST(root, train=True, transform=change), range(images))
    loader = DataLoader(data, batch_size=batch, shuffle=True, num_workers=2, drop_last=True)
    module = network()
    optimiser = torch.optim.Adam(module.parameters(), 1e-3)
    for pixels, truth in loader:
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(module(pixels), truth)
        loss.backward()
        optimiser.step()


def ours(held: HeldPixels, truth: np.ndarray, batch: int, jobs: int, part: int) -> None:
    look = Look(*spread(held.values))
    recipe = Recipe(epochs=1, batch=batch, part=part)
    Training(network(), Examples(held, truth), recipe, partial(derive, 0), look, threads=jobs).run()


def timed(work: Callable[[], None], images: int) -> tuple[float, float]:
    """Images per second of wall time and of CPU time, children included."""
    before, began = os.times(), time.perf_counter()
    work()
    wall, after = time.perf_counter() - began, os.times()
    spent = sum(after[:4]) - sum(before[:4])
    return images / wall, images / spent


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", default="data")
    for name, default in (("images", 20000), ("batch", 128), ("jobs", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    o = parser.parse_args()
    data = datasets.MNIST(o.root, train=True)
    held = HeldPixels(np.ascontiguousarray(data.data.numpy()[: o.images, :, :, None]))
    truth = data.targets.numpy()[: o.images]
    ours(HeldPixels(held.values[:512].numpy()), truth[:512], o.batch, o.jobs, 32)  # warm-up
    runs: dict[str, Callable[[], None]] = {
        f"tutorial, {torch.get_num_threads()} torch threads": partial(
            tutorial, o.root, o.images, o.batch, torch.get_num_threads()
        ),
        "tutorial, 1 torch thread": partial(tutorial, o.root, o.images, o.batch, 1),
        f"ours, {o.jobs} threads": partial(ours, held, truth, o.batch, o.jobs, 32),
        f"ours, {o.jobs} threads, parts of 64": partial(ours, held, truth, o.batch, o.jobs, 64),
        "ours, 1 thread": partial(ours, held, truth, o.batch, 1, 32),
    }
    print(f"{o.images} images, batch {o.batch}\n{'':36} images/s  ratio  images/CPU s  ratio")
    base: tuple[float, float] | None = None
    for name, work in runs.items():
        wall, cpu = timed(work, o.images)
        base = base or (wall, cpu)
        print(f"{name:36} {wall:8.0f} {wall / base[0]:6.1f} {cpu:13.0f} {cpu / base[1]:6.1f}", flush=True)


if __name__ == "__main__":
    main()
