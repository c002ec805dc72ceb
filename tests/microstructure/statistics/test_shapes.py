"""Sizes, curvature, triple lines and connection: closed forms, and stored values of other packages."""

from itertools import product

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from test_reference_values import pattern

from matlens import InputError, Microstructure
from matlens.microstructure.problems import bicontinuous, checkerboard, discs, laminate
from matlens.microstructure.statistics import (
    cluster_radial,
    connected_fraction,
    local_thickness,
    local_thickness_map,
    mean_curvature_density,
    mean_local_thickness,
    minkowski_functionals,
    particle_sizes,
    percolation,
    surface_surface,
    tortuosity,
    triple_phase_boundary,
)
from matlens.microstructure.statistics.size_shape.distance import integer_weights, squared_distance


def ball(side, radius, centre=None, spacing=1.0):
    centre = np.broadcast_to((side - 1) / 2 if centre is None else centre, 3)
    return Microstructure(
        (((np.indices((side,) * 3) - centre.reshape(-1, 1, 1, 1)) ** 2).sum(axis=0) < radius**2).astype(int),
        spacing=spacing,
        unit="um",
        periodic=True,
    )


# --- Minkowski --------------------------------------------------------------------------------------------------------


def test_minkowski_functionals_of_balls():
    rng = np.random.default_rng(0)
    radius, side, step = 10.0, 32, 0.5
    found = [minkowski_functionals(ball(side, radius, 15 + rng.random(3), step)) for _ in range(20)]
    volume = (side * step) ** 3
    r = radius * step
    assert np.mean([f.volume[1] for f in found]) * volume == pytest.approx(4 / 3 * np.pi * r**3, rel=0.005)
    assert np.mean([f.surface[1] for f in found]) * volume == pytest.approx(4 * np.pi * r**2, rel=0.02)
    assert np.mean([f.mean_curvature[1] for f in found]) * volume == pytest.approx(4 * np.pi * r, rel=0.02)
    assert all(f.euler[1] * volume == pytest.approx(1) for f in found)
    np.testing.assert_allclose([f.mean_curvature[0] for f in found], [-f.mean_curvature[1] for f in found])


def test_mean_curvature_of_cylinder_slab_and_squeezed_ball():
    disc = np.hypot(*(np.indices((64, 64)) - 31.4)) < 20
    cylinder = Microstructure(np.stack([disc.astype(int)] * 4), periodic=True)
    assert mean_curvature_density(cylinder)[1] * 64**2 == pytest.approx(0.93 * np.pi, rel=0.01)  # as documented
    slabs = Microstructure(np.broadcast_to(laminate((16, 16), period=8).labels, (16, 16, 16)), periodic=True)
    np.testing.assert_allclose(mean_curvature_density(slabs), 0, atol=1e-12)
    flat = Microstructure(ball(40, 12.3).labels[::2], spacing=(2, 1, 1), periodic=True)
    assert mean_curvature_density(flat)[1] * 40**3 == pytest.approx(4 * np.pi * 12.3, rel=0.1)
    assert np.isnan(mean_curvature_density(checkerboard((8, 8)))).all()


def test_mean_curvature_of_the_boolean_model_has_the_stated_bias():
    radius, fraction = 8.0, 0.3
    intensity = -np.log(1 - fraction) / (4 / 3 * np.pi * radius**3)
    surface, curvature = 4 * np.pi * radius**2, 4 * np.pi * radius
    true = (1 - fraction) * (intensity * curvature - np.pi**2 / 32 * (intensity * surface) ** 2)
    found = [mean_curvature_density(discs((96,) * 3, radius=radius, fraction=fraction, seed=s))[1] for s in range(4)]
    assert 0.75 < np.mean(found) / true < 0.92
    # far fewer balls hardly overlap, and the bias goes
    thin = [mean_curvature_density(discs((96,) * 3, radius=6, fraction=0.03, seed=s))[1] for s in range(8)]
    number = -np.log(0.97) / (4 / 3 * np.pi * 6**3)
    expected = 0.97 * (number * 4 * np.pi * 6 - np.pi**2 / 32 * (number * 4 * np.pi * 36) ** 2)
    assert np.mean(thin) == pytest.approx(expected, rel=3 * np.std(thin) / np.mean(thin) / 8**0.5)


