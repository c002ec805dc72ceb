"""What library models are worth on real data: scores on held-out samples, and what gradients say of Fe-Ga-Pd.

    python benchmarks/library_real.py scores               # both data sets, three ways of holding out, all models
    python benchmarks/library_real.py scores --data P3HT --models default random-forest
    python benchmarks/library_real.py insight              # a model of Fe-Ga-Pd, its gradients, and a report to read
    python benchmarks/library_real.py --summary --markdown tables.md

Every data set, partition and model leaves a file and is not measured again; a study may be stopped and started at any
time. `default` was not tuned on these data. Name their folder (``library/fegapd``, ``library/P3HT_dataset.csv``) in
MATLENS_DATA; Fe-Ga-Pd: Kusne et al., Nat. Commun. 11, 5966 (2020), Long et al., Rev. Sci. Instrum. 78, 072217 (2007);
P3HT: Liang et al., npj Comput. Mater. 7, 188 (2021).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from library_truth import REFERENCE, conclude, markdown, understood
from matlens.cli.app import main as matlens
from matlens.library.baselines import BASELINES
from matlens.library.io import read_library
from matlens.library.model import LibraryModel
from matlens.library.model.targets import target_of
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import PARTITIONS, held_out, paired, summarise
from matlens.library.validation.checks import noise_ceiling

FOLDER = Path("build/benchmark/library_real")
MEMBERS = {"scores": 10, "insight": 50}
FOLDS = {
    "regions": {"folds": 8, "repeats": 8},
    "grouped": {"folds": 10, "repeats": 2},
    "shuffled": {"folds": 10, "repeats": 1},
}
WORDS = {
    "regions": "8 regions of composition (k-means) left out, 8 partitions; intervals draw regions",
    "grouped": "compositions left out, 10 folds, twice; intervals draw compositions",
    "shuffled": "single rows left out, 10 folds: for information only",
}
Row = dict[str, Any]


@dataclass(frozen=True)
class Data:
    """A library in the folder of real data, and how it is learned."""

    file: str
    transform: str = "none"

    def place(self) -> Path:
        folders = [Path(folder) for folder in os.environ.get("MATLENS_DATA", "").split(os.pathsep) if folder]
        found = [folder / self.file for folder in folders if (folder / self.file).exists()]
        if not found:
            sys.exit(f"{self.file} is not at hand: name the folder that holds it in MATLENS_DATA")
        return found[0]

    def read(self) -> MaterialsLibrary:
        return read_library(self.place())


DATA = {"Fe-Ga-Pd": Data("library/fegapd"), "P3HT": Data("library/P3HT_dataset.csv", "log10")}


def maker(name: str, transform: str) -> Callable[[], Any]:
    """Make a contender that has yet to learn."""
    if name == REFERENCE:
        return partial(LibraryModel, n_models=MEMBERS["scores"], transform=transform)
    return partial(BASELINES[name], transform=transform)


def scores(args: argparse.Namespace) -> None:
    """Predictions of every contender for every held-out sample."""
    for data in args.data:
        for partition in args.partitions:
            for name in args.models:
                if (file := place(data, partition, name)).is_file():
                    continue
                print(data, partition, name, flush=True)
                library, begun = DATA[data].read(), time.perf_counter()
                folds = PARTITIONS[partition](library, **FOLDS[partition])
                table = held_out(maker(name, DATA[data].transform), library, folds, name=name)
                table = table.assign(seconds=time.perf_counter() - begun)
                temporary = file.with_suffix(".part")
                table.to_csv(temporary, index=False)
                temporary.replace(file)


def insight(args: argparse.Namespace) -> None:
    """What a user would do: learn, explain; both leave a report to read."""
    library, model, found = DATA["Fe-Ga-Pd"].place(), FOLDER / "insight_model", FOLDER / "insight"
    learn = ["--models", MEMBERS["insight"], "--held-out", "grouped", "--baselines", "none"]
    for last, folder, command in (
        ("scores.csv", model, ["library", "learn", library, *learn]),
        ("statements.csv", found, ["library", "explain", model, "--members", "--region", "clusters:4"]),
    ):
        if (folder / last).is_file():
            continue
        words = [*command, "-o", folder, "--threads", torch.get_num_threads()]
        if (folder / "settings.toml").is_file():
            words = ["resume", folder]
        try:
            matlens([str(word) for word in words])
        except SystemExit as end:
            if end.code:
                raise


PARTS = {one.__name__: one for one in (scores, insight)}


def place(data: str, partition: str, name: str) -> Path:
    return FOLDER / f"scores_{data}_{partition}_{name}.csv"


def summary(args: argparse.Namespace) -> str:
    """Tables of everything that is there."""
    parts = [part for data in args.data for way in args.partitions for part in score_table(data, way, args.models)]
    return "\n\n".join([*parts, *insight_tables()]) + "\n"


def score_table(data: str, partition: str, names: list[str]) -> list[str]:
    """Scores of each model, and by how much `default` is better."""
    files = [file for name in names if (file := place(data, partition, name)).is_file()]
    if not files:
        return []
    table = pd.concat([pd.read_csv(file, dtype={"sample": str, "fold": str}) for file in files])
    resample = "fold" if partition == "regions" else "group"
    rows = summarise(table, resample=resample).set_index("model")
    each = pd.concat([summarise(part).assign(repeat=number) for number, part in table.groupby("repeat")])
    each = each.pivot_table(index="model", columns="repeat", values="r2", sort=False)
    seconds = table.groupby("model")["seconds"].first()
    ahead = pd.DataFrame()
    if REFERENCE in rows.index and len(rows) > 1:
        ahead = paired(table, REFERENCE, resample=resample).set_index("other")
    lines = []
    for name, row in rows.iterrows():
        line = {"model": name} | {
            title: f"{row[key]:.3f} ({row[f'{key}_low']:.3f} to {row[f'{key}_high']:.3f})"
            for title, key in (("R2", "r2"), ("RMSE", "rmse"))
        }
        line |= {"R2 of single partitions": f"{each.loc[name].min():.3f} to {each.loc[name].max():.3f}"}
        line |= {title: f"{row[key]:.3f}" for title, key in (("Spearman", "spearman"), ("coverage", "coverage"))}
        line |= {"interval score": f"{row['interval_score']:.3f}"}
        if row["censored"]:
            line["R2, limits as values"] = f"{limits_as_values(table[table['model'] == name]):.3f}"
            line["concordance"] = f"{row['concordance']:.3f}"
        if name in ahead.index:
            gain, better = ahead.loc[name], (each.loc[REFERENCE] > each.loc[name]).sum()
            line["gain of default"] = f"{gain['r2_gain']:.3f} ({gain['r2_gain_low']:.3f} to {gain['r2_gain_high']:.3f})"
            line["ahead in"] = f"{better} of {each.shape[1]}"
        lines.append(line | {"seconds": f"{seconds[name]:.0f}"})
    library = DATA[data].read()
    ceiling = noise_ceiling(library, target_of(library, None, DATA[data].transform))
    said = f"### {data}, {len(library)} samples: {WORDS[partition]}"
    if ceiling.groups:
        most = f"{ceiling.ceiling:.3f} ({ceiling.low:.3f} to {ceiling.high:.3f})"
        said += f". Replicates let no model of composition exceed {most}"
    return [said, markdown(lines)]


def limits_as_values(table: pd.DataFrame) -> float:
    """R2 of all rows, as others report it: censored ones have their limit as value, and no prediction exceeds it."""
    beyond = table["censored"] * (table["predicted"] - table["value"]) > 0
    missed = (table["predicted"] - table["value"]).where(~beyond, 0.0) ** 2
    each = missed.groupby(table["repeat"]).mean() / table.groupby("repeat")["value"].var(ddof=0)
    return float(1 - each.mean())


def insight_tables() -> list[str]:
    """Statements, averages and windows, as the report has them."""
    found, parts = FOLDER / "insight", []
    for title, name, kept in (
        ("Fe-Ga-Pd: what gradients say", "statements", ["status", "sentence", "reason"]),
        ("Fe-Ga-Pd: averages of gradients", "regions", None),
        ("Fe-Ga-Pd: windows of the spectrum", "bands", None),
        ("Fe-Ga-Pd: checks", "sanity", None),
    ):
        if (found / f"{name}.csv").is_file():
            table = pd.read_csv(found / f"{name}.csv").round(4)
            if name == "regions":
                table = table[(table["scheme"] == "dilution") & (table["kind"] == "total")]
            lines = (table if kept is None else table[kept]).astype(object)
            lines = lines.where(lines.notna(), "").astype(str).to_dict("records")
            parts += [f"### {title}", markdown(lines) if lines else "None."]
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what is measured")
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=list(DATA))
    parser.add_argument("--partitions", nargs="+", default=list(FOLDS), choices=list(FOLDS))
    parser.add_argument("--models", nargs="+", default=[REFERENCE, *BASELINES], choices=[REFERENCE, *BASELINES])
    args = understood(parser, FOLDER)
    for part in args.parts:
        PARTS[part](args)
    conclude(args, summary)


if __name__ == "__main__":
    main()
