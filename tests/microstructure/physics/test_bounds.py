import numpy as np
import pytest

from matlens.errors import InputError
from matlens.microstructure.physics import (
    bulk_and_shear,
    check_conductivity,
    check_stiffness,
    hashin_shtrikman,
    hashin_shtrikman_elastic,
    isotropic_stiffness,
    keller_dykhne,
    trace_means,
    voigt_reuss,
    wiener,
)

FRACTIONS, VALUES = [0.3, 0.7], [2.0, 11.0]
ARITHMETIC, HARMONIC = 0.3 * 2 + 0.7 * 11, 1 / (0.3 / 2 + 0.7 / 11)


def laminated(first, second, share, axis):
    """Diagonal conductivities laminated along an axis: harmonic mean across, arithmetic mean along."""
    mixed = share * first + (1 - share) * second
    mixed[axis] = 1 / (share / first[axis] + (1 - share) / second[axis])
    return mixed


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_laminate_attains_wiener_and_both_trace_bounds(ndim):
    tensor = np.diag([HARMONIC] + [ARITHMETIC] * (ndim - 1))
    assert wiener(FRACTIONS, VALUES) == pytest.approx((HARMONIC, ARITHMETIC))
    assert trace_means(tensor, VALUES) == pytest.approx(hashin_shtrikman(FRACTIONS, VALUES, ndim))
    check = check_conductivity(tensor, FRACTIONS, VALUES)
    assert check.satisfied
    assert abs(check.excess) < 1e-12


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("matrix", [0, 1])
def test_laminates_of_higher_rank_attain_the_trace_bound_of_their_matrix(ndim, matrix):
    value = np.array(VALUES)
    host, core = np.full(ndim, value[matrix]), np.full(ndim, value[1 - matrix])
    share = 1.0
    for axis, kept in enumerate((0.8, 0.7, 0.9)[:ndim]):  # at each rank the host is laminated in once more
        core = laminated(core, host, kept, axis)
        share *= kept
    fractions = [1 - share, share] if matrix == 0 else [share, 1 - share]
    assert np.ptp(core) > 0.1
    assert trace_means(np.diag(core), value)[matrix] == pytest.approx(hashin_shtrikman(fractions, value, ndim)[matrix])
    assert check_conductivity(np.diag(core), fractions, value).satisfied
    shifted = np.diag(core) + (0.01 if matrix else -0.01) * np.eye(ndim)
    check = check_conductivity(shifted, fractions, value)
    assert check.bound == ("trace, upper" if matrix else "trace, lower")
    assert check.excess == pytest.approx(0.01 / np.dot(fractions, value), rel=0.2)


@pytest.mark.parametrize("ndim", [2, 3])
def test_coated_discs_and_spheres_attain_hashin_shtrikman(ndim):
    def maxwell(matrix, inclusion, share):
        beta = (inclusion - matrix) / (inclusion + (ndim - 1) * matrix)
        return matrix * (1 + ndim * share * beta / (1 - share * beta))

    expected = maxwell(2.0, 11.0, 0.7), maxwell(11.0, 2.0, 0.3)
    assert hashin_shtrikman(FRACTIONS, VALUES, ndim) == pytest.approx(expected)
    assert hashin_shtrikman([0.3, 0.3, 0.4], [2, 11, 11], ndim) == pytest.approx(expected)  # a phase named twice


def test_zero_phases_and_equal_phases():
    assert wiener([0.5, 0.5], [0, 4]) == (0, 2)
    assert hashin_shtrikman([0.5, 0.5], [0, 4], 2) == pytest.approx((0, 4 / 3))
    assert check_conductivity(np.zeros((2, 2)), [0.5, 0.5], [0, 4]).satisfied
    assert not check_conductivity(np.eye(2) * 1.4, [0.5, 0.5], [0, 4]).satisfied
    assert check_conductivity(np.eye(3) * 4, [0.5, 0.5], [4, 4]).satisfied
    assert check_conductivity(np.zeros((3, 3)), [1.0], [0]).satisfied
    assert hashin_shtrikman([0.5, 0.5], [4, 4], 3) == pytest.approx((4, 4))
    assert wiener([0, 1], [0, 4]) == (4, 4)  # an absent phase does not count
    assert check_conductivity(np.eye(2) * 4, [0, 1], [np.nan, 4]).satisfied
    assert check_stiffness(isotropic_stiffness(4, 0.2, 2), [0, 1], [np.nan, 4], [np.nan, 0.2]).satisfied


def test_keller_dykhne_lies_between_the_bounds_of_equal_fractions():
    lower, upper = hashin_shtrikman([0.5, 0.5], [1, 100], 2)
    assert lower < keller_dykhne(1, 100) < upper
    assert keller_dykhne(1, 100) == 10


def test_violated_eigenvalue_is_named_with_its_excess():
    check = check_conductivity(np.diag([HARMONIC, ARITHMETIC * 1.01]), FRACTIONS, VALUES)
    assert (check.bound, check.excess) == ("Wiener, upper", pytest.approx(0.01))
    assert "Wiener, upper" in check.sentence


YOUNG, POISSON = [3.0, 70.0], [0.3, 0.2]


