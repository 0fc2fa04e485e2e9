"""What a kind of data set is: parameters, and `load`."""

from __future__ import annotations

from cvpipe.configurable import Configurable
from cvpipe.data import Dataset


class Source(Configurable):
    """A kind of data set. In a spec: `name`, or `{name: value of the first parameter, other: options}`."""

    role = "data set"

    @property
    def label(self) -> str:
        """What a comparison on it is called: its word, or the last part of the path that it is read from."""
        return self.name

    def load(self) -> Dataset:
        """List the images and their labels; decode nothing. Raises `DataError`."""
        raise NotImplementedError(f"data set '{self.name}' has no load")
