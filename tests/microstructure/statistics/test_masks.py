"""Structures with masked pixels: the mask itself, and every statistic over what is known against its definition."""

from itertools import pairwise, product

import numpy as np
import pytest

import matlens as ml
from matlens import InputError, Microstructure
from matlens.microstructure.problems import discs, gaussian_field
from matlens.microstructure.statistics import (
    CopyTest,
    characterize,
    chord_length_distribution,
    compare,
    euler_number,
    find_statistics,
    lineal_path,
    mean_chord_length,
    pasted_blocks,
    percolation,
    representative_size,
    tortuosity,
    two_point_cross,
    volume_fraction,
)
from matlens.microstructure.statistics.equivalence.windows import count_windows, cut_windows


def masked(shape, periodic=False, seed=0, known=0.8):
    random = np.random.default_rng(seed)
    labels = np.kron(random.integers(0, 3, [-(-n // 2) for n in shape]), np.ones([2] * len(shape), dtype=int))
    labels = labels[tuple(slice(n) for n in shape)]
    return Microstructure(labels, phase_names=list("abc"), periodic=periodic, mask=random.random(shape) < known)


def round_field(m):
    offsets = [np.arange(side) - (side - 1) / 2 for side in m.shape]
    disc = np.hypot(*np.meshgrid(*offsets, indexing="ij")) <= min(m.shape) / 2
    return Microstructure(m.labels, m.spacing, m.unit, m.phase_names, mask=disc)


def test_a_mask_is_checked_and_kept():
    labels = np.array([[0, 1, 1], [0, 0, 9]])
    mask = np.array([[True, True, True], [True, True, False]])
    m = Microstructure(labels, 0.5, "um", ["a", "b"], mask=mask)
    assert m.labels[1, 2] == 0
    assert m.n_phases == 2
    assert m.volume_fractions.tolist() == [0.6, 0.4]
    assert m.n_known == 5
    assert m.indicators().sum(axis=0).tolist() == mask.astype(int).tolist()
    assert "16.7 % masked" in repr(m)
    mask[:] = True
    assert not m.mask[1, 2], "the caller's mask is copied"
    assert m.crop(slice(0, 2), slice(1, 3)).mask.tolist() == [[True, True], [True, False]]
    assert m.crop(slice(0, 1), slice(0, 3)).mask is None
    assert m.in_unit("nm").mask is m.in_unit("nm").mask or m.in_unit("nm").mask.tolist() == m.mask.tolist()
    assert m.with_labels(labels[:, :2]).mask is None
    assert Microstructure(labels % 2, mask=np.ones((2, 3))).mask is None
    with pytest.raises(InputError, match="hides every pixel"):
        Microstructure(labels, mask=np.zeros((2, 3)))
    with pytest.raises(InputError, match=r"shape \(3,\) and the labels \(2, 3\)"):
        Microstructure(labels, mask=[True, False, True])
    with pytest.raises(InputError, match="hides every pixel"):
        m.crop(slice(1, 2), slice(2, 3))


def test_the_rectangle_and_filled_gaps():
    m = round_field(discs((40, 40), radius=4, fraction=0.4, seed=0))
    inside = m.unmasked()
    assert inside.mask is None
    assert min(inside.shape) >= 28
    assert len(list(m.tiles((10, 10)))) == 4 < len(list(m.tiles((10, 10), masked=True))) == 16
    with pytest.raises(InputError, match=r"21\.\d % of the pixels are masked, and this needs"):
        m.whole("this")
    holes = np.ones((40, 40), dtype=bool)
    holes[5, 5], holes[20:24, 20:24] = False, False
    holed = Microstructure(m.labels, mask=holes)
    assert (~holed.filled(2).mask).sum() == 16
    assert holed.filled(17).mask is None
    volume = Microstructure(
        np.zeros((2, 4, 4), dtype=int), mask=np.indices((2, 4, 4))[0] == np.indices((2, 4, 4))[2] % 2
    )
    with pytest.raises(InputError, match="in every slice"):
        volume.unmasked()


def lines_of(m, axis):
    """Every line along an axis as a list of labels, None where it is masked."""
    labels = np.where(np.ones(m.shape, dtype=bool) if m.mask is None else m.mask, m.labels.astype(int), -1)
    return [[None if v < 0 else v for v in line] for line in np.moveaxis(labels, axis, -1).reshape(-1, m.shape[axis])]


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(9, 8), (6, 5, 7)])
def test_lineal_path_is_its_definition(shape, periodic):
    m = masked(shape, periodic)
    found = lineal_path(m)
    for axis, side in enumerate(shape):
        for r in range(side // 2 + 1):
            places = side if periodic else side - r
            segments = [
                [line[(x + i) % side] for i in range(r + 1)] for line in lines_of(m, axis) for x in range(places)
            ]
            known = [s for s in segments if None not in s]
            for phase in range(3):
                expected = np.mean([set(s) == {phase} for s in known]) if known else np.nan
                assert found[phase, axis, r] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(13, 12), (6, 7, 8)])
def test_chords_are_their_definition(shape, periodic):
    m = masked(shape, periodic, seed=3)
    found, mean = chord_length_distribution(m), mean_chord_length(m)
    for axis, side in enumerate(shape):
        lines = lines_of(m, axis)
        by_length, chords = np.zeros((3, side)), np.zeros(3)
        changes = 0
        for line in lines:
            ring = line + line[:1] if periodic else line
            pairs = [(a, b) for a, b in pairwise(ring) if a is not None and b is not None]
            changes += len(pairs)
            for a, b in pairs:
                if a != b:
                    chords[a] += 0.5
                    chords[b] += 0.5
        for z in range(1, side - 1):
            sites, whole = 0, np.zeros(3)
            for line in lines:
                for x in range(side if periodic else side - z - 1):
                    part = [line[(x + i) % side] for i in range(z + 2)]
                    if None not in part:
                        sites += 1
                        inner = set(part[1:-1])
                        if len(inner) == 1 and part[0] not in inner and part[-1] not in inner:
                            whole[inner.pop()] += 1
            by_length[:, z] = whole / sites if sites else 0
        for phase in range(3):
            expected = by_length[phase, : side // 2 + 1] / (chords[phase] / changes)
            np.testing.assert_allclose(found[phase, axis, : side // 2 + 1], expected)
        np.testing.assert_allclose(mean[:, axis], m.volume_fractions / (chords / changes))


@pytest.mark.parametrize("periodic", [False, True])
def test_cross_correlation_is_its_definition(periodic):
    m = masked((7, 8), periodic, seed=1)
    shells = {}
    for r in product(range(-3, 4), range(-4, 5)):
        ends = []
        for x in product(range(7), range(8)):
            y = tuple(a + b for a, b in zip(x, r))
            if periodic:
                y = (y[0] % 7, y[1] % 8)
            if 0 <= y[0] < 7 and 0 <= y[1] < 8 and m.mask[x] and m.mask[y]:
                ends.append((m.labels[x], m.labels[y]))
        shares = [[np.mean([pair == (a, b) for pair in ends]) for b in range(3)] for a in range(3)]
        shells.setdefault(round(float(np.hypot(*r))), []).append(shares)
    found = two_point_cross(m)
    for distance in range(found.shape[-1]):
        np.testing.assert_allclose(found[..., distance], np.mean(shells[distance], axis=0), atol=1e-12)
    np.testing.assert_allclose(volume_fraction(m), found[:, :, 0].sum(axis=1), atol=1e-12)


def test_euler_number_takes_masked_pixels_as_another_phase():
    m = masked((12, 11))
    grown = Microstructure(np.where(m.mask, m.labels, 3))
    for connectivity in ("face", "full"):
        np.testing.assert_array_equal(
            euler_number(m, connectivity=connectivity), euler_number(grown, connectivity=connectivity)[:3]
        )


@pytest.mark.parametrize("shape", [(24, 20), pytest.param((18, 17, 16), marks=pytest.mark.slow)])
def test_a_window_behind_a_mask_has_the_statistics_of_the_window(shape):
    labels = gaussian_field(shape, 2.5, 0.4, seed=2, periodic=False).labels.astype(int)
    labels[gaussian_field(shape, 3.0, 0.3, seed=3, periodic=False).labels == 1] = 2
    window = Microstructure(labels, 0.5, "um", list("abc"))
    around, place = [side + 8 for side in shape], tuple(slice(5, 5 + side) for side in shape)
    wide, mask = np.ones(around, dtype=int), np.zeros(around, dtype=bool)
    wide[place], mask[place] = labels, True
    expected, found = characterize(window), characterize(Microstructure(wide, 0.5, "um", list("abc"), mask=mask))
    for name, values in expected.data_vars.items():
        if name in ("anisotropy_low", "anisotropy_high"):
            continue  # of windows that lie elsewhere
        here = found[name]
        if "r" in values.dims:  # beyond half of its own side the window has no value
            here = here.isel(r=slice(values.sizes["r"])).where(values.notnull())
        np.testing.assert_allclose(here, values, atol=1e-9, err_msg=str(name))
    assert found.attrs["masked"] == [pytest.approx(1 - mask.mean())]
    assert expected.attrs["masked"] == [0]
    size = " x ".join(map(str, shape))
    assert found["tortuosity_factor"].attrs["measured_in"] == f"the largest rectangle without masked pixels, {size} px"
    assert "measured_in" not in expected["tortuosity_factor"].attrs


def test_without_a_rectangle_what_leads_from_face_to_face_is_unknown():
    m = masked((40, 40), known=0.7)
    found = characterize(m)
    assert found["tortuosity_factor"].isnull().all()
    assert found["percolates"].isnull().all()
    assert "no rectangle of 16 pixels" in found["connected_fraction"].attrs["missing"]
    assert found["two_point_radial"].notnull().all()
    assert found["triple_phase_boundary"] > 0
    for statistic in (percolation, tortuosity):
        with pytest.raises(InputError, match="pixels are masked"):
            statistic(m)
    with pytest.raises(InputError, match="an effective property needs a rectangle"):
        ml.homogenize(m, conductivity={0: 1.0, 1: 2.0, 2: 3.0})


@pytest.mark.slow
def test_a_round_field_has_the_statistics_of_the_material_within_its_scatter():
    """No bias: over many fields, disc and full picture have the same mean in every curve and number."""
    names = ["volume_fraction", "two_point", "lineal_path", "chord_length", "cluster", "specific_surface"]
    names += ["euler_density", "local_thickness"]
    differences: dict = {}
    for seed in range(12):
        m = gaussian_field((48, 48), 2.5, 0.35, seed=seed, periodic=False)
        full, part = characterize(m, statistics=names), characterize(round_field(m), statistics=names)
        for name, values in full.data_vars.items():
            difference = (part[name] - values).sel(phase=1)
            if "r" in difference.dims:
                difference = difference.isel(r=slice(1, 12))
            differences.setdefault(name, []).append(difference.mean().item())
    for name, values in differences.items():
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        assert abs(np.mean(values)) < 3 * error + 1e-12, name


def test_windows_and_verdicts_leave_masked_pixels_out():
    material = gaussian_field((72, 72), 3.0, 0.4, seed=0, periodic=False)
    field = round_field(material)
    assert count_windows([field], (16, 16)) == len(cut_windows([field], (16, 16))) < 16
    assert all(window.microstructure.mask is None for window in cut_windows([field], (16, 16)))
    study = representative_size(field, statistics=["volume_fraction"])
    assert len(study.spread)
    assert study.laws["mean"].notna().all()
    found = compare(gaussian_field((16, 16), 3.0, 0.4, seed=5), field, properties=(), controls=False, copying=False)
    assert found.errors.notna().all(axis=None)
    assert len(found.ratios)
    with pytest.raises(InputError, match="a result to be compared needs"):
        compare(field, material)


@pytest.mark.slow
def test_what_is_hidden_cannot_have_been_copied():
    material = gaussian_field((72, 72), 3.0, 0.4, seed=0, periodic=False)
    hidden = np.ones((72, 72), dtype=bool)
    hidden[:36, :36] = False
    behind = Microstructure(material.labels, phase_names=material.phase_names, mask=hidden)
    test, corner = CopyTest([behind]), material.crop(slice(0, 32), slice(0, 32))
    assert not test(corner)["copies"].any()
    assert CopyTest([material])(corner)["copies"].any()
    assert test(material.crop(slice(36, 68), slice(36, 68)))["copies"].any()
    assert pasted_blocks(behind, (32, 32), 16).mask is None


def test_every_statistic_says_what_needs_a_rectangle():
    whole = {v.name for statistic in find_statistics() for v in statistic.variables if v.whole}
    assert whole == {"percolates", "connected_fraction", "tortuosity_factor", "triple_phase_boundary_connected"}
