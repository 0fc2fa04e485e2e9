"""Several saliency maps in one."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

import numpy as np

from cvpipe.data import Images, Maps
from cvpipe.errors import RunError
from cvpipe.stage import Part, Stage
from cvpipe.stages.saliency.centre_prior import CentrePrior
from cvpipe.stages.saliency.context_aware import ContextAware


class MeanSaliency(Stage):
    """The mean of two to four saliency maps: what one misses another may see.

    Takes RGB images of any size. Gives a map of one channel, (H, W) float32 in [0, 1], at the image's own resolution.
    Raises `RunError` if the maps of an image differ in size or have several channels, and what its members raise.

    Source: Borji, Sihite & Itti, "Salient object detection: a benchmark", ECCV 2012 (combined models: means of
    normalised maps).
    """

    # gives a map of one channel in [0, 1]
    first: Annotated[Stage, Part(Images, Maps)] = field(default_factory=ContextAware)
    # gives another
    second: Annotated[Stage, Part(Images, Maps)] = field(default_factory=CentrePrior)
    third: Annotated[Stage | None, Part(Images, Maps)] = None  # null leaves it out
    fourth: Annotated[Stage | None, Part(Images, Maps)] = None  # null leaves it out

    def transform(self, images: Images) -> Maps:
        """(H, W, 3) uint8 RGB images -> maps of one channel, (H, W) float32 in [0, 1]."""
        members = [part for part in (self.first, self.second, self.third, self.fourth) if part is not None]
        maps = [part.transform(images) for part in members]
        for part, given in zip(members, maps, strict=True):
            if given.values.shape[1] != 1 or not np.array_equal(given.size, maps[0].size):
                said = f"'{part.name}' must give one map of the size of those of '{members[0].name}' for each image"
                raise RunError(said, f"stage '{self.name}'")
        values = np.stack([given.values for given in maps])
        return Maps(offsets=maps[0].offsets, size=maps[0].size, values=values.mean(axis=0))
