"""The main job, whole processes: `sift_bow_svm` against the plain script, cold and warm, and its memory.

    python benchmarks/main_job.py FOLDER            (a folder of class folders, such as UC Merced)

Prints seconds, peak memory and ratios. The cache is a fresh folder. Start-up times of the command line come last.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent


def timed(command: list[str], env: dict[str, str]) -> tuple[float, float, str]:
    """Wall seconds, peak memory in MB, standard output."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env)
    out = child.stdout.read() if child.stdout else ""
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - began, usage.ru_maxrss / 1024, out


def listed_times(folder: str, times: int, path: Path) -> Path:
    """A CSV file that lists every image of the folder so many times."""
    rows = [f"{p.resolve()},{p.parent.name}" for p in sorted(Path(folder).glob("*/*"))]
    path.write_text("\n".join(["path,label", *rows * times]) + "\n")
    return path


def main(folder: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        env = {**os.environ, "CVPIPE_CACHE": f"{scratch}/cache"}
        run = [sys.executable, "-m", "cvpipe_cli", "run", "sift_bow_svm", "--json", "--out", f"{scratch}/run"]
        rows = []
        for name, command in {
            "textures, cold": run,
            "textures, warm": run,
            "folder, cold": [*run, "--data", folder],
            "folder, warm": [*run, "--data", folder],
            "folder, only the SVM changed": [*run, "--data", folder, "--set", "svm.C=5"],
            "folder listed once, 1 split": _listed(run, folder, 1, scratch),
            "folder listed ten times, 1 split": _listed(run, folder, 10, scratch),
        }.items():
            seconds, memory, out = timed(command, env)
            score = json.loads(out)["scores"]["accuracy"]["mean"]
            rows.append((name, seconds, memory, score))
            print(f"{name:34s} {seconds:7.1f} s {memory:7.0f} MB   accuracy {score:.4f}", flush=True)
        seconds, memory, out = timed([sys.executable, str(HERE / "plain_script.py"), folder], env)
        score = float(re.findall(r"accuracy ([\d.]+)", out)[-1])
        print(f"{'plain script':34s} {seconds:7.1f} s {memory:7.0f} MB   accuracy {score:.4f}")
        print(f"plain script / cvpipe, cold: {seconds / rows[2][1]:.2f}")
        for command in (["--help"], ["check", "sift_bow_svm"], ["stages"]):
            best = min(timed([sys.executable, "-m", "cvpipe_cli", *command], env)[0] for _ in range(5))
            print(f"cvpipe {' '.join(command):27s} {best:7.2f} s")


def _listed(run: list[str], folder: str, times: int, scratch: str) -> list[str]:
    path = listed_times(folder, times, Path(scratch) / f"times{times}.csv")
    return [*run, "--data", str(path), "--set", "split={holdout: 0.2}"]


if __name__ == "__main__":
    main(sys.argv[1])
