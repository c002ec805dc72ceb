"""Is the mixture of `--model auto` as good as the best single model on public tables?

    python benchmarks/library_tables.py                          # seven tables
    python benchmarks/library_tables.py --data Perovskite P3HT
    python benchmarks/library_tables.py --summary

Compositions (5 parts) and regions (9, k-means) are left out. Every table and model leaves a file and is not measured
again; the mixture is made of the files of its members, as `matlens library learn` makes it. No table served to choose
anything but Perovskite. Of tables with more than 200 rows, 200 are drawn at random. Name the folder of the files in
MATLENS_DATA: ``library/fegapd`` (NIST, free use with notice; Kusne et al., Nat. Commun. 11, 5966 (2020)),
``library/P3HT_dataset.csv`` and ``library/Perovskite_dataset.csv`` (MIT; github PV-Lab/Benchmarking, ``datasets``), and
``olympus/NAME.csv`` for ``src/olympus/datasets/dataset_NAME/data.csv`` of github aspuru-guzik-group/olympus at commit
440b6b58 (MIT; Langner et al., Adv. Mater. 32, 1907801 (2020); Rohr et al., Chem. Sci. 11, 2696 (2020)).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from matlens.library.baselines import BASELINES
from matlens.library.io import read_library
from matlens.library.model import LibraryModel
from matlens.library.model.preprocessing_choice import Choice
from matlens.library.model.targets import target_of
from matlens.library.stacking import MEMBERS, stacked_predictions
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import PARTITIONS, Fold, held_out, paired, summarise

FOLDER = Path("build/benchmark/tables")
MODELS = (*MEMBERS, "pls", "random-forest")
AUTO, ROWS, NETWORKS = "auto", 200, 6


@dataclass(frozen=True)
class Data:
    """A public table; of one without heads the components are named here and the last column is the figure of merit."""

    file: str
    transform: str = "none"
    components: tuple[str, ...] = ()
    digest: str = ""

    def read(self) -> MaterialsLibrary:
        """The samples with a known figure of merit, at most 200."""
        folders = [Path(folder) for folder in os.environ.get("MATLENS_DATA", "").split(os.pathsep) if folder]
        found = [folder / self.file for folder in folders if (folder / self.file).exists()]
        if not found:
            sys.exit(f"{self.file} is not at hand: name the folder that holds it in MATLENS_DATA")
        if self.components:
            if hashlib.sha256(found[0].read_bytes()).hexdigest()[:16] != self.digest:
                sys.exit(f"{found[0]} is another file than was measured.")
            table = np.loadtxt(found[0], delimiter=",")
            library = MaterialsLibrary(table[:, :-1], self.components, {"P": table[:, -1]})
        else:
            library = read_library(found[0])
        known = target_of(library, None, self.transform).values(library)
        rows = np.random.default_rng(0).permutation(np.flatnonzero(np.isfinite(known)))
        return library.select(np.sort(rows[:ROWS] if len(rows) > 300 else rows))


_OER, _OPV = ("Ni", "Fe", "Co", "Mn", "Ce", "La"), ("P3HT", "PCBM", "oIDTBR")
DATA = {
    "Perovskite": Data("library/Perovskite_dataset.csv"),
    "P3HT": Data("library/P3HT_dataset.csv", "log10"),
    "OPV, PCE10": Data("olympus/photo_pce10.csv", "none", ("PCE10", *_OPV), "b41c72b8e38e73a5"),
    "OER, plate 3496": Data("olympus/oer_plate_3496.csv", "none", _OER, "3c70049ccfdd11bc"),
    "OPV, WF3": Data("olympus/photo_wf3.csv", "none", ("WF3", *_OPV), "e9a26f291a85692f"),
    "OER, plate 4098": Data("olympus/oer_plate_4098.csv", "none", _OER, "a3e4b4b781e3a04f"),
    "Fe-Ga-Pd": Data("library/fegapd"),
}


def folds_of(library: MaterialsLibrary) -> list[Fold]:
    """Compositions, and whole regions, to leave out."""
    return PARTITIONS["grouped"](library, 5, 1, 0) + PARTITIONS["regions"](library, 9, 1, 0)


def maker(name: str, transform: str, cache: dict[str, Choice]) -> Callable[[], Any]:
    """Make a contender that has yet to learn."""
    if name == MEMBERS[0]:
        return partial(LibraryModel, n_models=NETWORKS, transform=transform, resample="groups", cache=cache)
    return partial(BASELINES[name], transform=transform, cache=cache)


def measure(data: str) -> None:
    """Predictions of every contender for every held-out sample."""
    library, cache = DATA[data].read(), {}
    for name in MODELS:
        if (file := place(data, name)).is_file():
            continue
        begun = time.process_time()
        made = maker(name, DATA[data].transform, cache)
        table = held_out(made, library, folds_of(library), name=name)
        table.assign(seconds=time.process_time() - begun).to_csv(file, index=False)
        print(file.name, round(time.process_time() - begun), "s", flush=True)


def place(data: str, name: str) -> Path:
    return FOLDER / f"{data.replace(', ', '_').replace(' ', '-')}_{name}.csv"


def predictions(data: str) -> pd.DataFrame | None:
    """Predictions of all models and of the mixture; None if one is missing."""
    files = [place(data, name) for name in MODELS]
    if not all(file.is_file() for file in files):
        return None
    table = pd.concat([pd.read_csv(file, dtype={"sample": str, "fold": str}) for file in files])
    library = DATA[data].read()
    return pd.concat([stacked_predictions(table, library, folds_of(library), MEMBERS, AUTO), table])


def holm(p: pd.Series) -> pd.Series:
    """Adjust p values for their number (Holm, Scand. J. Stat. 6, 65, 1979)."""
    order, adjusted = p.sort_values(), {}
    for number, (name, value) in enumerate(order.items()):
        adjusted[name] = min(1.0, max([value * (len(p) - number), *adjusted.values()]))
    return pd.Series(adjusted)


def summary(asked: list[str]) -> str:
    """R2 of all models by table and question, what the mixture loses, and how often its intervals hold."""
    lines, tables = [], {data: predictions(data) for data in asked}
    for data, table in tables.items():
        for partition in ("grouped", "regions") if table is not None else ():
            part = table[table["partition"] == partition]
            resample = "fold" if partition == "regions" else "group"
            rows = summarise(part, resample=resample).set_index("model")
            best = rows["r2"].drop(AUTO).idxmax()
            gain = paired(part, AUTO, resample=resample).set_index("other").loc[best]
            error = max((gain["r2_gain_high"] - gain["r2_gain_low"]) / 3.29, 1e-9)
            line = {"table": data, "left out": partition, "best": best, "loss": -gain["r2_gain"]}
            line |= {"loss low": -gain["r2_gain_high"], "loss high": -gain["r2_gain_low"]}
            line |= {"z": -gain["r2_gain"] / error, "coverage": rows.loc[AUTO, "coverage"]}
            lines.append(line | rows["r2"].to_dict())
    found = pd.DataFrame(lines)
    if found.empty:
        return "Nothing has been measured."
    found["p, Holm"] = holm(pd.Series(norm.sf(found.pop("z")), found.index)).reindex(found.index)
    means = found.groupby("left out")[["loss", "coverage"]].mean()
    return found.round(3).to_string() + "\n\n" + means.round(3).to_string()


def main() -> None:
    """Measure what has not been measured, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=list(DATA))
    parser.add_argument("--summary", action="store_true", help="print what is there; measure nothing")
    asked = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for data in () if asked.summary else asked.data:
        measure(data)
    print(summary(asked.data))


if __name__ == "__main__":
    main()
