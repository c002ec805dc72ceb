import numpy as np
import pytest
import torch

from matlens.errors import InputError
from matlens.microstructure.physics import (
    check_conductivity,
    effective_conductivity,
    flux_magnitude,
    solve_conduction,
    solve_uniform_flux,
)

RANDOM = np.random.default_rng(1)
CASES = [
    ((4, 5), (1.0, 1.0)),
    ((3, 6), (2.0, 0.5)),
    ((3, 4, 2), (1.0, 3.0, 0.7)),
    ((1, 4), (1.0, 1.0)),
    ((2, 2), (1, 1)),
]


def random_field(shape, low=0.02):
    return RANDOM.uniform(low, 1, shape) ** 2


def tensor_of(k, **options):
    options = {"tolerance": 1e-12, **options}
    return effective_conductivity(torch.as_tensor(k)[None], **options)[0].numpy()


def disc(n, radius, ndim=2):
    axes = np.meshgrid(*[(np.arange(n) + 0.5) / n - 0.5] * ndim, indexing="ij")
    return sum(axis**2 for axis in axes) < radius**2


@pytest.mark.parametrize(("shape", "spacing"), CASES)
def test_each_boundary_equals_a_network_of_resistors(networks, shape, spacing):
    k = random_field(shape)
    staggered = tensor_of(k, spacing=spacing, scheme="staggered")
    assert staggered == pytest.approx(networks.periodic(k, spacing), abs=1e-10)
    assert tensor_of(k, spacing=spacing) == pytest.approx(networks.rotated(k, spacing), abs=1e-10)
    assert tensor_of(k, spacing=spacing, boundary="gradient") == pytest.approx(networks.gradient(k, spacing), abs=1e-10)
    fixed = tensor_of(k, spacing=spacing, boundary="fixed")
    assert np.diag(fixed) == pytest.approx(networks.fixed(k, spacing), abs=1e-10)
    assert np.isnan(fixed[~np.eye(len(shape), dtype=bool)]).all()
    flux = solve_uniform_flux(torch.as_tensor(k)[None], spacing=spacing, tolerance=1e-12).tensor[0]
    assert flux.numpy() == pytest.approx(networks.flux(k, spacing), abs=1e-10)


@pytest.mark.parametrize("shape", [(9, 8), (5, 4, 6)])
def test_cells_that_conduct_nothing_and_islands_disturb_nothing(networks, shape):
    k = np.where(RANDOM.random(shape) < 0.6, random_field(shape), 0.0)
    k[:, 0] = 0.5  # a channel along axis 0, and islands elsewhere
    steps = (1.0,) * k.ndim
    assert tensor_of(k) == pytest.approx(networks.periodic(k, steps), abs=1e-9)
    assert np.diag(tensor_of(k, boundary="fixed")) == pytest.approx(networks.fixed(k, steps), abs=1e-9)
    assert tensor_of(k, boundary="gradient") == pytest.approx(networks.gradient(k, steps), abs=1e-9)


@pytest.mark.parametrize("shape", [(16, 6), (16, 3, 5)])
@pytest.mark.parametrize("contrast", [0.0, 1e-4, 100.0])
def test_laminates_are_exact_in_every_direction(shape, contrast):
    for axis in range(len(shape)):
        k = np.moveaxis(np.ones(shape), 0, axis)
        layers = [slice(None)] * len(shape)
        layers[axis] = slice(0, 5)
        k[tuple(layers)] = contrast
        share = 5 / 16
        expected = np.full(len(shape), share * contrast + 1 - share)
        expected[axis] = 1 / (share / contrast + 1 - share) if contrast else 0.0
        tensor = tensor_of(k, spacing=[1.0, 2.0, 3.0][: len(shape)])
        assert np.abs(tensor - np.diag(expected)).max() < 1e-10 * max(1.0, contrast)


@pytest.mark.parametrize("contrast", [2.0, 10.0, 50.0])
@pytest.mark.parametrize(("scheme", "order"), [("staggered", 1), ("rotated", 2)])
def test_the_checkerboard_approaches_the_geometric_mean_as_fast_as_its_corners_allow(contrast, scheme, order):
    errors = []
    for side in (4, 8, 16, 32):
        board = np.where(np.kron([[0, 1], [1, 0]], np.ones((side, side))), contrast, 1.0)
        errors.append(abs(np.log(tensor_of(board, scheme=scheme)[0, 0] / contrast**0.5)))
    singularity = 4 / np.pi * np.arctan(contrast**-0.5)  # the potential goes as this power of the distance
    assert np.divide(errors[:-1], errors[1:]) == pytest.approx(4 ** (order * singularity), rel=0.15)


