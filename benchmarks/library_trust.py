"""Do errors and chances hold on libraries of kinds that MatLens was not built on (library_families.py)?

    python benchmarks/library_trust.py                              # four families, seeds 0 to 6, three models
    python benchmarks/library_trust.py --families phases --seeds 0 1 --models auto
    python benchmarks/library_trust.py --faults --seeds 0 1         # spikes, gain errors and dead channels, prepared
    python benchmarks/library_trust.py --summary

Every library and model leaves a file and is not measured again. Seeds from 100 on served to choose, and are not
reported.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from library_families import FAMILIES, Known
from matlens.library.baselines import BASELINES
from matlens.library.gradients import explain_library, neighbourhood_support
from matlens.library.model import LibraryModel
from matlens.library.spectra import Area, Cut, Despike, Preprocessing
from matlens.library.stacking import StackedModel
from matlens.library.suggestions import Campaign, suggest
from matlens.library.table import MaterialsLibrary

FOLDER = Path("build/benchmark/trust")
MEMBERS, SUGGESTED = 10, 10
MODELS: dict[str, Callable[[int], Any]] = {
    "auto": lambda seed: StackedModel(n_models=MEMBERS, seed=seed),
    "ensemble": lambda seed: LibraryModel(n_models=MEMBERS, seed=seed),
    "gaussian-process": lambda seed: BASELINES["gaussian-process"](seed=seed),
}
Row = dict[str, Any]
_PARTIAL = ("composition_gradient", "composition_gradient_error")


def interval_score(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Mean width plus 20 times the overshoot of 90 % intervals."""
    return float(np.mean(high - low + 20 * (np.maximum(low - value, 0) + np.maximum(value - high, 0))))


def gradients(model: Any, known: Known) -> Row:
    """Coverage of total and partial gradients by dilution in directions with support, and of composition alone."""
    library = known.library
    insight, truth = explain_library(model, library).sel(scheme="dilution"), known.dilution(library.compositions)
    there, row = insight["support"].to_numpy() >= 1, {}
    size = truth[there].std()
    total = insight["composition_gradient"].sel(kind="total").to_numpy()
    ways = {"alone": (insight["composition_only_gradient"], insight["composition_only_gradient_spread"])}
    if "composition_gradient_error" in insight:
        ways["total"] = (total, insight["composition_gradient_error"].sel(kind="total"))
        if insight["kind_support"].sel(kind="partial") > 0:  # else the page says that they cannot be told
            partial = (insight[name].sel(kind="partial") for name in _PARTIAL)
            ways["partial"] = tuple(partial)
    truths = {"partial": known.dilution(library.compositions, partial=True)}
    for name, (found, error) in ways.items():
        half = 1.645 * np.asarray(error)[there]
        missed = np.asarray(found)[there] - truths.get(name, truth)[there]
        row[f"{name} inside"] = float((np.abs(missed) <= half).mean())
        row[f"{name} score"] = interval_score(np.zeros(missed.size), missed - half, missed + half) / size
    row["r"] = float(np.corrcoef(total[there], truth[there])[0, 1])
    large = there & (np.abs(truth) > 0.2 * size)
    row["sign"] = float((np.sign(total) == np.sign(truth))[large].mean())
    return row


def suggestions(model: Any, known: Known, seed: int) -> Row:
    """Whether intervals of suggestions hold and chances come true, and how much better the best of ten is."""
    library = known.library
    table = suggest(model, library, n=SUGGESTED, campaign=Campaign(seed=seed))
    x = table[list(library.components)].to_numpy() / 100
    truth, best = known.expected(x), float(known.expected(library.compositions).max())
    process = BASELINES["gaussian-process"](inputs="composition", seed=seed).fit(library, "P")
    low, high = process.predict_interval(MaterialsLibrary(x, library.components, {"P": truth})).T
    inside = ((table["low"] <= truth) & (truth <= table["high"])).to_numpy()
    sure, scale = (table["support"] > 0).to_numpy(), float(library.merit().std())
    return {
        "suggestions": inside.mean(),
        "supported": float(inside[sure].mean()) if sure.any() else np.nan,
        "unsupported": float(inside[~sure].mean()) if (~sure).any() else np.nan,
        "suggestion score": interval_score(truth, table["low"].to_numpy(), table["high"].to_numpy()) / scale,
        "process score": interval_score(truth, low, high) / scale,
        "brier": float(((table["chance"] - (truth > best)) ** 2).mean()),
        "base rate": float((truth > best).mean() * (1 - (truth > best).mean())),
        "better": float((truth > best).mean()),
        "surely wrong": float(((table["chance"] > 0.95) & (truth < best)).mean()),
        "gain": float((truth.max() - best) / scale),
    }


