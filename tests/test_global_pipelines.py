"""The shipped specs of whole-image features and of binary words reach the scores in their headers."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

import cvpipe

SLACK = 1.0
"""Percentage points below the stated score that other library versions may cost."""
QUICK = ["pixels_knn", "colour_hist_knn"]
SLOW = ["hog_svm", "lbp_svm", "gabor_svm", "orb_bow_svm"]


@pytest.mark.parametrize("name", [*QUICK, *[pytest.param(name, marks=pytest.mark.slow) for name in SLOW]])
def test_a_shipped_spec_reaches_the_score_in_its_header(name: str) -> None:
    text = files("cvpipe_pipelines").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    stated = re.search(r"# Score: ([0-9.]+) % accuracy on (digits|textures)", text)
    assert stated
    score = cvpipe.run(name).scores["accuracy"].mean * 100
    assert abs(score - float(stated[1])) < SLACK, score
