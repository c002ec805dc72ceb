import numpy as np
import pytest

from matlens.library.baselines import BASELINES
from matlens.library.gradients import explain_library
from matlens.library.spectra import Area, Cut, Despike, Preprocessing
from matlens.library.table import MaterialsLibrary

AXIS = np.linspace(100, 1000, 100)


@pytest.fixture(scope="module")
def clean():
    rng = np.random.default_rng(100)
    x, state = rng.dirichlet([1, 1, 1], 60), rng.uniform(0.5, 1.5, (60, 1))
    peaks = np.exp(-0.5 * ((AXIS - np.array([[280], [520], [760]])) / 25) ** 2)
    bands = np.hstack([x[:, :2], 0.3 * state]) @ peaks
    spectra = 100 * bands + 20 + rng.normal(size=bands.shape)
    merit = 1.5 * x[:, 0] - x[:, 1] + 1.2 * state[:, 0] + 0.03 * rng.normal(size=60)
    return MaterialsLibrary(x, ("Fe", "Co", "Ni"), {"P": merit}, {}, spectra, AXIS)


@pytest.fixture(scope="module")
def faulty(clean):
    rng, spectra = np.random.default_rng(101), np.array(clean.spectra)
    spectra[rng.permutation(60)[:10], rng.integers(100, size=10)] += 5000
    spectra *= np.exp(rng.normal(0, 1 / 3, (60, 1)))
    spectra[:, 33:35] = 0
    return clean.with_spectra(spectra, AXIS)


def gradients(library, chain):
    model = BASELINES["gaussian-process"](preprocessing=chain).fit(library)
    insight = explain_library(model, library).sel(scheme="dilution")
    there = insight["support"].to_numpy() >= 1
    found = {kind: insight["composition_gradient"].sel(kind=kind).to_numpy()[there] for kind in ("total", "partial")}
    return found | {"alone": insight["composition_only_gradient"].to_numpy()[there]}


def test_prepared_faults_change_gradients_by_less_than_a_fifth(clean, faulty) -> None:
    chain = Preprocessing([Cut(AXIS[33], AXIS[34]), Despike(), Area()])
    without, prepared, raw = (
        gradients(library, each) for library, each in ((clean, chain), (faulty, chain), (faulty, Preprocessing()))
    )
    changed = [
        {kind: np.sqrt(np.mean((found[kind] - own) ** 2) / np.mean(own**2)) for kind, own in without.items()}
        for found in (prepared, raw)
    ]
    assert max(changed[0].values()) <= 0.2
    assert changed[1]["total"] > 2 * changed[0]["total"]  # it is the preparation that mends them
