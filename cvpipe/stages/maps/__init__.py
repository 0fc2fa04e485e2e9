"""Stages that give `Maps`: dense responses, to look at or to pool."""