def test_the_rotated_scheme_keeps_the_trace_bounds_whatever_the_pixels():
    for seed in range(20):
        labels = np.random.default_rng(seed).random((24, 24)) < 0.1 + 0.04 * seed
        share = labels.mean()
        tensor = tensor_of(np.where(labels, 10.0, 1.0), tolerance=1e-6)
        assert check_conductivity(tensor, [1 - share, share], [1.0, 10.0]).excess < 0


def test_both_schemes_approach_one_tensor():
    coarse = np.where(disc(16, 0.4) ^ disc(16, 0.25), 20.0, 1.0)
    gaps = []
    for times in (1, 2, 4, 8):
        fine = np.kron(coarse, np.ones((times, times)))
        gaps.append(tensor_of(fine)[0, 0] / tensor_of(fine, scheme="staggered")[0, 0] - 1)
    assert (np.divide(gaps[:-1], gaps[1:]) > 2).all()  # first order, or better


@pytest.mark.parametrize(("ndim", "sides", "limit"), [(2, (16, 64), 0.07), (3, (16, 32), 0.14)])
def test_dilute_inclusions_approach_maxwell(ndim, sides, limit):
    for inclusion in (0.0, 20.0):
        errors = []
        for n in sides:
            inside = disc(n, 0.15, ndim)
            lever = inside.mean() * (inclusion - 1) / (inclusion + ndim - 1)
            maxwell = (1 + (ndim - 1) * lever) / (1 - lever)
            found = tensor_of(np.where(inside, inclusion, 1.0), tolerance=1e-6)[0, 0]
            errors.append(abs((found - maxwell) / (maxwell - 1)))  # of the inclusions' effect
        assert errors[-1] < 0.6 * errors[0] or errors[-1] < 0.015
        assert errors[-1] < limit


def test_phase_interchange_obeys_duality():
    pattern = disc(64, 0.3) | (np.arange(64)[:, None] < 12)
    one = tensor_of(np.where(pattern, 5.0, 1.0))
    other = tensor_of(np.where(pattern, 1.0, 5.0))
    assert one[0, 0] * other[1, 1] == pytest.approx(5.0, rel=0.01)  # Keller 1964


@pytest.mark.parametrize("shape", [(7, 6), (4, 5, 3)])
def test_the_tensor_follows_its_axes_and_shifts_and_reflections(shape):
    k = random_field(shape)
    spacing = [1.0, 2.0, 1.5][: k.ndim]
    tensor = tensor_of(k, spacing=spacing)
    order = [*range(1, k.ndim), 0]
    turned = tensor_of(k.transpose(order).copy(), spacing=[spacing[i] for i in order])
    assert turned == pytest.approx(tensor[np.ix_(order, order)], abs=1e-12)
    assert tensor_of(np.roll(k, 2, 1), spacing=spacing) == pytest.approx(tensor, abs=1e-12)
    sign = np.ones(k.ndim)
    sign[0] = -1
    assert tensor_of(k[::-1].copy(), spacing=spacing) == pytest.approx(tensor * np.outer(sign, sign), abs=1e-12)
    assert (tensor == tensor.T).all()


def test_the_effective_tensor_of_a_stretched_cell_is_that_of_the_anisotropic_one():
    k = random_field((6, 8))
    fine = np.repeat(k, 3, axis=0)  # each cell as three thin ones
    assert tensor_of(fine, spacing=(1.0, 3.0))[0, 0] == pytest.approx(tensor_of(k)[0, 0], rel=0.15)
    assert tensor_of(fine, spacing=(1.0, 3.0)) == pytest.approx(tensor_of(fine, spacing=(2.0, 6.0)), abs=1e-12)


