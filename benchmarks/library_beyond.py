"""How far a model of a library may be asked beyond its data, where the truth is known.

    python benchmarks/library_beyond.py additions           # adding B to A by models that never saw A and B together
    python benchmarks/library_beyond.py --summary --markdown tables.md

Every library and model leaves a file and is not measured again; a study may be stopped and started at any time.
Diffraction has one co-alloy system and no additions. Blends are learned as logarithms, on which their scatter is even.
Photoanode libraries have 600 samples (all eight co-alloy systems). Seeds from 100 on served to choose how things are
done and are never reported.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from library_truth import REFERENCE, SEEDS, conclude, markdown, understood
from matlens.library.baselines import BASELINES
from matlens.library.evidence import additions_left_out, summarise_additions
from matlens.library.model import LibraryModel
from matlens.library.problems import LIBRARIES, KnownLibrary

FOLDER = Path("build/benchmark/library_beyond")
SIZES = {"photoanode": 600}
TRANSFORMS = {"blend": "log10"}
FAMILIES = {"additions": ("photoanode", "blend")}
MEMBERS = 10
STATES = 64  # over which the truth is averaged
SHORT = 1e-3  # of the way: the law's slope
LAW, NOISELESS, COMMONEST = "the law, mean over states", "these samples without noise", "commonest sign elsewhere"
Row = dict[str, Any]


def maker(family: str, name: str, seed: int) -> Callable[[], Any]:
    """Make a contender that has yet to learn."""
    transform = TRANSFORMS.get(family, "none")
    if name == REFERENCE:
        return partial(LibraryModel, n_models=MEMBERS, transform=transform, seed=seed)
    return partial(BASELINES[name], transform=transform)


def additions(family: str, name: str, seed: int, file: Path) -> None:
    """Additions as measured and as told, beside the truth: of the samples, and on average over states."""
    begun = time.perf_counter()
    known = LIBRARIES[family](SIZES[family], seed=seed) if family in SIZES else LIBRARIES[family](seed=seed)
    table = additions_left_out(maker(family, name, seed), known.library, name=name)
    at = {sample: row for row, sample in enumerate(known.library.samples)}
    start, end = (known.library.compositions[table[side].map(at)] for side in ("start", "end"))
    scale = np.log10 if family in TRANSFORMS else np.asarray
    before, after, near = (scale(average(known, x)) for x in (start, end, start + SHORT * (end - start)))
    own = pd.Series(scale(known.truth.merit)).groupby(known.library.replicates()).transform("mean").to_numpy()
    table["truth"], table["slope"] = after - before, (near - before) / SHORT
    table["noiseless"] = own[table["end"].map(at)] - own[table["start"].map(at)]
    write(table.assign(seconds=time.perf_counter() - begun), file)


def average(known: KnownLibrary, compositions: np.ndarray) -> np.ndarray:
    """The figure of merit that making a composition gives on average over states as they occur."""
    rows = np.linspace(0, len(known.state) - 1, STATES).astype(int) if known.state.shape[1] else [0]
    shape = (len(compositions), known.state.shape[1])
    return np.mean([known.response(compositions, np.broadcast_to(known.state[row], shape)) for row in rows], axis=0)


PARTS = {one.__name__: one for one in (additions,)}


def write(table: pd.DataFrame, file: Path) -> None:
    temporary = file.with_suffix(".part")
    table.to_csv(temporary, index=False)
    temporary.replace(file)


def place(part: str, family: str, seed: int, name: str) -> Path:
    return FOLDER / f"{part}_{family}_{seed}_{name}.csv"


def measured(part: str, family: str, args: argparse.Namespace) -> pd.DataFrame:
    """All that is there of a family, for the seeds and models asked for."""
    found = [
        pd.read_csv(file, dtype={"start": str, "end": str}).assign(seed=seed, model=name)
        for seed in args.seeds
        for name in args.models
        if (file := place(part, family, seed, name)).is_file()
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def summary(args: argparse.Namespace) -> str:
    """Tables of everything that is there, for the seeds asked for."""
    blocks = []
    for family in args.families:
        table = measured("additions", family, args)
        if len(table):
            every = pd.concat([table, *controls(table)], ignore_index=True)
            truth = every.assign(measured=every["truth"], error=np.nan)
            for judge, asked in (("what was measured", every), ("the law's mean over states", truth)):
                blocks += [f"### Additions to co-alloy systems left out, {family}, judged by {judge}"]
                blocks += [markdown(addition_lines(asked))]
    return "\n\n".join(blocks) + "\n"


def addition_lines(table: pd.DataFrame) -> list[Row]:
    """Means over libraries of what each model tells."""
    scores = pd.concat(summarise_additions(part).assign(seed=seed) for seed, part in table.groupby("seed"))
    lines = []
    for model in table["model"].unique():
        own = scores[scores["model"] == model].set_index(["way", "seed"])
        told = own.loc["difference"]
        line: Row = {"model": model, "libraries": len(told), "n": int(told["n"].sum()), "sign": interval(told["sign"])}
        line |= {"least": f"{told['sign'].min():.3f}"}
        if model != COMMONEST:
            line |= {"r": f"{told['size'].mean():.3f}", "error": f"{told['error'].mean():.2f}"}
        if model not in (COMMONEST, NOISELESS):
            line["sign of gradient x step"] = f"{own.loc['gradient', 'sign'].mean():.3f}"
        lines.append(line | gain(scores, model))
    return lines


def controls(table: pd.DataFrame) -> list[pd.DataFrame]:
    """What knowing the truth would have told, and what a guess from the other systems would."""
    one = table[table["model"] == table["model"].iloc[0]]
    law = one.assign(model=LAW, predicted=one["truth"], gradient=one["slope"])
    noiseless = one.assign(model=NOISELESS, predicted=one["noiseless"], gradient=0.0)
    sums = one.groupby(["seed", "component"])["measured"].transform(lambda x: np.sign(x).sum())
    own = one.groupby(["seed", "component", "system"])["measured"].transform(lambda x: np.sign(x).sum())
    commonest = one.assign(model=COMMONEST, predicted=np.sign(sums - own), gradient=0.0)
    return [commonest, law, noiseless]


def gain(scores: pd.DataFrame, model: str) -> Row:
    """Wrong signs of `default` over those of another model, with a bootstrap over libraries."""
    wrong = 1 - scores[scores["way"] == "difference"].pivot(index="seed", columns="model", values="sign")
    if model not in BASELINES or REFERENCE not in wrong:
        return {}
    both = wrong[[REFERENCE, model]].dropna()
    if not both[model].any():
        return {}
    draws = np.concatenate([both.to_numpy().mean(axis=0, keepdims=True), drawn(both)])
    ratio = np.divide(draws[:, 0], draws[:, 1], out=np.full(len(draws), np.inf), where=draws[:, 1] > 0)
    low, high = np.quantile(ratio[1:], (0.05, 0.95), method="nearest")
    return {f"wrong signs of {REFERENCE} over its own": f"{ratio[0]:.2f} ({low:.2f} to {high:.2f})"}


def interval(values: pd.Series) -> str:
    """Mean over libraries with the 90 % interval of a bootstrap over them."""
    low, high = np.quantile(drawn(values.to_frame())[:, 0], (0.05, 0.95))
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def drawn(table: pd.DataFrame, count: int = 4000) -> np.ndarray:
    """Column means of libraries drawn with replacement, shape (count, columns)."""
    values = table.to_numpy(np.float64)
    return values[np.random.default_rng(0).integers(len(values), size=(count, len(values)))].mean(axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what is measured")
    parser.add_argument("--families", nargs="+", default=list(LIBRARIES), choices=list(LIBRARIES))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--models", nargs="+", default=[REFERENCE, *BASELINES], choices=[REFERENCE, *BASELINES])
    args = understood(parser, FOLDER)
    for part in args.parts:
        for seed in args.seeds:
            for family in (one for one in args.families if one in FAMILIES[part]):
                for name in args.models:
                    file = place(part, family, seed, name)
                    if not file.is_file():
                        print(part, family, seed, name, flush=True)
                        PARTS[part](family, name, seed, file)
    conclude(args, summary)


if __name__ == "__main__":
    main()
