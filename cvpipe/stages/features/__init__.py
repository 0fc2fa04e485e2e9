"""Stages that give `Features`: one vector for each image."""
