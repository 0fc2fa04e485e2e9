"""Filters that are the atoms of a dictionary for sparse codes."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np

from cvpipe.options import Count, Positive
from cvpipe.stages.filters._base import FilterLearner
from cvpipe.stages.filters._coding import Coding
from cvpipe.vision import filter_codes
from cvpipe.vision.dictionary import gram_of, learn_dictionary


class SparseCoding(FilterLearner):
    """Atoms of which each white patch is a sum of few; an image is the coefficients of its patches, pooled.

    Learns from the (M, h, w, 3) patches of `patches`, takes RGB images of any size, gives (n, regions * pools *
    codes) float32: region after region, pool after pool. Codes of a patch, by `encode`: lasso, the coefficients a
    that minimise |x - D' a|^2 / 2 + penalty |a|; omp, orthogonal matching pursuit with `nonzero` coefficients;
    threshold, products with the atoms, brought nearer to 0 by `penalty`. With `sign: split` positive and negative
    parts follow each other (codes = 2 filters), with `absolute` their signs are dropped (codes = filters). Every
    patch that lies inside the image is encoded, `stride` px apart. An image smaller than a patch gives zeros. If
    there are fewer distinct patches than `filters`, these are the atoms, and there are fewer columns. Raises
    `RunError` if there are no patches.

    Filters can be stacked: with `maps: m` the codes are given as maps of pools * codes channels, one position for m x m
    (0 x 0 where none fit), and maps of C channels that come in are taken as images are, with patches of (M, h, w, C).

    Source: Mairal, Bach, Ponce & Sapiro, "Online dictionary learning for sparse coding", ICML 2009; Coates & Ng, "The
    importance of encoding versus training with sparse coding and vector quantization", ICML 2011, sections 3.1 and 3.2.
    """

    encode: Literal["lasso", "omp", "threshold"] = "lasso"  # how a patch becomes a code
    penalty: Positive = 1.5  # on coefficients of atoms of length 1, white units: some 9 are left of 400
    nonzero: Count = 10  # coefficients of a code by omp; Coates & Ng 2011: 1 to 10
    sign: filter_codes.Sign = "split"  # of coefficients; they would cancel out in a mean
    passes: Count = 2  # over the training patches while atoms are learned; always by lasso

    def _learn(self, rows: np.ndarray) -> None:
        self.filters_ = learn_dictionary(rows, self.filters, self.penalty, self.passes, self.rng("fit"))

    def _coding(self) -> Coding:
        encode = partial(self._encode, gram=gram_of(self.filters_))
        return Coding(np.ascontiguousarray(self.filters_.T), np.zeros(len(self.filters_), np.float32), encode)

    def _encode(self, responses: np.ndarray, gram: np.ndarray) -> np.ndarray:
        """(n, K) products with the atoms -> (n, codes)."""
        from cvpipe.vision.sparse_code import lasso, omp

        if self.encode == "lasso":
            responses = lasso(responses, gram, self.penalty)
        if self.encode == "omp":
            responses = omp(responses, gram, self.nonzero)
        threshold = self.penalty if self.encode == "threshold" else 0.0
        return filter_codes.unsigned(responses, self.sign, threshold)
