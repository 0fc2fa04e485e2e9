"""The folder of a comparison: always the same files, each whole or absent, `comparison.json` last, so that its presence
means all are there.

`suite.yaml` comes first: it marks the folder as ours, and holds all that was asked for, every default explicit.
`runs/NAME/` are the folders of the candidates.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cvpipe.comparison import tables
from cvpipe.comparison.entrants import Entrant
from cvpipe.comparison.result import Comparison
from cvpipe.conductor.smoke import is_full
from cvpipe.errors import RunError, SpecError
from cvpipe.files import user_path, write_whole
from cvpipe.spec import dump

FILES = (
    "comparison.json",
    "comparison.csv",
    "comparison.md",
    "comparison.tex",
    "comparison.html",
    "suite.yaml",
)
"""What a comparison writes beside `runs/`."""


def claim(out: str | Path | None, name: str, smoke: bool = False) -> Path:
    """Make the folder for a comparison: `out`, or `comparisons/<name>`.

    What an earlier comparison left there is no longer whole from here on: its `comparison.json` goes first; its runs
    stay, and count where they are the same; `smoke` tests do not replace runs on all images. Raises `SpecError` for the
    folder of a run, for one with such runs, or one with files of these names that no comparison wrote; `RunError` if it
    cannot be made or written.
    """
    folder = user_path(out) if out else Path("comparisons") / name
    try:
        ours = (folder / "runs").is_dir() and (folder / "suite.yaml").exists()
        foreign = [] if ours else [file for file in FILES if (folder / file).exists()]
        said = f"has a {foreign[0]} that no comparison wrote" if foreign else ""
        if (folder / "result.json").exists():
            said = "is of a run"
        if smoke and any(map(is_full, folder.glob("runs/*"))):
            said = "holds runs on all images, and smoke tests would replace them"
        if said:
            raise SpecError(f"{said}; choose another --out", where=str(folder))
        (folder / "runs").mkdir(parents=True, exist_ok=True)
        (folder / "comparison.json").unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"cannot write a comparison here: {error.strerror}", where=str(folder)) from error
    return folder


def other_runs(folder: Path, names: Iterable[str]) -> list[str]:
    """Names of runs in the folder of a comparison that are of other candidates than these, sorted."""
    runs = folder / "runs"
    found = {path.name for path in runs.iterdir() if path.is_dir()} if runs.is_dir() else set()
    return sorted(found.difference(names))


def write_suite(folder: Path, name: str, entrants: Sequence[Entrant], train_sizes: Sequence[int]) -> None:
    """Write what was asked for, as a suite that can be run again. Raises `RunError`."""
    specs = [{"name": entrant.name, "spec": entrant.spec.resolved()} for entrant in entrants]
    suite: dict[str, Any] = {"name": name, "specs": specs}
    if train_sizes:
        suite["train_sizes"] = list(train_sizes)
    _write(folder, {"suite.yaml": dump(suite)})


def write(comparison: Comparison) -> None:
    """Write the tables and at last `comparison.json`. Raises `RunError`, and then there is no `comparison.json`."""
    assert comparison.folder is not None
    contents = {
        "comparison.csv": tables.csv_table(comparison),
        "comparison.md": tables.markdown(comparison),
        "comparison.tex": tables.latex(comparison),
        "comparison.json": json.dumps(comparison.summary(), indent=1) + "\n",
    }
    _write(comparison.folder, contents)


def _write(folder: Path, contents: dict[str, str]) -> None:
    try:
        for name, text in contents.items():
            write_whole(folder / name, text)
    except OSError as error:
        raise RunError(f"cannot write the results: {error.strerror}", where=str(folder)) from error
