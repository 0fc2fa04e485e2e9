"""Rows in batches for an autoencoder: shuffled, gathered, and made noisy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from cvpipe.nets.autoencoder import compiles
from cvpipe.nets.autoencoder_gradient import Batch


@dataclass(frozen=True)
class Noise:
    """What makes it harder to draw a row again."""

    dropout: float
    """Share of hidden units that is switched off for each row."""
    masked: float
    """Share of the numbers of each row that is set to 0."""
    added: float
    """Standard deviation of what is added to each number of a row."""
    hidden: int
    """Hidden units."""


class Rows:
    """(n, d) rows, handed out in batches of up to `most`, which overwrite each other."""

    def __init__(self, rows: Tensor, most: int, noise: Noise, draws: torch.Generator) -> None:
        self.rows, self.most, self.noise, self.draws = rows, most, noise, draws
        width = rows.shape[1]
        self._targets = rows.new_empty(most, width)
        noisy = noise.masked or noise.added
        self._seen = rows.new_empty(most, width) if noisy else self._targets
        self._coins = rows.new_empty(most if noise.masked else 0, width)
        self._added = rows.new_empty(most if noise.added else 0, width)
        self._kept = rows.new_empty(most if noise.dropout else 0, noise.hidden)
        self._batches: dict[int, Batch] = {}
        self._picker = _picker(rows, self._targets)

    def shuffled(self) -> Sequence[Tensor]:
        """The rows of each batch of one pass."""
        order = torch.randperm(len(self.rows), generator=self.draws, device=self.rows.device)
        return order.split(self.most)

    def batch(self, order: Tensor) -> Batch:
        """These rows. All is drawn here, by one thread, so that it does not depend on the number of threads."""
        n, noise = len(order), self.noise
        self._pick = self._picker(order)
        coins, added, kept = self._coins[:n], self._added[:n], self._kept[:n]
        if noise.masked:
            coins.bernoulli_(1 - noise.masked, generator=self.draws)
        if noise.added:
            added.normal_(0, noise.added, generator=self.draws)
        if noise.dropout:
            kept.bernoulli_(1 - noise.dropout, generator=self.draws).div_(1 - noise.dropout)
        if n not in self._batches:
            self._batches[n] = Batch(
                self._targets[:n], self._seen[:n], kept if noise.dropout else None, self._fill
            )
        return self._batches[n]

    def _fill(self, start: int, stop: int) -> None:
        """Set some rows of the batch."""
        self._pick(start, stop)
        if self._seen is self._targets:
            return
        some, noise = slice(start, stop), self.noise
        if noise.masked:
            torch.mul(self._targets[some], self._coins[some], out=self._seen[some])
        else:
            self._seen[some].copy_(self._targets[some])
        if noise.added:
            self._seen[some].add_(self._added[some])


def _picker(rows: Tensor, out: Tensor) -> Callable[[Tensor], Callable[[int, int], object]]:
    """From the order of a batch to what sets some rows of `out`."""
    if not compiles(rows):
        return lambda order: (
            lambda start, stop: torch.index_select(rows, 0, order[start:stop], out=out[start:stop])
        )
    from cvpipe.nets._autoencoder_kernel import pick

    return lambda order: partial(pick, rows.numpy(), out.numpy(), order.numpy())
