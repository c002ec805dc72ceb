"""How right a model of a library is where the truth is known: scores, gradients, support, groups and bands.

    python benchmarks/library_truth.py scores gradients            # three families, seeds 0 to 6, all models
    python benchmarks/library_truth.py groups                      # element groups and bands of the photoanode family
    python benchmarks/library_truth.py gradients --families blend --seeds 0 --models default auto gaussian-process
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

from matlens.library.baselines import BASELINES
from matlens.library.evidence import band_average, component_groups, label_null, spectral_bands
from matlens.library.gradients import along, default_hosts, directions, explain_library, fit_composition_response
from matlens.library.model import Gradients, LibraryModel
from matlens.library.problems import LIBRARIES, KnownLibrary
from matlens.library.stacking import StackedModel
from matlens.library.validation import PARTITIONS, held_out, paired, summarise

FOLDER = Path("build/benchmark/library")
REFERENCE = "default"
AUTO = "auto"  # the mixture, which is measured where it is named: it takes many times as long
ORACLE = "true gradients"
SEEDS = tuple(range(7))
MEMBERS = {"scores": 10, "gradients": 50, "groups": 50, "null": 5}
BAND = 20.0  # cm-1 (degrees / 66 for diffraction): width over which spectral gradients are averaged
FAINT = 0.02  # of the largest true mean gradient: bands below it are false
SCHEMES = ("dilution", "exchange")
Row = dict[str, Any]


def models(members: int, seed: int) -> dict[str, Callable[[], Any]]:
    """Every contender, not yet fitted."""
    own = {REFERENCE: LibraryModel, AUTO: StackedModel}
    return {name: partial(kind, n_models=members, seed=seed) for name, kind in own.items()} | BASELINES


class TrueGradients:
    """A model that has learned the law exactly: what is still wrong then is the analysis's own."""

    members_, uses_composition_, preprocessing_ = 1, True, None

    def __init__(self, known: KnownLibrary) -> None:
        library, self.truth = known.library, known.truth
        self.components_, self.axis_, self.uses_spectrum_ = library.components, library.axis, library.has_spectra
        self.target_, self.unit_ = library.merit_name(), library.unit()

    def respond(self, compositions: Any, spectra: Any) -> Any:
        return self.truth.merit[None]

    def gradients(self, compositions: Any, spectra: Any, *, progress: Any = None) -> Gradients:
        of_channels = None if self.truth.spectral is None else self.truth.spectral[None].astype(np.float32)
        return Gradients(self.truth.merit[None], self.truth.partial[None].astype(np.float32), of_channels)


def scores(known: KnownLibrary, name: str, seed: int, file: Path) -> None:
    """Held out by composition, five folds; all models on the same."""
    begun = time.perf_counter()
    folds = PARTITIONS["grouped"](known.library, folds=5, seed=seed)
    table = held_out(models(MEMBERS["scores"], seed)[name], known.library, folds, name=name)
    table.assign(seconds=time.perf_counter() - begun).to_csv(file, index=False)


def gradients(known: KnownLibrary, name: str, seed: int, file: Path) -> None:
    """Gradients of a model of all samples, against the true ones."""
    begun = time.perf_counter()
    oracle = name == ORACLE
    model = TrueGradients(known) if oracle else models(MEMBERS["gradients"], seed)[name]().fit(known.library)
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
            errors = {"spread": part["composition_gradient_spread"].to_numpy()}
            if "composition_gradient_error" in part:
                errors["error"] = part["composition_gradient_error"].to_numpy()
            good = (insight["support"].to_numpy() == 2) & np.isfinite(true) & np.isfinite(found)
            row |= {f"{kind} {scheme} {key}": value for key, value in compared(found, errors, true, good).items()}
    return row


