"""Positions of maps as descriptors: their values, and where they lie in the image as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cvpipe import Pipeline
from cvpipe.data import Images
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.features.bag_of_words import BagOfWords
from cvpipe.stages.features.spatial_pyramid import SpatialPyramid
from cvpipe.stages.networks.cnn_descriptors import CnnDescriptors
from cvpipe.stages.networks.cnn_features import CnnFeatures

TINY: dict[str, Any] = {"net": "simple_cnn", "weights": "none", "size": 16, "seed": 0}


def noise(*shapes: tuple[int, int]) -> Images:
    rng = np.random.default_rng(0)
    return Images.from_arrays([rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes])


def test_the_values_are_those_of_the_map() -> None:
    images = noise((16, 16), (40, 30))
    found = CnnDescriptors(**TINY, layers=("pool1",)).transform(images)
    flat = CnnFeatures(**TINY, layers=("pool1",), pool="flatten").transform(images).values
    want = flat.reshape(2, 32, 64).transpose(0, 2, 1).reshape(128, 32)
    np.testing.assert_array_equal(found.values, want)
    assert found.offsets.tolist() == [0, 64, 128]
    assert found.size.tolist() == [[16, 16], [40, 30]]


def test_places_are_centres_of_cells_in_the_image_as_it_was() -> None:
    images = noise((16, 16), (48, 32))
    stretched = CnnDescriptors(**TINY).transform(images)  # pool2: 4 x 4 positions
    assert stretched.xy[:4, 0].tolist() == [
        1.5,
        5.5,
        9.5,
        13.5,
    ]  # 4 px each, (0, 0) is the centre of the first pixel
    assert stretched.xy[[0, 4, 8, 12], 1].tolist() == [1.5, 5.5, 9.5, 13.5]
    assert stretched.xy[16].tolist() == [3.5, 5.5]  # cells of 8 x 12 px
    assert stretched.xy[-1].tolist() == [27.5, 41.5]
    np.testing.assert_allclose(stretched.scale[[0, 16]], [4 / 3, 10 / 3], rtol=1e-6)
    cropped = CnnDescriptors(**TINY, shape="crop").transform(images)
    assert cropped.xy[16].tolist() == [3.5, 11.5]  # the middle 32 x 32 px, from row 8 on
    assert cropped.xy[-1].tolist() == [27.5, 35.5]


def test_a_bright_spot_is_found_where_it_is() -> None:
    image = np.zeros((60, 90, 3), np.uint8)
    image[40:50, 10:20] = 255
    found = CnnDescriptors(**TINY, layers=("conv1",)).transform(Images.from_arrays([image]))
    spot = found.xy[np.abs(found.values).sum(1).argmax()]
    assert np.abs(spot - (14.5, 44.5)).max() < 8


def test_a_layer_without_positions_or_several_layers_are_refused() -> None:
    assert CnnDescriptors(**TINY).conflicts() == []
    assert "no positions" in CnnDescriptors(**TINY, layers=("dense1",)).conflicts()[0]
    assert "one layer, got 2" in CnnDescriptors(**TINY, layers=("pool1", "pool2")).conflicts()[0]
    assert "no layer 'pol1'" in CnnDescriptors(**TINY, layers=("pol1",)).conflicts()[0]


@pytest.mark.parametrize(
    "encoder", [BagOfWords(words=16), SpatialPyramid(levels=(1, 2), encoder=BagOfWords(words=16))]
)
def test_they_go_into_a_vocabulary_like_any_descriptors(encoder: Any) -> None:
    rng = np.random.default_rng(0)
    flat = [np.full((20, 20, 3), value, np.uint8) for value in rng.integers(0, 255, 8)]
    images, labels = (
        Images.concat([noise(*[(20, 20)] * 8), Images.from_arrays(flat)]),
        np.repeat(["noise", "flat"], 8),
    )
    images = Images([f"{i}" for i in range(16)], images.items)
    pipeline = Pipeline([CnnDescriptors(**TINY), encoder, Svm()], cache=False).fit(images, labels)
    assert pipeline.score(images, labels) == 1.0