# --- local thickness --------------------------------------------------------------------------------------------------

# counts of the radii 0, 1, 2, ... in porespy.filters.local_thickness(image), PoreSpy 3.2.0
POROSIMETRY = {(20, 24): [273, 61, 20, 23, 47, 0, 56], (12, 10, 14): [650, 163, 76, 107, 73, 611]}


@pytest.mark.parametrize("shape", list(POROSIMETRY))
def test_local_thickness_of_whole_radii_is_porespys(shape):
    m = Microstructure(pattern(shape))
    radii = np.where(m.labels == 1, local_thickness_map(m, whole=True) / 2, 0)
    assert np.bincount(np.rint(radii).astype(int).ravel()).tolist() == POROSIMETRY[shape]
    assert (local_thickness_map(m) / 2 >= radii - 1e-9).all()


@pytest.mark.parametrize("width", [3, 4, 7, 8])
def test_local_thickness_of_a_slab_is_its_width_to_a_pixel(width):
    m = Microstructure(np.tile([0] * width + [1] * 10, (6, 2)), spacing=0.5, periodic=True)
    assert mean_local_thickness(m)[0] == 0.5 * (width + width % 2)
    assert local_thickness(m)[0, : width + 1].tolist() == [1.0] * (width + 1)


def test_local_thickness_of_a_ball_is_its_diameter():
    # a centre on the grid, and one between eight voxels: up to 1.7 pixels thinner, as documented
    for centre, least in ((16.0, 20), (15.5, 18.3)):
        m = ball(32, 10.0, centre)
        found = local_thickness_map(m)[m.labels == 1]
        assert least - 1e-9 <= found.max() <= 20
        assert np.median(found) == found.max()


def test_thickness_of_what_nothing_bounds_is_not_known():
    alone = Microstructure(np.zeros((8, 8), int), phase_names=["all", "none"])
    assert np.isnan(local_thickness_map(alone)).all()
    assert np.isnan(local_thickness(alone)).all()
    assert np.isnan(mean_local_thickness(alone)).all()


def test_distances_are_those_of_scipy_near_and_far():
    from scipy.ndimage import distance_transform_edt

    rng = np.random.default_rng(0)
    for shape, share in (((40, 33), 0.9), ((300, 200), 0.9999), ((20, 17, 25), 0.99), ((12, 12), 0.1)):
        for spacing in ((1.0, 1.0, 1.0), (1.5, 1.0, 2.0)):
            mask = rng.random(shape) < share
            mask.flat[7] = False
            weights, unit = integer_weights(spacing[: len(shape)])
            found = unit * np.sqrt(squared_distance(mask, weights))
            np.testing.assert_allclose(found, distance_transform_edt(mask, sampling=spacing[: len(shape)]), rtol=1e-12)


# --- particles --------------------------------------------------------------------------------------------------------


def thrown(seed, radii=(3, 9), side=48):
    """Discs of two sizes, apart from each other, thrown over more than the window."""
    rng = np.random.default_rng(seed)
    grid = np.indices((side, side))
    labels = np.zeros((side, side), int)
    for radius in radii:
        centre = rng.uniform(-20, side + 20, 2)
        disc = np.hypot(*(grid - centre[:, None, None])) < radius
        if not (disc & (labels > 0)).any():
            labels[disc] = 1
    return Microstructure(labels, phase_names=list("ab"))


def test_weights_make_up_for_particles_at_the_border():
    counts = {edges: np.zeros(2) for edges in ("weighted", "excluded", "all")}
    for seed in range(600):
        for edges, total in counts.items():
            found = particle_sizes(thrown(seed), 1, edges=edges)
            total += [found.weight[found.diameter < 10].sum(), found.weight[found.diameter > 10].sum()]
    ratio = {edges: small / large for edges, (small, large) in counts.items()}
    assert ratio["weighted"] == pytest.approx(1, abs=0.25)
    assert ratio["excluded"] > 1.3  # small ones are favoured, as documented
    assert ratio["all"] > 1.1  # what the border cuts off looks small


