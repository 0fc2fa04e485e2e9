"""Names of results: what changes them, and what does not."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from toys import striped

from cvpipe import Pipeline
from cvpipe.conductor import keys, loaded, sources
from cvpipe.conductor.seeding import seeded
from cvpipe.data import Images
from cvpipe.stage import Stage
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.descriptors.root_sift import RootSift
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.stages.features.bag_of_words import BagOfWords
from cvpipe.stages.networks.cnn import Cnn
from cvpipe.stages.networks.cnn_features import CnnFeatures
from cvpipe.stages.networks.fine_tune import FineTune

IDS = ["a", "b", "c"]
TOKENS = ["1", "2", "3"]
LABELS = np.array(["x", "y", "x"])
TRAIN = np.array([0, 1])
SIFT = "cvpipe.stages.descriptors.sift"


def forget() -> None:
    for function in (sources._library, sources._imports, sources._is_installed):
        function.cache_clear()
    for found in (sources._codes, sources._sources, loaded._of_class, loaded._of_module):
        found.clear()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    forget()
    yield
    forget()


def chain(
    sift: dict[str, Any] | None = None,
    words: int = 5,
    seed: int = 0,
    seen: tuple[Any, ...] = (IDS, TOKENS, LABELS, TRAIN),
) -> list[str]:
    stages = seeded([Sift(**(sift or {})), RootSift(), BagOfWords(words=words), Svm()], seed)
    return keys.chain_keys(stages, keys.seen_key(*seen))


def changed(got: list[str], want: list[str]) -> list[bool]:
    return [one != other for one, other in zip(got, want, strict=True)]


def test_the_same_again_has_the_same_keys() -> None:
    assert chain() == chain()
    assert len(set(chain())) == 4


def test_a_parameter_changes_its_stage_and_all_after_it() -> None:
    assert changed(chain({"max_keypoints": 7}), chain()) == [True] * 4
    assert changed(chain(words=6), chain()) == [False, False, True, True]
    assert changed(chain(seed=1), chain()) == [False, False, True, True]


@pytest.mark.parametrize(
    "seen",
    [
        (["a", "z", "c"], TOKENS, LABELS, TRAIN),
        (IDS, ["1", "9", "3"], LABELS, TRAIN),
        (IDS, TOKENS, np.array(["x", "z", "x"]), TRAIN),
        (IDS, TOKENS, LABELS, np.array([0, 2])),
        (IDS, TOKENS, LABELS, np.array([1, 0])),
        (IDS, TOKENS, LABELS, np.array([0])),
    ],
    ids=["id", "content", "label", "other images", "order", "fewer"],
)
def test_training_images_change_learners_only(seen: tuple[Any, ...]) -> None:
    assert changed(chain(seen=seen), chain()) == [False, False, True, True]


def test_images_that_are_not_trained_on_change_nothing() -> None:
    assert chain(seen=(["a", "b", "z"], ["1", "2", "9"], np.array(["x", "y", "z"]), TRAIN)) == chain()


def test_numbers_as_labels_are_not_their_digits() -> None:
    numbers = keys.seen_key(IDS, TOKENS, np.array([0, 1, 0]), TRAIN)
    assert numbers != keys.seen_key(IDS, TOKENS, np.array(["0", "1", "0"]), TRAIN)


def test_a_chunk_is_its_stage_its_ids_and_its_contents() -> None:
    key = keys.chunk_key("stage", IDS, TOKENS)
    assert key == keys.chunk_key("stage", list(IDS), list(TOKENS))
    others = [
        keys.chunk_key("other", IDS, TOKENS),
        keys.chunk_key("stage", ["a", "b", "d"], TOKENS),
        keys.chunk_key("stage", IDS, ["1", "2", "4"]),
        keys.chunk_key("stage", IDS[::-1], TOKENS[::-1]),
        keys.chunk_key("stage", IDS[:2], TOKENS[:2]),
        keys.chunk_key("stage", [*IDS, *TOKENS], []),
    ]
    assert len({key, *others}) == 7


def test_an_id_is_no_pixel() -> None:
    """Equal pixels have equal tokens, whatever the id; other pixels, shapes or types have others."""
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    images = Images.from_arrays(
        [pixels, pixels.copy(), pixels + 1, pixels.reshape(2, 8, 3), pixels.astype(np.uint16)]
    )
    tokens = [item.token() for item in images.items]
    assert tokens[0] == tokens[1]
    assert len(set(tokens)) == 4


@pytest.mark.parametrize(
    ("module", "moved"),
    [
        (SIFT, [True] * 4),
        ("cvpipe.vision._opencv_gradients", [True] * 4),
        ("cvpipe.stages.descriptors.root_sift", [False, True, True, True]),
        ("cvpipe.vision.kmeans", [False, False, True, True]),
        ("cvpipe.vision.kernels", [False, False, False, True]),
        ("cvpipe.conductor.sample", [False, False, True, True]),
        ("cvpipe.data.decode", [True] * 4),
        ("cvpipe.data._pillow", [True] * 4),
        ("cvpipe.data.pixels", [True] * 4),
        ("cvpipe.data.seeds", [True] * 4),
        ("cvpipe.stages.classifiers.knn", [False] * 4),
        ("cvpipe.conductor.ledger", [False] * 4),
    ],
)
def test_a_changed_source_changes_what_is_built_from_it(
    monkeypatch: pytest.MonkeyPatch, module: str, moved: list[bool]
) -> None:
    before, source = chain(), sources._source

    def edited(name: str) -> str | None:
        text = source(name)
        return f"{text}\n# edited\n" if name == module else text

    monkeypatch.setattr(sources, "_source", edited)
    sources._codes.clear()
    assert changed(chain(), before) == moved


@pytest.mark.parametrize(
    ("library", "moved"),
    [
        ("opencv-contrib-python-headless", [True] * 4),
        ("pillow", [True] * 4),
        ("numba", [True] * 4),
        ("rich", [False] * 4),
    ],
)
def test_another_version_of_a_library_changes_what_uses_it(
    monkeypatch: pytest.MonkeyPatch, library: str, moved: list[bool]
) -> None:
    before, version = chain(), sources.version
    monkeypatch.setattr(sources, "version", lambda name: "0.0" if name == library else version(name))
    forget()
    assert changed(chain(), before) == moved


OUTSIDE = """
from cvpipe.data import Features, Images
from cvpipe.stage import Stage
from {helper} import height
class Outside(Stage):
    def transform(self, images: Images) -> Features:
        return Features(values=height(images))
