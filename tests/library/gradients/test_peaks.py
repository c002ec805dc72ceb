"""Bands of spectra: fits with a known answer, and gradients with respect to them against exact derivatives."""

import numpy as np
import pytest
import torch
import xarray as xr

from matlens.library.evidence import peak_table, statements
from matlens.library.gradients import fit_composition_response, peak_changes
from matlens.library.gradients.peak_gradients import _told_apart
from matlens.library.problems import photoanode
from matlens.library.spectra import fit_peaks, follow_peaks, peak_derivatives
from matlens.library.spectra.peaks import Peaks
from matlens.library.table import MaterialsLibrary

AXIS = np.linspace(100, 500, 601)


def gauss(centre, width, area):
    """A Gaussian band of given full width at half maximum."""
    return area * np.sqrt(4 * np.log(2) / np.pi) / width * np.exp(-4 * np.log(2) * ((AXIS - centre) / width) ** 2)


@pytest.mark.parametrize("step", [1, -1], ids=["ascending", "descending"])
def test_bands_are_found_on_a_background(step):
    spectrum = gauss(200, 20, 100) + gauss(232, 20, 60) + gauss(400, 30, 200) + 3 + 1e-5 * (AXIS - 300) ** 2
    found = fit_peaks(spectrum[::step], AXIS[::step])
    np.testing.assert_allclose(found.values, [[200, 20, 100], [232, 20, 60], [400, 30, 200]], rtol=1e-4)
    assert found.lorentzian < 1e-3
    assert found.doublets == ((0, 1),)
    np.testing.assert_allclose(found.splittings, [32], rtol=1e-4)


def test_noise_and_backgrounds_are_no_bands():
    noise = 0.1 * np.random.default_rng(0).normal(size=AXIS.size)
    assert fit_peaks(AXIS**2, AXIS).count == 0
    assert fit_peaks(np.exp(-AXIS / 200) + noise, AXIS, 0.1).count == 0


def test_errors_of_fits_are_those_that_repeated_spectra_show():
    random = np.random.default_rng(1)
    clean = gauss(250, 25, 100) + gauss(300, 25, 100)
    spectra = clean + 0.05 * random.normal(size=(200, AXIS.size))
    found = follow_peaks(fit_peaks(clean, AXIS), spectra, AXIS, np.full(AXIS.size, 0.05))
    np.testing.assert_allclose(found.errors.mean(0), found.values.std(0), rtol=0.15)
    np.testing.assert_allclose(found.values.mean(0)[:, 0], [250, 300], atol=0.05)


def test_derivatives_are_those_of_finite_differences():
    peaks = Peaks(np.array([[200.0, 20.0, 3.0], [300.0, 30.0, 2.0]]), np.zeros((2, 3)), 0.4)
    found, step = peak_derivatives(peaks, AXIS), 1e-4
    for place in np.ndindex(2, 3):
        ends = []
        for sign in (1, -1):
            moved = peaks.values.copy()
            moved[place] += sign * step
            # intensities are linear in the areas
            ends.append(peak_derivatives(Peaks(moved, peaks.errors, 0.4), AXIS)[..., 2] @ moved[:, 2])
        np.testing.assert_allclose(found[:, place[0], place[1]], (ends[0] - ends[1]) / (2 * step), atol=1e-6)


def test_photoanodes_show_the_splitting_and_one_area_and_their_exact_gradients():
    known = photoanode(250, seed=103)
    library, law = known.library, known.law
    response = fit_composition_response(library)
    changes = peak_changes(library, response.corrected, response.noise)
    found = changes.carried(known.truth.spectral[None])[0].mean(0)
    state = torch.tensor(known.state, requires_grad=True)
    x = torch.tensor(np.array(library.compositions))
    exact = torch.autograd.grad(law.merit(x, law.record(x, state)).sum(), state)[0].numpy().mean(0)
    supported = {name: found[k] for k, name in enumerate(changes.names) if changes.flags[k] == 2}
    splitting = next(value for name, value in supported.items() if name.startswith("splitting 3"))
    area = next(value for name, value in supported.items() if name.startswith("area"))
    assert len(supported) == 2  # widths change together, and no band shifts, at held composition
    assert splitting == pytest.approx(-exact[0] / 2.5, rel=0.02)  # the splitting is ... - 2.5 anneal
    assert area == pytest.approx(exact[1] / 25, rel=0.05)  # the area goes with exp(0.25 texture)


