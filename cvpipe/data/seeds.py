"""Seeds with an address: the same draw in any order, with any number of workers."""

from __future__ import annotations

import hashlib
import json

import numpy as np


def derive(seed: int | None, *address: str | int) -> int:
    """A 63-bit seed for one address under a seed: `derive(0, "bag_of_words")`, `derive(0, "random_patches", image_id)`.

    The address is hashed (SHA-256), so neighbours are as unrelated as strangers, and nothing depends on the order
    of draws.
    """
    digest = hashlib.sha256(json.dumps([seed or 0, *address]).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def generator(seed: int | None, *address: str | int) -> np.random.Generator:
    """A random generator at an address under a seed. See `derive`."""
    return np.random.default_rng(derive(seed, *address))