def test_particles_go_on_across_periodic_borders():
    dot = np.zeros((12, 10), int)
    dot[4:7, 3:6] = 1
    whole = particle_sizes(Microstructure(dot, periodic=True), 1)
    cut = particle_sizes(Microstructure(np.roll(dot, (-5, -4), (0, 1)), periodic=True), 1)
    np.testing.assert_allclose(whole.diameter, [np.sqrt(36 / np.pi)])
    np.testing.assert_allclose(cut.diameter, whole.diameter)
    assert whole.density == cut.density == 1 / 120


@pytest.mark.parametrize("move", [(0, 0), (17, 33)])
def test_splitting_cuts_at_necks_only(move):
    rows, columns = np.indices((40, 60))
    two = (np.hypot(rows - 20, columns - 20) < 9) | (np.hypot(rows - 20, columns - 35) < 9)
    two[3, 3] = True  # too small to hold a bulge
    m = Microstructure(np.roll(two.astype(int), move, (0, 1)), periodic=move != (0, 0))
    assert len(particle_sizes(m, 1).diameter) == 2
    split = particle_sizes(m, 1, split=1.0, edges="all")
    np.testing.assert_allclose(np.sort(split.diameter), [np.sqrt(4 / np.pi), 17.5, 17.5], rtol=0.04)
    assert (np.pi / 4 * split.diameter**2).sum() == pytest.approx(two.sum())


def test_equivalent_diameters_as_scikit_image():
    # skimage.measure.regionprops(label(image, connectivity=1)), equivalent_diameter_area, scikit-image 0.26.0
    small = [1.128379] * 14 + [1.95441, 4.068429, 4.222008, 9.440697, 10.881695]
    flat = particle_sizes(Microstructure(pattern((20, 24))), 1, edges="all")
    np.testing.assert_allclose(np.sort(flat.diameter), small, atol=1e-6)
    deep = particle_sizes(Microstructure(pattern((12, 10, 14))), 1, edges="all")
    np.testing.assert_allclose(np.sort(deep.diameter), [1.240701, 1.240701, 12.521744], atol=1e-6)


def test_a_phase_without_whole_particles_has_no_sizes():
    found = particle_sizes(laminate((16, 16), period=8), 0)
    assert found.diameter.size == 2 or np.isnan(found.mean)
    window = Microstructure(laminate((16, 16), period=8).labels)
    assert np.isnan(particle_sizes(window, 0).mean)
    assert np.isnan(particle_sizes(window, 0).density)
    assert np.isnan(particle_sizes(window, 0).at_least(3)).all()
    for wrong in ({"edges": "some"}, {"split": 0.0}):
        with pytest.raises(InputError):
            particle_sizes(window, 0, **wrong)
    with pytest.raises(InputError, match="phase=5"):
        particle_sizes(window, 5)


# --- surfaces, triple lines -------------------------------------------------------------------------------------------


def test_surface_surface_far_away_is_the_square_of_the_share():
    m = discs((256, 256), radius=6, fraction=0.4, seed=1)
    found = surface_surface(m)[1]
    assert found[60:].mean() == pytest.approx(found[0] ** 2, rel=0.02)
    window = surface_surface(Microstructure(m.labels))[1]
    np.testing.assert_allclose(window[:60], found[:60], rtol=0.1)
    assert np.isnan(surface_surface(Microstructure([[0, 1], [1, 0]]))).all()


