"""Do stages fit together, and is it said so that a reader can mend it?"""

from __future__ import annotations

from typing import Any, TypeVar

import pytest
from toys import Centroid, Slopes, Spots

from cvpipe import Pipeline
from cvpipe.conductor.edges import Edge, chain_problems, edge, gives, names, reachable, takes
from cvpipe.data import Descriptors, Features, Images, Keypoints, Maps
from cvpipe.errors import SpecError
from cvpipe.stage import Stage
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.descriptors.root_sift import RootSift
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.stages.features.bag_of_words import BagOfWords
from cvpipe.stages.features.join import Join

Rows = TypeVar("Rows", Descriptors, Features)


class Either(Stage):
    def transform(self, batch: Descriptors | Features) -> Features | Keypoints:
        raise NotImplementedError


class Same(Stage):
    def transform(self, batch: Rows) -> Rows:
        return batch


class Silent(Stage):
    def transform(self, batch):  # type: ignore[no-untyped-def]
        return batch


def messages(*stages: Stage) -> list[str]:
    return [message for _, message in chain_problems(stages)]


def test_edges_come_from_annotations() -> None:
    assert edge(Slopes) == Edge((Images,), (Features,))
    assert edge(Centroid).takes == (Features,)
    assert edge(Either) == Edge((Descriptors, Features), (Features, Keypoints))
    assert takes(Same) == (Descriptors, Features)
    assert gives(Same) == (Descriptors, Features)
    assert edge(Same).after((Features,)) == (Features,)
    assert edge(Same).after((Images, Descriptors)) == (Descriptors,)
    assert names((Features, Descriptors, Images)) == "Features, Descriptors or Images"


def test_a_stage_without_annotations_says_so() -> None:
    with pytest.raises(SpecError, match=r"stage 'silent': 'transform' needs annotations"):
        edge(Silent)
    with pytest.raises(SpecError, match="'transform' needs annotations"):
        Pipeline([Silent(), Centroid()]).check()


class Brighter(Stage):
    def transform(self, images: Images) -> Images:
        return images


class Numbers(Stage):
    def transform(self, images: Images) -> list:  # type: ignore[type-arg]
        return list(images)


def test_what_a_stage_gives_has_a_place_in_the_cache() -> None:
    assert messages(Brighter(), Slopes(), Centroid()) == [
        "stage 'brighter' gives Images, but a stage gives Maps, Patches, Keypoints, Descriptors or Features; "
        "a stage that changes pixels does so where they are used"
    ]
    assert messages(Numbers(), Slopes())[0] == (
        "stage 'numbers' gives list, but a stage gives Maps, Patches, Keypoints, Descriptors or Features"
    )
    assert (
        "in chain 1 of 'join': stage 'brighter' gives Images"
        in messages(Join(branches=[[Brighter(), Slopes()], [Slopes()]]), Centroid())[0]
    )


def test_types_flow_through_stages_that_keep_them() -> None:
    assert reachable([]) == (Images,)
    assert reachable([Spots(), Same()]) == (Descriptors,)
    assert reachable([Slopes(), Same()]) == (Features,)
    assert messages(Slopes(), Same(), Same(), Centroid()) == []
    assert messages(Spots(), Same(), Either(), Centroid()) == []


def test_options_settle_what_a_stage_gives() -> None:
    from cvpipe.stages.filters.kmeans_filters import KmeansFilters

    layer, last = KmeansFilters(maps=2), KmeansFilters()
    assert reachable([layer]) == (Maps,)
    assert reachable([layer, last]) == (Features,)
    assert messages(layer, last, Svm()) == []
    assert messages(layer, layer, last, Svm()) == []
    (message,) = messages(layer, Svm())
    assert message.startswith(
        "stage 2 'svm' takes Features, but 'kmeans_filters' gives Maps. Stages that make"
    )
    (message,) = messages(last, last, Svm())
    assert message.startswith(
        "stage 2 'kmeans_filters' takes Images or Maps, but 'kmeans_filters' gives Features"
    )


def test_a_sampler_takes_what_its_learner_takes() -> None:
    from cvpipe.stages.filters.kmeans_filters import KmeansFilters
    from cvpipe.stages.patches.saliency_patches import SaliencyPatches

    (message,) = messages(KmeansFilters(maps=2), KmeansFilters(patches=SaliencyPatches()), Svm())
    said = "'saliency_patches', from which stage 'kmeans_filters' learns, takes Images, but Maps come here; "
    assert message == said + "stages that fit: grid_patches or random_patches"
    assert messages(KmeansFilters(patches=SaliencyPatches()), Svm()) == []


def test_a_misfit_names_the_stages_that_would_bridge_it() -> None:
    (message,) = messages(Sift(), Svm())
    said, _, bridges = message.partition(". Stages that make Features from Descriptors: ")
    assert said == "stage 2 'svm' takes Features, but 'sift' gives Descriptors"
    assert {"bag_of_words", "mean_pool"} <= set(bridges.split(", "))
    assert "root_sift" not in bridges


def test_a_first_stage_that_takes_no_images() -> None:
    (message,) = messages(RootSift(), BagOfWords(), Svm())
    assert message.startswith("stage 1 'root_sift' takes Descriptors, but it comes first, where Images are")
    assert "sift" in message.partition("Stages that make Descriptors from Images: ")[2].split(", ")


def test_a_chain_that_keeps_the_type_is_blamed_where_it_breaks() -> None:
    (message,) = messages(Sift(), RootSift(), Same(), Svm())
    assert message.startswith("stage 4 'svm' takes Features, but 'same' gives Descriptors")


def test_stages_in_the_wrong_order_tell_every_place() -> None:
    found = chain_problems([BagOfWords(), Sift(), Svm()])
    assert [index for index, _ in found] == [0, 1, 2]


def test_a_pipeline_ends_with_a_classifier() -> None:
    (message,) = messages(Sift(), BagOfWords())
    said = "the last stage 'bag_of_words' gives Features, but a pipeline ends with a classifier"
    assert message.startswith(f"{said}; classifiers that take Features: ")
    assert "svm" in message
    assert messages() == ["a pipeline needs stages, the last of them a classifier"]


def test_nothing_comes_after_a_classifier() -> None:
    (message,) = messages(Slopes(), Centroid(), Same())
    assert message == "classifier 'centroid' ends a pipeline, but 'same' comes after it"


@pytest.mark.parametrize("stages", [[], [Sift(), Svm()], [Slopes(), Centroid(), Slopes()]])
def test_a_wrong_chain_is_refused_before_any_image_is_read(stages: list[Any]) -> None:
    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"'{name}' was read")

    with pytest.raises(SpecError) as refused:
        Pipeline(stages).run(Untouchable())  # type: ignore[arg-type]
    assert [str(problem) for problem in refused.value.problems] == messages(*stages)
