"""A histogram of visual words for each image."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from cvpipe.data import Descriptors
from cvpipe.options import Count, NonNegative, Positive, Seed
from cvpipe.stages.features._coding import Coder
from cvpipe.stages.features._words import check_width, normalised, vocabulary
from cvpipe.vision.assign import nearest
from cvpipe.vision.soft_assign import soft_shares


class BagOfWords(Coder):
    """How often each visual word occurs in an image; words are centres of k-means on training descriptors.

    Takes (M, D) descriptors, gives (n, words) float32; with `norm: l1` the share of an image's descriptors.
    A descriptor counts 1: for its nearest word only (`hard`), or shared between all words by a Gaussian of their
    distances (`soft`: a kernel codebook), whose width is `softness` times the root mean squared distance of training
    descriptors to their words. An image without descriptors gives zeros. If the training images have fewer distinct
    descriptors than `words`, these are the words and the columns that are left over stay zero. Raises `RunError` if
    the training images have no descriptors at all, or if later ones have another width.

    Source: Csurka et al., "Visual categorization with bags of keypoints", ECCV workshop 2004, section 3; van Gemert,
    Veenman, Smeulders & Geusebroek, "Visual word ambiguity", PAMI 2010, equation 10 (assignment: soft).
    """

    words: Count = 500  # visual words; Yang & Newsam 2010 used 100 to 5,000
    norm: Literal["l1", "l2", "none"] = "l1"  # histograms of sum 1, of Euclidean length 1, or counts
    assignment: Literal["hard", "soft"] = (
        "hard"  # to the nearest word, or to all by a Gaussian of the distance
    )
    # of soft: sigma, in typical distances of a descriptor to its word; 0.15 to 0.2 did best on UC Merced
    softness: Positive = 0.2
    iterations: Count = 30  # most iterations of k-means; later ones gain less than 1 % inertia
    tolerance: NonNegative = 1e-3  # k-means ends when its inertia falls by less than this share of itself
    rows_per_word: Count = 256  # drawn training descriptors per word; 2,000 would gain 0.4 % inertia
    seed: Seed = None  # of the first words, which are random descriptors

    vocabulary_: np.ndarray
    sigma_: float

    @property
    def fit_rows(self) -> int:
        """Descriptors that `fit` needs: `words * rows_per_word`."""
        return self.words * self.rows_per_word

    def fit(self, descriptors: Descriptors, labels: np.ndarray | None = None) -> Self:
        """Learn `vocabulary_`, (k, D) float32 with k <= words. More than `fit_rows` rows are subsampled."""
        how = self.words, self.iterations, self.tolerance
        self.vocabulary_, squared = vocabulary(self, descriptors.values, *how)
        self.sigma_ = self.softness * float(np.sqrt(squared))
        return self

    def coded(self, rows: np.ndarray) -> np.ndarray:
        """(m, D) descriptors -> (m,) int32 nearest words, or (m, k) float32 shares."""
        check_width(self, rows, self.vocabulary_.shape[1], "words")
        if self.assignment == "hard":
            return nearest(rows, self.vocabulary_)[0]
        return soft_shares(rows, self.vocabulary_, self.sigma_)

    def pooled(self, codes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Codes -> (cells, words) float32 histograms."""
        histograms = np.zeros((len(offsets) - 1, self.words), np.float32)
        for cell, histogram in enumerate(histograms):
            mine = codes[offsets[cell] : offsets[cell + 1]]
            if self.assignment == "hard":
                histogram += np.bincount(mine, minlength=self.words)
            else:
                histogram[: mine.shape[1]] = mine.sum(axis=0)
        return normalised(histograms, self.norm)