def test_triple_points_and_lines():
    quarters = np.kron([[0, 1], [2, 2]], np.ones((6, 6), int))
    bars = Microstructure(np.stack([quarters] * 5), spacing=(3.0, 0.5, 0.5), unit="um")
    # in a window one line runs through 11 x 11 places across
    assert triple_phase_boundary(bars, method="edges") == pytest.approx(1 / (11 * 0.5) ** 2)
    assert triple_phase_boundary(bars) == pytest.approx(2 / 3 / (11 * 0.5) ** 2)
    assert triple_phase_boundary(bars, connected_along=0) == triple_phase_boundary(bars)
    assert triple_phase_boundary(bars, connected_along=2) == 0
    four = Microstructure(np.kron([[0, 1], [2, 3]], np.ones((4, 4), int)), periodic=True)
    assert triple_phase_boundary(four) == 4 / 64
    assert triple_phase_boundary(four, phases=(0, 1, 3)) == 4 / 64
    two = bicontinuous((16, 16), seed=0)
    assert np.isnan(triple_phase_boundary(two))
    for wrong in ({"phases": (0, 0, 1)}, {"phases": (0, 1)}, {"connected_along": 2}, {"method": "faces"}):
        with pytest.raises(InputError):
            triple_phase_boundary(four, **wrong)


def test_crofton_length_of_lines_in_any_direction():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(30):
        turned, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        places = np.tensordot(turned, np.indices((24,) * 3) - rng.uniform(8, 15, (3, 1, 1, 1)), 1)
        sector = ((np.arctan2(places[1], places[0]) + np.pi) // (2 * np.pi / 3)).astype(int) % 3
        found.append((triple_phase_boundary(Microstructure(sector)), places))
    # the length of a line in a cube: points along it that lie inside
    lengths = []
    for _, places in found:
        near = np.abs(places[0]) ** 2 + np.abs(places[1]) ** 2 < 3**2
        lengths.append(near.sum() / (9 * np.pi))
    assert sum(value for value, _ in found) * 24**3 == pytest.approx(sum(lengths), rel=0.1)


# --- connection -------------------------------------------------------------------------------------------------------


def test_percolation_and_tortuosity_of_a_laminate():
    m = laminate((16, 12), period=4, fraction=0.5)
    along = int(percolation(m)[0, 1])
    assert percolation(m).sum(axis=1).tolist() == [1, 1]
    np.testing.assert_allclose(tortuosity(m)[:, along], 1, rtol=1e-6)
    assert np.isnan(tortuosity(m)[:, 1 - along]).all()
    np.testing.assert_allclose(connected_fraction(m)[:, along], 1)
    assert np.isnan(tortuosity(m, most_cells=10)).all()


def test_tortuosity_as_taufactor():
    # taufactor.Solver(image, device="cpu").solve(conv_crit=1e-5).tau along each axis in turn, TauFactor 1.2.1
    found = tortuosity(Microstructure(pattern((12, 10, 14))), tolerance=1e-5)[1]
    np.testing.assert_allclose(found, [1.4316272, 1.8420767, 1.6231586], rtol=1e-6)


def test_percolation_as_porespy():
    # porespy.metrics.is_percolating(image, axis), PoreSpy 3.2.0
    assert not percolation(Microstructure(pattern((20, 24)))).any()
    assert percolation(Microstructure(pattern((12, 10, 14)))).all()


# --- masks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(24, 20), (12, 10, 9)])
def test_what_a_mask_hides_does_not_matter(shape):
    rng = np.random.default_rng(0)
    m = Microstructure(rng.integers(0, 3, shape), spacing=0.5)
    part = tuple(slice(2, 9) for _ in shape)
    mask = np.zeros(shape, dtype=bool)
    mask[part] = True
    hidden, window = minkowski_functionals(m, mask=mask), minkowski_functionals(m.crop(*part))
    for name in ("volume", "surface", "mean_curvature", "euler", "euler_full"):
        np.testing.assert_allclose(getattr(hidden, name), getattr(window, name), atol=1e-12)
    with pytest.raises(InputError, match="hides every pixel"):
        minkowski_functionals(m, mask=np.zeros(shape, dtype=bool))
    with pytest.raises(InputError, match="must agree"):
        minkowski_functionals(m, mask=[True])


def masked_window(shape, periodic=False, seed=0):
    """A microstructure of three phases, a mask that leaves an inner part, and that part by itself."""
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.standard_normal(shape), 1.5, mode="wrap")
    labels = np.digitize(smooth, np.quantile(smooth, [0.4, 0.7]))
    m = Microstructure(labels, spacing=0.5, periodic=periodic)
    part = tuple(slice(3, side - 4) for side in shape)
    mask = np.zeros(shape, dtype=bool)
    mask[part] = True
    return m, mask, Microstructure(labels[part], spacing=0.5)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(40, 36), (20, 18, 19)])
