"""Networks as stages: classifiers trained end to end, and features of networks."""
