"""Stages that give `Predictions`: the last of a pipeline."""
