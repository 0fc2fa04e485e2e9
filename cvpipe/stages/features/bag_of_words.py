"""A histogram of visual words for each image."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from cvpipe.data import Descriptors, Features
from cvpipe.options import Count, NonNegative, Seed
from cvpipe.stage import Learner
from cvpipe.stages.features._words import check_width, learnable, normalised
from cvpipe.vision.assign import nearest
from cvpipe.vision.kmeans import kmeans


class BagOfWords(Learner):
    """How often each visual word occurs in an image; words are centres of k-means on training descriptors.

    Takes (M, D) descriptors, gives (n, words) float32; with `norm: l1` the share of an image's descriptors.
    Each descriptor counts for its nearest word only. An image without descriptors gives zeros. If the
    training images have fewer distinct descriptors than `words`, these are the words and the columns that are
    left over stay zero. Raises `RunError` if the training images have no descriptors at all, or if later ones
    have another width.

    Source: Csurka et al., "Visual categorization with bags of keypoints", ECCV workshop 2004, section 3.
    """

    words: Count = 500  # visual words; Yang & Newsam 2010 used 100 to 5,000
    norm: Literal["l1", "l2", "none"] = "l1"  # histograms of sum 1, of Euclidean length 1, or counts
    iterations: Count = 30  # most iterations of k-means; later ones gain less than 1 % inertia
    tolerance: NonNegative = 1e-3  # k-means ends when its inertia falls by less than this share of itself
    rows_per_word: Count = 256  # drawn training descriptors per word; 2,000 would gain 0.4 % inertia
    seed: Seed = None  # of the first words, which are random descriptors

    vocabulary_: np.ndarray

    @property
    def fit_rows(self) -> int:
        """Descriptors that `fit` needs: `words * rows_per_word`."""
        return self.words * self.rows_per_word

    def fit(self, descriptors: Descriptors, labels: np.ndarray | None = None) -> Self:
        """Learn `vocabulary_`, (k, D) float32 with k <= words. More than `fit_rows` rows are subsampled."""
        rows = learnable(self, descriptors.values, "words").astype(np.float32, copy=False)
        self.vocabulary_ = kmeans(rows, self.words, self.iterations, self.tolerance, self.rng("fit")).centres
        return self

    def transform(self, descriptors: Descriptors) -> Features:
        """(M, D) descriptors -> (n, words) float32 histograms."""
        check_width(self, descriptors.values, self.vocabulary_.shape[1], "words")
        histograms = np.zeros((len(descriptors), self.words), np.float32)
        # Image by image, so that the last bit of a product, and so a word, depends on nothing else.
        for image, histogram in enumerate(histograms):
            word, _ = nearest(descriptors.values[descriptors.rows(image)], self.vocabulary_)
            histogram += np.bincount(word, minlength=self.words)
        return Features(values=normalised(histograms, self.norm))
