"""Places in the plane for vectors, such that neighbours stay neighbours.

Source: van der Maaten & Hinton, "Visualizing data using t-SNE", JMLR 2008; van der Maaten, "Accelerating t-SNE using
tree-based algorithms", JMLR 2014. scikit-learn computes it.
"""

from __future__ import annotations

import numpy as np

from cvpipe import threads

PERPLEXITY = 20.0
"""About how many neighbours count (van der Maaten & Hinton 2008: 5 to 50), less for few images."""
ITERATIONS = 500
"""Half of the usual number: for 240 images the divergence is then about 1 % above its end, in half the time."""


def tsne(components: np.ndarray) -> np.ndarray:
    """(n, m) principal components, the largest first -> (n, 2) float32, the same for the same values.

    Fewer than three vectors, or equal ones, stay where their first components put them.
    """
    first = np.pad(components[:, :2], ((0, 0), (0, 2 - min(2, components.shape[1])))).astype(np.float32)
    if len(components) < 3 or not np.ptp(components, axis=0).any():
        return first
    from sklearn.manifold import TSNE

    scale = max(float(components[:, 0].std()), 1e-12)  # its first step takes vectors of about this size
    perplexity = min(PERPLEXITY, (len(components) - 1) / 3)
    embedding = TSNE(perplexity=perplexity, init=first / scale * 1e-4, random_state=0, max_iter=ITERATIONS)
    with threads.one_blas_thread():  # several would spin while they wait: 30 times as long on a busy machine
        return np.asarray(embedding.fit_transform(components / scale), np.float32)
