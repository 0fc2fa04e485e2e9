"""How much of a run the cache holds already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvpipe.conductor import keys
from cvpipe.conductor.chunks import CHUNK, chunked
from cvpipe.conductor.links import is_stored
from cvpipe.conductor.scan import scan_key
from cvpipe.conductor.store import Store
from cvpipe.data import Dataset
from cvpipe.splits.kinds import Fold
from cvpipe.stage import Classifier, Stage, learns


def looked_at(tokens: Sequence[str], store: Store) -> float:
    """The share of images that an earlier run found good."""
    parts = [tokens[start : start + CHUNK] for start in range(0, len(tokens), CHUNK)]
    return float(np.mean([store.has(scan_key(part)) for part in parts]))


def cached_shares(
    stages: Sequence[Stage], data: Dataset, tokens: list[str], folds: Sequence[Fold], store: Store
) -> list[float]:
    """For each stage the share of its chunks that the cache holds; of its fits, where it keeps no chunks.

    A stage without either is needed only as far as the stage after it is.
    """
    chunks = chunked(data.images, tokens, np.arange(len(data)))
    shares = np.zeros((len(folds), len(stages) + 1))
    for number, fold in enumerate(folds):
        chain = keys.chain_keys(stages, keys.seen_key(data.images.ids, tokens, data.labels, fold.train))
        for position in reversed(range(len(stages))):
            stage, key = stages[position], chain[position]
            if is_stored(stage):
                wanted = [keys.chunk_key(key, chunk.images.ids, chunk.tokens) for chunk in chunks]
            else:
                wanted = [key] if learns(stage) else []
            held = [store.has(name) for name in wanted]
            after = position + 1 < len(stages) and not isinstance(stages[position + 1], Classifier)
            shares[number, position] = np.mean(held) if held else shares[number, position + 1] * after
    return shares[:, :-1].mean(axis=0).tolist()
