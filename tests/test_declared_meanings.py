"""What careless code breaks on has a meaning for every encoder and classifier, or is refused in one clear line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toys import striped
from vectors import descriptors

from cvpipe import Pipeline, registry
from cvpipe.conductor.edges import edge
from cvpipe.data import BinaryDescriptors, Dataset, Descriptors, Features, Images
from cvpipe.errors import RunError, SpecError
from cvpipe.stage import Learner, Stage, StandIn
from cvpipe.stages.classifiers.knn import Knn
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.descriptors.orb import Orb
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.stages.features.bag_of_words import BagOfWords
from cvpipe.stages.features.chi2_map import Chi2Map
from cvpipe.stages.features.fisher_vector import FisherVector
from cvpipe.stages.features.intersection_map import IntersectionMap
from cvpipe.stages.features.llc import Llc
from cvpipe.stages.features.spatial_pyramid import SpatialPyramid
from cvpipe.stages.features.standardize import Standardize
from cvpipe.stages.features.tf_idf import TfIdf
from cvpipe.stages.features.vlad import Vlad
from cvpipe.stages.transforms.pca import Pca

LEARNED = [
    BagOfWords(words=6, seed=0),
    BagOfWords(words=6, assignment="soft", seed=0),
    Llc(words=6, seed=0),
    Vlad(words=6, seed=0),
    FisherVector(gaussians=6, seed=0),
]
ENCODERS = [*LEARNED, *(SpatialPyramid(levels=(1, 2), encoder=encoder) for encoder in LEARNED)]


def named(stages: list[Any]) -> list[Any]:
    return [pytest.param(stage, id=f"{stage.name}-{i}") for i, stage in enumerate(stages)]


@pytest.mark.parametrize("encoder", named(ENCODERS))
def test_no_descriptors_give_zeros_and_one_gives_something(encoder: Any) -> None:
    got = encoder.fit(descriptors([60, 40])).transform(descriptors([0, 1, 0])).values
    assert np.isfinite(got).all()
    assert not got[[0, 2]].any()
    assert got[1].any()


@pytest.mark.parametrize("encoder", named(ENCODERS))
def test_more_words_than_descriptors(encoder: Any) -> None:
    got = encoder.fit(descriptors([2, 0, 1])).transform(descriptors([5, 0], seed=1)).values
    full = encoder.fit(descriptors([60])).transform(descriptors([5, 0])).values
    assert got.shape == full.shape
    assert np.isfinite(got).all()
    assert got[0].any()


@pytest.mark.parametrize("encoder", named(ENCODERS))
def test_descriptors_that_are_all_the_same(encoder: Any) -> None:
    same = descriptors([20, 3], values=np.full((23, 8), 0.3, np.float32))
    got = encoder.fit(same).transform(descriptors([5, 1])).values
    assert np.isfinite(got).all()
    assert np.isfinite(encoder.transform(same).values).all()


@pytest.mark.parametrize("encoder", named(ENCODERS))
def test_descriptors_of_another_width_and_none_to_learn_from(encoder: Any) -> None:
    with pytest.raises(RunError, match="the training images have no descriptors to learn"):
        encoder.fit(descriptors([0, 0]))
    encoder.fit(descriptors([60]))
    with pytest.raises(RunError, match=r"descriptors are 5 numbers long, the (words|Gaussians) 8"):
        encoder.transform(descriptors([4], width=5))


def test_an_encoder_refuses_binary_descriptors_before_any_image_is_read() -> None:
    takers = [word for word in registry.stage_names() if _takes_descriptors_only(registry.stage_class(word))]
    assert {"bag_of_words", "llc", "vlad", "fisher_vector", "mean_pool", "spatial_pyramid"} <= set(takers)
    for word in takers:
        with pytest.raises(SpecError, match=f"stage 2 '{word}' takes .*, but 'orb' gives BinaryDescriptors"):
            Pipeline([Orb(), registry.stage_class(word)(), Svm()]).check()
    with pytest.raises(SpecError, match="Stages that take BinaryDescriptors: ") as refused:
        Pipeline([Orb(), BagOfWords(), Svm()]).check()
    assert "binary_bag_of_words" in str(refused.value)


def _takes_descriptors_only(stage: type[Stage]) -> bool:
    if issubclass(stage, StandIn):
        return False
    takes = edge(stage).takes
    return Descriptors in takes and BinaryDescriptors not in takes


@pytest.mark.parametrize("encoder", named(ENCODERS))
def test_images_without_keypoints_go_through_a_whole_pipeline(
    encoder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path))
    data = striped(24, side=32)
    pictures = [data.images[i] for i in range(24)]
    for i in (0, 7, 14, 21):
        pictures[i] = np.full((32, 32, 3), 90 + i, np.uint8)
    images = Images.from_arrays(pictures)
    fitted = Pipeline([Sift(), encoder, Svm()], jobs=1).fit(images, data.labels)
    scores = fitted.predictions(images).scores
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores[0], scores[7])  # nothing is known of either


def test_no_image_has_keypoints() -> None:
    flat = Images.from_arrays([np.full((32, 32, 3), i, np.uint8) for i in range(6)])
    with pytest.raises(RunError, match="bag_of_words: the training images have no descriptors"):
        Pipeline([Sift(), BagOfWords(words=3), Svm()], cache=False).fit(flat, ["a", "b"] * 3)


@pytest.mark.parametrize("stage", named([Standardize(), Pca(dims=3), TfIdf()]))
def test_a_constant_feature_stays_finite(stage: Learner) -> None:
    values = np.random.default_rng(0).random((10, 4)).astype(np.float32)
    values[:, 2] = 0.1
    got = stage.fit(Features(values=values)).transform(Features(values=values + 0.01)).values
    assert np.isfinite(got).all()


@pytest.mark.parametrize("stage", named([
    Svm(kernel="chi2", seed=0), Svm(kernel="intersection", seed=0), Knn(metric="chi2"),
    Chi2Map(), IntersectionMap(), TfIdf(),
]))  # fmt: skip
def test_kernels_of_histograms_refuse_negative_features(stage: Any) -> None:
    values = np.random.default_rng(0).random((10, 4)).astype(np.float32)
    negative = values.copy()
    negative[3, 2] = -0.25
    labels = np.array(["a", "b"] * 5)
    if isinstance(stage, Learner):
        with pytest.raises(RunError, match=r"not negative, but one (feature )?is -0\.25"):
            stage.fit(Features(values=negative), labels)
        stage.fit(Features(values=values), labels)
    use = stage.predict if hasattr(stage, "predict") else stage.transform
    with pytest.raises(RunError, match=r"not negative, but one (feature )?is -0\.25"):
        use(Features(values=negative))


def test_a_data_set_of_images_of_one_pixel() -> None:
    images = Images.from_arrays([np.full((1, 1, 3), i, np.uint8) for i in range(8)])
    data = Dataset("dots", images, np.array(["a", "b"] * 4))
    with pytest.raises(RunError, match="no descriptors to learn words from"):
        Pipeline([Sift(), BagOfWords(words=3), Svm()], cache=False).run(data, split={"kfold": 2})
