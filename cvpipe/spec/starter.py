"""The spec that a user starts from."""

from __future__ import annotations

import json
import re

from cvpipe.spec.overrides import data_node

STARTER = """\
# SIFT keypoints, a bag of visual words and an SVM: a baseline for any labelled photographs.
# Check it with `cvpipe check`, see its cost with `cvpipe plan`, run it with `cvpipe run`.
name: {name}

# A word (`cvpipe datasets` lists all), {{folder: path/to/class-folders}} or {{csv: labels.csv}}.
data: {data}

# Or {{holdout: 0.2, repeats: 5}}, {{per_class: 100, repeats: 10}}, {{given: true}}, {{file: splits.csv}}.
split: {{kfold: 5}}
seed: 0

# `cvpipe stages` lists all stages, `cvpipe stages bag_of_words` explains one and its options.
stages:
  - sift: {{max_keypoints: 500}}
  - root_sift
  - bag_of_words: {{words: 500}}
  - svm: {{kernel: chi2, C: 10}}

metrics: [accuracy, macro_f1, confusion]
on_bad_image: fail   # or skip: images that cannot be read are left out and named in the result
"""


def starter_spec(name: str, data: str) -> str:
    """A commented spec for a data set: a name, a folder or a .csv file. Raises `SpecError`."""
    # JSON is YAML: quotes and escapes hold for any path.
    plain = data_node(data).plain()
    if isinstance(plain, dict):
        plain = "".join(f"{{{kind}: {json.dumps(path)}}}" for kind, path in plain.items())
    word = re.sub(r"[^\w.-]+", "_", name).lstrip("_.-") or "spec"
    return STARTER.format(name=word, data=plain)