"""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Stage]]:
    """`outside("text")`: a stage in a user's file, built from a helper beside it whose source is this text."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "users_stage.py").write_text(OUTSIDE.format(helper="users_helper"))

    def make(text: str) -> Stage:
        (tmp_path / "users_helper.py").write_text(f"def height(images): return {text}\n")
        for name in ("users_stage", "users_helper"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        forget()
        return importlib.import_module("users_stage").Outside()  # type: ignore[no-any-return]

    yield make
    for name in ("users_stage", "users_helper"):
        sys.modules.pop(name, None)


def test_a_helper_beside_a_users_script_counts(outside: Callable[[str], Stage]) -> None:
    one, other = keys.stage_key("", outside("1")), keys.stage_key("", outside("22"))
    assert one != other
    assert one == keys.stage_key("", outside("1"))


@pytest.mark.parametrize(
    "line", ["from .inner import one", "from . import inner", "from ..users_pack.inner import one"]
)
def test_a_relative_import_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    pack = tmp_path / "users_outer" / "users_pack"
    pack.mkdir(parents=True)
    for folder in (pack.parent, pack):
        (folder / "__init__.py").write_text("")
    (pack / "stage.py").write_text(line)
    seen = []
    for text in ("one = 1", "one = 2"):
        (pack / "inner.py").write_text(text)
        importlib.invalidate_caches()
        forget()
        seen.append(sources.code_of("users_outer.users_pack.stage"))
    assert seen[0] != seen[1]


@pytest.mark.parametrize("stage", [Cnn, FineTune, CnnFeatures])
def test_a_network_of_the_users_counts_with_what_it_imports(
    outside: Callable[[str], Stage], monkeypatch: pytest.MonkeyPatch, stage: type[Any], tmp_path: Path
) -> None:
    monkeypatch.setenv("CVPIPE_TRUST", "users_stage")
    found = []
    for text in ("1", "22"):
        outside(text)
        found.append(keys.stage_key("", stage(net="users_stage.Net")))
    (tmp_path / "users_stage.py").write_text("class Net: ...")
    sys.modules.pop("users_stage")
    forget()
    found.append(keys.stage_key("", stage(net="users_stage.Net")))
    assert len(set(found)) == 3


def test_to_know_a_source_nothing_is_imported(
    outside: Callable[[str], Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, dear = outside("0\nif False:\n    from users_dear.inner import dear"), tmp_path / "users_dear"
    dear.mkdir()
    (dear / "__init__.py").write_text("raise AssertionError")
    seen = []
    for text in ("raise AssertionError", "raise AssertionError  # changed"):
        (dear / "inner.py").write_text(text)
        forget()
        seen.append(keys.stage_key("", stage))
    assert seen[0] != seen[1]
    assert not any(name.startswith("users_dear") for name in sys.modules)


def test_what_is_installed_counts_by_its_version() -> None:
    for package in ("numpy", "cv2", "json", "sklearn", "pydantic", "sys"):
        assert sources._is_installed(package), package
    assert not sources._is_installed("toys")
    closure = sources.closure(SIFT)
    assert closure is not None
    assert all(name.startswith("cvpipe.") for name in closure)


class Part(Stage):
    size: int = 1  # of the part


class Whole(Stage):
    part: Part = Part()  # what it is made of


def test_a_part_counts_with_its_options_and_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    key = keys.stage_key("", Whole())
    assert key == keys.stage_key("", Whole(part=Part(size=1)))
    assert key != keys.stage_key("", Whole(part=Part(size=2)))
    monkeypatch.setattr(Part, "__module__", "cvpipe.stages.descriptors.sift")
    assert key != keys.stage_key("", Whole())


def test_a_stage_from_a_console_is_good_for_this_process_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Part, "__module__", "__console__")
    key = keys.stage_key("", Part())
    assert key == keys.stage_key("", Part())
    forget()
    assert key != keys.stage_key("", Part())


CONSOLE = """
from cvpipe.data import Features, Images
from cvpipe.stage import Stage
def height(images):
    return {text}
class Typed(Stage):
    def transform(self, images: Images) -> Features:
        return Features(values=height(images))
"""


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module without a source file."""
    module = ModuleType("users_console")
    monkeypatch.setitem(sys.modules, "users_console", module)
    return module


def test_a_class_that_is_defined_again_in_a_console_has_another_key(console: ModuleType) -> None:
    found, first = [], None
    for text in ("1", "2"):
        exec(CONSOLE.format(text=text), vars(console))
        first = first or console.Typed
        found += [keys.stage_key("", console.Typed()), keys.stage_key("", console.Typed())]
    assert found[0] == found[1] != found[2] == found[3]
    assert keys.stage_key("", first()) not in found[1:]  # type: ignore[misc]


def test_a_function_that_is_defined_again_in_a_console_counts(console: ModuleType) -> None:
    exec(CONSOLE.format(text=1), vars(console))
    key = keys.stage_key("", console.Typed())
    exec("def plot(): ...", vars(console))
    assert keys.stage_key("", console.Typed()) == key
    exec("def height(images): return 2", vars(console))
    assert keys.stage_key("", console.Typed()) != key


@pytest.fixture
def edited(outside: Callable[[str], Stage], tmp_path: Path) -> Callable[..., None]:
    """`edited("users_stage", "text")` adds a line to a module of the user's and loads it again."""

    def change(module: str, line: str, again: bool = True) -> None:
        with (tmp_path / f"{module}.py").open("a") as file:
            file.write(f"{line}\n")
        if again:
            importlib.reload(sys.modules[module])

    return change


def test_a_module_that_is_loaded_again_has_another_key(
    outside: Callable[[str], Stage], edited: Callable[..., None]
) -> None:
    key = keys.stage_key("", outside("1"))
    edited("users_stage", "# an edit", again=False)
    assert keys.stage_key("", sys.modules["users_stage"].Outside()) == key, "what is loaded is the old one"
    edited("users_stage", "# another")
    new = keys.stage_key("", sys.modules["users_stage"].Outside())
    assert new != key
    forget()
    assert keys.stage_key("", sys.modules["users_stage"].Outside()) == new, "good for other processes too"


def test_a_class_from_before_its_module_was_loaded_again_has_a_key_of_its_own(
    outside: Callable[[str], Stage], edited: Callable[..., None]
) -> None:
    old = outside("1")
    derived = type("Derived", (type(old),), {"__module__": __name__})()
    before = {keys.stage_key("", old), keys.stage_key("", derived)}
    edited("users_stage", "# an edit")
    found = {keys.stage_key("", old), keys.stage_key("", sys.modules["users_stage"].Outside())}
    found.add(keys.stage_key("", derived))
    assert len(found | before) == 5


def test_results_with_an_old_helper_are_good_for_this_process_only(
    outside: Callable[[str], Stage], edited: Callable[..., None]
) -> None:
    key = keys.stage_key("", stage := outside("1"))
    edited("users_helper", "# an edit")  # `from users_helper import height` still holds the old one
    held = keys.stage_key("", stage)
    assert held == keys.stage_key("", stage) != key
    forget()
    assert keys.stage_key("", stage) not in (key, held)


def test_jobs_are_in_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for jobs in (1, 2):
        monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / str(jobs)))
        stages = [Sift(), RootSift(), BagOfWords(words=3), Svm()]
        Pipeline(stages, jobs=jobs).run(striped(40, side=32), split={"kfold": 2})
        found.append({path.name for path in (tmp_path / str(jobs)).rglob("*.safetensors")})
    assert found[0] == found[1]
    assert len(found[0]) > 8


def test_sources_that_were_remembered_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    keys.remember_sources()
    monkeypatch.setattr(sources, "closure", lambda module: pytest.fail(f"{module} is read again"))
    assert len(chain()) == 4
