"""How a data set is split into images to learn from and images to test on: `split: {kfold: 5}` in a spec.

Images of one group are always kept on one side.
"""

from __future__ import annotations

from cvpipe.conductor._split_base import Split
from cvpipe.conductor._split_checks import Fold
from cvpipe.conductor._split_drawn import Holdout, KFold, PerClass
from cvpipe.conductor._split_listed import File, Given

__all__ = ["SPLITS", "File", "Fold", "Given", "Holdout", "KFold", "PerClass", "Split"]

SPLITS: dict[str, type[Split]] = {split.name: split for split in (KFold, Holdout, PerClass, Given, File)}
"""Word in a spec -> class."""
