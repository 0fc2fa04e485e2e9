"""What a user would write by hand: a loop of SIFT, KMeans, histograms, a chi-square kernel, SVC. To compare with.

    python benchmarks/plain_script.py FOLDER        (a folder of class folders)

500 keypoints an image, 120 descriptors per training image for 500 words, five stratified folds. Nothing is tuned; every
library has its own threading, as it comes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics.pairwise import chi2_kernel
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

WORDS, KEYPOINTS, PER_IMAGE = 500, 500, 120


def main(folder: str) -> None:
    began = time.perf_counter()
    paths = sorted(
        p for p in Path(folder).glob("*/*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".tif")
    )
    labels = np.array([p.parent.name for p in paths])
    sift = cv2.SIFT_create(nfeatures=KEYPOINTS)
    descriptors = []
    for path in paths:
        _, found = sift.detectAndCompute(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), None)
        descriptors.append(found if found is not None else np.empty((0, 128), np.float32))
    print(f"SIFT {time.perf_counter() - began:.1f} s", flush=True)
    scores = []
    rng = np.random.default_rng(0)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(paths, labels):
        rows = np.vstack([descriptors[i][rng.permutation(len(descriptors[i]))[:PER_IMAGE]] for i in train])
        vocabulary = KMeans(WORDS, n_init=1, random_state=0).fit(rows)
        words = np.array([np.bincount(vocabulary.predict(d), minlength=WORDS) if len(d) else np.zeros(WORDS)
                          for d in descriptors])  # fmt: skip
        words = words / np.maximum(words.sum(axis=1, keepdims=True), 1)
        svm = SVC(kernel="precomputed", C=10).fit(chi2_kernel(words[train]), labels[train])
        scores.append(svm.score(chi2_kernel(words[test], words[train]), labels[test]))
        print(f"fold {len(scores)}: {scores[-1]:.3f} after {time.perf_counter() - began:.1f} s", flush=True)
    print(
        f"accuracy {np.mean(scores):.4f} +- {np.std(scores, ddof=1):.4f}, {time.perf_counter() - began:.1f} s in all"
    )


if __name__ == "__main__":
    main(sys.argv[1])
