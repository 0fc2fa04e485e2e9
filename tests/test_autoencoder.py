"""The autoencoder's loss and gradient, against finite differences and autograd; its training."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cvpipe import threads  # noqa: E402
from cvpipe.nets import autoencoder as maths  # noqa: E402
from cvpipe.nets import autoencoder_learner as learner  # noqa: E402
from cvpipe.nets import autoencoder_pieces  # noqa: E402
from cvpipe.nets.autoencoder_gradient import Batch, Gradient, Source  # noqa: E402
from cvpipe.nets.autoencoder_learner import Plan  # noqa: E402
from cvpipe.nets.autoencoder_pieces import Pieces  # noqa: E402
from cvpipe.nets.autoencoder_steps import Adam  # noqa: E402
from cvpipe.nets.autoencoder_training import Diverged, train  # noqa: E402

WIDTH, HIDDEN, ROWS = 6, 5, 9
CASES = [
    case
    for case in itertools.product(("sigmoid", "relu"), ("kl", "l1", "none"), (False, True))
    if case[:2] != ("relu", "kl")
]


def problem(tied: bool) -> tuple[maths.Parameters, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Parameters, rows with noise, targets, and what dropout keeps."""
    draws = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=draws, dtype=torch.float64)

    vector = 0.5 * normal(maths.Parameters.count(WIDTH, HIDDEN, tied))
    kept = (normal(ROWS, HIDDEN) > -0.5).double() / 0.7
    targets = normal(ROWS, WIDTH)
    return maths.Parameters(vector, WIDTH, HIDDEN, tied), targets + 0.1 * normal(ROWS, WIDTH), targets, kept


def as_batch(rows: torch.Tensor, targets: torch.Tensor, kept: torch.Tensor | None) -> Batch:
    """The targets with what makes these rows of them, which lie in another order."""
    order = torch.arange(len(targets)).flip(0)
    return Batch(order, Source(targets[order], torch.ones_like(rows), rows - targets, kept))


def plain_loss(
    vector: torch.Tensor, tied: bool, rows: torch.Tensor, targets: torch.Tensor, kept: torch.Tensor,
    how: maths.Objective,
) -> torch.Tensor:  # fmt: skip
    """The loss as in Ng's notes, in lines of its own."""
    sizes = [WIDTH * HIDDEN] * (1 if tied else 2) + [HIDDEN, WIDTH]
    *matrices, bias, output = torch.split(vector, sizes)
    encoder = matrices[0].reshape(HIDDEN, WIDTH).T
    decoder = matrices[-1].reshape(HIDDEN, WIDTH)
    z = rows @ encoder + bias
    h = 1 / (1 + torch.exp(-z)) if how.activation == "sigmoid" else z * (z > 0)
    error = ((((h * kept) @ decoder + output - targets) ** 2).sum(dim=1) / 2).mean()
    mean = h.mean(dim=0)
    kl = how.rho * torch.log(how.rho / mean) + (1 - how.rho) * torch.log((1 - how.rho) / (1 - mean))
    penalty = {"kl": kl.sum() if how.activation == "sigmoid" else 0, "l1": h.abs().sum() / len(h), "none": 0}
    squares = (encoder**2).sum() + (0 if tied else (decoder**2).sum())
    return error + how.beta * penalty[how.penalty] + how.decay / 2 * squares


