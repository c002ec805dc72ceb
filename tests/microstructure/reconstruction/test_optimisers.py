import numpy as np
import pytest
import torch

from matlens.microstructure.reconstruction import LBFGS, Adam

OPTIMISERS = [LBFGS, Adam]


def rosenbrock(x):
    x = x.detach().requires_grad_(True)
    loss = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
    return float(loss.detach()), torch.autograd.grad(loss, x)[0]


def quadratic(x):
    """Condition number 1000, minimum at 1."""
    stiffness = torch.logspace(0, 3, x.numel(), dtype=x.dtype)
    return float((stiffness * (x - 1) ** 2).sum()) / 2, stiffness * (x - 1)


def outside(x):
    """Its minimum, 3, lies outside [-1, 1] for half of the components and at .5 for the others."""
    goal = torch.where(torch.arange(x.numel()) % 2 == 0, 3.0, 0.5).to(x)
    return float(((x - goal) ** 2).sum()), 2 * (x - goal)


def run(optimiser, x, objective, steps):
    state = optimiser.start(x, objective)
    for _ in range(steps):
        if state.stuck:
            break
        state = optimiser.step(state, objective)
    return state


def test_lbfgs_solves_rosenbrock():
    state = run(LBFGS(), torch.tensor([-1.2, 1.0], dtype=torch.float64), rosenbrock, 40)
    assert state.loss < 1e-9
    np.testing.assert_allclose(state.x, 1, atol=1e-4)
    assert state.evaluations < 90


def test_lbfgs_solves_an_ill_conditioned_quadratic():
    """As fast as SciPy's, which takes 127 evaluations to 4.0e-6."""
    state = run(LBFGS(), torch.zeros(30, dtype=torch.float64), quadratic, 120)
    assert state.loss < 1e-5
    assert state.evaluations < 140


def test_bounds_cost_no_evaluations():
    """A quadratic most of whose components end at a bound; SciPy's L-BFGS-B takes 24 to 64 evaluations."""
    random = np.random.default_rng(0)
    a = torch.from_numpy(random.normal(size=(60, 60)))
    h, b = a @ a.T / 60 + 0.05 * torch.eye(60), 2 * torch.from_numpy(random.normal(size=60))

    def objective(x):
        return float(x @ h @ x / 2 - b @ x), h @ x - b

    state = run(LBFGS(bounds=(-1.0, 1.0)), torch.zeros(60, dtype=torch.float64), objective, 40)
    assert state.loss == pytest.approx(-78.93555051967584, abs=1e-4)  # SciPy's
    assert state.evaluations < 90


def test_adam_solves_a_quadratic():
    assert run(Adam(rate=0.1), torch.zeros(30, dtype=torch.float64), quadratic, 400).loss < 1e-3


@pytest.mark.parametrize("kind", OPTIMISERS)
@pytest.mark.parametrize("start", [0.0, 5.0])
def test_bounds_hold_at_every_evaluation(kind, start):
    seen = []

    def watched(x):
        seen.append((float(x.min()), float(x.max())))
        return outside(x)

    state = run(kind(bounds=(-1.0, 1.0)), torch.full((6,), start), watched, 120)
    assert min(low for low, _ in seen) >= -1
    assert max(high for _, high in seen) <= 1
    np.testing.assert_allclose(state.x, [1, 0.5] * 3, atol=0.02)


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_evaluations_are_counted(kind):
    calls = []
    state = run(kind(), torch.tensor([-1.2, 1.0]), lambda x: calls.append(1) or rosenbrock(x), 25)
    assert state.evaluations == len(calls)


@pytest.mark.parametrize("kind", OPTIMISERS)
@pytest.mark.parametrize("after", [0, 1, 15])
def test_a_restored_state_goes_on_with_the_same_bytes(kind, after):
    x = torch.linspace(-1, 1, 12).reshape(1, 1, 3, 4)

    def objective(x):
        loss, gradient = rosenbrock(x.flatten())
        return loss, gradient.reshape(x.shape)

    state = run(kind(), x, objective, after)
    saved = {name: np.array(value) for name, value in state.arrays().items()}
    assert not any(value.dtype.kind == "O" for value in saved.values())
    again = kind().restore(saved, x)
    for _ in range(12):
        state, again = kind().step(state, objective), kind().step(again, objective)
    first, second = state.arrays(), again.arrays()
    assert all(np.asarray(first[name]).tobytes() == np.asarray(second[name]).tobytes() for name in first)


def test_lbfgs_forgets_then_says_it_is_stuck():
    """A gradient that points the wrong way: first the memory is dropped, then steepest descent fails too."""
    state = run(LBFGS(), torch.tensor([-1.2, 1.0]), rosenbrock, 5)
    assert state.steps

    def lying(x):
        return 1e9, torch.ones_like(x)

    tried = LBFGS(max_backtracks=4).step(state, lying)
    assert (tried.loss, tried.steps, tried.stuck) == (state.loss, (), False)
    assert tried.evaluations == state.evaluations + 4
    again = LBFGS(max_backtracks=4).step(tried, lying)
    assert again.stuck
    assert torch.equal(again.x, state.x)
    assert LBFGS().restore(again.arrays(), state.x).stuck


def test_lbfgs_never_takes_an_undefined_value():
    def cliff(x):
        loss, gradient = quadratic(x)
        return (float("nan") if float(x.max()) > 0.5 else loss), gradient

    state = run(LBFGS(), torch.zeros(4), cliff, 20)
    assert np.isfinite(state.loss)
    assert float(state.x.max()) <= 0.5


def test_an_exact_minimum_ends_the_search():
    state = run(LBFGS(), torch.ones(3), quadratic, 1)
    assert state.stuck
    assert state.loss == 0
