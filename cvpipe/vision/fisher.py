"""Fisher vectors: how a set of rows would like to change a mixture of Gaussians."""

from __future__ import annotations

import numpy as np

from cvpipe.vision.gmm import Summary


def fisher_vector(rows: np.ndarray, summary: Summary) -> np.ndarray:
    """(2 k d,) float32 for (n, d) rows and a mixture of k Gaussians; zeros for no rows.

    First k x d gradients by the means: sum_t q_t (x_t - m) / s / (n sqrt(w)); then as many by the standard
    deviations: sum_t q_t ((x_t - m)^2 / s^2 - 1) / (n sqrt(2 w)). (scikit-image gives the latter with the
    opposite sign.) Zeros for a Gaussian of weight 0, which no row belongs to.

    Source: Perronnin, Sanchez & Mensink, "Improving the Fisher kernel for large-scale image classification",
    ECCV 2010, section 2; Sanchez et al., IJCV 2013, equations 17 and 18.
    """
    gaussians, width = summary.means.shape
    if not len(rows):
        return np.zeros(2 * gaussians * width, np.float32)
    sums, _ = summary.sums(rows)
    sums /= len(rows)
    first, second, share = sums[:, :width], sums[:, width:-1], sums[:, -1:]
    means, variances = summary.means, summary.variances
    by_mean = (first - share * means) / np.sqrt(variances)
    by_deviation = (second - 2 * means * first + share * (means**2 - variances)) / variances
    gradients = np.stack([by_mean, by_deviation / np.sqrt(2)])
    return (gradients * summary.steepness[:, None]).astype(np.float32).ravel()
