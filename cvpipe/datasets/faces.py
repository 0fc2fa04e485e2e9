"""The small set of faces that scikit-image brings along."""

from __future__ import annotations

import numpy as np

from cvpipe.data import Dataset, Images
from cvpipe.datasets._files import shipped
from cvpipe.datasets._source import Source

FACES = 100  # the first half are faces


class Faces(Source):
    """Is it a face? Grey images of 25x25 pixels.

    200 images, 2 classes of 100: `face` (from Labelled Faces in the Wild, Huang et al. 2007) and `other` (cut
    from its backgrounds), as the scikit-image wheel brings them (`skimage.data.lfw_subset`); [0, 1] is scaled
    to 0 to 255. No licence is stated: the photographs belong to their owners. Protocol: `{kfold: 5}`.
    """

    def load(self) -> Dataset:
        """All images, in memory (125 KB). Raises `DataError` if scikit-image lacks the file."""
        values = np.load(shipped("skimage", "data/lfw_subset.npy"), allow_pickle=False)
        pixels = np.rint(values * 255).astype(np.uint8)
        labels = np.where(np.arange(len(pixels)) < FACES, "face", "other")
        return Dataset("faces", Images.from_arrays(pixels), labels)