def test_a_mask_that_leaves_a_window_measures_that_window(shape, periodic):
    m, mask, window = masked_window(shape, periodic)
    part = tuple(slice(3, side - 4) for side in shape)
    np.testing.assert_array_equal(local_thickness_map(m, mask=mask)[part], local_thickness_map(window))
    assert np.isnan(local_thickness_map(m, mask=mask)[~mask]).all()
    np.testing.assert_allclose(mean_local_thickness(m, mask=mask), mean_local_thickness(window))
    size = local_thickness(window).shape[1]
    np.testing.assert_allclose(local_thickness(m, mask=mask)[:, :size], local_thickness(window))
    np.testing.assert_allclose(triple_phase_boundary(m, mask=mask), triple_phase_boundary(window))
    for axis in range(m.ndim):
        along = triple_phase_boundary(m, mask=mask, connected_along=axis)
        assert along == 0  # nothing reaches the faces of the whole array
    near = slice(
        None, 7 if len(shape) == 2 else 5
    )  # further apart, pairs across the border of a periodic structure are pairs too
    np.testing.assert_allclose(surface_surface(m, mask=mask)[:, near], surface_surface(window)[:, near], atol=1e-12)
    for connectivity in ("face", "full"):
        alone = cluster_radial(window, connectivity=connectivity)
        found = cluster_radial(m, connectivity=connectivity, mask=mask)
        np.testing.assert_allclose(found[:, near], alone[:, near], atol=1e-12)


@pytest.mark.parametrize("edges", ["weighted", "excluded", "all"])
@pytest.mark.parametrize("split", [None, 0.5])
def test_particles_in_a_mask_are_those_of_the_window(edges, split):
    m, mask, window = masked_window((60, 56), seed=1)
    for phase in range(3):
        hidden = particle_sizes(m, phase, edges=edges, split=split, mask=mask)
        alone = particle_sizes(window, phase, edges=edges, split=split)
        if split is None:  # cutting at necks sees what lies beyond a border only through its distance
            np.testing.assert_allclose(hidden.diameter, alone.diameter)
            np.testing.assert_allclose(hidden.weight, alone.weight)
            np.testing.assert_allclose(hidden.density, alone.density)
        else:
            assert hidden.diameter.size > 0


def test_holes_in_a_mask_do_not_change_the_mean_particle():
    rng = np.random.default_rng(3)
    labels = np.zeros((400, 400), dtype=int)
    for y, x in product(range(4, 396, 20), repeat=2):
        side = 3 if rng.random() < 0.5 else 11
        labels[y : y + side, x : x + side] = 1
    mask = np.ones(labels.shape, dtype=bool)
    for y, x in rng.integers(0, 380, (60, 2)):
        mask[y : y + 12, x : x + 12] = False
    whole = particle_sizes(Microstructure(labels), 1)
    weighted, excluded = (
        particle_sizes(Microstructure(labels), 1, mask=mask, edges=edges) for edges in ("weighted", "excluded")
    )
    assert abs(weighted.mean / whole.mean - 1) < 0.04
    assert abs(excluded.mean / whole.mean - 1) > abs(weighted.mean / whole.mean - 1)
    assert abs(weighted.density / whole.density - 1) < 0.05


@pytest.mark.parametrize("measure", [local_thickness_map, triple_phase_boundary, surface_surface, cluster_radial])
def test_masks_that_cannot_be_used_are_refused(measure):
    m = masked_window((12, 12))[0]
    with pytest.raises(InputError, match="hides every pixel"):
        measure(m, mask=np.zeros((12, 12)))
    with pytest.raises(InputError, match="must agree"):
        measure(m, mask=[True])
