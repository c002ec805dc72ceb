"""First page of checks: on libraries whose noise and drifts are known, and on real ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from matlens.library.io import read_library
from matlens.library.model.targets import Target, target_of
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import check_library
from matlens.library.validation.checks import (
    CONTROL,
    NoiseCeiling,
    _alarm,
    _coverage_sentence,
    _noise_sentence,
    noise_ceiling,
    sampled,
)


def made(noise: float, *, drift: float = 0.0, replicates: int = 3, seed: int = 0) -> MaterialsLibrary:
    """P = 4 a + drift with the position on the plate + noise; 60 compositions in random order."""
    random = np.random.default_rng(seed)
    a = np.repeat(random.random(60).round(3), replicates)
    random.shuffle(a)
    place = random.uniform(-1, 1, (len(a), 2))
    merit = 4 * a + drift * place[:, 0] + noise * random.normal(size=len(a))
    covariates = pd.DataFrame({"x": place[:, 0], "plate": random.choice(["p", "q"], len(a)), "one": 1.0})
    return MaterialsLibrary(np.c_[a, 1 - a], ("A", "B"), {"P": merit}, covariates=covariates)


def ceiling(library: MaterialsLibrary) -> NoiseCeiling:
    return noise_ceiling(library, target_of(library, None))


def test_noise_and_ceiling_are_found() -> None:
    found = [ceiling(made(0.5, seed=seed)) for seed in range(5)]
    assert np.mean([each.noise for each in found]) == pytest.approx(0.5, rel=0.05)
    spread = 16 / 12
    truth = spread / (spread + 0.25)
    assert np.mean([each.ceiling for each in found]) == pytest.approx(truth, abs=0.03)
    assert all(each.low < each.ceiling < each.high for each in found)
    assert found[0].samples == 180


def test_the_ceiling_is_what_the_truth_itself_scores() -> None:
    library = made(0.7)
    value, best = library.merit(), 4 * library.compositions[:, 0]
    score = 1 - np.mean((value - best) ** 2) / value.var()
    assert ceiling(library).ceiling == pytest.approx(score, abs=0.05)


@pytest.mark.slow
def test_without_replicates_noise_is_unknown() -> None:
    a = np.linspace(0, 1, 30)
    library = MaterialsLibrary(np.c_[a, 1 - a], ("A", "B"), {"P": a})
    assert np.isnan(ceiling(library).ceiling)
    assert check_library(library).sentences[1].startswith("Replicates: none")


@pytest.mark.slow
def test_drift_over_the_plate_is_found_and_nothing_else() -> None:
    checks = check_library(made(0.1, drift=1.0, replicates=2))
    drifting = checks.confounding.set_index("covariate")
    assert drifting.loc["x", "r2_rest"] > 0.7
    assert "one" not in drifting.index
    assert drifting.loc[["plate", "order in the file", CONTROL], "r2_rest"].max() < 0.1
    alarmed = any(alarm.startswith("The x alone predicts P") for alarm in checks.alarms)
    assert alarmed == (drifting.loc["x", "r2"] > 0.3)
    assert "x predicts what a model of composition leaves unexplained" in checks.sentences[2]
    assert "neither the order in the file nor any other column" in check_library(made(0.3, replicates=2)).sentences[2]


@pytest.mark.slow
def test_position_that_goes_with_composition_is_not_blamed() -> None:
    a = np.linspace(0, 1, 80)
    place = pd.DataFrame({"x": 10 * a})
    merit = np.sin(4 * a) + 0.05 * np.random.default_rng(0).normal(size=80)
    checks = check_library(MaterialsLibrary(np.c_[a, 1 - a], ("A", "B"), {"P": merit}, covariates=place))
    table = checks.confounding.set_index("covariate")
    assert table.loc["x", "r2"] > 0.9
    assert table["r2_rest"].max() < 0.1
    assert "but nothing of what a model of composition leaves" in checks.sentences[2]


def test_what_was_sampled_is_counted() -> None:
    fractions = [[0.5, 0.5, 0, 0], [0.4, 0.5, 0.1, 0], [0.4, 0.5, 0, 0.1], [0.4, 0.4, 0.1, 0.1], [0.4, 0.4, 0.1, 0.1]]
    components, pairs, systems = sampled(MaterialsLibrary(fractions, ("Bi", "V", "W", "Mo"), {"P": range(5)}))
    assert components["samples"].tolist() == [5, 5, 3, 3]
    assert components["alone"].tolist()[2:] == [1, 1]
    assert components["levels"].tolist() == [2, 2, 1, 1]
    assert pairs.loc["W", "Mo"] == 2
    assert systems.iloc[0].tolist() == ["Bi-V-W-Mo", 2, 1]


@pytest.mark.slow
def test_gaps_between_compositions_are_seen() -> None:
    random = np.random.default_rng(0)
    full = random.dirichlet(np.ones(3), 120)
    corners = np.concatenate([random.dirichlet(weights, 40) for weights in ([90, 5, 5], [5, 90, 5], [5, 5, 90])])
    filled = [check_library(MaterialsLibrary(x, ("A", "B", "C"), {"P": x[:, 0]})).filled for x in (full, corners)]
    assert filled[0] > 0.9
    assert filled[1] < 0.5


def test_one_composition_only() -> None:
    shift = np.random.default_rng(0).normal(size=30)
    axis = np.arange(20.0)
    library = MaterialsLibrary(
        np.ones((30, 1)), ("Fe",), {"P": shift}, {}, np.exp(-(((axis - 9 - shift[:, None]) / 4) ** 2)), axis
    )
    checks = check_library(library)
    assert np.isnan(checks.filled)
    assert checks.noise.groups == 1
    assert checks.sentences[0] == "Sampled: 30 samples of 1 compositions in 1 co-alloy systems."


@pytest.mark.slow
def test_polymer_blend(data_dir: Path) -> None:
    checks = check_library(read_library(data_dir / "library" / "P3HT_dataset.csv"), transform="log10")
    assert checks.noise.groups > 30
    assert 0.95 < checks.noise.ceiling < 1
    assert len(checks.systems) == 5
    assert checks.sentences[0].startswith("Sampled: 233 samples")


def test_the_order_of_rows_that_predicts_as_well_as_composition_raises_an_alarm() -> None:
    rows = {"covariate": ["order in the file", CONTROL], "r2": [0.74, 0.68], "r2_rest": [0.35, 0.0]}
    target = Target("P", "", "none")
    assert _alarm(pd.DataFrame(rows), target).startswith("The order in the file alone predicts P with R2 0.74")
    explained = pd.DataFrame(rows | {"r2_rest": [0.05, 0.0]})  # as on a spread, where position is composition
    assert _alarm(explained, target) == ""
    assert _alarm(pd.DataFrame(rows | {"r2": [0.2, 0.68]}), target) == ""


@pytest.mark.parametrize(
    ("filled", "told"), [(0.79, "21 % have none: there are wide gaps."), (0.95, "such distances.")]
)
def test_gaps_are_counted_by_the_mixtures_that_have_no_neighbour(filled: float, told: str) -> None:
    assert _coverage_sentence(made(0.1), 1, 0.01, filled).endswith(told)


def test_a_ceiling_holds_for_composition_alone() -> None:
    noise = noise_ceiling(made(0.7), Target("P", "", "none"))
    assert "composition alone" in _noise_sentence(noise, Target("P", "", "none"), spectra=False)
    assert _noise_sentence(noise, Target("P", "", "none"), spectra=True).endswith("one that reads spectra too can.")
