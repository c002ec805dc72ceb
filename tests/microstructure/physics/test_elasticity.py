import numpy as np
import pytest
import torch

from matlens.errors import InputError
from matlens.microstructure.physics import (
    check_stiffness,
    effective_stiffness,
    hashin_shtrikman_elastic,
    isotropic_stiffness,
    solve_elasticity,
)
from matlens.microstructure.physics.elasticity import solve_count
from matlens.microstructure.physics.moduli import VOIGT

YOUNG, POISSON = np.array([1.0, 40.0, 7.0]), np.array([0.35, 0.1, 0.25])


def fields(labels, young=YOUNG, poisson=POISSON):
    """Fields of moduli (batch of one) from labels."""
    return tuple(torch.from_numpy(np.asarray(values, dtype=float)[labels])[None] for values in (young, poisson))


def stiffness(labels, young=YOUNG, poisson=POISSON, **options):
    return effective_stiffness(*fields(labels, young, poisson), **({"tolerance": 1e-9} | options))[0].numpy()


def laminate(fractions, stiffnesses, axis, ndim):
    """Stiffness of layers across an axis: strains along them and stresses across them are uniform (Backus 1962)."""
    across = [k for k, pair in enumerate(VOIGT[ndim]) if axis in pair]
    along = [k for k, pair in enumerate(VOIGT[ndim]) if axis not in pair]
    nn, nt, tt = (
        [c[np.ix_(a, b)] for c in stiffnesses] for a, b in ((across, across), (across, along), (along, along))
    )

    def mean(terms):
        return sum(f * term for f, term in zip(fractions, terms))

    core = np.linalg.inv(mean(np.linalg.inv(c) for c in nn))
    slope = mean(np.linalg.solve(c, d) for c, d in zip(nn, nt))
    out = np.zeros_like(stiffnesses[0])
    out[np.ix_(across, across)] = core
    out[np.ix_(across, along)] = core @ slope
    out[np.ix_(along, across)] = (core @ slope).T
    out[np.ix_(along, along)] = mean(c - d.T @ np.linalg.solve(b, d) for b, c, d in zip(nn, tt, nt))
    out[np.ix_(along, along)] += slope.T @ core @ slope
    return out


def turned(matrix, rotation):
    """Voigt matrix of the same material in turned axes, through its fourth-order tensor."""
    ndim = len(rotation)
    index = {pair: k for k, (i, j) in enumerate(VOIGT[ndim]) for pair in ((i, j), (j, i))}
    tensor = np.array([[[[matrix[index[i, j], index[k, m]] for m in range(ndim)] for k in range(ndim)]
                        for j in range(ndim)] for i in range(ndim)])  # fmt: skip
    tensor = np.einsum("ai,bj,ck,dl,ijkl->abcd", *[rotation] * 4, tensor)
    return np.array([[tensor[i, j, k, m] for k, m in VOIGT[ndim]] for i, j in VOIGT[ndim]])


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 2)])
def test_homogeneous_medium(shape):
    found = stiffness(np.ones(shape, dtype=int))
    np.testing.assert_allclose(found, isotropic_stiffness(40.0, 0.1, len(shape)), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("ndim", "axis"), [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)])
def test_laminates_across_an_array_axis_are_exact(ndim, axis):
    layers = np.array([0, 1, 1, 2, 0, 0, 1, 0])
    shape = [3, 4, 2][:ndim]
    shape[axis] = len(layers)
    labels = np.broadcast_to(np.expand_dims(layers, [k for k in range(ndim) if k != axis]), shape)
    expected = laminate([4 / 8, 3 / 8, 1 / 8], isotropic_stiffness(YOUNG, POISSON, ndim), axis, ndim)
    solution = solve_elasticity(*fields(labels), tolerance=1e-12, spacing=[1.0, 0.5, 2.0][:ndim])
    np.testing.assert_allclose(solution.stiffness[0].numpy(), expected, rtol=1e-10, atol=1e-10)
    assert float(solution.hourglass.max()) < 1e-15


