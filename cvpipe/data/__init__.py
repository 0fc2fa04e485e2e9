"""What flows through a pipeline."""

from cvpipe.data.batch import Batch, offsets_of
from cvpipe.data.dataset import Dataset
from cvpipe.data.images import Images, Item, as_images
from cvpipe.data.labels import as_labels
from cvpipe.data.types import BinaryDescriptors, Descriptors, Features, Keypoints, Maps, Patches, Predictions

__all__ = [
    "Batch",
    "BinaryDescriptors",
    "Dataset",
    "Descriptors",
    "Features",
    "Images",
    "Item",
    "Keypoints",
    "Maps",
    "Patches",
    "Predictions",
    "as_images",
    "as_labels",
    "offsets_of",
]
