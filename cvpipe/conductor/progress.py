"""What a run tells while it runs. The default listener hears nothing; the command line draws bars."""

from __future__ import annotations


class Progress:
    """A listener. Called from the conductor's thread only."""

    def begin(self, stage: str, total: int) -> None:
        """A stage will see so many images in all, over all splits."""

    def advance(self, stage: str, images: int) -> None:
        """A stage is done with so many more images (computed or found in the cache)."""

    def end(self, stage: str) -> None:
        """A stage will see no more images."""

    def note(self, text: str) -> None:
        """One line of news, such as `split 2 of 5: fitting bag_of_words`."""
