"""Mean, spread and skew of the colours."""

from __future__ import annotations

import numpy as np

from cvpipe.data import Features, Images
from cvpipe.stage import Stage
from cvpipe.stages.features._rows import rows_of
from cvpipe.vision.colour import Space, in_space


class ColourMoments(Stage):
    """Mean, standard deviation and cube root of the third central moment of each colour channel.

    Takes RGB images of any size, gives (n, 9) float32: three means, three deviations, three skews, all in the
    unit of the channels, which run from 0 to 1 (8-bit values / 255). The skew is signed. An image of one
    colour has deviations and skews of 0. In hls the hue counts as a number: red is at both of its ends.
    Raises nothing.

    Source: Stricker & Orengo, "Similarity of color images", SPIE Storage and Retrieval for Image and Video
    Databases 1995, section 3.
    """

    space: Space = "lab"  # rgb, hls (hue, lightness, saturation) or lab (CIELab)

    def transform(self, images: Images) -> Features:
        """(H, W, 3) uint8 RGB images -> (n, 9) float32."""
        return rows_of(images, 9, self._describe)

    def _describe(self, image: np.ndarray) -> np.ndarray:
        pixels = in_space(image, self.space).reshape(-1, 3)
        # Moments of 256 levels: exact, and far fewer than pixels.
        counts = np.stack([np.bincount(channel, minlength=256) for channel in pixels.T], axis=1)
        shares, levels = counts / len(pixels), np.arange(256)[:, None]
        mean = (shares * levels).sum(axis=0)
        second, third = ((shares * (levels - mean) ** power).sum(axis=0) for power in (2, 3))
        return np.concatenate([mean, np.sqrt(second), np.cbrt(third)]) / 255
