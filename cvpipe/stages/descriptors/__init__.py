"""Stages that give `Descriptors`: vectors for places in an image."""
