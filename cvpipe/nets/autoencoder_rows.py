"""Rows in batches for an autoencoder: shuffled, and made noisy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cvpipe.nets.autoencoder_gradient import Batch, Source


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
    """(n, d) rows, handed out in batches of up to `most`, whose noise overwrites that of the one before."""

    def __init__(self, rows: Tensor, most: int, noise: Noise, draws: torch.Generator) -> None:
        self.rows, self.most, self.noise, self.draws = rows, most, noise, draws
        width = rows.shape[1]
        self.source = Source(
            rows,
            coins=rows.new_empty(most, width) if noise.masked else None,
            added=rows.new_empty(most, width) if noise.added else None,
            kept=rows.new_empty(most, noise.hidden) if noise.dropout else None,
        )

    def shuffled(self) -> Sequence[Tensor]:
        """The rows of each batch of one pass."""
        order = torch.randperm(len(self.rows), generator=self.draws, device=self.rows.device)
        return order.split(self.most)

    def batch(self, order: Tensor) -> Batch:
        """These rows. All noise is drawn here, by one thread, so that it does not depend on the number of threads."""
        n, noise, source = len(order), self.noise, self.source
        if source.coins is not None:
            source.coins[:n].bernoulli_(1 - noise.masked, generator=self.draws)
        if source.added is not None:
            source.added[:n].normal_(0, noise.added, generator=self.draws)
        if source.kept is not None:
            source.kept[:n].bernoulli_(1 - noise.dropout, generator=self.draws).div_(1 - noise.dropout)
        return Batch(order, source)
