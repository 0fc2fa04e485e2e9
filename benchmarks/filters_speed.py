"""Learning filters and laying them over images: what a user would write in PyTorch against ours.

    python benchmarks/filters_speed.py [FOLDER] [--rows 20000] [--hidden 400] [--rounds 3]

First table: a sparse autoencoder on white patches of 8 x 8 x 3, samples a second by the clock on the wall, each side as
it is used. Theirs: a `DataLoader` over a data set that gives one patch at a time, as tutorials write it, in the process
itself and in 2 workers, with autograd, `torch.optim.Adam` and as many threads as torch takes. Ours: the training of the
stage as it is inside a run, a tenth of the patches held out and watched as well, with as many threads as there are
cores. Rounds alternate between the sides, and the best one counts. Target: 4 times. Last column: the five products of
matrices, the same in all, if they were all there is, in as many threads as there are cores: nobody can be faster.

Second table: CPU milliseconds to encode and pool an image of 256 x 256, in one thread, against `conv2d` with as many
filters on the same image, and against the bare product. Target: within 2 times.

With a folder of class folders, third: the whole run of `saliency_sae_svm` on one split, from nothing. Target: under 20
minutes and 2 GB for 2,100 images.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from cvpipe import threads
from cvpipe.data import Images
from cvpipe.nets.autoencoder import Objective
from cvpipe.nets.autoencoder_learner import Plan
from cvpipe.nets.autoencoder_training import train
from cvpipe.stages.filters._base import FilterLearner
from cvpipe.stages.filters.kmeans_filters import KmeansFilters
from cvpipe.stages.filters.random_filters import RandomFilters
from cvpipe.stages.filters.sparse_autoencoder import SparseAutoencoder
from cvpipe.stages.patches.random_patches import RandomPatches

RHO, BETA, DECAY, RATE = 0.02, 5.0, 3e-3, 3e-3
WIDTH = 8 * 8 * 3
CORES = len(os.sched_getaffinity(0))


class Plain(torch.nn.Module):
    """The autoencoder of a tutorial."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.encoder, self.decoder = torch.nn.Linear(WIDTH, hidden), torch.nn.Linear(hidden, WIDTH)

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = torch.sigmoid(self.encoder(rows))
        return self.decoder(hidden), hidden


