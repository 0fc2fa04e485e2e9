"""An image read row by row: the recurrent baseline."""

from __future__ import annotations

from torch import Tensor, nn

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class LastState(nn.Module):
    """What a recurrent network remembers after the last row of an image, each row with all its channels."""

    def __init__(self, cell: str, inputs: int, hidden: int, depth: int) -> None:
        super().__init__()
        self.cell = CELLS[cell](inputs, hidden, depth, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, hidden)."""
        rows = x.permute(0, 2, 1, 3).flatten(2)
        return self.cell(rows)[0][:, -1]


def lstm_rows(
    classes: int, channels: int, size: tuple[int, int], cell: str, hidden: int, depth: int
) -> nn.Module:
    """A long short-term memory, gated units or a plain recurrent network over rows, and a dense layer: `rows`, `out`.

    Source: Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 1997 (cell: lstm); Cho et al.,
    "Learning phrase representations using RNN encoder-decoder for statistical machine translation", EMNLP 2014 (cell:
    gru); Elman, "Finding structure in time", Cognitive Science 1990 (cell: rnn), with tanh.
    """
    net = nn.Sequential()
    net.add_module("rows", LastState(cell, channels * size[1], hidden, depth))
    net.add_module("out", nn.Linear(hidden, classes))
    return net