def test_moduli_of_plane_strain_and_of_three_dimensions_agree():
    solid, plane = isotropic_stiffness(YOUNG, POISSON, 3), isotropic_stiffness(YOUNG, POISSON, 2)
    keep = [0, 1, 5]
    np.testing.assert_allclose(plane, solid[:, keep][:, :, keep])
    compliance = np.linalg.inv(solid)
    np.testing.assert_allclose(compliance[:, 0, 0], 1 / np.array(YOUNG))  # pulled along one axis
    np.testing.assert_allclose(compliance[:, 0, 1], -np.array(POISSON) / YOUNG)
    bulk, shear = bulk_and_shear(YOUNG, POISSON, 3)
    np.testing.assert_allclose(bulk, solid[:, :3, :3].mean(axis=(1, 2)))
    np.testing.assert_allclose(shear, solid[:, 4, 4])
    np.testing.assert_allclose(bulk_and_shear(YOUNG, POISSON, 2)[0], bulk + shear / 3)


@pytest.mark.parametrize("ndim", [2, 3])
def test_hashin_shtrikman_of_elasticity_in_its_published_forms(ndim):
    (k1, k2), (g1, g2) = (m.tolist() for m in bulk_and_shear(YOUNG, POISSON, ndim))

    def composite(k1, k2, g1, g2, f1):
        f2 = 1 - f1
        bulk = k1 + f2 / (1 / (k2 - k1) + f1 / (k1 + (g1 if ndim == 2 else 4 / 3 * g1)))
        plane = (k1 + 2 * g1) / (2 * g1 * (k1 + g1))
        solid = 6 * (k1 + 2 * g1) / (5 * g1 * (3 * k1 + 4 * g1))
        return bulk, g1 + f2 / (1 / (g2 - g1) + f1 * (plane if ndim == 2 else solid))

    bulk, shear = hashin_shtrikman_elastic(FRACTIONS, YOUNG, POISSON, ndim)
    assert (bulk[0], shear[0]) == pytest.approx(composite(k1, k2, g1, g2, 0.3))
    assert (bulk[1], shear[1]) == pytest.approx(composite(k2, k1, g2, g1, 0.7))
    (low, high), _ = hashin_shtrikman_elastic([0.3, 0.7], [1.0, 1.0], [0.2, 0.2], ndim)
    assert low == pytest.approx(high)
    (low, _), (shear_low, _) = hashin_shtrikman_elastic(FRACTIONS, [0.0, 70.0], POISSON, ndim)
    assert (low, shear_low) == (0, 0)


def test_badly_ordered_phases_are_refused_by_hashin_shtrikman():
    with pytest.raises(InputError, match="stiffer in both moduli"):
        hashin_shtrikman_elastic([0.5, 0.5], [1.0, 1.1], [0.49, 0.0], 3)


@pytest.mark.parametrize("ndim", [2, 3])
def test_voigt_and_reuss(ndim):
    reuss, voigt = voigt_reuss(FRACTIONS, YOUNG, POISSON, ndim)
    bulk, shear = bulk_and_shear(YOUNG, POISSON, ndim)
    count = len(voigt)
    assert voigt[-1, -1] == pytest.approx(np.dot(FRACTIONS, shear))
    assert reuss[-1, -1] == pytest.approx(1 / np.dot(FRACTIONS, 1 / shear))
    assert voigt[:ndim, :ndim].mean() == pytest.approx(np.dot(FRACTIONS, bulk))
    assert reuss[:ndim, :ndim].mean() == pytest.approx(1 / np.dot(FRACTIONS, 1 / bulk))
    assert check_stiffness((voigt + reuss) / 2, FRACTIONS, YOUNG, POISSON).satisfied
    assert check_stiffness(voigt, FRACTIONS, YOUNG, POISSON).excess == pytest.approx(0, abs=1e-12)
    check = check_stiffness(voigt * 1.02, FRACTIONS, YOUNG, POISSON)
    assert (check.bound, check.excess) == ("Voigt", pytest.approx(0.02))
    check = check_stiffness(reuss - 0.1 * np.eye(count), FRACTIONS, YOUNG, POISSON)
    assert check.bound == "Reuss"
    assert check.excess == pytest.approx(0.2 / (ndim * np.dot(FRACTIONS, bulk)))  # Kelvin's shear entries are doubled
    soft, _ = voigt_reuss(FRACTIONS, [0, 1], POISSON, ndim)
    assert not soft.any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.6], [1, 2]), "sum to 1"),
        (([0.5, 0.5], [1, -2]), "not negative"),
        (([1.0], [1, 2]), "one of each for every phase"),
        (([0.5, 0.5], [1, np.nan]), "finite"),
    ],
)
def test_bad_phases(arguments, message):
    with pytest.raises(InputError, match=message):
        wiener(*arguments)


def test_bad_moduli_and_tensors():
    with pytest.raises(InputError, match="Poisson's ratio must lie"):
        isotropic_stiffness(1.0, 0.5, 3)
    with pytest.raises(InputError, match="Young's modulus must be"):
        isotropic_stiffness(-1.0, 0.3, 3)
    with pytest.raises(InputError, match="square and of finite numbers"):
        check_conductivity([[1, np.nan], [np.nan, 1]], [0.5, 0.5], [1, 3])
