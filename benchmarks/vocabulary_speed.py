"""Learning visual words: scikit-learn's k-means against ours, on all rows and on 256 rows for each word.

    python benchmarks/vocabulary_speed.py [FOLDER] [--rows 1000000] [--words 1000] [--iterations 10] [--jobs
    2]

Rows are RootSIFT descriptors of the images in a folder of class folders, or a synthetic mixture without one.
Each starts from random rows and makes the same number of iterations; the inertia is that of all rows. CPU
seconds are printed too: on a machine that others use they say more than wall seconds. Target: 1.2 times as
fast, inertia within 1 %. The last table compares the assignment of words with the bare product of the
matrices.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from cvpipe import threads
from cvpipe.conductor import workers
from cvpipe.datasets.folder import Folder
from cvpipe.stages.descriptors.root_sift import RootSift
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.vision.assign import BLOCK, nearest
from cvpipe.vision.kmeans import kmeans


def real_rows(folder: str, count: int, jobs: int) -> np.ndarray:
    """(count, 128) RootSIFT rows, or as many as there are."""
    images = Folder(path=folder).load().images
    order = np.random.default_rng(0).permutation(len(images))
    parts = [images[order[start : start + 16]] for start in range(0, len(order), 16)]
    found, rows = [], 0
    with workers.over(
        jobs, lambda part: RootSift().transform(Sift(max_keypoints=None).transform(part)), parts
    ) as done:
        for descriptors in done:
            found.append(descriptors.values)
            rows += len(found[-1])
            if rows >= count:
                break
    return np.random.default_rng(1).permutation(np.concatenate(found)[:count])


def synthetic_rows(count: int) -> np.ndarray:
    """(count, 128) unit rows around 2,000 centres."""
    rng = np.random.default_rng(0)
    centres = rng.gamma(0.5, size=(2000, 128)).astype(np.float32)
    rows = centres[rng.integers(0, 2000, count)]
    rows *= rng.random((count, 128), dtype=np.float32)
    return np.sqrt(rows / rows.sum(axis=1, keepdims=True))


def by_scikit_learn(rows: np.ndarray, words: int, iterations: int, seed: int) -> np.ndarray:
    from sklearn.cluster import KMeans

    model = KMeans(
        words, algorithm="lloyd", init="random", n_init=1, max_iter=iterations, tol=0, random_state=seed
    )
    return model.fit(rows).cluster_centers_.astype(np.float32)


def ours(rows: np.ndarray, words: int, iterations: int, seed: int) -> np.ndarray:
    return kmeans(rows, words, iterations, 0.0, np.random.default_rng(seed)).centres


def clocked(work: Callable[[], Any]) -> tuple[float, float, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def compare(rows: np.ndarray, words: int, iterations: int, rounds: int) -> None:
    """One table: seconds and inertia of the three ways, the best of the rounds."""
    some = rows[: 256 * words]
    ways: dict[str, Callable[[int], np.ndarray]] = {
        "scikit-learn": lambda seed: by_scikit_learn(rows, words, iterations, seed),
        "ours, all rows": lambda seed: ours(rows, words, iterations, seed),
        "ours, 256 rows a word": lambda seed: ours(some, words, iterations, seed),
    }
    best = dict.fromkeys(ways, (np.inf, np.inf, np.inf))
    for seed in range(rounds):
        for name, way in ways.items():
            wall, cpu, centres = clocked(lambda way=way, seed=seed: way(seed))
            inertia = float(nearest(rows, centres)[1].sum(dtype=np.float64))
            best[name] = tuple(map(min, best[name], (wall, cpu, inertia)))  # type: ignore[assignment]
    base = best["scikit-learn"]
    print(f"{len(rows)} x {rows.shape[1]}, {words} words, {iterations} iterations")
    print(f"{'':24} wall s  ratio   CPU s  ratio  inertia")
    for name, (wall, cpu, inertia) in best.items():
        ratios = f"{wall:7.1f} {base[0] / wall:6.2f} {cpu:7.1f} {base[1] / cpu:6.2f}"
        print(f"{name:23} {ratios} {inertia / base[2]:8.4f}")


def compare_assignment(rows: np.ndarray, words: int) -> None:
    """The second table: CPU seconds of one thread."""
    rows, centres = rows[:65536], rows[-words:]
    products = np.empty((BLOCK, words), np.float32)

    def bare() -> None:
        for start in range(0, len(rows) - BLOCK + 1, BLOCK):
            np.matmul(rows[start : start + BLOCK], centres.T, out=products)

    with threads.allow(1):
        rounds = [(clocked(bare)[1], clocked(lambda: nearest(rows, centres))[1]) for _ in range(5)]
    product, whole = (min(column) for column in zip(*rounds, strict=True))
    print(
        f"nearest word of {len(rows)} rows: {whole:.2f} s, the bare product {product:.2f} s: {whole / product:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?")
    for name, default in (
        ("rows", 1_000_000),
        ("words", 1000),
        ("iterations", 10),
        ("rounds", 2),
        ("jobs", 2),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    folder = options.folder
    rows = real_rows(folder, options.rows, options.jobs) if folder else synthetic_rows(options.rows)
    with threads.allow(options.jobs):
        compare(rows, options.words, options.iterations, options.rounds)
    compare_assignment(rows, options.words)


if __name__ == "__main__":
    main()