@pytest.mark.parametrize(("activation", "penalty", "tied"), CASES)
def test_the_gradient_is_that_of_finite_differences_and_of_autograd(
    activation: maths.Activation, penalty: maths.Penalty, tied: bool
) -> None:
    parameters, rows, targets, kept = problem(tied)
    how = maths.Objective(activation, penalty, 0.1, 2.0, 0.03)
    gradient = Gradient(parameters, how, ROWS)
    slope = gradient.into
    slope.vector.fill_(torch.nan)
    found = gradient.of(as_batch(rows, targets, kept))

    def loss(vector: torch.Tensor) -> torch.Tensor:
        return plain_loss(vector, tied, rows, targets, kept, how)

    assert float(found.sum()) == pytest.approx(float(loss(parameters.vector)), rel=1e-12)
    step = 1e-6 * torch.eye(len(parameters.vector), dtype=torch.float64)
    numeric = [(loss(parameters.vector + e) - loss(parameters.vector - e)) / 2e-6 for e in step]
    np.testing.assert_allclose(slope.vector, torch.stack(numeric), atol=1e-7)
    vector = parameters.vector.clone().requires_grad_()
    (wanted,) = torch.autograd.grad(loss(vector), vector)
    np.testing.assert_allclose(slope.vector, wanted, atol=1e-12)


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("pieces", [(128, 100), (4, 2)])
@pytest.mark.parametrize(("activation", "penalty", "tied"), CASES)
def test_the_gradient_in_pieces_is_that_of_autograd(
    activation: maths.Activation, penalty: maths.Penalty, tied: bool, pieces: tuple[int, int], dropout: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(autoencoder_pieces, "ROWS", pieces[0])
    monkeypatch.setattr(autoencoder_pieces, "UNITS", pieces[1])
    exact, rows, targets, kept = problem(tied)
    vector = exact.vector.clone().requires_grad_()
    how = maths.Objective(activation, penalty, 0.1, 2.0, 0.03)
    loss = plain_loss(vector, tied, rows, targets, kept if dropout else torch.ones(()), how)
    loss.backward()
    parameters = maths.Parameters(exact.vector.float(), WIDTH, HIDDEN, tied)
    gradient = Pieces(parameters, how, ROWS + 2, 2)
    gradient.into.vector.fill_(torch.nan)
    batch = as_batch(rows.float(), targets.float(), kept.float() if dropout else None)
    with gradient:
        found = gradient.of(batch)
        again = gradient.of(batch)
    np.testing.assert_array_equal(found, again)
    assert found.sum() == pytest.approx(float(loss.detach()), rel=1e-5)
    np.testing.assert_allclose(gradient.into.vector, vector.grad, atol=3e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_adam_is_torch_s_own(dtype: torch.dtype) -> None:
    draws = torch.Generator().manual_seed(0)
    first = torch.randn(37, generator=draws, dtype=dtype)
    vector, slope = first.clone(), torch.zeros(37, dtype=dtype)
    wanted = first.clone().requires_grad_()
    optimiser = torch.optim.Adam([wanted], lr=0.02)
    ours = Adam(vector, slope, 0.02)
    for _ in range(30):
        slope.copy_(torch.randn(37, generator=draws, dtype=dtype))
        wanted.grad = slope.clone()
        optimiser.step()
        ours.step()
    close = 2e-6 if dtype == torch.float32 else 1e-13
    np.testing.assert_allclose(vector, wanted.detach(), atol=close)


def plan(**changes: object) -> Plan:
    options: dict[str, object] = {
        "hidden": 12, "tied": False, "optimiser": "adam", "learning_rate": 0.01, "batch": 50, "epochs": 40,
        "patience": 40, "dropout": 0.0, "masked": 0.0, "noise": 0.0,
    }  # fmt: skip
    return Plan(**(options | changes))  # type: ignore[arg-type]


def correlated(count: int, width: int = 8) -> np.ndarray:
    """Rows that lie near a plane of three dimensions."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((count, 3)) @ rng.standard_normal((3, width))
    return (rows + 0.05 * rng.standard_normal(rows.shape)).astype(np.float32)


QUIET = maths.Objective("sigmoid", "kl", 0.1, 0.5, 1e-4)


@pytest.mark.parametrize(
    "changes",
    [{}, {"tied": True}, {"optimiser": "lbfgs", "learning_rate": 1.0, "epochs": 120}, {"dropout": 0.2},
     {"masked": 0.2}, {"noise": 0.1}],
)  # fmt: skip
def test_it_learns_to_draw_rows_again(changes: dict[str, object]) -> None:
    rows = correlated(600)
    found = train(rows[:500], rows[500:], QUIET, plan(**changes), 0, "cpu")
    hidden = 1 / (1 + np.exp(-(rows[500:] @ found.encoder + found.bias)))
    error = np.square(hidden @ found.decoder + found.output - rows[500:]).sum()
    assert error < 0.35 * np.square(rows[500:]).sum()


def test_units_are_as_active_as_wanted() -> None:
    rows = correlated(600)
    strict = maths.Objective("sigmoid", "kl", 0.15, 20.0, 1e-4)
    found = train(rows, rows[:0], strict, plan(epochs=60), 0, "cpu")
    active = (1 / (1 + np.exp(-(rows @ found.encoder + found.bias)))).mean(axis=0)
    np.testing.assert_allclose(active, 0.15, atol=0.03)


def test_the_history_is_the_error_on_held_out_rows_and_the_best_epoch_is_kept() -> None:
    rows = correlated(40)
    nothing = maths.Objective("sigmoid", "none", 0.5, 0.0, 0.0)
    told: list[int] = []
    found = train(
        rows[:20], rows[20:], nothing, plan(hidden=60, epochs=300, patience=5, batch=20), 0, "cpu",
        lambda epoch, row: told.append(epoch),
    )  # fmt: skip
    assert told == list(range(1, len(found.history) + 1))
    assert len(found.history) < 300  # it stopped
    hidden = 1 / (1 + np.exp(-(rows[20:] @ found.encoder + found.bias)))
    error = np.square(hidden @ found.decoder + found.output - rows[20:]).sum() / 40
    assert error == pytest.approx(found.history[:, 2].min(), rel=1e-4)
    assert found.history[:, 2].argmin() == len(found.history) - 6


def test_the_same_seed_gives_the_same_weights() -> None:
    rows = correlated(300)
    first, again, other = (
        train(rows, rows[:50], QUIET, plan(epochs=2, dropout=0.5), seed, "cpu").encoder for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "changes",
    [{"masked": 0.2, "noise": 0.1}, {"tied": True, "dropout": 0.2}, {"optimiser": "lbfgs", "learning_rate": 1.0}],
)  # fmt: skip
def test_any_number_of_threads_gives_the_same_bits(changes: dict[str, object]) -> None:
    rows = correlated(900, 30)

    def trained(count: int) -> list[np.ndarray]:
        with threads.allow(count):
            found = train(
                rows[:800], rows[800:], QUIET, plan(hidden=450, batch=300, epochs=3, **changes), 0, "cpu"
            )
        return [found.encoder, found.bias, found.decoder, found.output, found.history]

    alone = trained(1)
    for count in (2, 5):
        for one, other in zip(alone, trained(count), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("tied", [False, True])
def test_steps_are_those_of_autograd_and_torch_s_own_adam(tied: bool) -> None:
    rows = torch.from_numpy(correlated(300, WIDTH))
    how = maths.Objective("sigmoid", "kl", 0.1, 2.0, 0.03)
    draws = torch.Generator().manual_seed(3)
    options = plan(hidden=HIDDEN, tied=tied, batch=64, epochs=2, patience=9)
    vector = learner._first(WIDTH, options, how, draws, "cpu").vector.double().requires_grad_()
    optimiser = torch.optim.Adam([vector], lr=options.learning_rate)
    for _ in range(2):
        for some in torch.randperm(300, generator=draws).split(64):
            batch = rows[some].double()
            optimiser.zero_grad()
            plain_loss(vector, tied, batch, batch, torch.ones(()), how).backward()
            optimiser.step()
    found = train(rows.numpy(), rows[:0].numpy(), how, options, 3, "cpu")
    wanted = maths.Parameters(vector.detach(), WIDTH, HIDDEN, tied)
    np.testing.assert_allclose(found.encoder, wanted.encoder.T, atol=1e-5)
    np.testing.assert_allclose(found.decoder, wanted.decoder, atol=1e-5)
    np.testing.assert_allclose(found.bias, wanted.bias, atol=1e-5)
    np.testing.assert_allclose(found.output, wanted.output, atol=1e-5)


@pytest.mark.parametrize(
    "changes", [{"masked": 0.2, "noise": 0.1}, {"tied": True, "dropout": 0.2}, {"optimiser": "lbfgs"}]
)
def test_compiled_training_is_that_in_torch(
    changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = correlated(300)
    options = plan(epochs=3, **changes)
    compiled = train(rows[:250], rows[250:], QUIET, options, 0, "cpu")
    monkeypatch.setattr(learner, "compiles", lambda numbers: False)
    plain = train(rows[:250], rows[250:], QUIET, options, 0, "cpu")
    close = 3e-4 if options.optimiser == "lbfgs" else 2e-5  # its line search makes more of rounding
    np.testing.assert_allclose(compiled.encoder, plain.encoder, atol=close)
    np.testing.assert_allclose(compiled.decoder, plain.decoder, atol=close)
    np.testing.assert_allclose(compiled.history, plain.history, rtol=10 * close)


def test_losses_of_many_rows_are_those_of_all_at_once() -> None:
    rows = torch.from_numpy(correlated(700, WIDTH)).double()
    exact = problem(False)[0]
    how = maths.Objective("sigmoid", "kl", 0.1, 2.0, 0.03)
    wanted = float(plain_loss(exact.vector, False, rows, rows, torch.ones(()), how))
    assert float(Gradient(exact, how, 300).losses(rows).sum()) == pytest.approx(wanted, rel=1e-12)
    parameters = maths.Parameters(exact.vector.float(), WIDTH, HIDDEN, False)
    with Pieces(parameters, how, 300, 2) as pieces:
        found = pieces.losses(rows.float())
    assert found.sum() == pytest.approx(wanted, rel=1e-5)


def test_one_that_diverges_says_when() -> None:
    rows = 1e18 * correlated(300)
    with pytest.raises(Diverged, match="epoch 1"):
        train(rows, rows, maths.Objective("relu", "none", 0.5, 0.0, 0.0), plan(learning_rate=1e18), 0, "cpu")
