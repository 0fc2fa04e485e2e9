"""Kernels and support vector machines: scikit-learn against ours.

    python benchmarks/svm_speed.py [--rows 2000] [--width 1000] [--classes 21] [--jobs 2]

Synthetic histograms, half of them zeros. CPU seconds of the whole process. Targets: the chi-square kernel 10
times as fast; the linear solver no slower than LinearSVC at its own, looser, tolerance. The last column is
the objective of the linear machines divided by the smallest.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from cvpipe import threads
from cvpipe.data import Features
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.vision import kernels


def histograms(rows: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, classes, rows)
    shape = 0.3 + 0.7 * rng.random((classes, width))
    values = rng.gamma(shape[truth]) * (rng.random((rows, width)) < 0.5)
    return (values / values.sum(axis=1, keepdims=True)).astype(np.float32), truth.astype(str)


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def objective(weights: np.ndarray, bias: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """Of the squared hinge with C = 1, summed over classes; weights (width, classes)."""
    targets = np.where(y[:, None] == np.unique(y), 1, -1)
    loss = np.maximum(1 - targets * (x @ weights + bias), 0)
    return float((weights**2).sum() / 2 + (bias**2).sum() / 2 + (loss**2).sum())


def kernel_table(x: np.ndarray) -> None:
    from sklearn.metrics.pairwise import chi2_kernel

    few = x[:200]
    kernels.distances("chi2", few, few)  # compiles, or reads what was compiled
    theirs, _ = cpu(lambda: chi2_kernel(few, x))
    theirs *= len(x) / len(few)
    ours, _ = cpu(lambda: kernels.similarities("chi2", x, x.copy(), 1.0))
    half, _ = cpu(lambda: kernels.similarities("chi2", x, x, 1.0))
    print(f"chi2 kernel, {len(x)} x {len(x)} x {x.shape[1]}\n{'':24} CPU s  ratio")
    rows = (("scikit-learn (from 200)", theirs), ("ours", ours), ("ours, symmetric", half))
    for name, taken in rows:
        print(f"{name:23} {taken:6.2f} {theirs / taken:6.1f}")


def linear_table(x: np.ndarray, y: np.ndarray) -> None:
    from sklearn.svm import LinearSVC

    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9) / np.float32(np.sqrt(x.shape[1]))
    runs: dict[str, Callable[[], Any]] = {
        "LinearSVC(dual=True)": lambda: LinearSVC(dual=True).fit(x, y),
        "LinearSVC(dual=False)": lambda: LinearSVC(dual=False).fit(x, y),
        "ours": lambda: Svm().fit(Features(values=x), y),
    }
    taken = {name: cpu(run) for name, run in runs.items()}
    weights = {name: (m.coef_ if name == "ours" else m.coef_.T) for name, (_, m) in taken.items()}
    values = {name: objective(weights[name], taken[name][1].intercept_, x, y) for name in runs}
    base, lowest = taken["LinearSVC(dual=True)"][0], min(values.values())
    print(f"linear machine, {x.shape}, {len(np.unique(y))} classes\n{'':24} CPU s  ratio  objective")
    for name, (seconds, _) in taken.items():
        print(f"{name:23} {seconds:6.2f} {base / seconds:6.1f} {values[name] / lowest:10.6f}")


def kernel_machine_table(x: np.ndarray, y: np.ndarray) -> None:
    from sklearn.svm import SVC

    table = kernels.similarities("chi2", x, x, 1.0)
    theirs, _ = cpu(lambda: SVC(kernel="precomputed", C=10).fit(table, y))
    ours, _ = cpu(lambda: Svm(kernel="chi2", C=10, seed=0).fit(Features(values=x), y))
    print(f"chi2 machine, C 10\nSVC without the kernel {theirs:6.2f} s, ours with the kernel {ours:6.2f} s")


def search_table(x: np.ndarray, y: np.ndarray) -> None:
    """The same folds and grid for both. A careful user computes scikit-learn's kernel once, before its search."""
    from sklearn.metrics.pairwise import chi2_kernel
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import SVC, LinearSVC

    linear, chi2 = Svm(C="search", seed=0), Svm(kernel="chi2", gamma=1.0, C="search", seed=0)
    fold = linear.inner_folds(np.unique(y, return_inverse=True)[1])
    folds = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(linear.folds)]
    spread = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9) / np.float32(np.sqrt(x.shape[1]))
    table = kernels.similarities("chi2", x, x, 1.0)
    kernel = cpu(lambda: chi2_kernel(x[:200], x))[0] * len(x) / 200
    print(f"C: search, {len(linear.grid)} values x {linear.folds} folds\n{'':24} CPU s  ratio  C")
    for name, machine, rows, before, stage, features in (
        ("LinearSVC(dual=True)", LinearSVC(dual=True), spread, 0.0, linear, spread),
        ("SVC, chi2 kernel", SVC(kernel="precomputed"), table, kernel, chi2, x),
    ):
        search = GridSearchCV(machine, {"C": list(stage.grid)}, cv=folds)
        theirs, found = cpu(lambda search=search, rows=rows: search.fit(rows, y))
        ours, fitted = cpu(lambda stage=stage, x=features: stage.fit(Features(values=x), y))
        print(f"{name:23} {theirs + before:6.1f} {1:6.1f}  {found.best_params_['C']:g}")
        print(f"{'ours':23} {ours:6.1f} {(theirs + before) / ours:6.1f}  {fitted.C_:g}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("rows", 2000), ("width", 1000), ("classes", 21), ("jobs", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    x, y = histograms(options.rows, options.width, options.classes)
    with threads.allow(options.jobs):
        kernel_table(x)
        linear_table(x, y)
        kernel_machine_table(x, y)
        search_table(x, y)


if __name__ == "__main__":
    main()
