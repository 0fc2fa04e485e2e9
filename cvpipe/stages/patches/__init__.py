"""Stages that cut patches out of images."""
