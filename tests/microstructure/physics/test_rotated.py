import numpy as np
import pytest
import torch

from matlens.microstructure.physics.rotated import divergence, gradient, green_operator

CASES = [((5, 4), (1.0, 1.0)), ((4, 6), (1.0, 2.5)), ((4, 3, 2), (1.0, 1.5, 2.0))]


def random(*shape):
    return torch.from_numpy(np.random.default_rng(0).normal(size=shape))


@pytest.mark.parametrize(("shape", "steps"), CASES)
def test_gradient_is_that_of_the_corners_mean_slopes(shape, steps):
    u = random(2, 1, *shape)
    corners = torch.stack(
        [torch.roll(u, [-i for i in corner], tuple(range(-len(shape), 0))) for corner in np.ndindex(*[2] * len(shape))]
    )
    for axis, slope in enumerate(gradient(u, steps)):
        sign = torch.tensor([1.0 if corner[axis] else -1.0 for corner in np.ndindex(*[2] * len(shape))]).double()
        expected = torch.einsum("c,c...->...", sign, corners) / 2 ** (len(shape) - 1) / steps[axis]
        torch.testing.assert_close(slope, expected)


@pytest.mark.parametrize(("shape", "steps"), CASES)
def test_divergence_is_minus_the_transpose_of_the_gradient(shape, steps):
    u, stress = random(2, 3, *shape), [random(2, 3, *shape) + k for k in range(len(shape))]
    power = sum((a * b).sum() for a, b in zip(stress, gradient(u, steps)))
    assert float(power + (u * divergence(stress, steps)).sum()) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(("shape", "steps"), CASES)
def test_green_operator_inverts_the_homogeneous_problem(shape, steps):
    """Forces are those of a random displacement u in the medium; what comes back strains as u does."""
    u, first = random(2, len(shape), *shape), torch.tensor([0.7, 2.0]).double()

    def stress(u):
        slopes = torch.stack(gradient(u, steps), 2)  # batch x component x axis
        trace = torch.einsum("bii...->b...", slopes) * first.view(-1, *[1] * len(shape))
        return slopes + slopes.transpose(1, 2) + torch.einsum("ij,b...->bij...", torch.eye(len(shape)).double(), trace)

    solve = green_operator(shape, steps, (first + 1) / (first + 2))
    found = solve(-divergence(list(stress(u).unbind(2)), steps))
    torch.testing.assert_close(stress(found), stress(u))
