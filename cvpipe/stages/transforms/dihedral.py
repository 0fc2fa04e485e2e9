"""Descriptors of mirrored and turned neighbourhoods, without computing them from pixels."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from cvpipe.data import Descriptors
from cvpipe.errors import RunError
from cvpipe.stage import Stage
from cvpipe.vision.dihedral import Group, permutations


class Dihedral(Stage):
    """Each SIFT descriptor also as it would be were its neighbourhood mirrored or turned by quarter turns.

    Takes (M, 128 c) descriptors of c colour channels, gives (g M, 128 c) of the same type: the g versions of a
    descriptor follow each other, the first as it was, all at its place. Pooled over an image they make a
    feature that does not change when the image is mirrored or turned, as photographs from above may be. The 4 x 4 x 8
    components are only permuted. Raises `RunError` for descriptors of another width.

    Source: Kobayashi, "Flip-invariant motion representation", ICCV 2017, section 3 (permutations of histograms of
    oriented gradients); Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, section 6.1
    (the layout).
    """

    group: Group = "all"  # mirror: 2 versions, turns: 4, all: 8

    cached = False

    def transform(self, descriptors: Descriptors) -> Descriptors:
        """(M, 128 c) uint8 or float32 -> (g M, 128 c) of the same type."""
        values, orders = descriptors.values, permutations(self.group)
        count, width = orders.shape
        if values.shape[1] % width:
            raise RunError(
                f"takes SIFT descriptors of {width} components a channel, got {values.shape[1]}", self.name
            )
        channels = np.arange(0, values.shape[1], width)  # where each begins
        order = (orders[:, None, :] + channels[:, None]).ravel()
        ragged: dict[str, Any] = {
            f.name: np.repeat(getattr(descriptors, f.name), count, axis=0)
            for f in fields(descriptors)
            if f.name in descriptors.per_row and f.name != "values"
        }
        return replace(
            descriptors,
            offsets=descriptors.offsets * count,
            values=np.take(values, order, axis=1).reshape(count * len(values), values.shape[1]),
            **ragged,
        )
