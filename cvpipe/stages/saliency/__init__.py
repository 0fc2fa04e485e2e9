"""Stages that give one map of saliency for each image, in [0, 1]."""
