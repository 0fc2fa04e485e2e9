"""What a process does for a comparison that runs its candidates. It is begun before everything else, so this module
imports no more than that takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cvpipe.api import run
from cvpipe.comparison.candidate import CurvePoint
from cvpipe.comparison.costs import costs, speeds
from cvpipe.comparison.feature_rows import keep_features
from cvpipe.comparison.record import write_record
from cvpipe.comparison.teller import Teller
from cvpipe.conductor import keys, workers
from cvpipe.conductor.environment import environment
from cvpipe.conductor.result import Worked
from cvpipe.conductor.scan import token_of
from cvpipe.conductor.store import open_store
from cvpipe.report.html import compile_templates
from cvpipe.report.thumbnails import webp
from cvpipe.spec import load_spec
from cvpipe.spec.annotations import remember_checks


def prepare() -> None:
    """What every candidate would do again, done once before the first: versions, sources, numba's set-up."""
    from cvpipe.vision.compiled import warm_up

    warm_up()
    environment(1, "cpu")
    keys.remember_sources()


def prepare_more(task: Mapping[str, Any]) -> None:
    """What all candidates but the first would do again, done while that is at work: templates, pictures, checks of
    options, the hashes of the images, a look at how large the cache is."""
    compile_templates()
    webp(np.zeros((1, 1, 3), np.uint8))  # Pillow imports some formats when it writes its first file
    remember_checks()
    for item in () if task["smoke"] else load_spec(task["spec"]).data.load().images.items:
        token_of(item)
    with open_store(use_cache=True):
        pass


def run_candidate(task: Mapping[str, Any], teller: Teller) -> None:
    """One candidate of a comparison, in a process of its own: a run with its folder, and what it costs."""
    options = {"jobs": task["jobs"], "device": task["device"], "progress": teller}
    found: dict[str, Any] = {}

    def computed(ran: Worked) -> None:
        seconds, dimension = speeds(ran, teller.found or {})  # at most the next one gets ready
        found["speed"] = list(seconds.values()), dimension, workers.peak_mb()
        found["curve"] = [_point(task["spec"], size, options) for size in task["train_sizes"]]
        teller.free(seconds)

    options["replace"] = True  # what is stale in the folder may be of another spec
    result = run(task["spec"], out=task["folder"], smoke=task["smoke"], computed=computed, **options)
    keep_features(result)
    write_record(result, task["key"], costs(result, *found["speed"]), found["curve"])


def _point(spec: Mapping[str, Any], size: int, options: Mapping[str, Any]) -> CurvePoint:
    """The score after learning from so many images of each class."""
    options["progress"].doing(f"learning from {size} images of each class")
    result = run({**spec, "split": {**spec["split"], "train_per_class": size}}, **options)
    score = next(iter(result.scores.values()))
    return CurvePoint(size, score.mean, score.std, score.values)