def support(known: Known) -> Row:
    """Marks of compositions within and beyond the measured ranges."""
    x = known.library.compositions
    low, high = x.min(0), x.max(0)
    random = np.random.default_rng(0)
    pairs = random.integers(len(x), size=(2, 400))
    share = random.uniform(-1, 2, (400, 1))
    ends = x[pairs[0]] + share * (x[pairs[1]] - x[pairs[0]])
    ends = ends[(ends >= 0).all(1)]
    beyond = ((ends < low - 0.05 * (high - low)) | (ends > high + 0.05 * (high - low))).any(1)
    unsupported = neighbourhood_support(ends, known.library).flags == 0
    return {"caught beyond": float(unsupported[beyond].mean()), "lost inside": float(unsupported[~beyond].mean())}


def with_faults(library: MaterialsLibrary, seed: int) -> MaterialsLibrary:
    """Spectra with a spike in every sixth, gains that scatter by a third, and two channels that are dead in all."""
    random, spectra = np.random.default_rng(900 + seed), np.array(library.spectra)
    hit = random.permutation(len(spectra))[: len(spectra) // 6]
    spectra[hit, random.integers(spectra.shape[1], size=len(hit))] += 50 * spectra.max()
    spectra *= np.exp(random.normal(0, 1 / 3, (len(spectra), 1)))
    dead = random.integers(2, spectra.shape[1] - 3)
    spectra[:, dead : dead + 2] = 0
    return library.with_spectra(spectra, library.axis)


def faults(family: str, seed: int) -> Row:
    """Change of gradients by faults of the spectra, after preparation, over their size without faults."""
    clean = FAMILIES[family](seed).library
    faulty = with_faults(clean, seed)
    dead = clean.axis[(faulty.spectra == 0).all(0)]
    chain = Preprocessing([Cut(dead[0], dead[-1]), Despike(), Area()])
    found = []
    for library in (clean, faulty):
        model = StackedModel(n_models=MEMBERS, seed=seed, preprocessing=chain).fit(library, "P")
        found.append(explain_library(model, library).sel(scheme="dilution"))
    there, row = found[0]["support"].to_numpy() >= 1, {"family": family, "seed": seed}
    for kind in ("total", "partial", "alone"):
        one, other = (
            (
                each["composition_only_gradient"] if kind == "alone" else each["composition_gradient"].sel(kind=kind)
            ).to_numpy()[there]
            for each in found
        )
        row[kind] = float(np.sqrt(np.mean((other - one) ** 2) / np.mean(one**2)))
        error = found[0].get("composition_gradient_error")
        if kind != "alone" and error is not None:
            own = error.sel(kind=kind).to_numpy()[there]
            row[f"{kind}, over its error"] = float(np.sqrt(np.mean((other - one) ** 2) / np.mean(own**2)))
    return row


def measured(family: str, name: str, seed: int) -> Row:
    """Everything of one library and one model."""
    known, begun = FAMILIES[family](seed), time.process_time()
    model = MODELS[name](seed).fit(known.library, "P")
    row = {"family": family, "model": name, "seed": seed, "fit": time.process_time() - begun}
    row |= gradients(model, known) | suggestions(model, known, seed) | support(known)
    return row | {"seconds": time.process_time() - begun}


def main() -> None:
    """Measure what has not been measured, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES))
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(7)))
    parser.add_argument("--summary", action="store_true", help="print what is there; measure nothing")
    parser.add_argument("--faults", action="store_true", help="measure what faults of spectra change")
    asked = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for seed in () if asked.summary else asked.seeds:
        for family in asked.families:
            file = FOLDER / f"faults_{family}_{seed}.json"
            if asked.faults and not file.is_file() and FAMILIES[family](seed).library.spectra is not None:
                file.write_text(json.dumps(faults(family, seed)))
                print(file.name, flush=True)
            for name in () if asked.faults else asked.models:
                file = FOLDER / f"{family}_{name}_{seed}.json"
                if not file.is_file():
                    file.write_text(json.dumps(measured(family, name, seed)))
                    print(file.name, flush=True)
    table = stored(asked.seeds, faults=False)
    if len(table):
        means = table.groupby(["family", "model"]).mean(numeric_only=True).drop(columns="seed")
        means.insert(0, "libraries", table.groupby(["family", "model"]).size())
        print(means.round(2).to_string())
    changed = stored(asked.seeds, faults=True)
    if len(changed):
        print(changed.groupby("family").mean(numeric_only=True).drop(columns="seed").round(3).to_string())


def stored(seeds: list[int], *, faults: bool) -> pd.DataFrame:
    """What was measured; seeds that served to choose only where they are asked for."""
    files = [file for file in sorted(FOLDER.glob("*.json")) if file.name.startswith("faults_") == faults]
    rows = [json.loads(file.read_text()) for file in files]
    return pd.DataFrame([row for row in rows if row["seed"] < 100 or row["seed"] in seeds])


if __name__ == "__main__":
    main()
