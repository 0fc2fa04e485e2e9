"""Fisher vectors: descriptors compared with a mixture of Gaussians, mean and variance."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from cvpipe.data import Descriptors, Features
from cvpipe.options import Count, NonNegative, Positive, Seed
from cvpipe.stage import Learner
from cvpipe.stages.features._words import check_width, learnable
from cvpipe.stages.transforms.power import signed_power
from cvpipe.vision.fisher import fisher_vector
from cvpipe.vision.gmm import Mixture, Summary, fit_mixture
from cvpipe.vision.unit import unit


class FisherVector(Learner):
    """Gradient of the likelihood of an image's descriptors by the means and deviations of a mixture of Gaussians.

    Takes (M, D) descriptors, best decorrelated by `pca`, gives (n, 2 * gaussians * D) float32: all gradients by
    the means, then all by the standard deviations, divided by the number of descriptors; then powers and the
    norm. An image without descriptors gives zeros. If the training images have fewer distinct descriptors
    than `gaussians`, each is one Gaussian and the columns that are left over stay zero. A component that is
    constant has the smallest variance that `variance_floor` allows. Raises `RunError` if the training images
    have no descriptors at all, or if later ones have another width.

    Source: Perronnin, Sanchez & Mensink, "Improving the Fisher kernel for large-scale image classification",
    ECCV 2010, sections 2 and 3; Sanchez et al., "Image classification with the Fisher vector", IJCV 2013.
    """

    gaussians: Count = 128  # in the mixture; Perronnin 2010 used 256
    power: Positive = 0.5  # sign(z) |z|^power of each number; 1 leaves them (Perronnin 2010, section 3.2)
    norm: Literal["l2", "none"] = "l2"  # Euclidean length 1, after the power (Perronnin 2010, section 3.1)
    iterations: Count = 100  # most steps of EM
    tolerance: NonNegative = 1e-3  # EM ends when a descriptor's mean log likelihood gains less, nat
    variance_floor: Positive = 1e-4  # smallest variance, of the largest over all descriptors; as in VLFeat
    rows_per_gaussian: Count = 1000  # drawn training descriptors for each Gaussian
    seed: Seed = None  # of the k-means that EM starts from

    weights_: np.ndarray
    means_: np.ndarray
    variances_: np.ndarray

    @property
    def fit_rows(self) -> int:
        """Descriptors that `fit` needs: `gaussians * rows_per_gaussian`."""
        return self.gaussians * self.rows_per_gaussian

    def fit(self, descriptors: Descriptors, labels: np.ndarray | None = None) -> Self:
        """Learn `weights_` (k,), `means_` and `variances_` (k, D), float32, k <= gaussians."""
        rows = learnable(self, descriptors.values, "a mixture").astype(np.float32, copy=False)
        found = fit_mixture(
            rows, self.gaussians, self.iterations, self.tolerance, self.variance_floor, self.rng("fit")
        )
        self.weights_, self.means_, self.variances_ = found.weights, found.means, found.variances
        return self

    def transform(self, descriptors: Descriptors) -> Features:
        """(M, D) descriptors -> (n, 2 * gaussians * D) float32."""
        count, width = self.means_.shape
        check_width(self, descriptors.values, width, "Gaussians")
        summary = Summary(Mixture(self.weights_, self.means_, self.variances_))
        values = np.zeros((len(descriptors), 2, self.gaussians * width), np.float32)
        for image, value in enumerate(values):
            found = fisher_vector(descriptors.values[descriptors.rows(image)], summary)
            value[:, : count * width] = found.reshape(2, -1)
        return Features(values=self._normalised(values.reshape(len(values), 2 * self.gaussians * width)))

    def _normalised(self, values: np.ndarray) -> np.ndarray:
        values = signed_power(values, self.power)
        return values if self.norm == "none" else unit(values)
