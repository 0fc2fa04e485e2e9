"""What filters without units of their own share: codes are products, signs apart, small ones dropped."""

from __future__ import annotations

from functools import partial

import numpy as np

from cvpipe.options import NonNegative
from cvpipe.stages.filters._base import FilterLearner
from cvpipe.stages.filters._coding import Coding
from cvpipe.vision import filter_codes


class LinearFilters(FilterLearner):
    """A learner whose codes are products with its filters."""

    threshold: NonNegative = 0.0  # products nearer to 0 become 0, others come so much nearer; white units
    # of products, which would cancel out in a mean: two codes each, or none
    sign: filter_codes.Sign = "split"

    def _coding(self) -> Coding:
        code = partial(filter_codes.unsigned, sign=self.sign, threshold=self.threshold)
        return Coding(np.ascontiguousarray(self.filters_.T), np.zeros(len(self.filters_), np.float32), code)
