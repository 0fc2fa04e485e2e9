"""Shipped specs, one YAML file for each published result."""
