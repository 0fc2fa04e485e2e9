"""A small comparison that no pipeline had to run for."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvpipe.comparison.candidate import Answers, Candidate, Costs, CurvePoint
from cvpipe.comparison.result import Comparison
from cvpipe.comparison.verdicts import Belief, Many, Pair, Significance
from cvpipe.conductor.measured import Score
from cvpipe.conductor.metrics import confusion_matrices

CLASSES = ("brick", "grass", "sand", "water")
SPLITS = 5


def small_comparison(failed: bool = True, images: int = 40, seed: int = 0) -> Comparison:
    """`alpha`, `beta` and `gamma` on four classes in five splits, right in about 90, 88 and 60 % of the images; with
    `failed` also `delta`, which ran out of memory. `alpha` and `beta` cannot be told apart."""
    rng = np.random.default_rng(seed)
    truth = np.arange(images) % len(CLASSES)
    right = {"alpha": 0.9, "beta": 0.88, "gamma": 0.6}
    candidates = [_candidate(name, share, truth, rng) for name, share in right.items()]
    if failed:
        spec = _spec("delta")
        candidates.append(Candidate("delta", spec, "failed", "out of memory while fitting on 32 images"))
    names = list(right)
    pairs = [_pair(candidates[i], candidates[j]) for i in range(3) for j in range(i + 1, 3)]
    return Comparison(
        name="small",
        data={"name": "surfaces", "images": images, "classes": len(CLASSES), "class_names": list(CLASSES),
              "fingerprint": "0123456789abcdef", "note": ""},
        split={"kfold": SPLITS},
        seed=0,
        metric="accuracy",
        candidates=candidates,
        pairs=pairs,
        many=Many(Significance("friedman", 8.4, 0.015), {"alpha": 1.3, "beta": 1.7, "gamma": 3.0}, 1.48,
                  [["alpha", "beta"], ["beta", "gamma"]]),
        sentences=[f"`{names[0]}` beats `{names[2]}`.", f"`{names[0]}` and `{names[1]}` cannot be told apart here."],
        environment={"cvpipe": "0.1.0", "python": "3.12.0", "processor": "none", "cores": 2, "jobs": 2, "device": "cpu",
                     "when": "2024-01-01T00:00:00+0000", "platform": "Linux", "libraries": {"numpy": "2.0.0"}},
        total_s=12.5,
    )  # fmt: skip


def _spec(name: str) -> dict[str, Any]:
    words = 100 + 50 * len(name)
    return {
        "name": name,
        "data": {"textures": {}},
        "split": {"kfold": SPLITS},
        "seed": 0,
        "stages": [{"sift": {}}, {"bag_of_words": {"words": words}}, {"svm": {"C": 10.0}}],
        "metrics": ["accuracy", "macro_f1"],
        "on_bad_image": "fail",
    }


def _candidate(name: str, share: float, truth: np.ndarray, rng: np.random.Generator) -> Candidate:
    n, k = len(truth), len(CLASSES)
    split = np.sort(np.arange(n) % SPLITS)
    predicted = np.where(rng.random(n) < share, truth, (truth + 1) % k)
    words = np.array(CLASSES)
    ids = np.array([f"{CLASSES[c]}/{i:03d}.png" for i, c in enumerate(truth)])
    answers = Answers(ids, split, words[truth], words[predicted], rng.random(n))
    values = [float(answers.hits[split == s].mean()) for s in range(SPLITS)]
    mean, std = float(np.mean(values)), float(np.std(values, ddof=1))
    score = Score(mean, std, values, [max(0.0, mean - 0.1), min(1.0, mean + 0.1)])
    confusion = confusion_matrices(np.zeros(n, np.int64), truth, predicted, 1, k)[0]
    per_class = {
        word: {"precision": mean, "recall": mean, "f1": mean, "support": int((truth == c).sum())}
        for c, word in enumerate(CLASSES)
    }
    stages = [
        {"name": stage, "fit_s": fit, "predict_ms_per_image": ms, "peak_rss_mb": 200.0, "output": "", "cached": False}
        for stage, fit, ms in (("sift", 0.0, 9.0 * share), ("bag_of_words", 1.5, 1.0), ("svm", 0.5, 0.1))
    ]  # fmt: skip
    costs = Costs(2.0 * share, 10.1 * share, 310.0, 100 * len(name), 1.25, 4.0, stages)
    curve = [CurvePoint(size, mean - 0.2 / size, std, values) for size in (2, 4, 8)]
    scores = {"accuracy": score, "macro_f1": score}
    return Candidate(
        name, _spec(name), "ok", "", None, scores, answers, confusion, per_class, costs, "cpu", curve
    )


def _pair(a: Candidate, b: Candidate) -> Pair:
    assert a.answers is not None
    assert b.answers is not None
    difference = a.scores["accuracy"].mean - b.scores["accuracy"].mean
    p = 0.001 if abs(difference) > 0.15 else 0.7
    return Pair(
        a.name,
        b.name,
        difference,
        (difference - 0.1, difference + 0.1),
        (difference - 0.12, difference + 0.12),
        [Significance("mcnemar", 4.0, p, "exact"), Significance("corrected_t", 2.0, p)],
        p,
        0.5,
        int((a.answers.hits & ~b.answers.hits).sum()),
        int((b.answers.hits & ~a.answers.hits).sum()),
        Belief(0.6, 0.3, 0.1, 0.01),
    )
