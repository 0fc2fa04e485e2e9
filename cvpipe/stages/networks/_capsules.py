"""What the dimensions of a capsule stand for: images that its decoder draws when one of them is changed."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvpipe.data import Images
from cvpipe.data.exhibits import Exhibit, Gallery
from cvpipe.stages.networks._network import Network

DRAWN = 3
"""Classes of which one training image is drawn again."""
STEPS = np.arange(-5, 6) * 0.05
"""What is added to one dimension: steps of 0.05 in [-0.25, 0.25] (Sabour, Frosst & Hinton 2017, figure 4)."""


def capsules_of(stage: Network, images: Images) -> np.ndarray:
    """(m, classes, width) float32 capsules of some images; (0, 0, 0) of a network that has none to draw from."""
    import torch

    from cvpipe.nets.learning import Look
    from cvpipe.nets.pixels import scaled
    from cvpipe.nets.threads import one_thread

    module: Any = stage.module()
    if not hasattr(module, "reconstruct") or getattr(module, "decoder", None) is None:
        return np.zeros((0, 0, 0), np.float32)
    pixels = torch.from_numpy(stage.trained_frame().batch(images)).to(next(module.parameters()).device)
    with one_thread(), torch.inference_mode():
        module(Look.of(stage.mean_, stage.deviation_).at(scaled(pixels)))
        found = module.capsules.cpu().numpy()
    module.capsules = None
    return found


def perturbed(stage: Network, capsules: np.ndarray, classes: np.ndarray) -> list[Exhibit]:
    """A gallery for the capsule of each of the first classes: a row for each dimension, a column for each of `STEPS`.

    `capsules` are those of an image of each of these classes.
    """
    if not len(capsules):
        return []
    import torch

    from cvpipe.nets.threads import one_thread

    module: Any = stage.module()
    place = next(module.parameters()).device
    shown: list[Exhibit] = []
    for number, own in enumerate(capsules):
        width = own.shape[1]
        many = np.repeat(own[None], width * len(STEPS), axis=0)
        rows = np.arange(len(many))
        many[rows, number, rows // len(STEPS)] += STEPS[rows % len(STEPS)].astype(np.float32)
        with one_thread(), torch.inference_mode():
            drawn = module.reconstruct(
                torch.from_numpy(many).to(place), torch.full((len(many),), number, device=place)
            )
        shown.append(_gallery(drawn.cpu().numpy(), str(classes[number]), width))
    return shown


def _gallery(drawn: np.ndarray, name: str, width: int) -> Gallery:
    pixels = np.rint(drawn.transpose(0, 2, 3, 1).clip(0, 1) * 255).astype(np.uint8)
    captions = [f"{dimension + 1}: {step:+.2f}" for dimension in range(width) for step in STEPS]
    return Gallery(
        f"What the capsule of '{name}' draws",
        np.broadcast_to(pixels, (*pixels.shape[:3], 3)),
        captions,
        f"Each row changes one of its {width} dimensions; the middle column is as it was.",
    )
