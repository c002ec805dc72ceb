"""Gradients and support where the truth is known; the true partial and spectral gradients stand in for a model's."""

import numpy as np
import pytest

from matlens.library.gradients import along, composition_support, directions, explain_library
from matlens.library.model import Gradients, LibraryModel
from matlens.library.problems import LIBRARIES, photoanode


class Oracle:
    """A model that has learned the law exactly."""

    members_, uses_composition_, uses_spectrum_, preprocessing_ = 1, True, True, None

    def __init__(self, known):
        self.truth, self.components_, self.axis_ = known.truth, known.library.components, known.library.axis
        self.target_, self.unit_ = known.library.merit_name(), known.library.unit()

    def respond(self, compositions, spectra):
        return self.truth.merit[None]

    def gradients(self, compositions, spectra, *, progress=None):
        true = self.truth
        return Gradients(true.merit[None], true.partial[None].astype("f4"), true.spectral[None].astype("f4"))


@pytest.mark.slow
@pytest.mark.parametrize(("anneal", "partial"), [(1.0, 2), (0.0, 0)])
def test_total_gradients_and_identifiability_of_photoanodes(anneal, partial):
    known = photoanode(400, seed=100, anneal=anneal)
    insight = explain_library(Oracle(known), known.library)
    true = along(known.truth.total, directions("dilution", known.library.compositions)) / 100
    found = insight.composition_gradient.sel(scheme="dilution", kind="total").to_numpy()
    good = (insight.support.to_numpy() == 2) & np.isfinite(true)
    large = good & (np.abs(true) > 0.2 * true[good].std())
    assert np.corrcoef(found[good], true[good])[0, 1] > 0.98
    assert (np.sign(found) == np.sign(true))[large].mean() > 0.98
    assert insight.kind_support.values.tolist() == [partial, 2]


@pytest.mark.slow
def test_channels_that_vary_at_held_composition_are_those_that_drive():
    known = photoanode(400, seed=100)
    insight = explain_library(Oracle(known), known.library)
    axis = known.library.axis
    driving = np.any([(axis > low) & (axis < high) for low, high in known.truth.bands], axis=0)
    supported = (insight.spectral_support == 2).to_numpy()
    assert supported[:, driving].mean() > 0.8
    assert supported[:, ~driving].mean() < 0.2
    projected, true = insight.spectral_gradient.to_numpy(), known.truth.spectral
    assert np.corrcoef(projected.ravel(), true.ravel())[0, 1] > 0.6
    # what the state of the sample does to the power is all there, whatever was taken off
    state = known.state.copy()
    state[:, 0] += 0.1
    change = known.recorded(known.library.compositions, state) - known.recorded(known.library.compositions, known.state)
    assert np.corrcoef((projected * change).sum(1), (true * change).sum(1))[0, 1] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(LIBRARIES))
def test_support_against_what_layouts_support(family):
    known = LIBRARIES[family](seed=103)  # chosen on 100 to 102
    library = known.library
    said = composition_support(library.compositions, library.compositions, library.replicates()).flags == 2
    true = known.truth.supported > 0
    assert said[true].mean() >= 0.8
    assert (said & ~true).sum() <= 0.15 * said.sum()


@pytest.mark.slow
def test_errors_of_gradients_hold_the_truth_where_spreads_do_not():
    known = LIBRARIES["blend"](160, seed=102)
    insight = explain_library(LibraryModel(n_models=5).fit(known.library), known.library)
    true = along(known.truth.total, directions("dilution", known.library.compositions)) / 100
    part = insight.sel(scheme="dilution", kind="total")
    miss = np.abs(part.composition_gradient.to_numpy() - true)
    good = (insight.support.to_numpy() == 2) & np.isfinite(miss)
    error, spread = part.composition_gradient_error.to_numpy(), part.composition_gradient_spread.to_numpy()
    assert 0.75 < (miss < 1.645 * error)[good].mean() < 0.99
    assert (miss < 1.645 * spread)[good].mean() < 0.7
    ranks = [np.argsort(np.argsort(values[good])) for values in (miss, error)]
    assert np.corrcoef(*ranks)[0, 1] > 0.4  # it tells which gradients are known, and not only how well all are


@pytest.mark.slow
def test_errors_of_total_and_spectral_gradients():
    known = LIBRARIES["diffraction"](80, seed=102)
    insight = explain_library(LibraryModel(n_models=3).fit(known.library), known.library)
    defined = np.isfinite(insight.composition_gradient)
    assert ((insight.composition_gradient_error > insight.composition_gradient_spread) == defined).all()
    assert (insight.spectral_gradient_error >= insight.spectral_gradient_spread).all()
    assert (insight.spectral_gradient_error > insight.spectral_gradient_spread).mean() > 0.5
    assert insight.spectral_gradient_error.dims == ("sample", "axis")
