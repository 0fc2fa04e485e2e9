"""How a data set is split into images to learn from and images to test on: `split: {kfold: 5}` in a spec.

Images of one group are always kept on one side.
"""

from __future__ import annotations

from cvpipe.splits.base import Split
from cvpipe.splits.drawn import Holdout, KFold, PerClass
from cvpipe.splits.fold import Fold
from cvpipe.splits.listed import File, Given

__all__ = ["SPLITS", "File", "Fold", "Given", "Holdout", "KFold", "PerClass", "Split"]

SPLITS: dict[str, type[Split]] = {split.name: split for split in (KFold, Holdout, PerClass, Given, File)}
"""Word in a spec -> class."""
