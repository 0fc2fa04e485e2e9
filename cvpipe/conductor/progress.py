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

    def ready(self) -> None:
        """All is prepared, and stages begin when this returns: a listener may let them wait."""

    def note(self, text: str) -> None:
        """One line of news, such as `candidate 2 of 5: lbp_svm`."""

    def doing(self, text: str) -> None:
        """What is going on now, such as `fitting bag_of_words on 80 images`: news to all who do not care for the
        difference, for those who do only if it takes long."""
        self.note(text)
