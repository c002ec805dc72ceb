import numpy as np
import pytest
import torch

from matlens.microstructure.physics import conjugate_gradients


def systems(count=3, size=12, dtype=torch.float64):
    random = np.random.default_rng(0)
    roots = torch.tensor(random.standard_normal((count, size, size)), dtype=dtype)
    matrices = roots @ roots.mT + torch.eye(size, dtype=dtype)
    return matrices, torch.tensor(random.standard_normal((count, size)), dtype=dtype)


def solve(matrices, right, precondition=None, tolerance=1e-10, max_iterations=100, **options):
    def apply(x):
        return (matrices @ x[..., None])[..., 0]

    return conjugate_gradients(
        apply, precondition or (lambda r: r), right, tolerance=tolerance, max_iterations=max_iterations, **options
    )


def test_solutions_are_those_of_a_dense_solve():
    matrices, right = systems()
    solution = solve(matrices, right)
    assert solution.converged.all()
    torch.testing.assert_close(solution.x, torch.linalg.solve(matrices, right))


def test_a_batch_gives_what_its_members_give_alone():
    matrices, right = systems()
    matrices[1] = torch.eye(12) + matrices[1] / 1000  # converges long before the others, and then rests
    together = solve(matrices, right)
    for i in range(3):
        alone = solve(matrices[i : i + 1], right[i : i + 1])
        torch.testing.assert_close(together.x[i], alone.x[0], rtol=1e-12, atol=1e-13)
        assert together.iterations[i] == alone.iterations[0]
    assert together.iterations[1] < together.iterations[0]


def test_the_residual_is_that_of_the_solution_returned():
    matrices, right = systems()
    solution = solve(matrices, right, tolerance=1e-3)
    rest = right - (matrices @ solution.x[..., None])[..., 0]
    torch.testing.assert_close(solution.residual, rest.norm(dim=1) / right.norm(dim=1))
    assert (solution.residual <= 1e-3).all()


def test_an_exact_preconditioner_needs_one_iteration_and_a_good_start_none():
    matrices, right = systems()
    exact = torch.linalg.inv(matrices)
    solution = solve(matrices, right, lambda r: (exact @ r[..., None])[..., 0])
    assert solution.iterations.tolist() == [1, 1, 1]
    again = solve(matrices, right, start=solution.x, tolerance=1e-8)
    assert again.iterations.tolist() == [0, 0, 0]


def test_too_few_iterations_are_said_and_watched():
    matrices, right = systems()
    seen = []
    solution = solve(matrices, right, max_iterations=3, watch=lambda *report: seen.append(report))
    assert not solution.converged.any()
    assert [iteration for iteration, _ in seen] == [1, 2, 3]
    assert seen[-1][1] == pytest.approx(float(solution.residual.max()))


def test_a_singular_system_with_a_consistent_right_hand_side_is_solved():
    matrix = torch.tensor([[[1.0, -1, 0], [-1, 2, -1], [0, -1, 1]]], dtype=torch.float64)
    solution = solve(matrix, torch.tensor([[1.0, 0, -1]], dtype=torch.float64))
    assert solution.converged.all()
    assert (solution.x[0, 0] - solution.x[0, 2]).item() == pytest.approx(2)


def test_a_right_hand_side_of_zero_has_the_solution_zero():
    matrices, right = systems()
    solution = solve(matrices, torch.zeros_like(right))
    assert not solution.x.any()
    assert solution.converged.all()
    assert not solution.residual.any()


def test_single_precision_stops_where_it_can_go_no_further():
    matrices, right = systems(dtype=torch.float32)
    solution = solve(matrices, right, tolerance=1e-12, max_iterations=1000)
    assert not solution.converged.any()
    assert (solution.residual < 1e-4).all()
