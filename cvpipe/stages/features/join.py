"""Features of several kinds, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Annotated, Literal

import numpy as np
from annotated_types import MinLen

from cvpipe.composite import Composite
from cvpipe.data import BinaryDescriptors, Descriptors, Features, Images, Keypoints, Maps, Patches
from cvpipe.options import NonNegative
from cvpipe.stage import Stage
from cvpipe.stages.features.colour_histogram import ColourHistogram
from cvpipe.stages.features.lbp import Lbp
from cvpipe.stages.transforms.l1 import L1
from cvpipe.stages.transforms.l2 import L2

Norm = Literal["l1", "l2", "none"]
Chain = Annotated[tuple[Stage, ...], MinLen(1)]


def _colour_and_texture() -> tuple[Chain, ...]:
    return ((ColourHistogram(),), (Lbp(),))


class Join(Composite):
    """Fusion: the features that several chains of stages make of the same images, one after the other in one vector.

    Takes whatever its chains take, gives (n, sum of their widths) float32. Each chain ends with Features, which are
    normalised and multiplied by its weight, so that a linear kernel of the joint vectors is the sum of the chains'
    kernels, each times its weight squared. An image for which a chain gives zeros keeps zeros there. Every chain is
    cached and timed stage by stage. Raises what its chains raise.

    Source: Gehler & Nowozin, "On feature combination for multiclass object classification", ICCV 2009, section 3.1
    (sum of kernels).
    """

    # lists of stages, each from what comes before this stage to Features
    branches: Annotated[tuple[Chain, ...], MinLen(1)] = field(default_factory=_colour_and_texture)
    # a factor for each branch; null takes 1 for all
    weights: tuple[NonNegative, ...] | None = None
    # length of each branch's vectors before its weight: one word for all branches, or one for each
    normalise: Norm | tuple[Norm, ...] = "l2"

    def conflicts(self) -> list[str]:
        """Branches that are no lists, and lists of another length than `branches`."""
        single = [f"option 'branches' of stage '{self.name}' is a list of lists of stages, but one is {branch.name}"
                  for branch in self.branches if isinstance(branch, Stage)]  # fmt: skip
        if single:
            return single
        lists = {
            "weights": self.weights,
            "normalise": None if isinstance(self.normalise, str) else self.normalise,
        }
        count = len(self.branches)
        return [
            f"option '{name}' of stage '{self.name}' has {len(given)} values for {count} branches"
            for name, given in lists.items()
            if given is not None and len(given) != count
        ]

    def chains(self) -> Sequence[Sequence[Stage]]:
        """The branches."""
        return self.branches

    def transform(
        self, batch: Images | Keypoints | Patches | Descriptors | BinaryDescriptors | Maps | Features
    ) -> Features:
        """A batch -> (n, sum of widths) float32."""
        joined: Features = super().transform(batch)
        return joined

    def combine(self, outputs: Sequence[Features]) -> Features:
        """The features of each branch, normalised and weighted, side by side."""
        norms = [self.normalise] * len(outputs) if isinstance(self.normalise, str) else self.normalise
        weights = [1.0] * len(outputs) if self.weights is None else self.weights
        parts = [
            _normalised(features, norm).values * np.float32(weight)
            for features, norm, weight in zip(outputs, norms, weights, strict=True)
        ]
        return Features(values=np.concatenate(parts, axis=1, dtype=np.float32))


def _normalised(features: Features, norm: Norm) -> Features:
    if norm == "none":
        return features
    return (L1() if norm == "l1" else L2()).transform(features)
