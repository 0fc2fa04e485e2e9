"""Which images to learn from and which to test on."""
