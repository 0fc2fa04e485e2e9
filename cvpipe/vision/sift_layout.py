"""What a SIFT descriptor is made of.

Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, section 6.
"""

CELLS = 4
"""Histograms along each side (Lowe 2004, section 6.2)."""
DIRECTIONS = 8
"""Directions in a histogram (Lowe 2004, section 6.2)."""
WIDTH = CELLS * CELLS * DIRECTIONS
"""Numbers in a descriptor."""
