"""Stages that keep the type: `Descriptors` give `Descriptors`, `Features` give `Features`."""
