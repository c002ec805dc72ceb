"""Do signs hold whose reversal costs much held-out likelihood, and does the proposed sample settle doubtful ones?

    python benchmarks/library_conclusions.py signs        # seven families, seeds 0 to 6
    python benchmarks/library_conclusions.py deciding     # libraries of few samples, of which one more is made
    python benchmarks/library_conclusions.py peaks        # photoanodes: gradients of bands, and a control
    python benchmarks/library_conclusions.py --summary

The mixture is weighted by what its members say of samples that they were not trained on, which they know after
training (`StackedModel.fit` trains 14 small ensembles for that). Every library leaves a file and is not measured again.
Seeds from 100 on served to choose, and are not reported.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from library_families import FAMILIES
from library_truth import conclude, markdown, understood, write
from matlens.library.baselines import BASELINES
from matlens.library.evidence import conclusions, peak_table, statements
from matlens.library.gradients import (
    along,
    default_hosts,
    directions,
    explain_library,
    fit_composition_response,
    peak_changes,
)
from matlens.library.model import LibraryModel
from matlens.library.problems import LIBRARIES, photoanode
from matlens.library.problems.known import derive, scattered
from matlens.library.stacking import MEMBERS, StackedModel
from matlens.library.stacking.weights import LeftOut
from matlens.library.suggestions import candidates, with_deciding_samples
from matlens.library.table import MaterialsLibrary

FOLDER = Path("build/benchmark/conclusions")
NETWORKS, FIRM, DOUBTFUL, RANDOM, CONTROLS, NEAR = 6, 2.0, 3, 2, 3, 5.0
SIZES = {"photoanode": 250, "diffraction": 150, "blend": 120}
SMALL = {"diffraction": 50, "blend": 50, "dopants": 30}
Row = dict[str, Any]


def mixture(library: MaterialsLibrary, seed: int) -> StackedModel:
    """The mixture, weighted by compositions left out one at a time (or out of bag)."""
    alone = LibraryModel(n_models=NETWORKS, seed=seed, resample="groups").fit(library)
    inputs = "both" if alone.uses_spectrum_ else "composition"
    options = {"inputs": inputs, "preprocessing": alone.preprocessing_, "transform": alone.transform, "seed": seed}
    others = [BASELINES[name](**options).fit(library) for name in MEMBERS[1:]]
    errors = np.stack([model.held_out_ for model in (alone, *others)], 1)
    known = np.isfinite(errors).all(1)
    half = np.full(errors.shape, 1.645 * library.merit().std() / 10)
    left = LeftOut(library.merit(), errors, half, np.zeros(len(errors)), library.replicates(), np.full(len(errors), -1))
    return StackedModel(n_models=NETWORKS, seed=seed).mix(alone, left.select(known))


def made(family: str, seed: int, n: int | None = None) -> tuple[Any, Any]:
    """A library whose truth is known, and its true total gradients by dilution as a function of the library."""
    if family in FAMILIES:
        known = FAMILIES[family](seed, **({} if n is None else {"n": n}))
        return known, known.dilution(known.library.compositions)
    known = LIBRARIES[family](n or SIZES[family], seed=seed)
    library = known.library
    hosts = default_hosts(library.compositions, library.components, None)
    return known, along(known.truth.total, directions("dilution", library.compositions, hosts)) / 100


def concluded(library: MaterialsLibrary, seed: int) -> tuple[Any, Any, Any, pd.DataFrame]:
    """Model, spectra given composition, gradients and all conclusions of a library."""
    model = mixture(library, seed)
    response = fit_composition_response(library) if model.uses_spectrum_ else None
    insight = explain_library(model, library, members=True, response=response)
    return model, response, insight, conclusions(insight, statements(insight), most=99)


def truths(insight: Any, library: MaterialsLibrary, gradients: np.ndarray) -> dict[str, float]:
    """True mean effect of each component over the samples in which its direction has data."""
    there = insight["support"].to_numpy() >= 1
    means = np.where(there, gradients, 0).sum(0) / np.maximum(there.sum(0), 1)
    return dict(zip(library.components, means, strict=True))


def signs(family: str, seed: int, file: Path) -> None:
    """Loss at which each conclusion on a component flips, and whether its sign is right."""
    begun = time.process_time()
    known, gradients = made(family, seed)
    _, _, insight, table = concluded(known.library, seed)
    true = truths(insight, known.library, gradients)
    own = table[table["about"] == "composition"]
    rows = [
        {"flip": row.flip, "mixture": row.flip_mixture, "status": row.status, "effect": row.effect, "error": row.error,
         "true": true[row.subject], "component": row.subject}
        for row in own.itertuples()
    ]  # fmt: skip
    write(file, {"rows": rows, "seconds": time.process_time() - begun})


def deciding(family: str, seed: int, file: Path) -> None:
    """Doubtful conclusions before and after one more sample: the proposed one, and random ones."""
    begun = time.process_time()
    known, gradients = made(family, seed, SMALL[family])
    library, random = known.library, np.random.default_rng(seed)
    model, response, insight, table = concluded(library, seed)
    true, options = truths(insight, library, gradients), candidates(model, library, response)
    doubtful = table[(table["about"] == "composition") & (table["flip"] <= FIRM)].head(DOUBTFUL)
    proposed = with_deciding_samples(doubtful.reset_index(drop=True), insight, options, library)
    rows = []
    for row in proposed.to_dict("records"):
        ways = {"proposed": np.array([row[name] for name in library.components], float) / 100}
        if not np.isfinite(ways["proposed"]).all():
            continue
        ways |= {f"random {k}": options.compositions[random.integers(len(options.compositions))] for k in range(RANDOM)}
        for way, composition in ways.items():
            larger = with_sample(known, composition, random)
            again = concluded(larger, seed)[3]
            found = again[(again["about"] == "composition") & (again["subject"] == row["subject"])]
            loss, effect = (float(found[key].iloc[0]) if len(found) else 0.0 for key in ("flip", "effect"))
            settled = loss > FIRM and np.sign(effect) == np.sign(true[row["subject"]])
            rows.append({"way": way.split()[0], "before": row["flip"], "after": loss, "settled": bool(settled),
                         "wrong": bool(loss > FIRM and not settled)})  # fmt: skip
    write(file, {"rows": rows, "seconds": time.process_time() - begun})


def with_sample(known: Any, composition: np.ndarray, random: np.random.Generator) -> MaterialsLibrary:
    """The library with one more sample, measured with its noise (and, with spectra, in a state drawn anew)."""
    library, x, spectrum = known.library, composition[None], None
    if hasattr(known, "law"):
        state = known.state[[random.integers(len(library))]]
        clean, spectrum = known.response(x, state), known.recorded(x, state)
        noise = float((library.merit() - known.truth.merit).std())
    else:
        clean, noise = known.expected(x), float((library.merit() - known.expected(library.compositions)).std())
    value = np.append(library.merit(), clean + noise * random.normal())
    spectra = None
    if library.spectra is not None and spectrum is not None:
        spectra = np.concatenate([library.spectra, spectrum])
    return MaterialsLibrary(
        np.concatenate([library.compositions, x]),
        library.components,
        {library.merit_name(): value},
        {library.merit_name(): library.unit()},
        spectra,
        library.axis,
    )


def peaks(family: str, seed: int, file: Path) -> None:
    """What is said of bands of photoanodes, where they matter and where they do not (the control), and what is true."""
    begun = time.process_time()
    rows = []
    for control in (False, True):
        if control and seed >= CONTROLS:
            continue
        known = photoanode(SIZES[family], seed=seed)
        if control:  # the power no longer depends on the spectrum, whose state varies as before
            law = dataclasses.replace(known.law, numbers=known.law.numbers | {"filling": 0.0, "height": 0.0})
            merit, _, _, spectral = derive(law, known.library.compositions, known.state)
            value = scattered(merit, 1.0, np.random.default_rng(seed))[0]
        else:
            value, spectral = known.library.merit(), known.truth.spectral
        library = dataclasses.replace(known.library, merits=pd.DataFrame({"P": value}))
        _, response, insight, _ = concluded(library, seed)
        said = statements(insight).query("about == 'peak'").set_index("subject")["status"]
        exact, further = exact_changes(known, control), np.mean(known.law.bands[1])
        changes = peak_changes(library, response.corrected, response.noise)
        true = dict(zip(changes.names, changes.carried(spectral[None])[0].mean(0), strict=True))
        for row in peak_table(insight).to_dict("records"):
            kind = "splitting" if row["what"] == "splitting" and row["peak"].startswith("splitting 3") else "other"
            if row["what"] == "area" and abs(float(row["peak"].split()[1]) - further) < NEAR:
                kind = "area"
            rows.append({"control": control, "peak": row["peak"], "kind": kind, "status": said[row["peak"]],
                         "gradient": row["gradient"], "error": row["error"],
                         "true": exact.get(kind, true[row["peak"]])})  # fmt: skip
    write(file, {"rows": rows, "seconds": time.process_time() - begun})


def exact_changes(known: Any, control: bool) -> dict[str, float]:
    """Exact mean derivatives by the splitting (cm-1) and the area (%) of the further band, through the law's states."""
    if control:
        return {"splitting": 0.0, "area": 0.0}
    state = torch.tensor(known.state, requires_grad=True)
    x = torch.tensor(np.array(known.library.compositions))
    merit = known.law.merit(x, known.law.record(x, state)).sum()
    found = torch.autograd.grad(merit, state)[0].numpy().mean(0)
    return {"splitting": -found[0] / 2.5, "area": found[1] / 25}


