"""Structures, real windows and finished fits of benchmarks/transfer.py, all kept in its folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from matlens.core.atomic import replace_file
from matlens.microstructure.commands.feature_cache import FeatureCache
from matlens.microstructure.physics import effective_conductivity
from matlens.microstructure.properties import Recipe, StructureSet, generate_structures, read_structures

PLACE = Path("build/benchmark/transfer")
TARGET, PHASES = "k_00_c50", (1.0, 50.0)
# Contrast 300 is kept for judging encoders: nothing else in the project learns from it.
UNSEEN, UNSEEN_PHASES = "k_00_c300", (1.0, 300.0)
DRAWS = (1, 2, 3, 4, 5)
Row = dict[str, Any]


class Store:
    """Rows of one part, kept on disk by a key."""

    def __init__(self, part: str) -> None:
        self.path = PLACE / f"{part}.json"
        self.rows = self.kept()

    def kept(self) -> dict[str, Row]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def keep(self, key: str, make: Callable[[], Row]) -> Row:
        if key not in self.rows:
            made = make()
            self.rows = self.kept() | self.rows | {key: made}  # another process may have added to the file
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, json.dumps(self.rows).encode())
            print(key, {name: round(x, 4) for name, x in self.rows[key].items() if isinstance(x, float)}, flush=True)
        return self.rows[key]


def features() -> FeatureCache:
    """Features kept between parts."""
    return FeatureCache(PLACE / "features")


def structures() -> None:
    for name, split, count in (("structures", "train", 1500), ("test", "test", 300)):
        path = PLACE / f"{name}.h5"
        if not path.exists() or UNSEEN not in read_structures(path).targets:
            PLACE.mkdir(parents=True, exist_ok=True)
            recipe = Recipe(conductivity_contrasts=(10, 50, 300, 1000), stiffness_contrasts=(10, 100), split=split)
            generate_structures(recipe, count, workers=2).write(path)


def data() -> tuple[StructureSet, StructureSet]:
    return read_structures(PLACE / "structures.h5"), read_structures(PLACE / "test.h5")


def real_windows() -> StructureSet:
    """Windows of 64 x 64 pixels of the six two-phase micrographs, taken as periodic cells, with their conductivity."""
    path = PLACE / "windows.h5"
    if path.exists():
        return read_structures(path)
    folder = Path(os.environ.get("MATLENS_DATA", "").split(os.pathsep)[0]) / "micrographs"
    files = [file for file in sorted(folder.glob("li2018_*.npy")) if "composite" not in file.name]
    windows = np.concatenate([np.load(file).reshape(4, 64, 4, 64).swapaxes(1, 2).reshape(16, 64, 64) for file in files])
    names = np.repeat([file.stem.removeprefix("li2018_") for file in files], 16)

    def conductivity(matrix: float, other: float) -> Any:
        field = torch.from_numpy(windows).double() * (other - matrix) + matrix
        return effective_conductivity(field)[:, 0, 0].numpy()

    found = StructureSet.from_arrays(
        windows,
        families=names,
        periodic=True,
        targets=pd.DataFrame({TARGET: conductivity(*PHASES), UNSEEN: conductivity(*UNSEEN_PHASES)}),
    )
    found.write(path)
    return found
