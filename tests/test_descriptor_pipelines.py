"""The shipped specs of dense descriptors reach the scores in their headers, on the embedded textures."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

import cvpipe

SLACK = 1.0
"""Percentage points below the stated score that other library versions may cost."""
NAMES = [
    "dense_sift_bow_svm",
    "dense_sift_spm_svm",
    "llc_spm_svm",
    "rootsift_vlad_svm",
    "rootsift_fisher_svm",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_spec_reaches_the_score_in_its_header(name: str) -> None:
    text = files("cvpipe_pipelines").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    stated = re.search(r"# Score: ([0-9.]+) % on textures", text)
    assert stated
    score = cvpipe.run(name).scores["accuracy"].mean * 100
    assert score > float(stated[1]) - SLACK
