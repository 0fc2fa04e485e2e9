"""A stage that was fitted before, on other images."""

from __future__ import annotations

from cvpipe.options import PathText
from cvpipe.stage import StandIn


class Frozen(StandIn):
    """A stage out of a saved model, such as a vocabulary that was learned on another data set, used as it is.

    Takes and gives what that stage does, with the options it has in the model; nothing of it is learned again, so all
    splits share its results. A PCA and an encoder after it were learned for each other: freeze both. Refused before
    any image is read: a folder that is no model, is damaged or altered, or has no such stage (`DataError`). Descriptors
    of another width than the stage was fitted on raise `RunError`, as they do for the stage itself.

    Source: Sivic & Zisserman, "Video Google: a text retrieval approach to object matching in videos", ICCV 2003,
    section 3: words that are learned on some of the shots describe all of them.
    """

    model: PathText  # folder of a saved model, such as runs/NAME/1/model
    stage: str  # its word in the model: bag_of_words; the second stage of that name is bag_of_words_2
    content: str | None = None  # hash of the stage; null fills it in, and later another one is refused
