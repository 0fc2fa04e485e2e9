"""Where images and labels come from. One file is one kind of data set; its name is its word in a spec."""

from cvpipe.datasets._load import find_source, load_dataset

__all__ = ["find_source", "load_dataset"]
