"""The stages of a saved model, checked and restored. Nothing from its folder is executed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cvpipe import registry
from cvpipe.composite import Composite
from cvpipe.conductor.keys import digest
from cvpipe.conductor.model_files import FORMAT, file_name, read_arrays, sha256, signed
from cvpipe.conductor.state import unpack
from cvpipe.errors import CvpipeError, DataError, did_you_mean, listed
from cvpipe.files import newest, user_path
from cvpipe.stage import Classifier, Learner, Stage


def read_head(path: Path) -> dict[str, Any]:
    """What model.json holds. Raises `DataError` for one that is missing, damaged, altered or of another format."""
    try:
        head = json.loads((path / "model.json").read_bytes())
        whole = head == signed({name: value for name, value in head.items() if name != "digest"})
    except FileNotFoundError as error:
        near = newest(path, *(f"{'*/' * depth}model.json" for depth in (1, 2, 3)))
        raise DataError(f"no model here: model.json is missing{near}", where=str(path)) from error
    except OSError as error:
        raise DataError(f"cannot read the model: {error.strerror}", where=str(path)) from error
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise DataError("model.json is damaged: it is no complete JSON object", where=str(path)) from error
    if head.get("format") != FORMAT:
        got = f"format {head.get('format')} of cvpipe {head.get('cvpipe')}"
        raise DataError(f"the model has {got}; this cvpipe reads format {FORMAT}", where=str(path))
    if not whole:
        raise DataError("model.json was altered: its own hash does not fit", where=str(path))
    return head


def check_files(path: Path, files: Mapping[str, str]) -> None:
    """Raise `DataError` with every file that is missing, foreign, or not what it was when the model was saved."""
    here = {file.name for file in path.iterdir() if not file.name.startswith(".")} - {"model.json"}
    problems = [f"'{name}' does not belong to the model, which is JSON and safetensors only"
                for name in sorted(here - set(files))]  # fmt: skip
    problems += [f"'{name}' is missing" for name in sorted(set(files) - here)]
    problems += [f"'{name}' was cut short or altered: its hash does not fit"
                 for name in sorted(here & set(files)) if sha256(path / name) != files[name]]  # fmt: skip
    if problems:
        raise DataError(problems, where=str(path))


def build(entry: Mapping[str, Any]) -> Stage:
    """A stage with its options, not restored yet."""
    return registry.stage_class(entry["name"])(
        **{name: _part(value) for name, value in entry["options"].items()}
    )


def restored(path: Path, position: int, stage: Stage) -> Stage:
    """The stage with what it learned, if it learns."""
    if isinstance(stage, Learner):
        stage.restore(unpack(*read_arrays(path / file_name(position, stage))))
    return stage


def fitted_stage(folder: str, word: str, content: str | None = None) -> Stage:
    """One stage of a saved model, ready to transform, which is not fitted again.

    The second stage of a name is `name_2`. `content` is the `sealed` of the stage that is expected. Raises `DataError`
    for a model that is damaged or altered or lacks the stage, for another content, and for a stage that cannot be
    taken out of a model: a classifier, whose classes are those of its data, and one that is made of other stages.
    """
    path = user_path(folder)
    head = read_head(path)
    try:
        check_files(path, head["files"])
        position = _position(path, [entry["name"] for entry in head["stages"]], word)
        entry = head["stages"][position]
        stage = build(entry)
        _check_kind(path, stage)
        stage = restored(path, position, stage)
    except DataError:
        raise
    except Exception as error:  # hashes that fit tell that it is whole, not that it makes sense
        said = str(error) if isinstance(error, CvpipeError) else f"{type(error).__name__}: {error}"
        raise DataError(f"the model cannot be used: {said}", where=str(path)) from error
    stage.sealed = digest(entry, head["files"].get(file_name(position, stage), ""))
    if content not in (None, stage.sealed):
        said = f"stage '{word}' is another than the one that was asked for: {stage.sealed[:12]}, not {content[:12]}"
        raise DataError(said, where=str(path))
    return stage


def _position(path: Path, names: Sequence[str], word: str) -> int:
    """The place of the stage that a word stands for: `l2`, and `l2_2` for the second of that name."""
    words: list[str] = []
    for place, name in enumerate(names):
        same = names[:place].count(name)
        words.append(f"{name}_{same + 1}" if same else name)
    if word not in words:
        said = f"the model has no stage '{word}'{did_you_mean(word, words)}; it has {listed(words, 'and')}"
        raise DataError(said, where=str(path))
    return words.index(word)


def _check_kind(path: Path, stage: Stage) -> None:
    if isinstance(stage, Classifier):
        said = (
            f"'{stage.name}' is a classifier, of the classes that it was trained on; `cvpipe predict` uses it"
        )
        raise DataError(said, where=str(path))
    if isinstance(stage, Composite):
        raise DataError(
            f"'{stage.name}' is made of chains of stages, which are not taken out of models", str(path)
        )


def _part(value: Any) -> Any:
    """A parameter from its form in JSON, see `keys.plain`."""
    if isinstance(value, list):
        return [_part(item) for item in value]
    if not isinstance(value, dict) or "use" not in value:
        return value
    return build({"name": value["use"], "options": {k: v for k, v in value.items() if k != "use"}})
