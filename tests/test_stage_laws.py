"""Laws that every stage keeps, tested on all that the registry finds: adding a stage adds nothing here.

The inputs are tiny, made from the type that a stage takes, and carry what breaks careless code: images of 1x1 pixels,
flat, long and thin, grey, transparent, of 16 bits; images without keypoints or descriptors; an all-zero feature row.
"""

from __future__ import annotations

import ast
import functools
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from cvpipe import registry
from cvpipe.composite import Composite
from cvpipe.conductor.edges import edge, takes
from cvpipe.conductor.state import pack, unpack
from cvpipe.data import (
    BinaryDescriptors,
    Descriptors,
    Features,
    Images,
    Keypoints,
    Maps,
    Patches,
    Predictions,
    offsets_of,
)
from cvpipe.errors import NotFitted
from cvpipe.stage import Classifier, Learner, Stage, StandIn

WORDS = [registry.stage_class(name) for name in registry.stage_names()]
STAGES = [stage for stage in WORDS if not issubclass(stage, StandIn)]
"""All that run; what stands for another stage is replaced before."""
LEARNERS = [stage for stage in STAGES if issubclass(stage, Learner)]
EDGES = [
    pytest.param(stage, kind, id=f"{stage.name}-{kind.__name__}")
    for stage in STAGES
    for kind in takes(stage)
    if kind is Images or not issubclass(stage, Composite)  # a composite takes what its chains take
]
ROW_BY_ROW = [
    pytest.param(stage, kind, id=f"{stage.name}-{kind.__name__}")
    for stage in STAGES
    for kind in takes(stage)
    if stage.row_by_row and kind.per_row
]
IMAGES = 10
FLOATS = {"rtol": 1e-5, "atol": 1e-5}
"""Products of matrices may be summed in another order for another number of rows."""


def named(stages: list[type[Stage]]) -> list[Any]:
    return [pytest.param(stage, id=stage.name) for stage in stages]


