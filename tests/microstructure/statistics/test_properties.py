"""Apparent properties as a statistic: closed forms, fair treatment of both sides, and what it can tell apart."""

import numpy as np
import pytest

from matlens import InputError, Microstructure, compare
from matlens.microstructure.problems import gaussian_field, white_noise
from matlens.microstructure.statistics import (
    Variability,
    apparent_conductivity,
    apparent_stiffness,
    conductivity_error,
    stiffness_error,
)
from matlens.microstructure.statistics.transport.properties import self_consistent


def test_laminates_have_their_closed_forms_for_every_phase_as_the_conductor():
    thirds = Microstructure(np.tile([0, 0, 1, 2, 2, 2], (12, 2)))
    shares, contrast = np.array([2, 1, 3]) / 6, 50.0
    along = shares * contrast + 1 - shares
    across = 1 / (shares / contrast + 1 - shares)
    np.testing.assert_allclose(apparent_conductivity([thirds])[0], np.stack([along, across], axis=1), rtol=1e-5)


def test_stiffness_of_a_laminate_in_its_plane_and_across():
    half = Microstructure(np.tile([0, 1], (8, 4)))
    values = apparent_stiffness([half], contrast=100.0)[0, 1]
    young, nu = np.array([1.0, 100.0]), 0.3
    normal = young * (1 - nu) / (1 + nu) / (1 - 2 * nu)  # strain across is the same for both: the harmonic mean
    assert values[1] == pytest.approx(1 / np.mean(1 / normal), rel=1e-4)
    shear = young / 2 / (1 + nu)
    assert values[2] == pytest.approx(1 / np.mean(1 / shear), rel=1e-4)


def test_volumes_and_absent_phases():
    volume = np.zeros((8, 8, 8), dtype=int)
    volume[4:] = 1
    m = Microstructure(volume, phase_names=("a", "b", "c"))
    values = apparent_conductivity([m], contrast=3.0)[0]
    np.testing.assert_allclose(values[1], [1.5, 2, 2], rtol=1e-5)
    np.testing.assert_allclose(values[2], 1, rtol=1e-6)
    assert apparent_stiffness([m])[0].shape == (3, 6)


def test_a_batch_gives_what_its_members_give():
    windows = list(gaussian_field((96, 64), 4.0, 0.4, seed=0).tiles((32, 32)))
    alone = np.concatenate([apparent_conductivity([window]) for window in windows])
    np.testing.assert_allclose(apparent_conductivity(windows), alone, rtol=1e-5)


def test_whether_a_field_says_it_is_periodic_plays_no_part():
    field = gaussian_field((32, 32), 4.0, 0.4, seed=0)
    assert field.periodic
    assert conductivity_error(field, Microstructure(field.labels)) == 0


def test_errors_at_equal_fraction_are_relative_differences_of_the_property():
    layers = Microstructure(np.repeat(np.arange(8) % 2, 8).reshape(8, 8))
    board = Microstructure(np.kron(np.indices((2, 2)).sum(axis=0) % 2, np.ones((4, 4), dtype=int)))
    k = np.log([apparent_conductivity([m])[0] for m in (layers, board)])
    assert conductivity_error(layers, board) == pytest.approx(np.abs(k[0] - k[1]).mean())
    assert stiffness_error(layers, board) > 0.1


def test_fractions_alone_make_no_difference():
    noise = [white_noise((64, 64), (1 - f, f), 0) for f in (0.2, 0.25)]
    k = np.log(apparent_conductivity(noise))
    assert conductivity_error(*noise) < 0.5 * np.abs(k[0] - k[1]).mean()


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_estimate_solves_bruggemans_equation(ndim):
    fraction, contrast = np.linspace(0, 1, 11), 50.0
    k = self_consistent(fraction, contrast, ndim)
    excess = (1 - fraction) * (1 - k) / (1 + (ndim - 1) * k)
    excess += fraction * (contrast - k) / (contrast + (ndim - 1) * k)
    np.testing.assert_allclose(excess, 0, atol=1e-12)
    assert (np.diff(k) > 0).all()


def test_windows_of_other_sizes_are_refused():
    thin = Microstructure(np.eye(8, dtype=int))
    with pytest.raises(InputError, match="one size"):
        conductivity_error(thin, gaussian_field((16, 16), 4.0, 0.4, seed=0))


@pytest.mark.slow
def test_properties_are_judged_and_listed():
    material = gaussian_field((96, 96), 4.0, 0.4, seed=0)
    found = compare(material.crop(slice(0, 32), slice(0, 32)), material, copying=False)
    assert "conductivity_error" in set(found.ratios["statistic"])
    table = found.properties
    assert set(table["source"]) == {"windows", "result", "white noise", "blurred noise"}
    rows = table[(table["source"] == "windows") & (table["window"] == "32x32") & (table["component"] == "x")]
    values = apparent_conductivity(list(material.tiles((32, 32))))[:, :, 1]
    np.testing.assert_allclose(rows["median"], np.median(values, axis=0), rtol=1e-5)
    plain = compare(material.crop(slice(0, 32), slice(0, 32)), material, copying=False, properties=())
    assert len(plain.ratios) == len(found.ratios) - plain.ratios["window"].nunique()
    assert plain.properties.empty


def test_stiffness_on_request():
    windows = list(gaussian_field((48, 48), 3.0, 0.4, seed=0).tiles((16, 16)))
    table = Variability(windows, properties=("stiffness",)).ratios(windows[:2])
    assert "stiffness_error" in set(table["statistic"])
    with pytest.raises(InputError, match="colour"):
        Variability(windows, properties=("colour",))


def test_windows_too_large_are_judged_without_and_it_is_said(monkeypatch):
    monkeypatch.setattr("matlens.microstructure.statistics.transport.properties.LARGEST", 16 * 16)
    material = gaussian_field((64, 64), 3.0, 0.4, seed=0)
    found = compare(material.crop(slice(0, 32), slice(0, 32)), material, copying=False, controls=False)
    by_window = found.ratios.groupby("window")["statistic"].agg(set)
    assert "conductivity_error" not in by_window["32x32"]
    assert "conductivity_error" in by_window["16x16"]
    assert any("32x32 are too large for conductivity" in note for note in found.notes)


def test_connectedness_is_told_from_noise_of_the_same_fraction():
    """A honeycomb of thin walls conducts although there is little of it; noise of the same fraction does not."""
    walls = np.zeros((128, 128), dtype=int)
    walls[::8] = walls[:, ::8] = 1
    material = Microstructure(np.roll(walls, 3, axis=(0, 1)))
    cut = material.labels.copy()
    cut[np.random.default_rng(0).random(cut.shape) < 0.03] = 0  # a few pores, so that windows differ
    windows = Variability(list(material.with_labels(cut).tiles((32, 32))))
    noise = [white_noise((32, 32), (1 - cut.mean(), cut.mean()), seed) for seed in range(4)]
    table = windows.ratios(noise).set_index("statistic")
    assert table.loc["conductivity_error", "verdict"] == "different"
