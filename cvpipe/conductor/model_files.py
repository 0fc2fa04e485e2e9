"""The files of a saved pipeline: names, hashes, tensors. Nothing in them could run.

model.json                    the stages with their options, what they were trained on, SHA-256 of every other file
00_sift.safetensors …         what each learner learned
probe.safetensors             small images and the scores they got
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe.conductor import keys
from cvpipe.errors import DataError
from cvpipe.stage import Stage

FORMAT = 1
"""Version of the layout; another one is refused."""


def file_name(position: int, stage: Stage) -> str:
    """`02_bag_of_words.safetensors`."""
    return f"{position:02d}_{stage.name}.safetensors"


def signed(head: Mapping[str, Any]) -> dict[str, Any]:
    """The content of model.json with a hash of itself, as plain JSON."""
    plain = json.loads(json.dumps(head, default=keys.plain))
    return {**plain, "digest": keys.digest(plain)}


def sha256(file: Path) -> str:
    """Of a file; `unreadable` if it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return "unreadable"


def tensors(arrays: Mapping[str, np.ndarray], note: Mapping[str, Any]) -> bytes:
    """A safetensors file of arrays and a JSON note."""
    from safetensors.numpy import save as to_bytes

    solid = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return to_bytes(solid, metadata={"note": json.dumps(note)})


def read_arrays(file: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the note. Raises `DataError` for a damaged file."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as load_arrays

    try:
        data = file.read_bytes()
        head = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return load_arrays(data), json.loads(head["__metadata__"]["note"])
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise DataError(f"'{file.name}' is damaged: {error}", where=str(file.parent)) from error
