"""A histogram of binary visual words for each image."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from cvpipe.data import BinaryDescriptors, Features
from cvpipe.errors import RunError
from cvpipe.options import Count, NonNegative, Seed
from cvpipe.stage import Learner
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
        rows = descriptors.values
        if not len(rows):
            raise RunError("the training images have no descriptors to learn words from", self.name)
        rng = self.rng("fit")
        if len(rows) > self.fit_rows:
            rows = rows[np.sort(rng.choice(len(rows), self.fit_rows, replace=False))]
        self.vocabulary_ = kmajority(rows, self.words, self.iterations, self.tolerance, rng)
        return self

    def transform(self, descriptors: BinaryDescriptors) -> Features:
        """(M, B) descriptors -> (n, words) float32 histograms."""
        width, got = self.vocabulary_.shape[1], descriptors.values.shape[1]
        if got != width:
            raise RunError(f"descriptors are {got} bytes long, the words {width}", self.name)
        word, _ = nearest_strings(descriptors.values, self.vocabulary_)
        image = np.repeat(np.arange(len(descriptors)), descriptors.counts)
        counts = np.bincount(image * self.words + word, minlength=len(descriptors) * self.words)
        histograms = counts.reshape(-1, self.words).astype(np.float32)
        if self.norm != "none":
            order = 1 if self.norm == "l1" else 2
            histograms /= np.maximum(np.linalg.norm(histograms, order, axis=1, keepdims=True), 1)
        return Features(values=histograms)
