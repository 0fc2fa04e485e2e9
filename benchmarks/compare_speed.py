"""What sharing saves, and what `cvpipe compare` costs by itself: eight pipelines on dense SIFT, 500 images.

    python benchmarks/compare_speed.py FOLDER [IMAGES]        (a folder of class folders, such as UC Merced)

Each of eight `cvpipe run` starts from an empty cache; then one `cvpipe compare` of the same specs does. Prints seconds
and their ratio (to stay below 0.4), and the overhead of the comparison: everything that is not a stage, that is its
wall time without what the stages took in the runs (to stay below 5 s + 2 % of that). One BLAS thread for all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

IMAGES = 500
DENSE = [{"dense_sift": {"step": 8, "bin_sizes": [4, 6, 8, 10]}}, "root_sift"]
WORDS = {"bag_of_words": {"words": 500}}
SUMS = {"vlad": {"words": 64}}
ENDS: dict[str, list[Any]] = {
    "words_svm": [WORDS, {"svm": {"kernel": "chi2", "C": 10}}],
    "words_svm_1": [WORDS, {"svm": {"kernel": "chi2", "C": 1}}],
    "words_linear": [WORDS, "power", {"svm": {"C": 10}}],
    "words_knn": [WORDS, "knn"],
    "vlad_svm": [SUMS, {"svm": {"C": 10}}],
    "vlad_knn": [SUMS, "knn"],
    "mean_svm": ["mean_pool", {"svm": {"C": 10}}],
    "max_svm": ["max_pool", {"svm": {"C": 10}}],
}
"""Four share their words, two their sums, all the descriptors."""
LIMIT = 0.4
FIXED_S, SHARE = 5.0, 0.02


def write_specs(folder: str, scratch: Path, images: int = IMAGES) -> list[str]:
    """Eight spec files about the same images, as many of each of 20 classes."""
    classes = sorted(path for path in Path(folder).iterdir() if path.is_dir())[:20]
    each = images // len(classes)
    rows = [f"{image.resolve()},{path.name}" for path in classes for image in sorted(path.glob("*"))[:each]]
    (scratch / "images.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    paths = []
    for name, end in ENDS.items():
        path = scratch / f"{name}.yaml"
        spec = {"name": name, "data": {"csv": str(scratch / "images.csv")}, "stages": [*DENSE, *end]}
        path.write_text(json.dumps(spec))
        paths.append(str(path))
    return paths


def timed(*arguments: str, cache: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a `cvpipe` command; the latter say more on a machine that is busy otherwise."""
    env = {**os.environ, "CVPIPE_CACHE": str(cache), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    began = time.perf_counter()
    command = [sys.executable, "-m", "cvpipe_cli", *arguments, "--quiet"]
    child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def seconds_of(folder: Path) -> tuple[float, float]:
    """What the stages of all runs of a comparison took, and the runs in all: with reading, drawing and judging."""
    runs = [json.loads(path.read_text()) for path in (folder / "runs").glob("*/result.json")]
    stages = sum(stage["fit_s"] + stage["transform_s"] for run in runs for stage in run["stages"])
    return stages, sum(run["total_s"] for run in runs)


def main(folder: str, images: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        specs = write_specs(folder, scratch, images)
        timed(
            "run", specs[0], "--smoke", "--out", str(scratch / "warm"), cache=scratch / "warm_cache"
        )  # compiles
        alone, alone_cpu = 0.0, 0.0
        for number, spec in enumerate(specs):
            wall, cpu = timed(
                "run", spec, "--out", str(scratch / str(number)), cache=scratch / f"cache{number}"
            )
            alone, alone_cpu = alone + wall, alone_cpu + cpu
            print(f"{Path(spec).stem:14s} alone {wall:7.1f} s, {cpu:7.1f} s of CPU", flush=True)
        together, cpu = timed("compare", *specs, "--out", str(scratch / "all"), cache=scratch / "cache")
        stages, runs = seconds_of(scratch / "all")
        again, _ = timed("compare", *specs, "--out", str(scratch / "all"), cache=scratch / "cache")
    print(f"eight runs {alone:.1f} s, compare {together:.1f} s: {together / alone:.2f} (limit {LIMIT})")
    print(f"of CPU: eight runs {alone_cpu:.1f} s, compare {cpu:.1f} s: {cpu / alone_cpu:.2f}")
    overhead, limit = together - stages, FIXED_S + SHARE * stages
    print(f"stages {stages:.1f} s, overhead {overhead:.1f} s (limit {limit:.1f} s)")
    print(f"runs {runs:.1f} s, so {together - runs:.1f} s of the overhead are not inside of runs")
    print(f"compare again, all finished: {again:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else IMAGES)
