"""The rooms of the house: imports go one way, and starting up costs little."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cvpipe import registry

HOUSE = Path(__file__).parents[1]
ORDER = [
    {
        "errors",
        "configurable",
        "options",
        "files",
        "threads",
        "device",
        "fitting",
        "wording",
        "help",
        "memory",
    },
    {"data"},
    {"vision", "statistics"},
    {"nets"},
    {"stage"},
    {"composite"},
    {"stages"},
    {"registry"},
    {"datasets"},
    {"splits"},
    {"conductor"},
    {"audit"},
    {"spec"},
    {"comparison"},
    {"report"},
    {"api"},
    {"comparing", "candidates", "verifying"},
    {"cli"},
]
"""Rooms from the ground up: each may import those in the sets before its own, and its own."""
FLOOR = {room: floor for floor, rooms in enumerate(ORDER) for room in rooms}
NOT_BELOW = {
    "vision": {"data"},
    "statistics": {"data"},
    "nets": {"data", "statistics"},
    "datasets": {"vision", "nets", "statistics", "stage", "stages"},
}
"""Rooms that do without some of those below them: maths knows no batches, a data set no stages."""
UPWARD = {("cvpipe/conductor/pipeline.py", "spec")}
"""`Pipeline.from_yaml` and `Pipeline.check`, where users look for them; inside functions."""
MODULES = sorted(path for folder in ("cvpipe", "cli", "pipelines") for path in (HOUSE / folder).rglob("*.py"))
NAMES = [path.relative_to(HOUSE).as_posix() for path in MODULES]


def room_of(path: Path) -> str:
    parts = path.relative_to(HOUSE).parts
    return parts[0] if parts[0] != "cvpipe" else parts[1].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Every module that is imported, at the top or inside a function; not what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node, node.module or ""
            if node.module == "cvpipe":
                yield from ((node, f"cvpipe.{a.name}") for a in node.names if not a.name.startswith("__"))
        else:
            yield from imports(node)


def rooms_imported(path: Path) -> Iterator[tuple[bool, str]]:
    """(at the top, room) for each import from the house."""
    tree = ast.parse(path.read_text())
    for node, module in imports(tree):
        top = node in tree.body
        if module.startswith("cvpipe_"):
            yield top, module.split(".")[0].removeprefix("cvpipe_")
        elif module.startswith("cvpipe."):
            yield top, module.split(".")[1]


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_imports_go_one_way(path: Path) -> None:
    room = room_of(path)
    if room in ("__init__", "pipelines"):  # names that are loaded on first use; YAML only
        assert not list(rooms_imported(path))
        return
    name = path.relative_to(HOUSE).as_posix()
    for top, imported in rooms_imported(path):
        if (name, imported) in UPWARD and not top:
            continue
        assert FLOOR[imported] < FLOOR[room] or imported == room or FLOOR[imported] == FLOOR[room] == 0, (
            imported
        )
        assert imported not in NOT_BELOW.get(room, ()), imported


def test_every_room_has_its_floor() -> None:
    rooms = {room_of(path) for path in MODULES} - {"__init__", "pipelines"}
    assert rooms == set(FLOOR)


def test_the_test_would_see_an_import_inside_a_function(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(
        "def f():\n    if 1:\n        from cvpipe.api import run\nimport cvpipe.data.seeds\n"
    )
    assert list(rooms_imported(tmp_path / "x.py")) == [(False, "api"), (True, "data")]


@pytest.mark.parametrize(
    "path", [path for path in MODULES if room_of(path) == "conductor"], ids=lambda path: path.stem
)
def test_the_conductor_names_no_stage(path: Path) -> None:
    tree = ast.parse(path.read_text())
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    docs |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in docs}
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    words = registry.stage_names()
    assert not texts & set(words)
    assert not names & {registry.camel_case(word) for word in words}
    assert not [room for _, room in rooms_imported(path) if room == "stages"]


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_every_module_says_what_it_is(path: Path) -> None:
    doc = ast.get_docstring(ast.parse(path.read_text()))
    assert doc
    assert len(doc) > 20


def test_every_package_is_shipped() -> None:
    settings = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {
        path.parent.relative_to(HOUSE).as_posix().replace("/", ".")
        for path in MODULES
        if path.stem == "__init__"
    }
    renamed = {"cli": "cvpipe_cli", "pipelines": "cvpipe_pipelines"}
    assert set(settings["packages"]) == {renamed.get(folder, folder) for folder in folders}
    assert {path.parent for path in MODULES} == {path.parent for path in MODULES if path.stem == "__init__"}
    shipped = {suffix for patterns in settings["package-data"].values() for suffix in patterns}
    for file in (HOUSE / "cvpipe").rglob("*.*"):
        if file.suffix not in (".py", ".pyc", ".nbi", ".nbc"):
            assert file.name in shipped or f"*{file.suffix}" in shipped, file


def imported_by(code: str) -> set[str]:
    """The top-level modules that a fresh Python holds after `code`."""
    code += "\nimport sys, json; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_imports_next_to_nothing() -> None:
    assert not imported_by("import cvpipe") & {
        "numpy",
        "cv2",
        "scipy",
        "torch",
        "sklearn",
        "joblib",
        "pydantic",
    }


def test_the_library_imports_no_learning_library() -> None:
    code = "import cvpipe.api, cvpipe.conductor.load; cvpipe.Pipeline, cvpipe.load, cvpipe.load_spec"
    assert not imported_by(code) & {"torch", "sklearn", "matplotlib", "skimage", "PIL"}


def test_a_run_imports_what_its_stages_need(class_folders: Callable[..., Path], tmp_path: Path) -> None:
    root = class_folders({"cat": 4, "dog": 4})
    spec = {"data": {"folder": str(root)}, "split": {"kfold": 2}, "stages": ["raw_pixels", "softmax"]}
    found = imported_by(f"import cvpipe; cvpipe.run({spec!r}, out={str(tmp_path / 'out')!r}, cache=False)")
    assert "numpy" in found
    assert not found & {"torch", "sklearn", "matplotlib", "skimage", "pandas"}


def test_every_public_name_is_there() -> None:
    code = "import cvpipe\nfor name in cvpipe.__all__: assert callable(getattr(cvpipe, name)), name"
    assert "numpy" in imported_by(code)
