"""Sparse codes of descriptors."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, Self

import numpy as np

from cvpipe.data import Descriptors
from cvpipe.errors import RunError
from cvpipe.options import Count, Positive, Seed
from cvpipe.stage import Learner
from cvpipe.vision.dictionary import gram_of, learn_dictionary
from cvpipe.vision.unit import unit


class SparseCodes(Learner):
    """Each descriptor as a sum of few atoms of a dictionary that was learned from training descriptors.

    Takes (M, D) descriptors, which are made length 1, gives (M, atoms) float32: the sizes of the coefficients, not
    negative. Codes, by `encode`: lasso, the coefficients a that minimise |x - D' a|^2 / 2 + penalty |a|; omp,
    orthogonal matching pursuit with `nonzero` coefficients. A zero descriptor has a zero code. If the training
    images have fewer distinct descriptors than `atoms`, these are the atoms, and there are fewer columns. Raises
    `RunError` if the training images have no descriptors but zeros, or if later ones have another width.

    ScSPM is this stage, and after it `spatial_pyramid` with the encoder `max_pool` and a linear SVM. Yang's lambda is
    twice the penalty here.

    Source: Yang, Yu, Gong & Huang, "Linear spatial pyramid matching using sparse coding for image classification", CVPR
    2009, section 3; Mairal, Bach, Ponce & Sapiro, "Online dictionary learning for sparse coding", ICML 2009.
    """

    atoms: Count = 1024  # of the dictionary; Yang 2009
    encode: Literal["lasso", "omp"] = "lasso"  # how a descriptor becomes a code
    penalty: Positive = 0.15  # on coefficients, lasso; Yang 2009: lambda of 0.3 to 0.4, section 5
    nonzero: Count = 10  # coefficients of a code, omp
    samples: Count = 50_000  # training descriptors; Yang 2009
    passes: Count = 2  # over them while atoms are learned, always by lasso
    seed: Seed = None  # of the first atoms, which are random descriptors, and of the order of descriptors

    cached = False  # 4 bytes x atoms x descriptors; what pools them is kept

    atoms_: np.ndarray

    @property
    def fit_rows(self) -> int:
        """Descriptors that `fit` needs."""
        return self.samples

    def fit(self, descriptors: Descriptors, labels: np.ndarray | None = None) -> Self:
        """Learn `atoms_`, (k, D) float32 with k <= atoms, of length 1. More than `samples` rows are subsampled."""
        rows = descriptors.values
        if len(rows) > self.samples:
            rows = rows[np.sort(self.rng("rows").choice(len(rows), self.samples, replace=False))]
        rows = rows[np.any(rows, axis=1)]
        if not len(rows):
            raise RunError("the training images have no descriptors to learn atoms from", self.name)
        rows = unit(rows.astype(np.float32))
        self.atoms_ = learn_dictionary(rows, self.atoms, self.penalty, self.passes, self.rng("fit"))
        return self

    def transform(self, descriptors: Descriptors) -> Descriptors:
        """(M, D) descriptors -> (M, atoms) float32 sizes of coefficients, image by image."""
        count, width = self.atoms_.shape
        if descriptors.values.shape[1] != width:
            got = descriptors.values.shape[1]
            raise RunError(f"descriptors are {got} numbers long, the atoms {width}", self.name)
        codes = np.empty((len(descriptors.values), count), np.float32)
        gram = gram_of(self.atoms_)
        for image in np.flatnonzero(descriptors.counts).tolist():
            rows = descriptors.rows(image)
            values = unit(descriptors.values[rows].astype(np.float32))
            np.abs(self._code(values @ self.atoms_.T, gram), out=codes[rows])
        return replace(descriptors, values=codes)

    def _code(self, responses: np.ndarray, gram: np.ndarray) -> np.ndarray:
        from cvpipe.vision.sparse_code import lasso, omp

        if self.encode == "omp":
            return omp(responses, gram, self.nonzero)
        return lasso(responses, gram, self.penalty)