def test_brackets_hold():
    k = torch.as_tensor(random_field((5, 9, 8)))
    flux = solve_uniform_flux(k, tolerance=1e-10).tensor
    periodic, gradient, fixed = (
        solve_conduction(k, boundary=name, scheme="staggered", tolerance=1e-10).tensor
        for name in ("periodic", "gradient", "fixed")
    )
    diagonals = [torch.diagonal(t, dim1=1, dim2=2) for t in (1 / torch.linalg.inv(flux), fixed, gradient)]
    assert torch.linalg.eigvalsh(periodic - flux).min() > 0
    assert torch.linalg.eigvalsh(gradient - periodic).min() > 0
    assert (diagonals[0] < diagonals[1]).all()
    assert (diagonals[1] < diagonals[2]).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("boundary", "scheme"),
    [("periodic", "rotated"), ("periodic", "staggered"), ("fixed", "staggered"), ("gradient", "staggered")],
)
@pytest.mark.parametrize(
    ("shape", "spacing"), [((4, 5), (1.0, 2.0)), ((3, 2, 3), (1.0, 1.0, 0.5)), ((1, 3), (1.0, 1.0))]
)
def test_the_gradient_equals_finite_differences(boundary, scheme, shape, spacing):
    k = torch.as_tensor(random_field((2, *shape), 0.2)).requires_grad_()
    weights = torch.as_tensor(RANDOM.standard_normal((2, len(shape), len(shape))))

    def measure(field):
        tensor = effective_conductivity(field, spacing=spacing, boundary=boundary, scheme=scheme, tolerance=1e-12)
        return (tensor * weights).nansum()

    measure(k).backward()
    step = 1e-5
    for i in range(k.numel()):
        move = torch.zeros(k.numel(), dtype=k.dtype)
        move[i] = step
        with torch.no_grad():
            slope = (measure(k + move.view_as(k)) - measure(k - move.view_as(k))) / (2 * step)
        assert float(k.grad.flatten()[i]) == pytest.approx(float(slope), rel=1e-5, abs=1e-7)


def test_the_gradient_beside_a_void_is_that_of_the_conducting_cells_and_zero_inside():
    k = torch.as_tensor(random_field((5, 5), 0.3))
    k[1:3, 2:4] = 0
    k.requires_grad_()
    effective_conductivity(k[None], tolerance=1e-12)[0, 0, 0].backward()
    assert not k.grad[1:3, 2:4].any()
    move = torch.zeros_like(k)
    move[0, 2] = 1e-5
    with torch.no_grad():
        up, down = (effective_conductivity((k + s * move)[None], tolerance=1e-12)[0, 0, 0] for s in (1, -1))
    assert float(k.grad[0, 2]) == pytest.approx(float(up - down) / 2e-5, rel=1e-5)