def compared(found: np.ndarray, errors: dict[str, np.ndarray], true: np.ndarray, good: np.ndarray) -> Row:
    """Of supported directions: sign where |true| exceeds 20 % of its deviation, r, coverage of 90 % intervals."""
    column = np.broadcast_to(np.arange(true.shape[1]), true.shape)[good]
    found, errors, true = found[good], {name: one[good] for name, one in errors.items()}, true[good]
    large = np.abs(true) > 0.2 * true.std()
    right = np.sign(found) == np.sign(true)
    row: Row = {"n": len(true), "sign": right[large].mean(), "r": np.corrcoef(found, true)[0, 1]}
    parts = [(found[column == k], true[column == k]) for k in np.unique(column) if (column == k).sum() > 9]
    each = [np.corrcoef(*part)[0, 1] for part in parts if min(part[0].std(), part[1].std()) > 1e-9 * true.std()]
    row["r within components"] = float(np.median(each)) if each else np.nan
    row["slope"] = float(found @ true / (true @ true))
    for name, error in errors.items():
        if not np.isfinite(error).all():
            continue
        held, score = intervals(found - true, 1.645 * error)
        row |= {f"coverage by {name}": held, f"interval score by {name}": score / true.std()}
        # the strongest control: one width for all, which knows the truth's errors
        best = np.quantile(np.abs(found - true), 0.9)
        row["interval score of one true width"] = intervals(found - true, np.full_like(true, best))[1] / true.std()
        order = np.argsort(-np.abs(found[large]) / np.maximum(error[large], 1e-12))
        for share in (25, 50, 75):
            row[f"sign, surest {share} % by {name}"] = right[large][order[: max(1, len(order) * share // 100)]].mean()
    return {key: float(value) for key, value in row.items()}


def intervals(missed: np.ndarray, half: np.ndarray) -> tuple[float, float]:
    """Coverage and score of 90 % intervals; the score (lower is better) is their width plus 20 times the overshoot."""
    outside = np.maximum(np.abs(missed) - half, 0)
    return float((outside == 0).mean()), float((2 * half + 20 * outside).mean())


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
    """Element groups and driving bands, against ensembles of permuted labels.

    These see spectra prepared as the real ensemble's are, which is not tried anew: labels without meaning would choose
    by chance. They have few members, which makes the null wider, not narrower.
    """
    library, begun = known.library, time.process_time()
    model = LibraryModel(n_models=MEMBERS["groups"], seed=1000 * seed + 999).fit(library)
    prepared = model.preprocessing_ if library.has_spectra else None

    def fit(permuted: Any, number: int) -> xr.Dataset:
        small = LibraryModel(n_models=MEMBERS["null"], preprocessing=prepared, seed=1000 * seed + number)
        return explain_library(small.fit(permuted), permuted, members=True, errors=False, response=response)

    response = fit_composition_response(library) if model.uses_spectrum_ else None
    insight = explain_library(model, library, members=True, response=response)
    null = label_null(fit, library, permutations=19, seed=seed)
    row: Row = {"groups": component_groups(insight, null, seed=seed).groups.to_dict("records")}
    row |= {"true groups": [sorted(group) for group in known.truth.groups], "told": told(insight, known)}
    if known.truth.spectral is not None:
        row["bands"] = judged(spectral_bands(insight, null), insight, known).to_dict("records")
        row["true bands"] = [list(map(float, band)) for band in known.truth.bands]
    write(file, row | {"seconds of one core": time.process_time() - begun})


def told(insight: xr.Dataset, known: KnownLibrary) -> list[list[str]]:
    """Groups that the true gradients show, in the same supported directions: no model could find more."""
    true = along(known.truth.total, directions("dilution", known.library.compositions)) / 100
    exact = insight.drop_vars("composition_gradient_members")
    found = component_groups(exact.assign(composition_gradient=exact["composition_gradient"] * 0 + true)).groups
    return [sorted(group.split(", ")) for group in found.loc[found["p"] <= 0.05, "components"]]


def judged(bands: pd.DataFrame, insight: xr.Dataset, known: KnownLibrary) -> pd.DataFrame:
    """Bands with what is true there of the mean gradient, as far as spectra can tell it, over the largest anywhere.

    A band is false where that is of the other sign, or nearly nothing.
    """
    enough = insight["spectral_support"].to_numpy() >= 1
    profile = np.where(enough, known.identifiable(), 0).sum(0) / np.maximum(enough.sum(0), 1)
    true = band_average(profile, insight["axis"].to_numpy(), bands[["low", "high"]].to_numpy(float).reshape(-1, 2))
    true = true / np.abs(profile).max()
    return bands.assign(true=true, false=(np.sign(true) != bands["sign"]) | (np.abs(true) < FAINT))


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
        said = [sorted(one["components"].split(", ")) for one in row["groups"] if one["p"] <= 0.05]
        bands = row.get("bands", [])
        line = {"family": family, "seed": seed, "groups said": joined(said), "by law": joined(row["true groups"])}
        line["shown by true gradients"] = joined(row["told"])
        line["recovered"] = f"{sum(one in said for one in row['true groups'])} of {len(row['true groups'])}"
        hits = [any(low <= one["peak"] <= high for one in bands) for low, high in row.get("true bands", [])]
        line["driving bands found"] = f"{sum(hits)} of {len(hits)}"
        line["bands said"], line["of them false"] = len(bands), sum(one["false"] for one in bands)
        lines.append(line | {"minutes of one core": f"{row['seconds of one core'] / 60:.1f}"})
    return ["### Element groups and bands", markdown(lines)] if lines else []


def joined(groups: list[list[str]]) -> str:
    return "; ".join("+".join(one) for one in groups)


def spelled(values: pd.Series) -> str:
    return f"{values.median():.3f} ({values.min():.3f} to {values.max():.3f})"


def markdown(rows: list[Row]) -> str:
    heads = list(dict.fromkeys(key for row in rows for key in row))
    lines = [heads, ["---"] * len(heads), *([str(row.get(head, "")) for head in heads] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def contenders(part: str, asked: list[str]) -> list[str]:
    """Who takes part: groups are the ensemble's, and true gradients predict nothing."""
    if part == "groups":
        return [REFERENCE]
    return [name for name in asked if part == "gradients" or name != ORACLE]


def understood(parser: argparse.ArgumentParser, folder: Path) -> argparse.Namespace:
    """What was asked, with the options that all studies of libraries have, and a folder to keep results in."""
    parser.add_argument("--threads", type=int)
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--markdown", type=Path)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    folder.mkdir(parents=True, exist_ok=True)
    return args


def conclude(args: argparse.Namespace, summary: Callable[[argparse.Namespace], str]) -> None:
    """Print the summary, and write it, where it was asked for or nothing else was."""
    if args.summary or not args.parts:
        text = summary(args)
        print(text)
        if args.markdown:
            args.markdown.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what is measured")
    parser.add_argument("--families", nargs="+", default=list(LIBRARIES), choices=list(LIBRARIES))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument(
        "--models", nargs="+", default=[REFERENCE, *BASELINES, ORACLE], choices=[REFERENCE, AUTO, *BASELINES, ORACLE]
    )
    args = understood(parser, FOLDER)
    for part in args.parts:
        for seed in args.seeds:
            for family in args.families:
                for name in contenders(part, args.models):
                    file = place(part, family, seed, name)
                    if not file.is_file():
                        print(part, family, seed, name, flush=True)
                        PARTS[part](LIBRARIES[family](seed=seed), name, seed, file)
    conclude(args, summary)


if __name__ == "__main__":
    main()
