"""VLAD: descriptors as differences to their visual words."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from cvpipe.data import Descriptors, Features
from cvpipe.options import Count, NonNegative, Positive, Seed
from cvpipe.stage import Learner
from cvpipe.stages.features._words import check_width, vocabulary
from cvpipe.stages.transforms.power import signed_power
from cvpipe.vision.unit import unit
from cvpipe.vision.vlad import residual_sums


class Vlad(Learner):
    """For each visual word the sum of the differences between the descriptors nearest to it and the word.

    Takes (M, D) descriptors, gives (n, words * D) float32, word after word: powers, then each word's part to
    length 1 (`intra`), then the norm. An image without descriptors gives zeros. If the training images have
    fewer distinct descriptors than `words`, these are the words and the columns that are left over stay zero.
    Raises `RunError` if the training images have no descriptors at all, or if later ones have another width.

    Source: Jegou et al., "Aggregating local descriptors into a compact image representation", CVPR 2010,
    section 3; Arandjelovic & Zisserman, "All about VLAD", CVPR 2013, section 3.1 (intra: true).
    """

    words: Count = 64  # visual words; Jegou 2010 used 16 to 256
    intra: bool = True  # each word's part has length 1, so that no burst of one word outweighs the others
    power: Positive = 1.0  # sign(z) |z|^power before the norms; 0.5 is the signed square root
    norm: Literal["l2", "none"] = "l2"  # Euclidean length 1, in the end
    iterations: Count = 30  # most iterations of k-means
    tolerance: NonNegative = 1e-3  # k-means ends when its inertia falls by less than this share of itself
    rows_per_word: Count = 1000  # drawn training descriptors per word: words are few, so they can be many
    seed: Seed = None  # of the first words, which are random descriptors

    vocabulary_: np.ndarray

    @property
    def fit_rows(self) -> int:
        """Descriptors that `fit` needs: `words * rows_per_word`."""
        return self.words * self.rows_per_word

    def fit(self, descriptors: Descriptors, labels: np.ndarray | None = None) -> Self:
        """Learn `vocabulary_`, (k, D) float32 with k <= words."""
        how = self.words, self.iterations, self.tolerance
        self.vocabulary_, _ = vocabulary(self, descriptors.values, *how)
        return self

    def transform(self, descriptors: Descriptors) -> Features:
        """(M, D) descriptors -> (n, words * D) float32."""
        count, width = self.vocabulary_.shape
        check_width(self, descriptors.values, width, "words")
        values = np.zeros((len(descriptors), self.words, width), np.float32)
        for image in np.flatnonzero(descriptors.counts).tolist():
            values[image, :count] = residual_sums(
                descriptors.values[descriptors.rows(image)], self.vocabulary_
            )
        values = signed_power(values, self.power)
        values = unit(values) if self.intra else values
        flat = values.reshape(len(values), self.words * width)
        return Features(values=unit(flat) if self.norm == "l2" else flat)
