"""How right a model of a library is where the truth is known: scores, gradients, support, groups and bands.

    python benchmarks/library_truth.py scores gradients            # three families, seeds 0 to 6, all models
    python benchmarks/library_truth.py groups                      # element groups and bands of the photoanode family
    python benchmarks/library_truth.py gradients --families photoanode --seeds 0 --models default "gaussian-process"
    python benchmarks/library_truth.py --summary --markdown tables.md

Every library and model leaves a file and is not measured again; a study may be stopped and started at any time. Seeds
from 100 on served to choose the preset and are never reported.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr

from matlens.insight import component_groups, explain_library, label_null, spectral_bands
from matlens.insight.simplex import along, default_hosts, directions
from matlens.insight.windows import band_average
from matlens.learning.library import BASELINES, PARTITIONS, LibraryModel, held_out, paired, summarise
from matlens.problems import LIBRARIES, KnownLibrary

FOLDER = Path("build/benchmark/library")
REFERENCE = "default"
SEEDS = tuple(range(7))
MEMBERS = {"scores": 10, "gradients": 50, "groups": 50, "null": 10}
BAND = 20.0  # cm-1 (degrees / 66 for diffraction): width over which spectral gradients are averaged
SCHEMES = ("dilution", "exchange")
Row = dict[str, Any]


def models(members: int, seed: int) -> dict[str, Callable[[], Any]]:
    """Every contender, not yet fitted."""
    return {REFERENCE: partial(LibraryModel, n_models=members, seed=seed), **BASELINES}


def scores(known: KnownLibrary, name: str, seed: int, file: Path) -> None:
    """Held out by composition, five folds; all models on the same."""
    begun = time.perf_counter()
    folds = PARTITIONS["grouped"](known.library, folds=5, seed=seed)
    table = held_out(models(MEMBERS["scores"], seed)[name], known.library, folds, name=name)
    table.assign(seconds=time.perf_counter() - begun).to_csv(file, index=False)


def gradients(known: KnownLibrary, name: str, seed: int, file: Path) -> None:
    """Gradients of a model of all samples, against the true ones."""
    begun = time.perf_counter()
    model = models(MEMBERS["gradients"], seed)[name]().fit(known.library)
    fitted = time.perf_counter() - begun
    insight = explain_library(model, known.library)
    row: Row = {"fit": fitted, "explain": time.perf_counter() - begun - fitted}
    row |= compositional(insight, known) | spectral(insight, known) | supports(insight, known)
    write(file, row)


def compositional(insight: xr.Dataset, known: KnownLibrary) -> Row:
    """Signs, correlation and coverage of total (and, where identifiable, partial) gradients, by scheme."""
    library, row = known.library, {}
    hosts = default_hosts(library.compositions, library.components, None)
    kinds = {"total": known.truth.total}
    if known.truth.spectral is not None and insight["kind_support"].sel(kind="partial") == 2:
        kinds["partial"] = known.truth.partial
    for kind, truth in kinds.items():
        for scheme in SCHEMES:
            true = along(truth, directions(scheme, library.compositions, hosts)) / 100
            part = insight.sel(scheme=scheme, kind=kind)
            found = part["composition_gradient"].to_numpy()
            spread = part["composition_gradient_spread"].to_numpy()
            good = (insight["support"].to_numpy() == 2) & np.isfinite(true) & np.isfinite(found)
            row |= {f"{kind} {scheme} {key}": value for key, value in compared(found, spread, true, good).items()}
    return row


def compared(found: np.ndarray, spread: np.ndarray, true: np.ndarray, good: np.ndarray) -> Row:
    """Of supported directions: sign where |true| exceeds 20 % of its deviation, r, coverage of 90 % intervals."""
    column = np.broadcast_to(np.arange(true.shape[1]), true.shape)[good]
    found, spread, true = found[good], spread[good], true[good]
    large = np.abs(true) > 0.2 * true.std()
    right = np.sign(found) == np.sign(true)
    row: Row = {"n": len(true), "sign": right[large].mean(), "r": np.corrcoef(found, true)[0, 1]}
    each = [
        np.corrcoef(found[column == k], true[column == k])[0, 1] for k in np.unique(column) if (column == k).sum() > 9
    ]
    row["r within components"] = float(np.median(each)) if each else np.nan
    row["slope"] = float(found @ true / (true @ true))
    if np.isfinite(spread).all():
        half = 1.645 * spread
        outside = np.maximum(np.abs(found - true) - half, 0)
        row |= {"coverage": (outside == 0).mean(), "interval score": (2 * half + 20 * outside).mean() / true.std()}
        order = np.argsort(-np.abs(found[large]) / np.maximum(spread[large], 1e-12))
        for share in (25, 50, 75):
            row[f"sign, surest {share} %"] = right[large][order[: max(1, len(order) * share // 100)]].mean()
    return {key: float(value) for key, value in row.items()}


def spectral(insight: xr.Dataset, known: KnownLibrary) -> Row:
    """Spectral gradients averaged over bands, where channels are supported; the truth as far as spectra can tell it."""
    if known.truth.spectral is None or "spectral_gradient" not in insight:
        return {}
    axis = insight["axis"].to_numpy()
    width = BAND if axis[-1] - axis[0] > 100 else BAND / 66
    edges = np.arange(axis[0], axis[-1], width)
    bands = [(low, low + width) for low in edges if ((axis >= low) & (axis < low + width)).sum() > 1]
    fine = insight["spectral_support"].to_numpy() == 2
    row: Row = {}
    for name in ("spectral_gradient", "spectral_gradient_raw"):
        found, true = (
            band_average(np.where(fine, values, 0.0), axis, np.array(bands))
            for values in (insight[name].to_numpy(), known.identifiable())
        )
        there = band_average(fine.astype(float), axis, np.array(bands)) > 0.5
        if there.sum() > 9:
            row[f"{name} r"] = float(np.corrcoef(found[there], true[there])[0, 1])
    row["off the manifold"] = float(insight["off_manifold_share"].mean())
    return row | {"spectral supported": float(fine.mean())}


def supports(insight: xr.Dataset, known: KnownLibrary) -> Row:
    """Support from the data alone against what the layout supports."""
    said, true = insight["support"].to_numpy() == 2, known.truth.supported > 0
    return {
        "support recall": float(said[true].mean()) if true.any() else float("nan"),
        "false support": float((said & ~true).sum() / max(said.sum(), 1)),
    }


def groups(known: KnownLibrary, name: str, seed: int, file: Path) -> None:
    """Element groups and driving bands, against ensembles of permuted labels."""
    library = known.library

    def fit(one: Any, number: int, members: int = MEMBERS["null"]) -> xr.Dataset:
        return explain_library(LibraryModel(n_models=members, seed=1000 * seed + number).fit(one), one, members=True)

    insight = fit(library, 999, MEMBERS["groups"])
    null = label_null(fit, library, permutations=19, seed=seed)
    found = component_groups(insight, null, seed=seed).groups
    row: Row = {"groups": found.to_dict("records"), "true groups": [sorted(group) for group in known.truth.groups]}
    if known.truth.spectral is not None:
        row["bands"] = spectral_bands(insight, null).to_dict("records")
        row["true bands"] = [list(map(float, band)) for band in known.truth.bands]
    write(file, row)


PARTS = {one.__name__: one for one in (scores, gradients, groups)}


def write(file: Path, row: Row) -> None:
    temporary = file.with_suffix(".part")
    temporary.write_text(json.dumps(row, indent=1), encoding="utf-8")
    temporary.replace(file)


def place(part: str, family: str, seed: int, name: str) -> Path:
    return FOLDER / f"{part}_{family}_{seed}_{name}.{'csv' if part == 'scores' else 'json'}"


def summary(args: argparse.Namespace) -> str:
    """Tables of everything that is there, for the seeds asked for."""
    parts = [*score_tables(args), *gradient_tables(args), *group_tables(args)]
    return "\n\n".join(parts) + "\n"


def found(part: str, args: argparse.Namespace) -> list[tuple[str, int, str, Path]]:
    every = [(family, seed, name) for family in args.families for seed in args.seeds for name in args.models]
    return [(*one, file) for one in every if (file := place(part, *one)).is_file()]


def score_tables(args: argparse.Namespace) -> list[str]:
    tables, libraries = [], 0
    for family in args.families:
        for seed in args.seeds:
            files = [one for one in found("scores", args) if one[:2] == (family, seed)]
            if not files:
                continue
            libraries += 1
            table = pd.concat([pd.read_csv(file, dtype={"sample": str}) for *_, file in files])
            rows = summarise(table)[["model", "r2", "coverage"]].assign(family=family, seed=seed)
            if REFERENCE in set(table["model"]) and table["model"].nunique() > 1:
                gain = paired(table, REFERENCE)[["other", "r2_gain", "r2_gain_low", "r2_gain_high"]]
                rows = rows.merge(gain.rename(columns={"other": "model"}), how="left")
            tables.append(rows)
    if not tables:
        return []
    rows = pd.concat(tables)
    lines = []
    for (family, model), group in rows.groupby(["family", "model"], sort=False):
        line = {"family": family, "model": model, "libraries": len(group), "R2": spelled(group["r2"]),
                "coverage of 90 % intervals": f"{group['coverage'].median():.2f}"}  # fmt: skip
        if model != REFERENCE and "r2_gain" in group:
            line["gain of default"] = spelled(group["r2_gain"])
            line["surely better / worse"] = f"{(group['r2_gain_low'] > 0).sum()} / {(group['r2_gain_high'] < 0).sum()}"
        lines.append(line)
    return [f"### Held out by composition, {libraries} libraries: median (range)", markdown(lines)]


def gradient_tables(args: argparse.Namespace) -> list[str]:
    rows = [{"family": f, "model": n, **json.loads(file.read_text())} for f, _, n, file in found("gradients", args)]
    if not rows:
        return []
    table = pd.DataFrame(rows)
    lines = []
    for (family, model), group in table.groupby(["family", "model"], sort=False):
        numbers = group.drop(columns=["family", "model"]).median()
        lines.append({"family": family, "model": model, "libraries": len(group)} | numbers.dropna().to_dict())
    names = list(dict.fromkeys(key for line in lines for key in line if key not in ("family", "model", "libraries")))
    heads = [f"{line['family']}: {line['model']}" for line in lines]
    turned = [{"": name} | {head: (f"{line[name]:.3g}" if name in line else "") for head, line in zip(heads, lines)}
              for name in names]  # fmt: skip
    return ["### Gradients against the truth, medians over libraries", markdown(turned)]


def group_tables(args: argparse.Namespace) -> list[str]:
    lines = []
    for family, seed, _, file in found("groups", args):
        row = json.loads(file.read_text())
        said = [set(one["components"].split(", ")) for one in row["groups"] if one["p"] <= 0.05]
        line = {"family": family, "seed": seed, "groups": "; ".join("+".join(sorted(one)) for one in said)}
        line["true"] = "; ".join("+".join(one) for one in row["true groups"])
        line["recovered"] = sum(set(one) in said for one in row["true groups"])
        bands = row.get("bands", [])
        line["bands hit"] = sum(
            any(b["low"] <= high and b["high"] >= low for b in bands) for low, high in row.get("true bands", [])
        )
        lines.append(line | {"of": len(row.get("true bands", [])), "bands said": len(bands)})
    return ["### Element groups and bands", markdown(lines)] if lines else []


def spelled(values: pd.Series) -> str:
    return f"{values.median():.3f} ({values.min():.3f} to {values.max():.3f})"


def markdown(rows: list[Row]) -> str:
    heads = list(dict.fromkeys(key for row in rows for key in row))
    lines = [heads, ["---"] * len(heads), *([str(row.get(head, "")) for head in heads] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what is measured")
    parser.add_argument("--families", nargs="+", default=list(LIBRARIES), choices=list(LIBRARIES))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--models", nargs="+", default=[REFERENCE, *BASELINES], choices=[REFERENCE, *BASELINES])
    parser.add_argument("--threads", type=int)
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--markdown", type=Path)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for part in args.parts:
        for seed in args.seeds:
            for family in args.families:
                for name in [REFERENCE] if part == "groups" else args.models:
                    file = place(part, family, seed, name)
                    if not file.is_file():
                        print(part, family, seed, name, flush=True)
                        PARTS[part](LIBRARIES[family](seed=seed), name, seed, file)
    if args.summary or not args.parts:
        text = summary(args)
        print(text)
        if args.markdown:
            args.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
