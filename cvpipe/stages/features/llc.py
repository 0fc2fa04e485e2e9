"""Locality-constrained linear coding: descriptors as combinations of the words around them."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from cvpipe.data import Descriptors
from cvpipe.options import Count, NonNegative, Positive, Seed
from cvpipe.stages.features._coding import Coder
from cvpipe.stages.features._words import check_width, vocabulary
from cvpipe.vision.llc import locality_codes

CODE = np.dtype([("word", np.int32), ("weight", np.float32)])
"""One word of a descriptor's code, and its weight."""


class Llc(Coder):
    """The largest weight of each visual word in an image, where descriptors are weighted sums of the words around them.

    Takes (M, D) descriptors, best of length 1, gives (n, words) float32. The weights of a descriptor sum to 1 and may
    be negative; `pooling: max` takes the largest, and 0 for a word that no descriptor is near to, `mean` the mean
    over the descriptors. Not normalised: Wang 2010 divides the vector of a whole pyramid by its length, which is the
    stage `l2` after it. An image without descriptors gives zeros. If the training images have fewer distinct
    descriptors than `words`, these are the words and the columns that are left over stay zero. Raises `RunError` if
    the training images have no descriptors at all, or if later ones have another width.

    Source: Wang, Yang, Yu, Lv, Huang & Gong, "Locality-constrained linear coding for image classification", CVPR 2010,
    section 3 (the approximation by nearest words), on words of k-means.
    """

    words: Count = 1024  # visual words; Wang 2010 used 1,024 and 2,048
    neighbours: Count = 5  # words that a descriptor is a sum of; Wang 2010, section 5
    ridge: Positive = 1e-4  # added to the diagonal of the equations, as a share of its sum; Wang's program
    pooling: Literal["max", "mean"] = "max"  # over the descriptors of an image or cell
    iterations: Count = 30  # most iterations of k-means
    tolerance: NonNegative = 1e-3  # k-means ends when its inertia falls by less than this share of itself
    rows_per_word: Count = 256  # drawn training descriptors per word
    seed: Seed = None  # of the first words, which are random descriptors

    vocabulary_: np.ndarray

    @property
    def fit_rows(self) -> int:
        """Descriptors that `fit` needs: `words * rows_per_word`."""
        return self.words * self.rows_per_word

    def fit(self, descriptors: Descriptors, labels: np.ndarray | None = None) -> Self:
        """Learn `vocabulary_`, (k, D) float32 with k <= words. More than `fit_rows` rows are subsampled."""
        how = self.words, self.iterations, self.tolerance
        self.vocabulary_, _ = vocabulary(self, descriptors.values, *how)
        return self

    def coded(self, rows: np.ndarray) -> np.ndarray:
        """(m, D) descriptors -> (m, neighbours) of `CODE`."""
        check_width(self, rows, self.vocabulary_.shape[1], "words")
        word, weight = locality_codes(rows, self.vocabulary_, self.neighbours, self.ridge)
        codes = np.empty(word.shape, CODE)
        codes["word"], codes["weight"] = word, weight
        return codes

    def pooled(self, codes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Codes -> (cells, words) float32."""
        values = np.zeros((len(offsets) - 1, self.words), np.float32)
        counts = np.diff(offsets)
        places = np.repeat(np.arange(len(values)), counts)[:, None], codes["word"]
        if self.pooling == "max":
            np.maximum.at(values, places, codes["weight"])
            return values
        np.add.at(values, places, codes["weight"])
        return values / np.maximum(counts, 1).astype(np.float32)[:, None]
