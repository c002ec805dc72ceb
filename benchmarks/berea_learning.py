"""Formation factors of Berea sandstone cubes from their slices, learned on other cubes.

    python benchmarks/berea_learning.py

27 cubes of 128^3 voxels with published formation factors along three axes; a third of them, a slab of nine neighbours,
is left out, in each of the three directions: nine folds. Beside VGG-19 on slices: Archie's law FF = a phi^-m fitted on
the same training cubes, two-point maps, and volume fraction. Resumes fold by fold; the rows stand in one JSON file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd

from berea import data_file
from matlens.microstructure.commands.feature_cache import FeatureCache
from matlens.microstructure.encoders import load_encoder
from matlens.microstructure.properties import StructurePropertyModel, StructureSet
from matlens.microstructure.properties.data_sets.symmetry import views
from matlens.microstructure.segmentation import read_microstructure

PLACE = Path("build/benchmark/transfer")
AXES = "zyx"


def cubes() -> tuple[StructureSet, pd.DataFrame]:
    table = pd.read_csv(data_file("berea_128_subvolume_permeability.csv"))
    volume = read_microstructure(data_file("berea_400.zip"))
    labels = np.stack(
        [volume.labels[z : z + 128, y : y + 128, x : x + 128] for z, y, x in table[["z0", "y0", "x0"]].to_numpy()]
    )
    targets = pd.DataFrame({f"k_{i}{i}": 1 / table[f"FF_{axis}"] for i, axis in enumerate(AXES)})
    return StructureSet.from_arrays(labels, targets=targets), table


def archie(train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """FF = a phi^-m by least squares of the logarithms, all axes together."""
    phi, factor = train["porosity"].to_numpy(), train[[f"FF_{axis}" for axis in AXES]].to_numpy()
    slope, offset = np.polyfit(np.log(np.repeat(phi, 3)), np.log(factor).ravel(), 1)
    return np.exp(offset + slope * np.log(np.repeat(test["porosity"].to_numpy(), 3))).reshape(-1, 3)


def predicted(model: StructurePropertyModel, data: StructureSet, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Formation factors (cubes, axes) by a model of the conductivity along axis 0, asked of turned cubes."""
    model.fit(data.select(train), "k_00")
    seen = views("k_00", [f"k_{i}{i}" for i in range(3)], ndim=3)
    found = {view.column: 1 / model.predict(view.see(data.labels[test])) for view in seen}
    return np.stack([found[f"k_{i}{i}"] for i in range(3)], 1)


def main() -> None:
    path = PLACE / "berea.json"
    rows: dict[str, list[list[float]]] = json.loads(path.read_text()) if path.exists() else {}
    data, table = cubes()
    encoder, cache = load_encoder("vgg19-oxford"), FeatureCache(PLACE / "features")
    models = {
        "VGG-19 on slices": lambda: StructurePropertyModel(encoder, scale="log", coverage=None, cache=cache),
        "two-point map, ridge": lambda: StructurePropertyModel(
            features="two-point", head="ridge", scale="log", coverage=None
        ),
        "two-point map, GP": lambda: StructurePropertyModel(
            features="two-point", head="gp", scale="log", coverage=None
        ),
        "porosity, GP": lambda: StructurePropertyModel(
            features="volume-fraction", head="gp", scale="log", coverage=None
        ),
    }
    for direction in ("z0", "y0", "x0"):
        for slab in sorted(table[direction].unique()):
            train, test = (np.flatnonzero(table[direction] != slab), np.flatnonzero(table[direction] == slab))
            for name in ["Archie's law", "mean", *models]:
                if (key := f"{name}|{direction}|{slab}") in rows:
                    continue
                if name == "Archie's law":
                    found = archie(table.iloc[train], table.iloc[test])
                elif name == "mean":
                    factor = np.log(table[[f"FF_{axis}" for axis in AXES]].to_numpy()[train])
                    found = np.full((len(test), 3), np.exp(factor.mean()))
                else:
                    found = predicted(models[name](), data, train, test)
                truth = table[[f"FF_{axis}" for axis in AXES]].to_numpy()[test]
                rows[key] = (np.log(found) - np.log(truth)).tolist()
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(rows))
                print(key, "median |error|", round(float(np.median(np.abs(found / truth - 1))), 4), flush=True)
    report(rows)


def report(rows: dict[str, list[list[float]]]) -> None:
    """Median relative error, root mean square of the logarithm, and the paired gain over Archie's law by folds."""
    folds = sorted({key.split("|", 1)[1] for key in rows})
    names = list(dict.fromkeys(key.split("|")[0] for key in rows))
    print("| model | median error % | rms of ln FF | R2 of ln FF (pooled over folds) | better than Archie in folds |")
    print("|---|---|---|---|---|")
    base = {fold: np.sqrt(np.mean(np.square(rows[f"Archie's law|{fold}"]))) for fold in folds}
    mean = np.sqrt(np.mean([np.square(rows[f"mean|{fold}"]) for fold in folds]))
    for name in names:
        errors = [np.array(rows[f"{name}|{fold}"]) for fold in folds]
        every = np.concatenate(errors)
        rms = np.sqrt(np.mean(every**2))
        wins = sum(np.sqrt(np.mean(e**2)) < base[fold] for e, fold in zip(errors, folds))
        median = 100 * np.median(np.abs(np.exp(every) - 1))
        print(f"| {name} | {median:.1f} | {rms:.3f} | {1 - (rms / mean) ** 2:.2f} | {wins} of {len(folds)} |")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