def test_brightness_is_no_change_of_a_band():
    random = np.random.default_rng(2)
    x = random.dirichlet([1, 1], 60)
    clean = gauss(200, 20, 1) * (1 + x[:, :1]) + gauss(400, 20, 1)
    spectra = clean * random.uniform(0.5, 2, (60, 1)) + 1e-4 * random.normal(size=clean.shape)
    library = MaterialsLibrary(x, ("A", "B"), {"P": x[:, 0]}, {}, spectra, AXIS)
    response = fit_composition_response(library)
    changes = peak_changes(library, response.corrected, response.noise)
    assert len(changes.names) == 6
    assert not changes.flags.any()  # composition and brightness explain all that varies


def insight(gradient, support=2, error=0.1):
    """Gradients with respect to two changes of bands."""
    values = np.broadcast_to(gradient, (8, 2))
    dims = ("sample", "peak")
    about = {"units": "cm-1", "long_name": "Raman shift"}
    return xr.Dataset(
        {
            "peak_gradient": (dims, values),
            "peak_gradient_error": (dims, np.full((8, 2), error)),
            "peak_value": (dims, np.random.default_rng(0).normal(40, 2, (8, 2))),
            "peak_value_error": (dims, np.full((8, 2), 0.2)),
            "peak_support": ("peak", [support, 0]),
            "peak_reliability": ("peak", [0.95, 0.9]),
            "peak_correlation": ("peak", [0.1, 0.95]),
            "composition_gradient": (("scheme", "kind", "sample", "component"), np.full((1, 1, 8, 1), np.nan)),
        },
        {
            "peak": ["splitting 325/365", "width 826"],
            "peak_what": ("peak", ["splitting", "width"]),
            "peak_with": ("peak", ["", "width 325"]),
            "peak_unit": ("peak", ["mW per cm-1"] * 2),
            "peak_value_unit": ("peak", ["cm-1"] * 2),
            "axis": ("axis", [300.0], about),
            "scheme": ["dilution"],
            "kind": ["total"],
            "component": ["Fe"],
        },
        {"target": "P", "resample": "bootstrap"},
    )


def peaks_said(data):
    found = statements(data, regions={"all samples": np.ones(8, bool)})
    return found[found["about"] == "peak"].set_index("subject")


def test_sentences_say_which_way_a_band_goes_with_the_figure_of_merit():
    found = peaks_said(insight([-2.0, 3.0]))
    assert found["status"].to_dict() == {"splitting 325/365": "supported", "width 826": "unsupported"}
    assert found["sentence"]["splitting 325/365"].startswith(
        "A smaller 325/365 splitting goes with higher P, composition held: 2 ± 0.1 mW per cm-1"
    )
    assert found["sentence"]["width 826"] == "The effect of the width at 826 cm-1 on P is unknown."
    assert "it goes with the width 325 (r = 0.95)" in found["reason"]["width 826"]


def test_changes_without_an_effect_or_with_weak_support_are_not_supported():
    assert peaks_said(insight([0.05, 0]))["status"]["splitting 325/365"] == "unsupported"
    assert peaks_said(insight([2.0, 0], support=1))["status"]["splitting 325/365"] == "weak"
    mixed = np.array([[-1.0, 0], [1.5, 0]] * 4)
    assert peaks_said(insight(mixed, error=0.01))["status"]["splitting 325/365"] == "weak"


def test_intervals_are_ninety_percent():
    row = peak_table(insight([-2.0, 3.0])).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((-2.1645, -1.8355))


def test_several_stacks_of_gradients_are_carried_as_each_alone():
    library = photoanode(60, seed=3).library
    response = fit_composition_response(library)
    changes = peak_changes(library, response.corrected, response.noise)
    random = np.random.default_rng(0)
    stacks = [random.normal(size=(count, *library.spectra.shape)) for count in (2, 1)]
    for found, each in zip(changes.carried_each(stacks), stacks, strict=True):
        np.testing.assert_array_equal(found, changes.carried(each))
        by_definition = peak_derivatives(changes.bands, library.axis)
        by_definition[..., 2] *= changes.reference[:, None]
        moved = by_definition.reshape(*by_definition.shape[:2], -1) @ changes.mixing
        np.testing.assert_allclose(found, np.einsum("mnc,ncq->mnq", each, moved), rtol=1e-9, atol=1e-9)


def test_changes_that_are_all_noise_go_with_no_other_however_large() -> None:
    random = np.random.default_rng(0)
    real = random.normal(size=(40, 1))
    values = np.concatenate([real, real + 0.1 * random.normal(size=(40, 1)), 1e6 * random.normal(size=(40, 2))], 1)
    errors = np.tile([0.1, 0.1, 3e6, 3e6], (40, 1))
    library = MaterialsLibrary(random.dirichlet([1, 1], 40), ("A", "B"), {"P": real[:, 0]})
    reliability, partner, correlation = _told_apart(library, values, errors, None, held=False)
    assert reliability[2:].tolist() == [0, 0]
    assert partner.tolist() == [1, 0, -1, -1]
    assert (correlation[:2] > 0.9).all()