PARTS = {"signs": signs, "deciding": deciding, "peaks": peaks}


FITTING = {"signs": [*FAMILIES, *SIZES], "deciding": list(SMALL), "peaks": ["photoanode"]}


def rows_of(part: str, seeds: list[int]) -> pd.DataFrame:
    tables = []
    for file in sorted(FOLDER.glob(f"{part}_*.json")):
        _, family, seed = file.stem.split("_")
        if int(seed) in seeds:
            tables.append(pd.DataFrame(json.loads(file.read_text())["rows"]).assign(family=family, seed=int(seed)))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def summary(args: argparse.Namespace) -> str:
    """Tables of everything that is there."""
    texts = []
    table = rows_of("signs", args.seeds)
    if len(table):
        table["right"] = np.sign(table["effect"]) == np.sign(table["true"])
        lines = []
        for name, part in [*table.groupby("family"), ("all", table)]:
            firm, doubtful = part[part["flip"] > FIRM], part[part["flip"] <= FIRM]
            lines.append({"family": name, "libraries": part.groupby(["family", "seed"]).ngroups,
                          "conclusions": len(part), "above 2": len(firm), "right": f"{firm['right'].mean():.3f}",
                          "2 or less": len(doubtful), "right ": f"{doubtful['right'].mean():.3f}",
                          "no mixture reverses it": int(np.isinf(part["mixture"]).sum())})  # fmt: skip
        texts.append(markdown(lines))
    table = rows_of("deciding", args.seeds)
    if len(table):
        lines = []
        for name, part in [*table.groupby("family"), ("all", table)]:
            line: Row = {"family": name}
            for way, own in part.groupby("way"):
                line |= {f"{way}: tried": len(own), f"{way}: settled": f"{own['settled'].mean():.2f}"}
                line |= {f"{way}: settled wrongly": f"{own['wrong'].mean():.2f}"}
                line |= {f"{way}: mean loss after": f"{own['after'].mean():.2f}"}
            lines.append(line)
        texts.append(markdown(lines))
    table = rows_of("peaks", args.seeds)
    if len(table):
        table = table[table["status"] == "supported"]
        table["right"] = np.sign(table["gradient"]) == np.sign(table["true"])
        table["ratio"] = table["gradient"] / table["true"]
        table["inside"] = (table["gradient"] - table["true"]).abs() <= 1.645 * table["error"]
        lines = []
        for (control, kind), part in table.groupby(["control", "kind"]):
            line = {"control": control, "change": kind, "supported": len(part), "right": f"{part['right'].mean():.2f}"}
            line |= {"size over true, median": f"{part['ratio'].median():.2f}"}
            line |= {"range": f"{part['ratio'].min():.2f} to {part['ratio'].max():.2f}"}
            lines.append(line | {"inside 90 % intervals": f"{part['inside'].mean():.2f}"})
        texts.append(markdown(lines) if lines else "nothing is said of bands")
    return "\n\n".join(texts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what is measured")
    parser.add_argument("--families", nargs="+", default=[*FAMILIES, *SIZES])
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(7)))
    args = understood(parser, FOLDER)
    for part in args.parts:
        for seed in args.seeds:
            for family in [name for name in args.families if name in FITTING[part]]:
                file = FOLDER / f"{part}_{family}_{seed}.json"
                if not file.is_file():
                    PARTS[part](family, seed, file)
                    print(file.stem, f"{json.loads(file.read_text())['seconds']:.0f} s", flush=True)
    conclude(args, summary)


if __name__ == "__main__":
    main()
