"""A histogram of binary visual words for each image."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from cvpipe.data import BinaryDescriptors, Features
from cvpipe.options import Count, NonNegative, Seed
from cvpipe.stage import Learner
from cvpipe.stages.features._words import check_width, learnable, normalised
from cvpipe.vision.kmajority import kmajority, nearest_strings


class BinaryBagOfWords(Learner):
    """How often each visual word occurs in an image, for strings of bits: clustered and compared by Hamming distance.

    Takes (M, B) packed strings of 8 B bits, gives (n, words) float32; with `norm: l1` the share of an image's
    descriptors. Words are strings too: each bit is what most descriptors of its cluster have. An image without
    descriptors gives zeros. If the training images have fewer distinct descriptors than `words`, these are the
    words and the columns that are left over stay zero. Raises `RunError` if the training images have no
    descriptors at all, or if later ones have another width.

    Source: Grana, Borghesani, Manfredi & Cucchiara, "A fast approach for integrating ORB descriptors in the bag of
    words model", SPIE Multimedia Content Access 2013, section 3.
    """

    words: Count = 500  # visual words
    norm: Literal["l1", "l2", "none"] = "l1"  # histograms of sum 1, of Euclidean length 1, or counts
    iterations: Count = 30  # most iterations of k-majority
    tolerance: NonNegative = 1e-3  # it ends when the sum of distances falls by less than this share of itself
    rows_per_word: Count = 256  # drawn training descriptors per word
    seed: Seed = None  # of the first words, which are random descriptors

    vocabulary_: np.ndarray

    @property
    def fit_rows(self) -> int:
        """Descriptors that `fit` needs: `words * rows_per_word`."""
        return self.words * self.rows_per_word

    def fit(self, descriptors: BinaryDescriptors, labels: np.ndarray | None = None) -> Self:
        """Learn `vocabulary_`, (k, B) uint8 with k <= words. More than `fit_rows` rows are subsampled."""
        rows = learnable(self, descriptors.values, "words")
        self.vocabulary_ = kmajority(rows, self.words, self.iterations, self.tolerance, self.rng("fit"))
        return self

    def transform(self, descriptors: BinaryDescriptors) -> Features:
        """(M, B) descriptors -> (n, words) float32 histograms."""
        check_width(self, descriptors.values, self.vocabulary_.shape[1], "words", "bytes")
        word, _ = nearest_strings(descriptors.values, self.vocabulary_)
        image = np.repeat(np.arange(len(descriptors)), descriptors.counts)
        counts = np.bincount(image * self.words + word, minlength=len(descriptors) * self.words)
        return Features(values=normalised(counts.reshape(-1, self.words).astype(np.float32), self.norm))
