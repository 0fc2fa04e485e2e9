"""Pipelines side by side: candidates on the same images and splits, what they share, and how they differ."""