def oblique_error(size, steep):
    """Of a laminate across the direction (1, steep), relative to its largest modulus."""
    cosine, sine = np.array([1, steep]) / np.hypot(1, steep)
    upright = laminate([0.5, 0.5], isotropic_stiffness(YOUNG[:2], POISSON[:2], 2), 0, 2)
    expected = turned(upright, np.array([[cosine, -sine], [sine, cosine]]))
    rows, columns = np.indices((size, size))
    found = stiffness(((rows + steep * columns + 0.5) % size < size / 2).astype(int))
    return np.abs(found - expected).max() / expected.max()


def test_diagonal_laminates_are_exact_in_the_plane_and_oblique_ones_converge_with_the_grid():
    assert oblique_error(8, 1) < 1e-12
    errors = [oblique_error(size, 2) for size in (16, 32, 64)]
    assert errors[2] < 0.03
    assert errors[0] > 1.5 * errors[1] > 2.25 * errors[2]


@pytest.mark.parametrize("shape", [(9, 7), (5, 3, 5)])
def test_equal_shear_moduli_give_hills_bulk_modulus_whatever_the_structure(shape):
    ndim = len(shape)
    poisson = np.random.default_rng(1).uniform(-0.3, 0.48, shape)
    young = 2 * 3.0 * (1 + poisson)
    found = effective_stiffness(torch.from_numpy(young)[None], torch.from_numpy(poisson)[None], tolerance=1e-11)[0]
    axial = 2 * 3.0 * (1 - poisson) / (1 - 2 * poisson)  # lambda + 2 mu: its harmonic mean is the effective one
    expected = np.where(np.arange(len(found)) < ndim, 2.0, 1.0) * 3.0 * np.eye(len(found))
    expected[:ndim, :ndim] += 1 / np.mean(1 / axial) - 2 * 3.0
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-9)


def dense_stiffness(labels, young, poisson, spacing):
    """One-point elements assembled one by one, solved as a dense system."""
    shape, ndim = labels.shape, labels.ndim
    corners = list(np.ndindex(*[2] * ndim))
    points = np.arange(labels.size).reshape(shape)
    matrices = isotropic_stiffness(young, poisson, ndim)
    count, size = len(VOIGT[ndim]), labels.size * ndim
    system, load, mean = np.zeros((size, size)), np.zeros((size, count)), np.zeros((count, count))
    for voxel in np.ndindex(*shape):
        strain = np.zeros((count, size))
        for corner in corners:
            point = points[tuple((v + c) % n for v, c, n in zip(voxel, corner, shape))]
            slope = [(1 if c else -1) / 2 ** (ndim - 1) / h for c, h in zip(corner, spacing)]
            for k, (i, j) in enumerate(VOIGT[ndim]):
                strain[k, point * ndim + i] += slope[j]
                if i != j:
                    strain[k, point * ndim + j] += slope[i]
        c = matrices[labels[voxel]]
        system += strain.T @ c @ strain
        load -= strain.T @ c
        mean += c
    u = np.linalg.lstsq(system, load, rcond=1e-12)[0]
    return (mean - load.T @ u) / labels.size


@pytest.mark.parametrize(
    ("shape", "spacing"), [((5, 4), (1.0, 1.0)), ((4, 4), (1.0, 1.7)), ((3, 2, 4), (2.0, 1.0, 1.5))]
)
def test_agrees_with_elements_assembled_one_by_one(shape, spacing):
    labels = np.random.default_rng(3).integers(0, 3, shape)
    expected = dense_stiffness(labels, YOUNG, POISSON, spacing)
    np.testing.assert_allclose(stiffness(labels, spacing=spacing, tolerance=1e-11), expected, rtol=1e-8, atol=1e-8)


