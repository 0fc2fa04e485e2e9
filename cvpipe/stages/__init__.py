"""Stages: one file is one stage; its name is its word in a spec, its folder what it gives."""
