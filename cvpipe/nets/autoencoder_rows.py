"""Rows in batches for an autoencoder: shuffled, gathered, and made noisy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

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

    def shuffled(self) -> Sequence[Tensor]:
        """The rows of each batch of one pass."""
        order = torch.randperm(len(self.rows), generator=self.draws, device=self.rows.device)
        return order.split(self.most)

    def batch(self, order: Tensor) -> Batch:
        """These rows. All is drawn here, by one thread, so that it does not depend on the number of threads."""
        n, noise = len(order), self.noise
        coins, added, kept = self._coins[:n], self._added[:n], self._kept[:n]
        if noise.masked:
            coins.bernoulli_(1 - noise.masked, generator=self.draws)
        if noise.added:
            added.normal_(0, noise.added, generator=self.draws)
        if noise.dropout:
            kept.bernoulli_(1 - noise.dropout, generator=self.draws).div_(1 - noise.dropout)

        def fill(start: int, stop: int) -> None:
            some = slice(start, stop)
            torch.index_select(self.rows, 0, order[some], out=self._targets[some])
            if noise.masked:
                torch.mul(self._targets[some], coins[some], out=self._seen[some])
            elif noise.added:
                self._seen[some].copy_(self._targets[some])
            if noise.added:
                self._seen[some].add_(added[some])

        return Batch(self._targets[:n], self._seen[:n], kept if noise.dropout else None, fill)
