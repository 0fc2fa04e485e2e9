"""What stages with a trained network share: its weights as arrays, the network made from them once, its curves."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cvpipe.data import Images
from cvpipe.data.exhibits import Curves, Exhibit, Gallery
from cvpipe.stage import Learner
from cvpipe.stages.networks._frame import Frame

if TYPE_CHECKING:
    from torch import nn

GROUPS = ("weights_", "history_")
"""Learned fields that hold arrays by name; in the state each array stands by itself."""
_MAKING = threading.Lock()


class Network(Learner):
    """A learner whose knowledge is a network."""

    weights_: dict
    history_: dict
    frame_: np.ndarray
    mean_: np.ndarray
    deviation_: np.ndarray

    def build(self) -> nn.Module:
        """The network with any weights, for what was learned. Every stage writes its own."""
        raise NotImplementedError(f"stage '{self.name}' has no build")

    def state(self) -> dict[str, Any]:
        """What was learned, each array of the network by itself: `weights_conv1.bias`."""
        whole = super().state()
        flat = {n: v for n, v in whole.items() if n not in GROUPS}
        return flat | {f"{group}{n}": v for group in GROUPS for n, v in whole[group].items()}

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Set what was learned, as `state` gave it."""
        groups: dict[str, Any] = {
            group: {n.removeprefix(group): v for n, v in state.items() if n.startswith(group)}
            for group in GROUPS
        }
        vars(self).pop("_made", None)
        return super().restore({**state, **groups})

    def __getstate__(self) -> dict[str, Any]:
        # The network itself is made again from its weights: it is no part of a copy.
        return {name: value for name, value in vars(self).items() if name != "_made"}

    def trained_frame(self) -> Frame:
        """What the network sees. Raises `NotFitted`."""
        return Frame(*(int(n) for n in self.frame_))

    def keep(self, module: nn.Module, frame: Frame, look: Any, history: Mapping[str, Any]) -> None:
        """Take over what a training learned."""
        from cvpipe.nets.checkpoint import arrays_of

        vars(self).pop("_made", None)
        self.weights_ = arrays_of(module.state_dict())
        self.history_ = {name: np.array(values, np.float64) for name, values in history.items()}
        self.frame_ = np.array([frame.height, frame.width, frame.channels], np.int64)
        self.mean_, self.deviation_ = look.mean.numpy(), look.deviation.numpy()

    def module(self) -> nn.Module:
        """The trained network, on the device of the run, made once."""
        from cvpipe import device
        from cvpipe.nets.checkpoint import put

        place = device.current()
        with _MAKING:
            made = vars(self).get("_made")
            if made is None or made[0] != place:
                weights = self.weights_
                module = self.build()
                put(module.state_dict(), weights)
                made = vars(self)["_made"] = (place, module.to(place).eval())
        return made[1]

    def outputs(self, images: Images, part: str = "") -> np.ndarray:
        """What the network, or a part of it, gives for each image, (n, …) float32."""
        from cvpipe.nets.inference import outputs
        from cvpipe.nets.learning import Look

        frame, module = self.trained_frame(), self.module()
        look = Look.of(self.mean_, self.deviation_)
        return outputs(module.get_submodule(part), look, frame.batch(images))

    def exhibits(self) -> list[Exhibit]:
        """Curves of the training, and the filters of the first layer."""
        return [*_curves(self.history_), *_filters(self.weights_)]


def _curves(history: Mapping[str, np.ndarray]) -> list[Exhibit]:
    def lines(*names: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        told = {"validation": "validation", "update": "update"}
        found = {}
        for name in names:
            if name in history:
                first = name.split("_")[0]
                found[told.get(first, "training")] = (np.arange(1, len(history[name]) + 1.0), history[name])
        return found

    shown: list[Exhibit] = [
        Curves("Loss", "epoch", "loss", lines("loss", "validation_loss"),
               "Training loss is the mean over an epoch, with dropout and augmentation: it may lie above validation."),
        Curves("Accuracy", "epoch", "share of images", lines("accuracy", "validation_accuracy")),
        Curves("Learning rate", "epoch", "rate of its last step", lines("rate")),
        Curves("Update / weights", "epoch", "ratio of lengths", lines("update_ratio"),
               "About 0.001 is healthy: far above, weights are thrown about; far below, nothing is learned."),
    ]  # fmt: skip
    return [curves for curves in shown if isinstance(curves, Curves) and curves.series]


def _filters(weights: Mapping[str, np.ndarray], most: int = 128, zoom: int = 6) -> list[Exhibit]:
    """The first layer as pictures, if it is a convolution of pixels."""
    first = next((w for w in weights.values() if w.ndim == 4), None)
    if first is None or first.shape[1] not in (1, 3) or min(first.shape[2:]) < 2:
        return []
    kernels = first[:most].transpose(0, 2, 3, 1).astype(np.float64)
    reach = np.abs(kernels).max(axis=(1, 2, 3), keepdims=True)
    grey = np.rint(127.5 + 127.5 * kernels / np.maximum(reach, 1e-12)).astype(np.uint8)
    pictures = np.broadcast_to(grey, (*grey.shape[:3], 3)).repeat(zoom, axis=1).repeat(zoom, axis=2)
    note = "What the first layer looks for. Grey is 0; each filter has its own scale."
    return [Gallery("Filters of the first layer", pictures, note=note)]