def odd_images() -> list[np.ndarray]:
    """Images of every shape and type that `Images.from_arrays` takes."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    photo = np.kron(coarse, np.ones((4, 4, 1), np.uint8))
    opacity = np.full((48, 64, 1), 200, np.uint8)
    return [
        photo,
        photo[:, :40, 0],
        np.zeros((1, 1, 3), np.uint8),
        np.concatenate([photo, opacity], axis=2),
        np.full((20, 30, 3), 128, np.uint8),
        photo.astype(np.uint16) * 257,
        photo[:3],
        photo[:, :2],
        photo[::-1],
        np.concatenate([photo[..., :1], opacity], axis=2),
    ]


def images() -> Images:
    return Images.from_arrays([frozen(image) for image in odd_images()])


def ragged() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray], np.random.Generator]:
    """Offsets with empty images among them, the number of rows, and the arrays that keypoints share."""
    rng = np.random.default_rng(1)
    offsets = offsets_of([7, 0, 12, 1, 0, 9, 5, 3, 8, 4])
    size = np.array([image.shape[:2] for image in odd_images()], np.int32)
    rows = int(offsets[-1])
    high = np.repeat(size[:, ::-1], np.diff(offsets), axis=0) - 1
    xy = (rng.random((rows, 2)) * high).astype(np.float32)
    scale = rng.uniform(0.5, 3, rows).astype(np.float32)
    return offsets, size, {"xy": xy, "scale": scale}, rng


def descriptors() -> Descriptors:
    offsets, size, shared, rng = ragged()
    values = rng.integers(0, 256, (offsets[-1], 128), dtype=np.uint8)
    values[3] = 0
    return Descriptors(offsets=offsets, size=size, values=values, **shared)


def binary_descriptors() -> BinaryDescriptors:
    offsets, size, shared, rng = ragged()
    values = rng.integers(0, 256, (offsets[-1], 32), dtype=np.uint8)
    return BinaryDescriptors(offsets=offsets, size=size, values=values, **shared)


def keypoints() -> Keypoints:
    offsets, size, shared, rng = ragged()
    angle = rng.uniform(0, 2 * np.pi, len(shared["xy"])).astype(np.float32)
    response = rng.random(len(angle), dtype=np.float32)
    return Keypoints(offsets=offsets, size=size, angle=angle, response=response, images=images(), **shared)


def patches() -> Patches:
    offsets, size, shared, rng = ragged()
    pixels = rng.integers(0, 256, (offsets[-1], 8, 8, 3), dtype=np.uint8)
    return Patches(offsets=offsets, size=size, pixels=pixels, xy=shared["xy"])


def maps() -> Maps:
    size = np.array([[1 + 5 * (i % 3), 2 + 4 * (i % 4)] for i in range(IMAGES)], np.int32)
    offsets = offsets_of(size.prod(axis=1))
    values = np.random.default_rng(2).random((offsets[-1], 6), dtype=np.float32)
    return Maps(offsets=offsets, size=size, values=values)


def features() -> Features:
    values = np.random.default_rng(3).random((IMAGES, 12), dtype=np.float32)
    values[4] = 0
    values[:, 5] = 0.25
    return Features(values=values)


MAKE: dict[type, Callable[[], Any]] = {
    Images: images, Keypoints: keypoints, Patches: patches, Descriptors: descriptors,
    BinaryDescriptors: binary_descriptors, Maps: maps, Features: features
}  # fmt: skip


def frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def batch_of(kind: type) -> Any:
    """A batch of `IMAGES` images whose arrays cannot be written to."""
    batch = MAKE[kind]()
    for array in {} if kind is Images else batch.arrays().values():
        frozen(array)
    return batch


def labels() -> np.ndarray:
    return frozen(np.array(["cat", "dog"] * (IMAGES // 2)))


@functools.cache
def fitted(stage: type[Stage], kind: type) -> Stage:
    """One for all laws, none of which changes it: a network takes seconds to fit."""
    return newly_fitted(stage, kind)


def newly_fitted(stage: type[Stage], kind: type) -> Stage:
    made = stage()
    return made.fit(lesson(made, batch_of(kind)), labels()) if isinstance(made, Learner) else made


def lesson(learner: Learner, batch: Any) -> Any:
    """What `fit` is given."""
    return batch if learner.sampler is None else learner.sampler.transform(batch)


def apply(stage: Stage, batch: Any) -> Any:
    return stage.predict(batch) if isinstance(stage, Classifier) else stage.transform(batch)


def assert_same(got: Any, want: Any, **tolerance: float) -> None:
    assert type(got) is type(want)
    for name, array in want.arrays().items():
        assert getattr(got, name).dtype == array.dtype, name
        if tolerance and array.dtype.kind == "f":
            np.testing.assert_allclose(getattr(got, name), array, **tolerance, err_msg=name)
        else:
            np.testing.assert_array_equal(getattr(got, name), array, err_msg=name)


@pytest.mark.parametrize("stage", named(WORDS))
def test_one_word_names_the_class_the_file_and_the_stage(stage: type[Stage]) -> None:
    assert Path(inspect.getfile(stage)).stem == stage.name
    assert stage.__name__ == registry.camel_case(stage.name)


@pytest.mark.parametrize("stage", named(WORDS))
def test_the_docstring_says_what_it_is_and_where_it_comes_from(stage: type[Stage]) -> None:
    doc = inspect.getdoc(stage) or ""
    assert doc.splitlines()[0].endswith(".")
    assert "Source:" in doc


@pytest.mark.parametrize("stage", named(WORDS))
def test_every_parameter_has_a_comment(stage: type[Stage]) -> None:
    source = inspect.getsource(sys.modules[stage.__module__])
    lines = source.splitlines()
    body = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == stage.__name__)
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and not ast.unparse(node.target).endswith("_"):
            assert node.end_lineno is not None
            own = any("#" in line for line in lines[node.lineno - 1 : node.end_lineno])
            assert own or lines[node.lineno - 2].strip().startswith("#"), ast.unparse(node.target)


def test_importing_the_stages_pulls_nothing_slow() -> None:
    code = (
        "import sys; from cvpipe import registry; [registry.stage_class(n) for n in registry.stage_names()];"
        "print([m for m in ('torch', 'matplotlib', 'sklearn', 'numba') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("stage", named(STAGES))
def test_clone_keeps_the_parameters(stage: type[Stage]) -> None:
    from sklearn.base import clone

    made = stage()
    assert repr(clone(made)) == repr(made)  # parts of a stage are cloned too
    assert set(made.get_params(deep=False)) == set(stage.parameters())


@pytest.mark.parametrize(("stage", "kind"), EDGES)
def test_the_output_is_of_the_announced_type_and_finite(stage: type[Stage], kind: type) -> None:
    out = apply(fitted(stage, kind), batch_of(kind))
    assert isinstance(out, edge(stage).after((kind,)))
    assert len(out) == IMAGES
    for name in ("values", "scores", "pixels"):
        if hasattr(out, name):
            assert getattr(out, name).dtype in (np.float32, np.uint8)
    for name, array in out.arrays().items():
        assert array.dtype.kind != "f" or np.isfinite(array).all(), name
    if isinstance(out, Predictions):
        assert out.classes.tolist() == ["cat", "dog"]


@pytest.mark.parametrize(("stage", "kind"), EDGES)
def test_parameters_and_inputs_stay_as_they_are_and_twice_is_the_same(stage: type[Stage], kind: type) -> None:
    made, batch = stage(), batch_of(kind)
    before = made.get_params()
    if isinstance(made, Learner):
        assert made.fit(lesson(made, batch), labels()) is made
    first = apply(made, batch)
    assert made.get_params() == before
    assert_same(apply(made, batch), first)
    assert_same(apply(newly_fitted(stage, kind), batch_of(kind)), first)


@pytest.mark.parametrize(("stage", "kind"), EDGES)
def test_a_stage_is_a_map_over_images(stage: type[Stage], kind: type) -> None:
    made, batch = fitted(stage, kind), batch_of(kind)
    whole = apply(made, batch)
    parts = [apply(made, batch[cut]) for cut in (slice(0, 1), slice(1, 5), slice(5, 5), slice(5, IMAGES))]
    assert_same(type(whole).concat(parts), whole, **FLOATS)


@pytest.mark.parametrize(("stage", "kind"), ROW_BY_ROW)
def test_rows_drawn_before_a_stage_are_rows_drawn_after_it(stage: type[Stage], kind: type) -> None:
    batch = batch_of(kind)
    drawn = np.flatnonzero(np.arange(batch.offsets[-1]) % 3 != 1)
    one = fitted(stage, kind)
    got, want = one.transform(batch.take_rows(drawn)), one.transform(batch).take_rows(drawn)
    for name, array in want.arrays().items():
        np.testing.assert_array_equal(got.arrays()[name], array, name)  # to the bit


@pytest.mark.parametrize(("stage", "kind"), EDGES)
def test_permuted_images_give_permuted_output(stage: type[Stage], kind: type) -> None:
    made, batch = fitted(stage, kind), batch_of(kind)
    order = np.random.default_rng(4).permutation(IMAGES)
    assert_same(apply(made, batch[order]), apply(made, batch)[order], **FLOATS)


@pytest.mark.parametrize(("stage", "kind"), EDGES)
def test_no_images_give_no_rows(stage: type[Stage], kind: type) -> None:
    made, batch = fitted(stage, kind), batch_of(kind)
    whole, none = apply(made, batch), apply(made, batch[:0])
    assert len(none) == 0
    for name, array in whole.arrays().items():
        assert getattr(none, name).shape[1:] == array.shape[1:], name
        assert getattr(none, name).dtype == array.dtype, name


@pytest.mark.parametrize("stage", named(LEARNERS))
def test_an_unfitted_learner_says_so(stage: type[Learner]) -> None:
    made = stage()
    with pytest.raises(NotFitted, match=f"stage '{stage.name}' is not fitted"):
        made.state()
    with pytest.raises(NotFitted, match=f"stage '{stage.name}' is not fitted"):
        apply(made, batch_of(takes(stage)[0]))


@pytest.mark.parametrize("stage", named(LEARNERS))
def test_what_was_learned_survives_a_file(stage: type[Learner], tmp_path: Path) -> None:
    kind = takes(stage)[0]
    made = fitted(stage, kind)
    assert isinstance(made, Learner)
    arrays, note = pack(made.state())
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, tmp_path / "state")
    again = stage(**made.get_params(deep=False)).restore(unpack(load_file(tmp_path / "state"), note))
    assert_same(apply(again, batch_of(kind)), apply(made, batch_of(kind)))
