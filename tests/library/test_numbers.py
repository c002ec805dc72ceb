"""Numbers as they were before parts of the package were merged, stored beside this file.

`python tests/library/test_numbers.py` writes them anew; only do so when a number is meant to change.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from matlens.core.nearness import Nearness
from matlens.library.baselines import BASELINES
from matlens.library.evidence import prediction_support
from matlens.library.gradients import (
    composition_support,
    design_of,
    fit_composition_response,
    fit_trend,
    neighbourhood_support,
)
from matlens.library.model import LibraryModel
from matlens.library.suggestions import Campaign, Limits, suggest
from matlens.library.suggestions.moves import distances
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import paired, summarise
from matlens.microstructure.properties.evaluation import score_table

FILE = Path(__file__).with_name("numbers.json")
CLOSE = 1e-6  # relative to the largest of its kind
LOOSE = {  # searches and training in single precision end a little elsewhere on other processors
    "ensemble": 2e-3,
    "ensemble with spectra": 2e-3,
    "gaussian process": 1e-4,
    "suggestions": 1e-4,
}


def made(spectra: bool) -> MaterialsLibrary:
    """Three components in replicates, one more in a few samples, and a spectrum with one band that counts."""
    random = np.random.default_rng(0)
    x = np.repeat(random.dirichlet([2, 2, 1, 0.1], 24), 2, axis=0).round(2)
    x[:, 3] = np.where(x[:, 3] < 0.02, 0, x[:, 3])
    x[:, 0] = 1 - x[:, 1:].sum(1)
    axis, hidden = np.linspace(700, 900, 30), random.normal(size=len(x))
    bands = np.exp(-0.5 * ((axis - 800) / 20) ** 2) + (0.4 + 0.1 * hidden[:, None] + 0.2 * x[:, [1]]) * np.exp(
        -0.5 * ((axis - 730) / 12) ** 2
    )
    bands += 0.002 * random.normal(size=bands.shape)
    merit = x[:, 0] + 2 * x[:, 1] * x[:, 2] + 0.2 * hidden + 0.02 * random.normal(size=len(x))
    shown = {"spectra": bands, "axis": axis} if spectra else {}
    return MaterialsLibrary(x, ("Bi", "V", "W", "Mo"), {"P": merit}, {"P": "mW/cm2"}, **shown)


def ensemble(spectra: bool):
    library = made(spectra)
    model = LibraryModel(n_models=4, seed=1).fit(library)
    found = model.gradients(library.compositions[:3], library.spectra[:3] if spectra else None)
    errors = model.gradient_errors(library.compositions[:3], library.spectra[:3] if spectra else None)
    shown = {} if found.spectrum is None else {"spectral": found.spectrum[:, :, ::7]}
    return {
        "values": found.values,
        "composition": found.composition,
        "interval": model.predict_interval(library)[:4],
        "errors": np.sqrt(np.diagonal(errors.covariance, axis1=1, axis2=2)),
        "share": model.ensemble_.share,
        **shown,
    }


def process():
    library = made(True)
    model = BASELINES["gaussian-process"]().fit(library)
    found = model.gradients(library.compositions[:4], library.spectra[:4])
    return {
        "values": found.values,
        "composition": found.composition,
        "spectral": found.spectrum[:, :, ::7],
        "interval": model.predict_interval(library)[:4],
    }


def trend():
    library = made(True)
    x, groups = library.compositions, library.replicates()
    outputs = np.stack([library.merit("P"), np.sin(4 * x[:, 1]), library.spectra[:, 4]], 1)
    found = fit_trend(x, outputs, groups)
    new = np.random.default_rng(1).dirichlet([2, 2, 1, 1], 4)
    return {
        "values": found.predict(new),
        "slopes": found.gradients(new),
        "covariances": found.gradient_covariances(new),
        "residual": found.residual[:6],
        "explained": found.explained,
    }


def surrogate(linear: bool):
    library = made(False)
    design = design_of(library.compositions, library.replicates(), linear=linear)
    found = fit_trend(library.compositions, library.merit("P")[:, None], design=design)
    new = np.random.default_rng(1).dirichlet([2, 2, 1, 1], 4)
    mean, covariance = found.joint(new)
    return {
        "values": mean,
        "covariance": covariance,
        "spread": found.deviation(new),
        "left_out": found.left_out[:, 0],
        "noise": found.noise,
    }


def response():
    found = fit_composition_response(made(True))
    return {"free": found.free_share, "noise": found.noise_share, "explained": found.trend.explained}


def held_out_table() -> pd.DataFrame:
    random = np.random.default_rng(2)
    tables = []
    for name, error in (("good", 0.1), ("poor", 0.4)):
        value = np.tile(np.random.default_rng(3).normal(size=40), 2)
        predicted = value + error * random.normal(size=80)
        tables.append(
            pd.DataFrame(
                {
                    "model": name,
                    "partition": "grouped",
                    "repeat": np.repeat([0, 1], 40),
                    "fold": np.tile(np.arange(40) % 5, 2),
                    "sample": np.tile(np.arange(40), 2),
                    "group": np.tile(np.arange(40) // 2, 2),
                    "value": value,
                    "predicted": predicted,
                    "low": predicted - 2 * error,
                    "high": predicted + 2 * error,
                    "censored": 0,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def scores(resample: str):
    table = held_out_table()
    found = summarise(table, resample=resample), paired(table, "good", resample=resample)
    return {name: one.select_dtypes("number").to_numpy() for name, one in zip(("scores", "paired"), found)}


def structures(log: bool):
    table = held_out_table()
    table["value"], table["predicted"] = np.exp(table["value"]), np.exp(table["predicted"])
    table = table.assign(inside=True, in_domain=True)
    found = {name: part.reset_index(drop=True) for name, part in table.groupby("model")}
    return {"scores": score_table(found, "good", log=log).select_dtypes("number").to_numpy()}


def support():
    library = made(False)
    x, groups = library.compositions, library.replicates()
    new = np.random.default_rng(1).dirichlet([2, 2, 1, 1], 8)
    found = composition_support(new, x, groups)
    domain = Nearness.fit(x, groups)
    around = neighbourhood_support(new, library)
    asked = MaterialsLibrary(new, library.components, {})
    beside = prediction_support(BASELINES["ridge"]().fit(library), library, asked)
    return {
        "flags": found.flags,
        "distance": np.nan_to_num(found.distance, nan=-1),
        "count": found.count,
        "domain": domain.distance(new),
        "around": np.stack([around.flags, around.near, around.usual]),
        "distances": distances(new, x),
        "prediction": beside[["support", "distance"]].to_numpy(),
    }


def suggestions():
    library = made(True)
    model = BASELINES["gaussian-process"]().fit(library)
    found = suggest(model, library, n=3, campaign=Campaign(limits=Limits(increment=0.02), moves=1))
    return {"table": found[["expected", "low", "high", "gain", "chance", "support", *library.components]].to_numpy()}


CASES = {
    "ensemble": lambda: ensemble(False),
    "ensemble with spectra": lambda: ensemble(True),
    "gaussian process": process,
    "trend": trend,
    "surrogate": lambda: surrogate(False),
    "surrogate with trend": lambda: surrogate(True),
    "composition response": response,
    "scores by group": lambda: scores("group"),
    "scores by fold": lambda: scores("fold"),
    "structures": lambda: structures(False),
    "structures, log": lambda: structures(True),
    "support": support,
    "suggestions": suggestions,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_stored(name: str) -> None:
    stored = json.loads(FILE.read_text())[name]
    found, close = CASES[name](), LOOSE.get(name, CLOSE)
    assert found.keys() == stored.keys()
    for key, value in found.items():
        expected = np.asarray(stored[key], np.float64)
        scale = max(float(np.nanmax(np.abs(expected))), 1e-12)
        np.testing.assert_allclose(np.asarray(value, np.float64), expected, rtol=0, atol=close * scale, err_msg=key)


def rounded(value):
    return json.loads(
        json.dumps(np.asarray(value, np.float64).tolist()), parse_float=lambda x: float(f"{float(x):.9g}")
    )


if __name__ == "__main__":
    content = {name: {key: rounded(value) for key, value in make().items()} for name, make in CASES.items()}
    lines = [f"  {json.dumps(name)}: {json.dumps(case)}" for name, case in content.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