def test_a_batch_gives_what_its_members_give_alone_and_single_precision_is_close():
    patterns = np.stack([disc(24, radius) for radius in (0.2, 0.35, 0.45)])
    k = torch.as_tensor(np.where(patterns, 1.0, 0.01))
    together = solve_conduction(k, tolerance=1e-9)
    for i in range(3):
        alone = solve_conduction(k[i : i + 1], tolerance=1e-9)
        torch.testing.assert_close(together.tensor[i], alone.tensor[0], rtol=1e-12, atol=1e-14)
        assert together.iterations[i].tolist() == alone.iterations[0].tolist()
    single = solve_conduction(k.float(), tolerance=1e-5)
    assert single.tensor.dtype == torch.float32
    torch.testing.assert_close(single.tensor.double(), together.tensor, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scheme", ["rotated", "staggered"])
def test_a_contrast_of_ten_thousand_converges(networks, scheme, dtype):
    pattern = disc(24, 0.42) ^ disc(24, 0.2)
    k = torch.as_tensor(np.where(pattern, 1.0, 1e-4)).to(dtype)[None]
    solution = solve_conduction(k, scheme=scheme, tolerance=1e-5)
    assert solution.converged.all()
    brute = networks.rotated if scheme == "rotated" else networks.periodic
    assert solution.tensor[0].numpy() == pytest.approx(brute(k[0].double().numpy(), (1.0, 1.0)), rel=1e-4, abs=1e-8)


def test_a_small_residual_beside_a_much_smaller_result_is_not_enough():
    cells = np.random.default_rng(0).random((48, 48)) < 0.45  # below the threshold of percolation
    k = torch.as_tensor(np.where(cells, 1.0, 1e-4))[None]
    for scheme in ("rotated", "staggered"):
        loose, tight = (solve_conduction(k, scheme=scheme, tolerance=t) for t in (1e-3, 1e-11))
        assert loose.converged.all()
        torch.testing.assert_close(loose.tensor.diagonal(), tight.tensor.diagonal(), rtol=2e-3, atol=0)


@pytest.mark.parametrize("scale", [1e-20, 1e15])
def test_units_do_not_matter_even_in_single_precision(scale):
    k = torch.as_tensor(random_field((1, 6, 6))).float()
    torch.testing.assert_close(
        effective_conductivity(k * scale, spacing=1e-9, tolerance=1e-5) / scale,
        effective_conductivity(k, tolerance=1e-5),
        rtol=1e-4,
        atol=1e-6,
    )


def test_starting_from_the_solution_takes_no_iterations():
    k = torch.as_tensor(random_field((2, 6, 5)))
    first = solve_conduction(k, tolerance=1e-8)
    again = solve_conduction(k, tolerance=1e-7, start=first.potential)
    assert not again.iterations.any()
    torch.testing.assert_close(again.tensor, first.tensor)


def test_some_load_cases_alone_give_their_part_of_the_tensor():
    k = torch.as_tensor(random_field((1, 4, 5, 3)))
    part = solve_conduction(k, axes=(2, 0), tolerance=1e-10)
    whole = solve_conduction(k, tolerance=1e-10)
    assert part.iterations.shape == (1, 2)
    assert part.tensor[0, 1].isnan().all()
    torch.testing.assert_close(part.tensor[0, 0, 2], whole.tensor[0, 0, 2])
    torch.testing.assert_close(part.potential[0, 0], whole.potential[0, 2], atol=1e-8, rtol=0)


def test_flux_is_conserved_and_its_mean_is_the_tensor():
    k = torch.as_tensor(np.where(np.arange(8)[:, None] < 3, 4.0, 1.0) * np.ones((8, 5)))[None]
    solution = solve_conduction(k, tolerance=1e-12)
    flux = flux_magnitude(k, solution.potential)
    torch.testing.assert_close(flux[0, 0], solution.tensor[0, 0, 0].expand(8, 5))  # in series: everywhere the same
    torch.testing.assert_close(flux[0, 1], k[0])  # in parallel
    window = solve_conduction(k, boundary="gradient", tolerance=1e-12)
    inside = flux_magnitude(k, window.potential, periodic=False)[0, 0, 1:-1]
    assert inside.shape == (6, 5)
    assert (inside > 0).all()


def test_stopping_early_is_said():
    k = torch.as_tensor(random_field((1, 16, 16)))
    assert not solve_conduction(k, max_iterations=2).converged.any()
    with pytest.warns(RuntimeWarning, match="raise max_iterations"):
        effective_conductivity(k, max_iterations=2)


@pytest.mark.parametrize(
    ("field", "options", "message"),
    [
        (torch.ones(4, 4), {}, "add the batch axis"),
        (torch.ones(1, 4, 4, dtype=torch.int64), {}, "floating-point"),
        (-torch.ones(1, 4, 4), {}, "zero or more"),
        (torch.full((1, 4, 4), torch.nan), {}, "NaN"),
        (torch.ones(1, 4, 4), {"spacing": (1.0, 0.0)}, "spacing must be"),
        (torch.ones(1, 4, 4), {"spacing": (1.0, 1.0, 1.0)}, "spacing must be"),
        (torch.ones(1, 4, 4), {"boundary": "free"}, "choose periodic, fixed or gradient"),
        (torch.ones(1, 4, 4), {"scheme": "spectral"}, "choose auto, staggered, or rotated"),
        (torch.ones(1, 4, 4), {"scheme": "rotated", "boundary": "fixed"}, "choose auto, staggered, or rotated"),
        (torch.eye(4)[None], {"scheme": "rotated"}, "needs all of them to conduct"),
    ],
)
def test_bad_input_is_refused(field, options, message):
    with pytest.raises(InputError, match=message):
        effective_conductivity(field, **options)


@pytest.mark.parametrize("scheme", ["rotated", "staggered"])
def test_uniform_field_forgets_its_start(scheme: str) -> None:
    start = torch.randn(1, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = effective_conductivity(torch.full((1, 8, 8), 4.0, dtype=torch.float64), start=start, scheme=scheme)
    torch.testing.assert_close(found[0], 4 * torch.eye(2, dtype=torch.float64))
