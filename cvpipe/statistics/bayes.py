"""How probable is it that one pipeline is better, worse, or practically the same?

The Bayesian correlated t-test: with a flat prior the difference has a Student distribution around the mean of the
differences between splits, as wide as the overlap of the training sets asks for. Its mass left of, in and right of a
region of practical equivalence answers the question.

Source: Corani & Benavoli, "A Bayesian approach for comparing cross-validated algorithms on multiple data sets", Machine
Learning 2015; Benavoli, Corani, Demsar & Zaffalon, "Time for a change: a tutorial for comparing multiple classifiers
through Bayesian analysis", JMLR 2017, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from cvpipe.statistics.corrected_t import equal, standard_error

ROPE = 0.01
"""Half the width of the region of practical equivalence: one point of accuracy (Benavoli et al. 2017, section 4)."""


class Posterior(NamedTuple):
    """Three probabilities that sum to one."""

    a_better: float
    equivalent: float
    b_better: float


def correlated_t(
    differences: Sequence[float] | np.ndarray, test_per_train: float, rope: float = ROPE
) -> Posterior | None:
    """Judge (n,) differences a - b between splits, n of at least 2; `test_per_train` as in `corrected_t`.

    None where the differences are equal: the width of the posterior is then unknown.
    """
    values = np.asarray(differences, float)
    if equal(values):
        return None
    mean, error = float(values.mean()), standard_error(values, test_per_train)
    freedom = len(values) - 1
    below = float(special.stdtr(freedom, (-rope - mean) / error))
    above = float(special.stdtr(freedom, (mean - rope) / error))
    return Posterior(above, max(0.0, 1.0 - below - above), below)
