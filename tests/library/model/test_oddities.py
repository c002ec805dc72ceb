"""Values, spectra and columns that stand out before any model: as instruments and tables make them."""

import numpy as np
import pytest

from matlens import InputError, LibraryModel, MaterialsLibrary, explain, suggest
from matlens.library.spectra import Despike, Preprocessing
from matlens.library.validation import check_library
from matlens.library.validation.oddities import far_values, odd_spectra

NAMES = ("Fe", "Co", "Ni")


def ternary(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.dirichlet([1, 1, 1], n)
    return x, x[:, 0] - x[:, 1] + 0.1 * random.normal(size=n)


@pytest.mark.parametrize("code", [-9999.0, 9.97e36, 99999.0])
def test_codes_for_missing_values_are_named_first(code: float) -> None:
    x, value = ternary(30)
    value[:5] = code
    checks = check_library(MaterialsLibrary(x, NAMES, {"P": value}))
    assert checks.alarms[0].startswith(f"5 values of P, all {code:.6g}, lie far from the rest (")
    assert checks.alarms[0].endswith("missing?")


def test_outliers_and_slips_of_units_are_named() -> None:
    x, value = ternary()
    value[[3, 7, 20]] = 50
    alarm = check_library(MaterialsLibrary(x, NAMES, {"P": value})).alarms[0]
    assert alarm.startswith("3 values of P, all 50, lie far")
    value = 5 + ternary()[1]
    value[[3, 7]] *= 1000
    alarm = check_library(MaterialsLibrary(x, NAMES, {"P": value})).alarms[0]
    assert "about 1000 times the others: another unit?" in alarm
    assert "3: " in alarm  # the samples are named
    assert "7: " in alarm


@pytest.mark.parametrize("seed", range(20))
def test_values_as_they_are_measured_raise_no_alarm(seed: int) -> None:
    random = np.random.default_rng(seed)
    for value in (random.normal(size=40), random.exponential(size=40), np.exp(3 * random.normal(size=40))):
        assert far_values(value).size == 0


@pytest.mark.parametrize("name", ["Annealing temperature (°C)", "O2 flow (sccm)", "batch number"])
def test_every_other_column_of_numbers_is_tried_as_a_cause(name: str) -> None:
    x, _ = ternary()
    random = np.random.default_rng(1)
    heat = random.uniform(300, 600, 60)
    library = MaterialsLibrary(x, NAMES, {"P": 0.01 * heat + 0.05 * random.normal(size=60), name: heat})
    assert any(alarm.startswith(f"The {name} alone predicts P") for alarm in check_library(library, "P").alarms)


def test_a_column_that_follows_a_component_is_named() -> None:
    x, _ = ternary()
    library = MaterialsLibrary(x, NAMES, {"P": 3 * x[:, 0], "T (°C)": 300 + 300 * x[:, 0]})
    assert (
        "T (°C) follows the fraction of Fe (r = 1.00): their effects are inseparable."
        in check_library(library, "P").alarms
    )


AXIS = np.linspace(100, 1000, 120)


def spectral(spikes: int, seed: int = 0, n: int = 60) -> MaterialsLibrary:
    """Two bands that follow composition, one that shows a state; single channels raised by 1000 counts."""
    random = np.random.default_rng(seed)
    x, h = random.dirichlet([1, 1, 1], n), random.uniform(0.5, 1.5, n)

    def band(centre: float, width: float) -> np.ndarray:
        return np.exp(-0.5 * ((AXIS - centre) / width) ** 2)

    bands = x[:, [0]] * band(280, 22) + x[:, [1]] * band(520, 25) + 0.3 * h[:, None] * band(760, 20)
    spectra = 100 * bands + 2 * random.normal(size=bands.shape) + 20
    value = 1.5 * x[:, 0] - x[:, 1] + 1.2 * (h - 1) + 0.03 * random.normal(size=n)
    spectra[random.choice(n, spikes, replace=False), random.integers(5, 115, spikes)] += 5000
    return MaterialsLibrary(x, NAMES, {"P": value}, {}, spectra, AXIS)


def test_spikes_are_counted_before_any_model() -> None:
    said = odd_spectra(spectral(10))
    assert len(said) == 1
    assert said[0].startswith("10 channels in 10 of 60 spectra stand out as spikes")
    assert odd_spectra(spectral(0)) == []


@pytest.mark.slow
def test_spikes_that_are_removed_do_not_shape_what_is_made_of_spectra() -> None:
    chain = Preprocessing([Despike()])
    clean, spiked = (explain(LibraryModel(n_models=4, preprocessing=chain).fit(spectral(spikes))) for spikes in (0, 10))
    near = np.abs(AXIS - 760) <= 60
    for name in ("composition_gradient", "composition_gradient_error"):
        one, other = (each[name].sel(scheme="dilution", kind="total") for each in (clean, spiked))
        assert float(np.sqrt(((one - other) ** 2).mean())) <= 0.2 * float(np.sqrt((one**2).mean()))
    gradient = spiked["spectral_gradient"].mean("sample").to_numpy()
    assert (gradient[near] ** 2).sum() / (gradient**2).sum() >= 0.6  # of the band that counts


@pytest.mark.parametrize("level", [0.0, 5.0])
def test_equal_spectra_are_passed_over(level: float) -> None:
    x, value = ternary(30)
    library = MaterialsLibrary(x, NAMES, {"P": value}, {}, np.full((30, 15), level), np.arange(15.0))
    model = LibraryModel(n_models=2).fit(library)
    assert not model.uses_spectrum_
    assert np.isfinite(explain(model)["composition_gradient"].sel(kind="total", scheme="dilution")).all()
    assert len(suggest(model, library, n=2)) == 2
    assert odd_spectra(library)[0] == "The spectra of 30 samples are constant (all); they show nothing."
    with pytest.raises(InputError, match="are equal and show nothing"):
        LibraryModel(n_models=2, inputs="both").fit(library)
