"""What is in a data set, and what about it would spoil a comparison."""
