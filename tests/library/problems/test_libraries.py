"""Libraries whose truth is known: the truth held against finite differences, brute force and the stated law."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from matlens.errors import InputError
from matlens.library.problems import LIBRARIES, KnownLibrary, blend, diffraction, photoanode
from matlens.library.problems.known import layout_support
from matlens.library.table import PRESENT

SMALL = {"photoanode": 80, "diffraction": 60, "blend": 60}
WITH_SPECTRA = ("photoanode", "diffraction")


def small(family: str, **options: float) -> KnownLibrary:
    return LIBRARIES[family](SMALL[family], **{"seed": 5, **options})


def differences(function, points: np.ndarray, step: float) -> np.ndarray:
    """Central differences of a function of rows, in each column."""
    moves = step * np.eye(points.shape[1])
    return np.stack([(function(points + move) - function(points - move)) / (2 * step) for move in moves], axis=1)


@pytest.mark.parametrize("family", LIBRARIES)
def test_total_derivatives_are_those_of_the_response(family: str) -> None:
    known = small(family)
    found = differences(lambda x: known.response(x, known.state), known.library.compositions, 1e-5)
    assert np.allclose(found, known.truth.total, atol=1e-6 * np.abs(found).max())
    assert np.allclose(known.response(known.library.compositions, known.state), known.truth.merit)


@pytest.mark.parametrize("family", WITH_SPECTRA)
def test_partial_and_spectral_derivatives(family: str) -> None:
    known = small(family)
    x, spectra = known.library.compositions, known.recorded(known.library.compositions, known.state)
    found = differences(lambda moved: known.merit_with_spectra(moved, spectra), x, 1e-5)
    assert np.allclose(found, known.truth.partial, atol=1e-6 * np.abs(found).max())
    step = 1e-3 * spectra.max()
    for channel in range(0, spectra.shape[1], 61):
        move = np.zeros(spectra.shape[1])
        move[channel] = step
        slope = (known.merit_with_spectra(x, spectra + move) - known.merit_with_spectra(x, spectra - move)) / (2 * step)
        assert np.allclose(slope, known.truth.spectral[:, channel], atol=1e-3 * np.abs(known.truth.spectral).max())


@pytest.mark.parametrize("family", WITH_SPECTRA)
def test_total_is_partial_and_what_the_spectrum_carries(family: str) -> None:
    known = small(family)
    x, step = known.library.compositions, 1e-5
    for k in range(x.shape[1]):
        move = step * np.eye(x.shape[1])[k]
        follows = (known.recorded(x + move, known.state) - known.recorded(x - move, known.state)) / (2 * step)
        total = known.truth.partial[:, k] + (known.truth.spectral * follows).sum(axis=1)
        assert np.allclose(total, known.truth.total[:, k], atol=1e-6 * np.abs(known.truth.total).max())


@pytest.mark.parametrize("family", WITH_SPECTRA)
def test_the_identifiable_part_says_all_about_changes_of_state(family: str) -> None:
    known = small(family)
    x, part, scale = known.library.compositions, known.identifiable(), np.abs(known.truth.merit).max()
    slopes = differences(lambda z: known.response(x, z), known.state, 1e-5)
    for k, slope in enumerate(slopes.T):
        move = 1e-5 * np.eye(known.state.shape[1])[k]
        along = (known.recorded(x, known.state + move) - known.recorded(x, known.state - move)) / 2e-5
        assert np.allclose((part * along).sum(axis=1), slope, atol=1e-6 * scale)
    rest = known.truth.spectral - part
    assert np.allclose((rest * part).sum(axis=1), 0, atol=1e-9 * (known.truth.spectral**2).sum(axis=1).max())


def test_a_factor_and_a_straight_baseline_leave_the_power() -> None:
    known = small("photoanode")
    x, axis = known.library.compositions, known.library.axis
    spectra = known.recorded(x, known.state)
    assert np.allclose(known.merit_with_spectra(x, 3.7 * spectra), known.truth.merit)
    assert np.allclose(known.merit_with_spectra(x, spectra + 200 - 0.1 * axis), known.truth.merit, atol=2e-3)
    band = (axis >= 750) & (axis <= 850)
    normalised = spectra / spectra[:, band].max(axis=1, keepdims=True)
    assert np.allclose(known.merit_with_spectra(x, normalised), known.truth.merit)


def test_the_published_columns_and_layout() -> None:
    library = photoanode().library
    assert library.components == ("Bi", "V", "W", "Dy", "Gd", "Mo", "Tb")
    assert library.spectra.shape == (1379, 1015)
    steps = np.diff(library.axis)
    assert library.axis[[0, -1]] == pytest.approx([78.025, 1339.902], abs=1e-3)
    assert steps[[0, -1]] == pytest.approx([1.373, 1.127], abs=0.01)
    x = library.compositions
    for element in range(2, 7):
        single = (x[:, 2:] > PRESENT).sum(axis=1) == 1
        rows = x[single & (x[:, element] > PRESENT)]
        ratios, loadings = np.unique((rows[:, 0] / rows[:, 1]).round(3)), np.unique(rows.round(6), axis=0)
        assert ratios.tolist() == [0.926, 1.006, 1.083]
        assert len(loadings) == 30
        assert rows[:, element].min() == pytest.approx(0.0070, abs=2e-4)
        assert rows[:, element].max() == pytest.approx(0.0775, abs=5e-4)
    assert library.spectra.min() > 0
    assert 250 < 1379 - len(np.unique(library.replicates())) < 350


def test_the_layout_is_that_of_the_published_rows(data_dir) -> None:
    published = pd.read_csv(data_dir / "library" / "bivo4_60rows_composition_P.csv")
    x = photoanode().library.compositions
    for row in published[["Bi", "V", "W", "Dy", "Gd", "Mo", "Tb"]].to_numpy():
        near = np.abs(x - row).max(axis=1).argmin()
        assert np.abs(x[near] - row).max() < 5e-3  # Bi:V of the four highest loadings is a little off in print
        assert np.abs(x[near, 2:] - row[2:]).max() < 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_elements_of_a_site_act_alike(seed: int) -> None:
    known = photoanode(600, seed=seed)
    x, names = known.library.compositions, known.library.components
    for gradient in (known.truth.partial, known.truth.total):
        exchanged = gradient - gradient[:, [1]]
        diluted = (gradient - (x * gradient).sum(axis=1, keepdims=True)) / (1 - x)
        for values in (np.delete(exchanged, 1, axis=1), np.delete(diluted, 1, axis=1)):
            r = np.corrcoef(values.T)
            of = {name: k for k, name in enumerate(name for name in names if name != "V")}
            within = [r[of[a], of[b]] for group in known.truth.groups for a in group for b in group if a < b]
            across = [r[of[a], of[b]] for a in known.truth.groups[0] for b in known.truth.groups[1]]
            assert min(within) > 0.6
            assert max(across) < 0.3


def test_power_rises_as_the_valley_fills() -> None:
    known = small("photoanode")
    axis, gradient = known.library.axis, known.truth.spectral
    valley, peaks = np.abs(axis - 345) < 3, np.minimum(np.abs(axis - 325), np.abs(axis - 365)) < 2
    assert (gradient[:, valley] > 0).all()
    assert (gradient[:, peaks] < 0).all()
    (low, high), further = known.truth.bands
    outside = ~((axis > low - 60) & (axis < high + 60)) & ~((axis > further[0] - 60) & (axis < further[1] + 60))
    outside &= (axis < 730) | (axis > 920)
    assert np.abs(gradient[:, outside]).max() < 1e-3 * np.abs(gradient).max()


@pytest.mark.parametrize("family", WITH_SPECTRA)
def test_without_process_the_spectrum_is_a_function_of_composition(family: str) -> None:
    known = small(family, anneal=0)
    moved = small(family)
    left = [np.std(one.response(one.library.compositions) - one.truth.merit) for one in (known, moved)]
    assert left[0] < 0.02 * known.truth.merit.std()
    assert left[1] > 0.1 * moved.truth.merit.std()


@pytest.mark.slow
@pytest.mark.parametrize("family", LIBRARIES)
def test_noise_has_the_stated_ceiling(family: str) -> None:
    ceilings = [LIBRARIES[family](300, seed=seed).truth.ceiling for seed in range(8)]
    assert np.mean(ceilings) == pytest.approx(0.93, abs=0.01)
    quiet = small(family, noise=0)
    assert np.allclose(quiet.library.merit(), quiet.truth.merit)
    if quiet.library.has_spectra:
        assert np.allclose(quiet.library.spectra, quiet.recorded(quiet.library.compositions, quiet.state))


@pytest.mark.parametrize("family", LIBRARIES)
def test_a_seed_makes_the_same_library_and_another_seed_another_law(family: str) -> None:
    one, again, other = small(family), small(family), small(family, seed=6)
    assert np.array_equal(one.library.compositions, again.library.compositions)
    assert np.array_equal(one.library.merit(), again.library.merit())
    x = one.library.compositions
    assert not np.allclose(one.response(x), other.response(x), rtol=0.02)
    assert np.corrcoef(one.truth.total[:, 0], other.response(x))[0, 1] < 0.999


def test_seeds_draw_which_band_and_which_phase_matter() -> None:
    assert len({photoanode(20, seed=seed).truth.bands[1] for seed in range(12)}) == 4
    assert len({diffraction(20, seed=seed).truth.bands[0] for seed in range(12)}) == 4


def test_support_is_counted_by_hand() -> None:
    """A-B line of five, one A-C sample; nothing with B and C."""
    line = [[1 - w, w, 0.0] for w in (0.0, 0.1, 0.2, 0.3, 0.4)]
    found = layout_support([*line, [0.9, 0.0, 0.1]], 0.25)
    assert found.tolist() == [[0, 1, 1], [1, 2, 0], [2, 2, 0], [2, 2, 0], [1, 1, 0], [0, 0, 1]]


@pytest.mark.slow
def test_pairs_never_made_and_third_elements_are_unsupported() -> None:
    known = photoanode(seed=2)
    x, supported = known.library.compositions, known.truth.supported
    present = x[:, 2:] > PRESENT
    made = {tuple(np.flatnonzero(row)) for row in present}
    assert sum(len(pair) == 2 for pair in made) == 8
    for row, flags in zip(present, supported[:, 2:]):
        for k in np.flatnonzero(~row):
            if tuple(sorted([*np.flatnonzero(row), k])) not in made:
                assert flags[k] == 0
    assert (supported[:, :2] == 2).mean() > 0.95
    assert 0.4 < (supported == 2).mean() < 0.8


def test_elements_left_out_keep_their_column() -> None:
    known = photoanode(200, alloying=("W", "Gd"), missing=0)
    assert known.library.components[3] == "Dy"
    assert not known.library.compositions[:, [3, 5, 6]].any()
    assert not known.truth.supported[:, [3, 5, 6]].any()
    assert known.truth.groups == (frozenset({"Bi", "Gd"}),)


def test_a_saturated_sensor_holds_its_limit() -> None:
    open_, closed = diffraction(100, seed=1), diffraction(100, seed=1, censored=True)
    flags, limit = closed.library.censoring(), closed.library.merit().max()
    assert flags.sum() == 7
    assert (closed.library.merit()[flags == 1] == limit).all()
    assert np.array_equal(flags == 1, open_.library.merit() > limit)


def test_phases_come_and_go() -> None:
    known = diffraction(seed=3)
    shares = known.law.shares(torch.tensor(known.library.compositions), torch.zeros(len(known.library)))
    assert (shares.max(dim=0).values > 0.8).all()
    assert (shares.min(dim=0).values < 0.02).all()


def test_blends_have_zeros_replicates_and_decades() -> None:
    known = blend(seed=1)
    x, merit = known.library.compositions, known.library.merit()
    assert known.library.spectra is None
    assert known.truth.spectral is None
    assert known.identifiable() is None
    assert 0.1 < (x == 0).mean() < 0.4
    assert len(np.unique(known.library.replicates())) < 0.8 * len(x)
    assert np.log10(merit).std() == pytest.approx(0.7, abs=0.1)
    assert (merit > 0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: photoanode(5), "at least 20"),
        (lambda: photoanode(50, noise=-1), "zero or positive"),
        (lambda: photoanode(50, alloying=("Nb",)), "some of W, Dy"),
        (lambda: photoanode(50, missing=10), "from 0 to 9"),
        (lambda: diffraction(50, anneal=np.nan), "zero or positive"),
        (lambda: blend(20.5), "whole number"),
        (lambda: blend(20).response([[0.5, 0.5]]), "shape"),
        (lambda: photoanode(20).response(np.full((2, 7), 1 / 7), np.zeros((2, 3))), "state must have shape"),
    ],
)
def test_what_does_not_fit_is_said(make, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
