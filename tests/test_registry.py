"""Stages of other packages: what an entry point must be, and that a broken one breaks nothing else."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from cvpipe_cli.main import main

from cvpipe import Pipeline, registry
from cvpipe.errors import SpecError
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.stages.features.raw_pixels import RawPixels

SOURCE = """
from cvpipe.data import Features, Images
from cvpipe.stage import Stage
class StdPool(Stage):
    \"\"\"Nothing.\"\"\"
    def transform(self, images: Images) -> Features:
        raise NotImplementedError
class Sift(StdPool):
    \"\"\"Another.\"\"\"
height = 3
"""


def forget() -> None:
    registry._plugins.cache_clear()
    registry._note.cache_clear()
    importlib.invalidate_caches()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """`package("my-stages", "std_pool = users_plugin:StdPool")` installs a package with entry points."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "users_plugin.py").write_text(SOURCE)

    def install(name: str, points: str) -> None:
        folder = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[cvpipe.stages]\n{points}\n")
        forget()

    yield install
    monkeypatch.undo()
    sys.modules.pop("users_plugin", None)
    forget()


def test_a_stage_of_another_package_has_a_word(package: Callable[[str, str], None]) -> None:
    package("my-stages", "std_pool = users_plugin:StdPool")
    assert registry.stage_class("std_pool").__name__ == "StdPool"
    assert "std_pool" in dict(registry.stage_classes())
    assert registry.stage_group("std_pool") == "plugins"


@pytest.mark.parametrize(
    ("point", "said"),
    [
        (
            "renamed = users_plugin:StdPool",
            "stage 'renamed' of package 'my-stages' is the class StdPool, whose word is 'std_pool': "
            'it needs the entry point `std_pool = "users_plugin:StdPool"`',
        ),
        (
            "sift = users_plugin:Sift",
            "stage 'sift' of package 'my-stages' has the same word as a stage of cvpipe: "
            "uninstall a package, or rename the class there",
        ),
        (
            "std_pool = users_gone:StdPool",
            "stage 'std_pool' of package 'my-stages' cannot be imported from 'users_gone:StdPool': "
            "ModuleNotFoundError: No module named 'users_gone'",
        ),
        (
            "height = users_plugin:height",
            "stage 'height' of package 'my-stages' is no stage: "
            "'users_plugin:height' is not derived from `cvpipe.Stage`",
        ),
    ],
)
def test_a_wrong_entry_point_is_explained(
    package: Callable[[str, str], None], point: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    package("my-stages", point)
    word = point.split(" ")[0]
    with pytest.raises(SpecError) as caught:
        registry.stage_class(word)
    assert str(caught.value) == said
    assert word not in dict(registry.stage_classes())
    registry.stage_classes()
    assert capsys.readouterr().err == f"note: {said}\n", "once"


def test_two_packages_with_one_word(package: Callable[[str, str], None]) -> None:
    for name in ("my-stages", "your-stages"):
        package(name, "std_pool = users_plugin:StdPool")
    with pytest.raises(
        SpecError, match="of package 'my-stages' and package 'your-stages' has the same word as"
    ):
        registry.stage_class("std_pool")


def test_a_broken_plugin_breaks_nothing_else(package: Callable[[str, str], None]) -> None:
    package("my-stages", "std_pool = users_gone:StdPool")
    with pytest.raises(SpecError, match=r"classifiers that take Features: .*svm"):
        Pipeline([RawPixels()]).check()
    with pytest.raises(SpecError, match=r"ends with a classifier"):
        Pipeline([Sift()]).check()
    for command in ("stages", "schema"):
        forget()
        done = CliRunner().invoke(main, [command])
        assert done.exit_code == 0
        assert "raw_pixels" in done.stdout
        assert done.stderr.startswith("note: stage 'std_pool' of package 'my-stages' cannot be imported")
    assert json.loads(done.stdout)["title"] == "cvpipe spec"
