"""Learners of filters, and what the filters say of an image."""
