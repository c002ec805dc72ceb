"""Scores against their definitions, and on real libraries."""

from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import r2_score

from matlens.errors import InputError
from matlens.library.baselines import BASELINES
from matlens.library.io import read_library
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import PARTITIONS, concordance, held_out, paired, summarise


def predictions(
    count: int = 60, *, repeats: int = 2, model: str = "m", error: float = 0.5, seed: int = 0
) -> pd.DataFrame:
    """Predictions of ``count`` samples in groups of two, with errors of known size; the last five are censored."""
    value = np.random.default_rng(9).normal(size=count)
    tables = []
    for repeat in range(repeats):
        guess = value + error * np.random.default_rng([seed, repeat]).normal(size=count)
        tables.append(
            pd.DataFrame(
                {
                    "model": model,
                    "partition": "grouped",
                    "repeat": repeat,
                    "fold": [str(row % 5) for row in range(count)],
                    "sample": [str(row) for row in range(count)],
                    "group": np.arange(count) // 2,
                    "value": value,
                    "predicted": guess,
                    "low": guess - 0.8,
                    "high": guess + 0.9,
                    "censored": np.r_[np.zeros(count - 5, int), [1, 1, 1, -1, -1]],
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def test_scores_are_their_definitions() -> None:
    table = predictions()
    found = summarise(table, coverage=0.8).iloc[0]
    parts = [part[part["censored"] == 0] for _, part in table.groupby("repeat")]
    assert found["n"] == 55
    assert found["censored"] == 5
    assert found["r2"] == pytest.approx(np.mean([r2_score(p["value"], p["predicted"]) for p in parts]))
    assert found["spearman"] == pytest.approx(np.mean([spearmanr(p["value"], p["predicted"])[0] for p in parts]))
    errors = [np.sqrt(np.mean((p["value"] - p["predicted"]) ** 2)) for p in parts]
    assert found["rmse"] == pytest.approx(np.mean(errors))
    score, inside = [], []
    for row in pd.concat(parts).itertuples():
        below, above = max(row.low - row.value, 0), max(row.value - row.high, 0)
        score.append(row.high - row.low + 2 / 0.2 * (below + above))
        inside.append(row.low <= row.value <= row.high)
    assert found["interval_score"] == pytest.approx(np.mean(score))
    assert found["coverage"] == pytest.approx(np.mean(inside))
    assert found["width"] == pytest.approx(1.7)


def test_concordance_counts_the_pairs_whose_order_is_known() -> None:
    table, right, pairs = predictions(), 0.0, 0
    for _, part in table.groupby("repeat"):
        rows = part.to_dict("records")
        for one, other in product(rows, rows):
            if one["censored"] == 0 or other["censored"] != 0:
                continue
            side = one["censored"]
            if side * (one["value"] - other["value"]) >= 0:
                pairs += 1
                right += side * (one["predicted"] - other["predicted"]) > 0
    assert concordance(table) == pytest.approx(right / pairs)
    assert np.isnan(concordance(table[table["censored"] == 0]))


@pytest.mark.slow
@pytest.mark.parametrize("resample", ["group", "fold"])
def test_intervals_of_scores_are_those_of_explicit_resampling(resample: str) -> None:
    table = predictions(200, repeats=1)
    table = table[table["censored"] == 0]
    random, drawn = np.random.default_rng(1), []
    members = [np.flatnonzero(table[resample] == name) for name in table[resample].unique()]
    for _ in range(1000):
        rows = np.concatenate([members[k] for k in random.integers(len(members), size=len(members))])
        drawn.append(r2_score(table["value"].iloc[rows], table["predicted"].iloc[rows]))
    found = summarise(table, resample=resample).iloc[0]
    low, high = np.quantile(drawn, [0.05, 0.95])
    assert [found["r2_low"], found["r2_high"]] == pytest.approx([low, high], abs=0.02)
    assert low < found["r2"] < high


def test_paired_differences_tell_the_better_model_and_leave_equal_ones_open() -> None:
    tables = [predictions(model="good"), predictions(model="same", seed=1), predictions(model="bad", error=1.0, seed=2)]
    found = paired(pd.concat(tables), "good").set_index("other")
    single = {table["model"][0]: summarise(table).iloc[0] for table in tables}
    for name in ("same", "bad"):
        assert found.loc[name, "r2_gain"] == pytest.approx(single["good"]["r2"] - single[name]["r2"])
        assert found.loc[name, "rmse_ratio"] == pytest.approx(single["good"]["rmse"] / single[name]["rmse"])
    assert found.loc["bad", "r2_gain_low"] > 0.2
    assert found.loc["bad", "rmse_ratio_high"] < 0.8
    assert found.loc["same", "r2_gain_low"] < 0 < found.loc["same", "r2_gain_high"]


def test_models_must_be_held_out_alike() -> None:
    table = predictions()
    with pytest.raises(InputError, match="different samples"):
        paired(pd.concat([table, table.assign(model="other").iloc[::-1]]), "m")
    with pytest.raises(InputError, match="only of m"):
        paired(table, "other")
    with pytest.raises(InputError, match="all held-out samples are censored"):
        summarise(table.assign(censored=1))
    with pytest.raises(InputError, match="'group' or 'fold'"):
        summarise(table, resample="row")


class Spy:
    """Predicts what it never saw as 0 and what it saw as 1."""

    unit_ = ""

    def fit(self, library: MaterialsLibrary, target: str | None = None) -> None:
        self.seen, self.target_ = set(library.samples), target

    def predict(self, library: MaterialsLibrary) -> np.ndarray:
        return np.array([float(name in self.seen) for name in library.samples])

    def predict_interval(self, library: MaterialsLibrary, coverage: float = 0.9) -> np.ndarray:
        return np.repeat([[coverage, 2.0]], len(library), axis=0)


def test_no_sample_is_predicted_by_a_model_that_saw_it() -> None:
    a = np.random.default_rng(0).random(30)
    merit = np.where(np.arange(30) % 7 == 0, np.nan, a)
    library = MaterialsLibrary(np.c_[a, 1 - a], ("A", "B"), {"P": merit, "Q": a})
    table = held_out(Spy, library, PARTITIONS["grouped"](library, folds=4, repeats=2), target="P", coverage=0.7)
    assert not table["predicted"].any()
    assert set(table["low"]) == {0.7}
    assert len(table) == 2 * np.isfinite(merit).sum()
    by_sample = table[table["repeat"] == 1].set_index("sample")["value"]
    assert all(by_sample[str(row)] == merit[row] for row in np.flatnonzero(np.isfinite(merit)))


@pytest.mark.slow
def test_iron_gallium_palladium_as_published(data_dir: Path) -> None:
    library = read_library(data_dir / "library" / "fegapd")
    make = partial(BASELINES["gaussian-process"], inputs="composition")
    tables = [
        held_out(make, library, PARTITIONS["shuffled"](library, folds=10)),
        held_out(make, library, PARTITIONS["regions"](library, folds=8, repeats=1)),
    ]
    found = summarise(pd.concat(tables), resample="fold").set_index("partition")
    assert 0.90 < found.loc["shuffled", "r2"] < 0.95
    assert 0.75 < found.loc["regions", "r2"] < 0.90
    assert found.loc["regions", "censored"] == 19
    assert found.loc["regions", "concordance"] > 0.95
    assert 0.85 < found.loc["shuffled", "coverage"] < 0.95


def test_polymer_blend_on_its_logarithm(data_dir: Path) -> None:
    library = read_library(data_dir / "library" / "P3HT_dataset.csv")
    folds = PARTITIONS["grouped"](library, folds=5)
    tables = [
        held_out(partial(BASELINES[n], transform="log10"), library, folds, name=n)
        for n in ("ridge", "gaussian-process")
    ]
    found = summarise(pd.concat(tables)).set_index("model")
    assert 0.80 < found.loc["gaussian-process", "r2"] < 0.95
    assert 0.8 < found.loc["gaussian-process", "coverage"] < 0.97
