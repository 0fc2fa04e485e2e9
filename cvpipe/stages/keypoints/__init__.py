"""Stages that give `Keypoints`: places in an image that a detector chose."""
