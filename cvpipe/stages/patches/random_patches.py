"""Patches at random places."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cvpipe.data import Images, Patches, offsets_of
from cvpipe.options import Count, Seed
from cvpipe.stage import Stage


class RandomPatches(Stage):
    """Random (temporary).

    Source: none.
    """

    size: Count = 8  # px
    per_image: Count = 100  # patches
    colour: Literal["rgb", "grey"] = "rgb"  # c
    seed: Seed = None  # of the draw

    def transform(self, images: Images) -> Patches:
        """Patches."""
        s = self.size
        out, xys, counts, sizes = [np.empty((0, s, s, 3), np.uint8)], [np.empty((0, 2), np.float32)], [], []
        for i, im in zip(images.ids, images, strict=True):
            h, w = im.shape[:2]
            sizes.append((h, w))
            if h < s or w < s:
                counts.append(0)
                continue
            r = self.rng(i)
            y, x = r.integers(0, h - s + 1, self.per_image), r.integers(0, w - s + 1, self.per_image)
            if self.colour == "grey":
                im = np.repeat(im.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
            out.append(np.stack([im[a : a + s, b : b + s] for a, b in zip(y, x, strict=True)]))
            xys.append(np.stack([x, y], 1).astype(np.float32) + (s - 1) / 2)
            counts.append(self.per_image)
        return Patches(
            offsets=offsets_of(counts),
            pixels=np.concatenate(out),
            xy=np.concatenate(xys).astype(np.float32),
            size=np.array(sizes, np.int32).reshape(-1, 2),
        )
