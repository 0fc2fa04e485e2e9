"""From the bytes of a batch to the gradients of its loss: augmentation, the forward and the backward pass, in parts."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn

from cvpipe.nets import dropout
from cvpipe.nets.augment import augmented
from cvpipe.nets.mixing import Mixed, mixed
from cvpipe.nets.objective import objective
from cvpipe.nets.parts import Parts
from cvpipe.nets.pixels import scaled
from cvpipe.nets.recipe import Recipe

ALL = 1 << 30
"""More images than a batch has."""

Seeds = Callable[..., int]
"""A seed for an address, such as ("step", 3, 0)."""


class Answer(NamedTuple):
    """What a pass over some images said: the mean loss, and how many were classified right (NaN without scores)."""

    loss: float
    correct: float


class Look(NamedTuple):
    """Mean and deviation of each channel, (C,), that a network's input is normalised with."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, mean: np.ndarray, deviation: np.ndarray) -> Self:
        """From arrays."""
        return cls(torch.from_numpy(np.array(mean)), torch.from_numpy(np.array(deviation)))

    def at(self, images: Tensor) -> Tensor:
        """(m, C, H, W) in [0, 1], normalised."""
        mean, deviation = (t.to(images.device)[None, :, None, None] for t in self)
        return (images - mean) / deviation


class Learning:
    """Passes of one network over batches. A context, since it has threads."""

    def __init__(
        self,
        module: nn.Module,
        recipe: Recipe,
        seeds: Seeds,
        look: Look,
        device: str,
        threads: int,
        note: Callable[[str], None],
    ) -> None:
        self._recipe, self._seeds, self._look, self._device, self._note = recipe, seeds, look, device, note
        alone = device != "cpu" or recipe.compiled  # a compiled network is made for one size of batch
        self._module, self._threads = module, 1 if alone else threads
        self.part = ALL if alone else recipe.part

    def __enter__(self) -> Self:
        self._open = contextlib.ExitStack()
        self._open.enter_context(
            torch.random.fork_rng()
        )  # what draws by itself is seeded, and leaves no trace
        self._draws: bool | None = None
        self._parts: Parts | None = None
        return self

    def __exit__(self, *reason: Any) -> None:
        self._open.__exit__(*reason)

    def _threads_for(self, pixels: Tensor) -> Parts:
        """The threads, begun with the first images that are seen."""
        if self._parts is None:
            self._draws = dropout.draws_by_itself(self._module, self._seen(pixels[:2]))
            threads = 1 if self._draws else self._threads
            self._parts = self._open.enter_context(Parts(self._module, threads, self._recipe.compiled))
        return self._parts

    def gradients(self, step: int, pixels: Tensor, targets: Tensor) -> tuple[list[Tensor], Answer]:
        """Gradients of the mean loss over a batch with (m,) targets: (m, H, W, C) uint8, or (m, …) float32, which are
        neither normalised nor augmented."""

        def work(cut: slice, index: int) -> Any:
            share = (cut.stop - cut.start) / len(targets)
            return partial(self._loss, pixels[cut], targets[cut], share, self._seeds("step", step, index))

        gradients, said = self._in_parts(len(targets), work, self._threads_for(pixels).gradients)
        return gradients, _summed(said)

    def answers(self, pixels: Tensor, targets: Tensor) -> Answer:
        """What the network says as it will be used: no dropout, no augmentation."""

        def work(cut: slice, index: int) -> Any:
            return partial(self._answer, pixels[cut], targets[cut], (cut.stop - cut.start) / len(targets))

        return _summed(self._in_parts(len(targets), work, self._threads_for(pixels).results))

    def _in_parts(
        self, count: int, work: Callable[[slice, int], Any], run: Callable[[list[Any]], Any]
    ) -> Any:
        """`run` for all parts; for smaller ones if the memory is too small for them."""
        while True:
            cuts = _cuts(count, self.part)
            try:
                return run([work(cut, index) for index, cut in enumerate(cuts)])
            except RuntimeError as error:
                most = cuts[0].stop
                if not _is_out_of_memory(error) or most == 1:
                    raise
                self.part = most // 2
                self._note(f"out of memory with {most} images at once: going on with {self.part}")

    def _loss(
        self, pixels: Tensor, targets: Tensor, share: float, seed: int, module: nn.Module
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The loss of a part of a batch, and what it says."""
        generator = torch.Generator(self._device).manual_seed(seed)
        dropout.give(module, generator)
        if self._draws:
            torch.manual_seed(seed)
        images = pixels
        if pixels.dtype == torch.uint8:
            images = augmented(scaled(pixels), self._recipe.augment, generator)
        batch = mixed(images, targets, self._recipe.augment, np.random.default_rng(seed))
        with torch.autocast(self._device, torch.bfloat16, enabled=self._recipe.mixed_precision):
            outputs = module(self._look.at(batch.images) if pixels.dtype == torch.uint8 else batch.images)
            loss = objective(module, outputs, batch, self._recipe.smoothing) * share
        return loss, (loss.detach(), _right(outputs.detach(), batch.first))

    def _seen(self, pixels: Tensor) -> Tensor:
        """Bytes as normalised images; other numbers, such as features, as they are."""
        return self._look.at(scaled(pixels)) if pixels.dtype == torch.uint8 else pixels

    def _answer(
        self, pixels: Tensor, targets: Tensor, share: float, module: nn.Module
    ) -> tuple[Tensor, Tensor]:
        images = scaled(pixels) if pixels.dtype == torch.uint8 else pixels
        with torch.autocast(self._device, torch.bfloat16, enabled=self._recipe.mixed_precision):
            outputs = module(self._seen(pixels))
            loss = objective(module, outputs, Mixed(images, targets, targets, 1.0), 0.0)
        return loss * share, _right(outputs, targets)


def _cuts(count: int, part: int) -> list[slice]:
    """Slices of nearly equal length, none longer than `part`; the first is the longest."""
    edges = [len(a) for a in np.array_split(np.empty(count), math.ceil(count / part))]
    stops = np.cumsum(edges).tolist()
    return [slice(stop - length, stop) for stop, length in zip(stops, edges, strict=True)]


def _right(outputs: Tensor, targets: Tensor) -> Tensor:
    """How many scores are highest for the right class; NaN for what is no score, such as a reconstruction."""
    return (outputs.argmax(dim=1) == targets).sum() if outputs.ndim == 2 else torch.tensor(math.nan)


def _summed(said: list[tuple[Tensor, Tensor]]) -> Answer:
    return Answer(float(sum(loss for loss, _ in said)), float(sum(correct for _, correct in said)))


def _is_out_of_memory(error: RuntimeError) -> bool:
    said = str(error).lower()
    return "out of memory" in said or "not enough memory" in said or "can't allocate memory" in said