def smooth(rng, size, ndim, sigma=1.5):
    """Two phases of a smooth random field."""
    waves = np.meshgrid(*[np.fft.fftfreq(size)] * ndim, indexing="ij")
    low = np.exp(-0.5 * (2 * np.pi * sigma) ** 2 * sum(w**2 for w in waves))
    field = np.fft.ifftn(np.fft.fftn(rng.normal(size=[size] * ndim)) * low).real
    return (field > np.quantile(field, rng.uniform(0.35, 0.85))).astype(int)


@pytest.mark.parametrize(("ndim", "size", "contrast"), [(2, 32, 10), (2, 32, 100), (2, 32, 1000), (3, 12, 100)])
def test_random_structures_converge_and_keep_voigt_and_reuss(ndim, size, contrast):
    rng = np.random.default_rng(contrast)
    labels = np.stack([smooth(rng, size, ndim) for _ in range(4)] + [rng.integers(0, 2, [size] * ndim)])
    young, poisson = np.array([1.0, contrast]), np.array([0.4, 0.2])
    solution = solve_elasticity(torch.from_numpy(young[labels]), torch.from_numpy(poisson[labels]), tolerance=1e-6)
    assert solution.converged.all()
    assert int(solution.iterations.max()) < 8 * contrast**0.5 + 20
    for sample, found in zip(labels, solution.stiffness.numpy()):
        fractions = np.bincount(sample.ravel()) / sample.size
        check = check_stiffness(found, fractions, young, poisson, tolerance=1e-9)
        assert check.satisfied, check.sentence
        assert (found == found.T).all()
    energy = solution.strain_energy.flatten(2).mean(2)
    torch.testing.assert_close(2 * energy, solution.stiffness.diagonal(dim1=1, dim2=2))
    assert (solution.strain_energy >= 0).all()


def test_a_quarter_turn_turns_the_tensor():
    labels = smooth(np.random.default_rng(5), 16, 2)
    expected = turned(stiffness(labels), np.array([[0.0, -1.0], [1.0, 0.0]]))
    np.testing.assert_allclose(stiffness(np.rot90(labels).copy()), expected, rtol=1e-7, atol=1e-7)


