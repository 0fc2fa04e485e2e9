"""Stages that come out of saved models, fitted on other images."""
