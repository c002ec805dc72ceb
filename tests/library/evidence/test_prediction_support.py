"""Support of samples to be predicted: against layouts where the answer is plain."""

import numpy as np
import pytest

from matlens.library.baselines import BaselineModel
from matlens.library.evidence import prediction_support
from matlens.library.spectra import Preprocessing, StandardNormalVariate
from matlens.library.table import MaterialsLibrary

NAMES = ("Fe", "Ga", "Pd", "Tb")
AXIS = np.arange(40.0)


def triangle(step: float = 0.05, spectra: bool = False) -> MaterialsLibrary:
    """A grid over Fe-Ga-Pd, up to half of Ga and of Pd together; Tb in three samples without Pd."""
    random = np.random.default_rng(0)
    grid = [(1 - a - b, a, b, 0.0) for a in np.arange(0, 0.51, step) for b in np.arange(0, 0.51, step) if a + b < 0.51]
    x = np.array([*grid, *[(0.9 - a, a, 0, 0.1) for a in (0.0, 0.05, 0.1)]])
    peaks = np.exp(-0.5 * ((AXIS - 10 - 20 * x[:, [1]]) / 3) ** 2) + 0.01 * random.normal(size=(len(x), 40))
    return MaterialsLibrary(x, NAMES, {"P": x[:, 1] + x[:, 3]}, {}, peaks if spectra else None,
                            AXIS if spectra else None)  # fmt: skip


def asked(*compositions: list[float], spectra: np.ndarray | None = None) -> MaterialsLibrary:
    return MaterialsLibrary(compositions, NAMES, {}, {}, spectra, None if spectra is None else AXIS)


def test_inside_the_grid_is_supported_and_far_outside_is_not() -> None:
    measured = triangle()
    model = BaselineModel("ridge").fit(measured)
    found = prediction_support(model, measured, asked([0.73, 0.13, 0.14, 0], [0.42, 0.34, 0.24, 0], [0, 0.5, 0.5, 0]))
    assert found["support"].tolist() == [2, 0, 0]
    assert found["distance"].to_numpy() == pytest.approx([2 + 1e-9, 9, 50], abs=1.01)  # no farther than to the grid
    assert found["question"].tolist() == ["interpolation", "new region", "new region"]
    assert found["note"][0] == ""
    assert found["note"][1].startswith("42 at% Fe is outside the measured range (50 to 100 at%)")
    assert "50 at% from the nearest measured composition (neighbours there are 5 apart)" in found["note"][2]
    assert found["nearest"][0] in measured.samples


def test_the_nearest_sample_is_the_one_that_brute_force_finds() -> None:
    measured, random = triangle(), np.random.default_rng(1)
    x = random.dirichlet([3, 1, 1, 0.2], 20)
    found = prediction_support(BaselineModel("ridge").fit(measured), measured, asked(*x.tolist()))
    for row, name, distance in zip(x, found["nearest"], found["distance"]):
        apart = [0.5 * sum(abs(a - b) for a, b in zip(row, other)) for other in measured.compositions]
        assert measured.samples[int(np.argmin(apart))] == name
        assert 100 * min(apart) == pytest.approx(distance, abs=1e-5)


def test_components_measured_rarely_or_never_together() -> None:
    measured = triangle()
    model = BaselineModel("ridge").fit(measured)
    found = prediction_support(model, measured, asked([0.9, 0, 0, 0.1], [0.88, 0, 0.02, 0.1], [0.83, 0.07, 0, 0.1]))
    assert found["support"].tolist() == [1, 0, 1]
    assert found["question"][1] == "new system"
    assert found["note"].tolist() == [
        "little was measured with Tb",
        "nothing was measured with Pd-Tb; little was measured with Tb",
        "little was measured with Tb, Ga-Tb",
    ]


def test_a_strange_spectrum_is_told_unless_the_model_does_not_look_at_it() -> None:
    measured = triangle(spectra=True)
    assert measured.spectra is not None
    own = measured.spectra[[30, 30, 30]] + 0.01 * np.random.default_rng(2).normal(size=(3, 40))
    own[1] += 2 * np.exp(-0.5 * ((AXIS - 35) / 2) ** 2)  # a peak that nothing has
    own[2] *= 5  # brightness
    here = asked(*measured.compositions[[30, 30, 30]].tolist(), spectra=own)
    plain, snv, blind = (
        BaselineModel("ridge", **options).fit(measured)  # type: ignore[arg-type]
        for options in (
            {"preprocessing": Preprocessing()},
            {"preprocessing": Preprocessing([StandardNormalVariate()])},
            {"inputs": "composition"},
        )
    )
    levels = [prediction_support(model, measured, here)["support"].tolist() for model in (plain, snv, blind)]
    assert levels == [[2, 0, 0], [2, 0, 2], [2, 2, 2]]
    assert "spectrum" in prediction_support(plain, measured, here)["note"][1]


@pytest.mark.slow
def test_a_model_of_spectra_alone_does_not_ask_for_compositions() -> None:
    measured = triangle(spectra=True)
    assert measured.spectra is not None
    model = BaselineModel("ridge", inputs="spectrum").fit(measured)
    assert prediction_support(model, measured, asked([0, 0, 0.5, 0.5], spectra=measured.spectra[:1]))["support"][0] == 2