def test_exchanged_axes_exchange_the_tensor():
    labels = np.random.default_rng(6).integers(0, 3, (4, 5, 6))
    expected = turned(stiffness(labels), np.eye(3)[[2, 0, 1]])
    np.testing.assert_allclose(stiffness(labels.transpose(2, 0, 1).copy()), expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("inclusion", [0.01, 30.0])
def test_a_dilute_disc_changes_the_bulk_modulus_as_the_coated_disc_does(inclusion):
    rows, columns = np.indices((96, 96)) - 47.5
    labels = (rows**2 + columns**2 < 12.3**2).astype(int)
    share = labels.mean()
    found = stiffness(labels, [1.0, inclusion], [0.3, 0.3], tolerance=1e-6)
    bulk, _ = hashin_shtrikman_elastic([1 - share, share], [1.0, inclusion], [0.3, 0.3], 2)
    matrix = isotropic_stiffness(1.0, 0.3, 2)[:2, :2].mean()
    expected = bulk[0] if inclusion > 1 else bulk[1]  # the disc coated by the matrix attains it
    assert found[:2, :2].mean() - matrix == pytest.approx(expected - matrix, rel=0.05)


def test_voids_and_what_hangs_together_no_more():
    labels = np.ones((16, 16), dtype=int)
    labels[4:10, 5:11] = 0
    solution = solve_elasticity(*fields(labels, [0.0, 1.0], [0.0, 0.3]))
    assert solution.converged.all()
    nearly = stiffness(labels, [1e-7, 1.0], [0.0, 0.3])
    np.testing.assert_allclose(solution.stiffness[0].numpy(), nearly, rtol=1e-5, atol=1e-6)
    labels[4:6] = 0
    found = stiffness(labels, [0.0, 1.0], [0.0, 0.3], tolerance=1e-6)
    np.testing.assert_allclose(found[[0, 2]], 0, atol=1e-9)
    assert found[1, 1] > 0.3
    assert not stiffness(labels * 0, [0.0, 1.0], [0.0, 0.3]).any()


@pytest.mark.parametrize("shape", [(6, 5), (3, 4, 3)])
def test_gradient_equals_finite_differences(shape):
    rng = np.random.default_rng(8)
    young = torch.from_numpy(rng.uniform(0.1, 10, (1, *shape))).requires_grad_()
    poisson = torch.from_numpy(rng.uniform(0, 0.4, (1, *shape))).requires_grad_()
    count = len(VOIGT[len(shape)])
    weights = torch.from_numpy(rng.normal(size=(1, count, count)))

    def value(young, poisson):
        return (weights * effective_stiffness(young, poisson, tolerance=1e-11)).sum()

    value(young, poisson).backward()
    for which, step in ((0, 1e-4), (1, 1e-5)):
        moved = torch.zeros_like(young)
        moved[0].view(-1)[::7] = torch.from_numpy(rng.normal(size=len(moved[0].view(-1)[::7])))
        forth, back = ([young.detach(), poisson.detach()] for _ in range(2))
        forth[which] = forth[which] + step * moved
        back[which] = back[which] - step * moved
        expected = float(value(*forth) - value(*back)) / (2 * step)
        found = float(((young.grad, poisson.grad)[which] * moved).sum())
        assert found == pytest.approx(expected, rel=1e-5)


def test_a_batch_gives_what_its_members_give_and_single_precision_follows():
    rng = np.random.default_rng(9)
    labels = np.stack([smooth(rng, 48, 2) for _ in range(12)])  # more than are solved for at once
    young, poisson = torch.from_numpy(YOUNG[labels]), torch.from_numpy(POISSON[labels])
    together = effective_stiffness(young, poisson, tolerance=1e-5)
    for k in (0, 11):
        alone = effective_stiffness(young[k : k + 1], poisson[k : k + 1], tolerance=1e-5)
        torch.testing.assert_close(alone[0], together[k], rtol=1e-12, atol=1e-12)
    single = effective_stiffness(young[:2].float(), poisson[:2].float(), tolerance=1e-5)
    torch.testing.assert_close(single.double(), together[:2], rtol=1e-4, atol=1e-4)


def test_hourglass_share_falls_as_the_grid_is_refined():
    labels = smooth(np.random.default_rng(10), 24, 2)
    shares = []
    for factor in (1, 2, 4):
        fine = labels.repeat(factor, 0).repeat(factor, 1)
        shares.append(float(solve_elasticity(*fields(fine)).hourglass.max()))
    assert 0.2 > shares[0] > 1.8 * shares[1] > 3 * shares[2] > 0


def test_watch_is_called_and_too_few_iterations_are_told():
    seen = []
    young, poisson = fields(smooth(np.random.default_rng(11), 16, 2))
    solution = solve_elasticity(young, poisson, max_iterations=3, watch=lambda i, r: seen.append((i, r)))
    assert [i for i, _ in seen] == [1, 2, 3]
    large = [torch.ones(2, 128, 128) * value for value in (1.0, 0.3)]
    large[0][:, 3, 4] = 2.0
    solve_elasticity(*large, tolerance=0.1, watch=lambda i, r: seen.append((i, r)))
    assert sum(i == 1 for i, _ in seen[3:]) == solve_count(large[0]) == 2
    assert not solution.converged.any()
    with pytest.warns(RuntimeWarning, match="stopped after 3 iterations"):
        effective_stiffness(young, poisson, max_iterations=3)


@pytest.mark.parametrize(
    ("young", "poisson", "message"),
    [
        (torch.ones(4, 4), torch.zeros(4, 4), "add the batch axis"),
        (torch.ones(1, 4, 4), torch.zeros(1, 4, 5), "shaped and typed"),
        (-torch.ones(1, 4, 4), torch.zeros(1, 4, 4), "zero or more"),
        (torch.ones(1, 4, 4), torch.full((1, 4, 4), 0.5), "between -1 and 0.5"),
    ],
)
def test_bad_fields(young, poisson, message):
    with pytest.raises(InputError, match=message):
        effective_stiffness(young, poisson)
