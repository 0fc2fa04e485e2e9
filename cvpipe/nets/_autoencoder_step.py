"""A step of an autoencoder's training, compiled: products of matrices and what lies between them, by several threads.

The products take nearly all of the time: what lies between them runs while its numbers are in cache. Rows are cut into
pieces for what is done to each of them, hidden units for sums over rows. Pieces are the same however many threads there
are, so the gradient is the same to the last bit. For the formulas see `autoencoder` and `autoencoder_gradient`.
"""

from __future__ import annotations

import numpy as np

from cvpipe.nets._autoencoder_kernel import (
    adam,
    add_decay,
    fast,
    gather,
    penalty_slope,
    residuals,
    slopes,
    sum_up_biases,
    units,
)
from cvpipe.nets._autoencoder_work import (
    LOSSES,
    STEP,
    TASK_GOAL,
    TASK_PIECE,
    TASK_ROWS,
    TASK_STEP,
    TASK_UNITS,
    Work,
)
from cvpipe.vision.blas import product
from cvpipe.vision.compiled import compiled
from cvpipe.vision.meeting import COUNT, LEADER, begun, meet

ONE, NONE = np.float32(1), np.float32(0)


@fast
def forward(work: Work, piece: int, start: int, stop: int) -> None:
    """Rows as the encoder sees them, and hidden units."""
    given, own, weights = work.given, work.scratch, work.weights
    seen, hidden = own.seen[start:stop], own.hidden[start:stop]
    gather(
        given.rows, given.order[start:stop], given.coins[start:stop], given.added[start:stop],
        own.targets[start:stop], seen,
    )  # fmt: skip
    product(work.sgemm, seen, False, weights.encoder, True, ONE, NONE, hidden)
    kept = given.kept[start:stop]
    units(hidden, weights.bias, work.terms.sigmoid, kept, own.used[start:stop], own.sums[piece])


@fast
def errors(work: Work, piece: int, start: int, stop: int) -> None:
    """From hidden units to residuals."""
    own, weights = work.scratch, work.weights
    residual = own.residual[start:stop]
    product(work.sgemm, own.used[start:stop], False, weights.decoder, False, ONE, NONE, residual)
    found = work.found.errors[piece : piece + 1]
    residuals(residual, weights.output, own.targets[start:stop], own.residual_sums[piece], found)


@fast
def backward(work: Work, piece: int, start: int, stop: int, me: int) -> None:
    """From residuals to the slope by the responses of hidden units."""
    own, share = work.scratch, np.float32(1 / work.task[TASK_ROWS])
    back = own.back[start:stop]
    product(work.sgemm, own.residual[start:stop], False, work.weights.decoder, True, ONE, NONE, back)
    slopes(
        back, own.hidden[start:stop], work.terms.sigmoid, work.given.kept[start:stop], own.penalty_slopes[me],
        share, own.back_sums[piece],
    )  # fmt: skip


@fast
def sum_up(work: Work, part: int, start: int, stop: int, encoder: bool) -> None:
    """The slope of the weights of some hidden units, a sum over all rows, and Adam's step on them."""
    n, own, terms = work.task[TASK_ROWS], work.scratch, work.terms
    weights = (work.weights.encoder if encoder else work.weights.decoder)[start:stop]
    into = (work.slopes.encoder if encoder else work.slopes.decoder)[start:stop]
    if encoder:
        product(work.sgemm, own.back[:n, start:stop], True, own.seen[:n], False, ONE, NONE, into)
    if terms.tied or not encoder:
        before = ONE if terms.tied else NONE
        used, share = own.used[:n, start:stop], np.float32(1 / n)
        product(work.sgemm, used, True, own.residual[:n], False, share, before, into)
    add_decay(into, weights, np.float32(terms.decay), work.found.squares[part : part + 1])
    width = weights.shape[1]
    first = start * width if encoder else (len(work.weights.decoder) + start) * width
    change(work, first, first + (stop - start) * width)


@fast
def change(work: Work, first: int, last: int) -> None:
    """Adam's step on a part of the vector, if one is wanted."""
    if work.task[TASK_GOAL] == STEP:
        adam(
            work.weights.vector[first:last], work.slopes.vector[first:last], work.mean[first:last],
            work.square[first:last], work.task[TASK_STEP], work.terms.adam,
        )  # fmt: skip


@fast
def rows_forward(work: Work, me: int, count: int) -> None:
    """This thread's pieces of rows, as far as the sums of activations."""
    n, size = work.task[TASK_ROWS], work.task[TASK_PIECE]
    for piece in range(me, -(-n // size), count):
        start, stop = piece * size, min((piece + 1) * size, n)
        forward(work, piece, start, stop)
        if work.task[TASK_GOAL] == LOSSES:
            errors(work, piece, start, stop)


@fast
def rows_backward(work: Work, me: int, count: int) -> None:
    """This thread's pieces of rows, from the sums of activations on."""
    n, size, terms = work.task[TASK_ROWS], work.task[TASK_PIECE], work.terms
    pieces = -(-n // size)
    penalty = penalty_slope(
        work.scratch.sums[:pieces], n, terms.penalty, terms.rho, terms.beta, terms.edge,
        work.scratch.penalty_slopes[me],
    )  # fmt: skip
    if me == LEADER:
        work.found.losses[1] = penalty
    for piece in range(me, pieces, count):
        start, stop = piece * size, min((piece + 1) * size, n)
        errors(work, piece, start, stop)
        backward(work, piece, start, stop, me)


@fast
def weights_summed(work: Work, me: int, count: int) -> None:
    """This thread's pieces of weights; the last thread has the biases as well."""
    size, hidden = work.task[TASK_UNITS], len(work.weights.encoder)
    pieces = -(-hidden // size)
    for part in range(me, pieces * (1 if work.terms.tied else 2), count):
        start = part % pieces * size
        sum_up(work, part, start, min(start + size, hidden), part < pieces)
    if me == count - 1:
        n, own, into = work.task[TASK_ROWS], work.scratch, work.slopes
        done = -(-n // work.task[TASK_PIECE])
        share = np.float32(1 / n)
        sum_up_biases(own.back_sums[:done], own.residual_sums[:done], share, into.bias, into.output)
        change(work, len(into.vector) - len(into.bias) - len(into.output), len(into.vector))


@fast
def tell(work: Work) -> None:
    """The rest of the loss, from its sums."""
    n, losses = work.task[TASK_ROWS], work.found.losses
    losses[0] = work.found.errors[: -(-n // work.task[TASK_PIECE])].sum() / (2 * n)
    losses[2] = work.terms.decay / 2 * work.found.squares.sum()


@compiled()
def work_on(me: int, work: Work, name: int, state: np.ndarray) -> None:
    """As a `Team` wants it."""
    count = state[COUNT]
    while begun(state, me, name):
        goal = work.task[TASK_GOAL]  # after the last meeting the task is another one
        rows_forward(work, me, count)
        meet(state)
        if goal != LOSSES:
            rows_backward(work, me, count)
            meet(state)
            weights_summed(work, me, count)
            meet(state)
        if me == LEADER:
            tell(work)
            return