class Patchwise(Dataset):
    """White patches, one at a time: a data set as tutorials write it."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(self.rows[index])


def plain_epoch(rows: np.ndarray, hidden: int, batch: int, workers: int) -> float:
    """Samples a second of one epoch."""
    loader = DataLoader(Patchwise(rows), batch_size=batch, shuffle=True, num_workers=workers)
    model = Plain(hidden)
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    began = time.perf_counter()
    for some in loader:
        again, active = model(some)
        mean = active.mean(dim=0)
        sparsity = (RHO * (RHO / mean).log() + (1 - RHO) * ((1 - RHO) / (1 - mean)).log()).sum()
        weights = model.encoder.weight.square().sum() + model.decoder.weight.square().sum()
        loss = (again - some).square().sum(dim=1).mean() / 2 + BETA * sparsity + DECAY / 2 * weights
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return len(rows) / (time.perf_counter() - began)


def our_epoch(rows: np.ndarray, hidden: int, batch: int) -> float:
    plan = Plan(hidden, False, "adam", RATE, batch, 1, 1, 0.0, 0.0, 0.0)
    held = rows[: len(rows) // 10]  # as in the stage: a tenth is watched after each epoch
    with threads.allow(CORES):  # as the conductor does
        began = time.perf_counter()
        train(rows, held, Objective("sigmoid", "kl", RHO, BETA, DECAY), plan, 0, "cpu")
        return len(rows) / (time.perf_counter() - began)


def products_epoch(rows: np.ndarray, hidden: int, batch: int) -> float:
    """Samples a second of the five products of a batch, in as many threads at once as there are cores."""
    rounds, before = max(1, 8192 // batch), torch.get_num_threads()
    with ThreadPoolExecutor(CORES, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        began = time.perf_counter()
        list(pool.map(lambda _: products(rows[:batch], hidden, rounds), range(CORES)))
        seconds = time.perf_counter() - began
    torch.set_num_threads(before)
    return CORES * rounds * batch / seconds


def products(some: np.ndarray, hidden: int, rounds: int) -> None:
    batch, x, back = len(some), torch.from_numpy(some), torch.rand(len(some), hidden)
    encoder, decoder = torch.rand(hidden, WIDTH), torch.rand(hidden, WIDTH)
    codes, again, slope = torch.empty(batch, hidden), torch.empty(batch, WIDTH), torch.empty(hidden, WIDTH)
    for _ in range(rounds):
        torch.mm(x, encoder.T, out=codes)
        torch.mm(codes, decoder, out=again)
        torch.mm(again, decoder.T, out=back)
        torch.mm(back.T, x, out=slope)
        torch.mm(codes.T, again, out=slope)


def compare_training(rows: np.ndarray, hidden: int, rounds: int) -> None:
    print(
        f"autoencoder {WIDTH}-{hidden}-{WIDTH}, samples a second (best of {rounds}), and the ratio of ours; threads: "
        f"torch's {torch.get_num_threads()} against {CORES} of ours; load {os.getloadavg()[0]:.1f} on {CORES} cores"
    )
    print(f"{'batch':>8} {'DataLoader':>20} {'with 2 workers':>20} {'ours':>10} {'products':>10}")
    for batch in (64, 256, 1024):
        ways: list[Callable[[], float]] = [
            lambda b=batch: plain_epoch(rows, hidden, b, 0),
            lambda b=batch: plain_epoch(rows, hidden, b, 2),
            lambda b=batch: our_epoch(rows, hidden, b),
            lambda b=batch: products_epoch(rows, hidden, b),
        ]
        found = np.array([[way() for way in ways] for _ in range(rounds)]).max(axis=0)
        others = " ".join(f"{speed:12,.0f} {found[2] / speed:7.2f}" for speed in found[:2])
        print(f"{batch:8} {others} {found[2]:10,.0f} {found[3]:10,.0f}")


def clocked(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds, the least of the rounds."""
    times = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def compare_extraction(rounds: int) -> None:
    rng = np.random.default_rng(0)
    images = Images.from_arrays([rng.integers(0, 256, (256, 256, 3), dtype=np.uint8) for _ in range(3)])
    learners: dict[str, FilterLearner] = {
        "400 random filters, both signs": RandomFilters(filters=400, sign="split", seed=0),
        "400 units of an autoencoder": SparseAutoencoder(filters=400, epochs=1, seed=0),
        "800 k-means filters, triangle": KmeansFilters(filters=800, iterations=2, seed=0),
    }
    print(f"\nencoding and pooling 256 x 256 px, CPU ms an image (best of {rounds})")
    print(f"{'':32} {'stride':>6} {'conv2d':>8} {'product':>8} {'ours':>8} {'/ conv2d':>9} {'/ product':>10}")
    patches = RandomPatches(count=1000, seed=0).transform(images)
    tensor = torch.from_numpy(images[0].transpose(2, 0, 1)[None].astype(np.float32))
    for name, learner in learners.items():
        learner.fit(patches)
        for stride in (1, 2):
            learner.stride = stride
            count = learner.filters
            weights = torch.randn(count, 3, 8, 8)
            conv = clocked(lambda w=weights, s=stride: functional.conv2d(tensor, w, stride=s), rounds)
            product = bare_product(count, ((256 - 8) // stride + 1) ** 2, rounds)
            ours = clocked(lambda x=learner: x.transform(images[:1]), rounds)
            print(
                f"{name:32} {stride:6} {1e3 * conv:8.1f} {1e3 * product:8.1f} {1e3 * ours:8.1f} "
                f"{ours / conv:9.2f} {ours / product:10.2f}"
            )


def bare_product(filters: int, positions: int, rounds: int) -> float:
    """CPU seconds of the product of all patches, gathered already, with the filters, 512 at a time."""
    rng = np.random.default_rng(0)
    rows, weights = (rng.random(shape, dtype=np.float32) for shape in ((512, WIDTH), (WIDTH, filters)))
    out = np.empty((512, filters), np.float32)
    blocks = positions / 512
    return clocked(lambda: [np.matmul(rows, weights, out=out) for _ in range(16)], rounds) * blocks / 16


def whole_run(folder: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "cvpipe_cli", "run", "saliency_sae_svm", "--data", folder]
        command += ["--set", "split={holdout: 0.2}", "--out", f"{scratch}/run"]
        began = time.perf_counter()
        child = subprocess.Popen(
            command, env={**os.environ, "CVPIPE_CACHE": f"{scratch}/cache"}, stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            raise SystemExit("the run failed")
        seconds = time.perf_counter() - began
    cpu = usage.ru_utime + usage.ru_stime
    print(f"\nsaliency_sae_svm, one split, from nothing: {seconds:.0f} s ({cpu:.0f} CPU s), "
          f"{usage.ru_maxrss / 1e6:.2f} GB")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?")
    for name, default in (("rows", 20_000), ("hidden", 400), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    rows = np.random.default_rng(0).standard_normal((options.rows, WIDTH)).astype(np.float32)
    compare_training(rows, options.hidden, options.rounds)
    torch.set_num_threads(1)
    with threads.allow(1):
        compare_extraction(options.rounds)
    if options.folder:
        whole_run(options.folder)


if __name__ == "__main__":
    main()
