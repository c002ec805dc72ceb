"""Tables of benchmarks/transfer.py, from the rows that are done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from matlens.figures.save import save_figure
from matlens.microstructure.figures import learning_curves
from matlens.microstructure.properties.learning_curves import summary
from transfer_comparison import COMPARED_WITH, Comparison
from transfer_data import TARGET, UNSEEN

REFERENCE = "VGG-19"


def rows_of(place: Path, part: str, names: tuple[str, ...]) -> pd.DataFrame:
    """One line a fit; the parts of its key become columns."""
    path = place / f"{part}.json"
    if not path.exists():
        return pd.DataFrame()
    content = json.loads(path.read_text())
    keys = pd.DataFrame([key.split("|") for key in content], columns=list(names))
    values = pd.DataFrame(list(content.values()))
    return pd.concat([keys, values[[name for name in values if name not in keys]]], axis=1)


def line(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def head(*cells: object) -> None:
    print(line(*cells))
    print("|" + "---|" * len(cells))


def curves(place: Path) -> None:
    """R squared by number of structures, and how far each model is behind."""
    parts = [rows_of(place, part, ("model", "target", "n", "draw")) for part in ("curves", "networks", "depths")]
    if not any(len(part) for part in parts):
        return
    rows = pd.concat([part for part in parts if len(part)], ignore_index=True)
    rows["n"] = rows["n"].astype(int)
    table = summary(rows, against=REFERENCE)
    sizes = sorted(rows["n"].unique())
    print("\nR squared of ln k, median over draws [behind VGG-19 by: mean, 90 % interval of the paired difference]\n")
    head("model", *(f"n = {n}" for n in sizes))
    for model in rows["model"].unique():
        cells = []
        for n in sizes:
            if (model, n) not in table.index:
                cells.append("")
                continue
            row = table.loc[(model, n)]
            text = f"{row['r2']:.3f}"
            if model != REFERENCE:
                text += f" [{row['behind']:+.3f}, {row['behind_low']:+.3f} .. {row['behind_high']:+.3f}]"
            cells.append(text)
        print(line(model, *cells))
    print("\nMedian |dk| / k in %, and its skill over the volume fraction (1 - error / error)\n")
    head("model", *(f"n = {n}" for n in sizes))
    least = "volume fraction, GP"
    for model in rows["model"].unique():
        errors = [table["median_relative_error"].get((model, n), np.nan) for n in sizes]
        base = [table["median_relative_error"].get((least, n), np.nan) for n in sizes]
        print(line(model, *("" if np.isnan(e) else f"{100 * e:.1f} ({1 - e / b:.2f})" for e, b in zip(errors, base))))


def families(place: Path) -> None:
    """Median relative error where a family was left out, or a real material predicted."""
    for part, title in (("families", "left out"), ("real", "windows of real micrographs")):
        rows = rows_of(place, part, ("model", "family", "draw"))
        if not len(rows):
            continue
        kinds = list(rows["family"].unique())
        print(f"\nMedian |dk| / k in % (R squared of ln k): {title}\n")
        head("model", *kinds)
        for model, one in rows.groupby("model", sort=False):
            found = one.groupby("family")[["median_relative_error", "r2"]].median().reindex(kinds)
            print(line(model, *(f"{100 * e:.1f} ({r:.2f})" for e, r in found.to_numpy())))
        if part == "real":
            ours = rows[rows["model"] == REFERENCE].groupby("family")[["inside", "in_domain"]].mean().reindex(kinds)
            for name in ("inside", "in_domain"):
                print(line(f"{REFERENCE}: share {name.replace('_', ' ')}", *(f"{x:.2f}" for x in ours[name])))


def coverage(place: Path) -> None:
    """Share of test structures inside intervals of 90 %, over draws."""
    rows = rows_of(place, "coverage", ("draw",))
    if len(rows):
        print(f"\nCoverage of intervals of 90 %, {len(rows)} draws of 50 structures\n")
        head("", "mean", "5 % to 95 % of draws")
        for name in [name for name in rows if name != "draw"]:
            low, high = rows[name].quantile([0.05, 0.95])
            print(line(name, f"{rows[name].mean():.3f}", f"{low:.3f} .. {high:.3f}"))


def targets(place: Path) -> None:
    """Other properties."""
    rows = rows_of(place, "targets", ("model", "target", "n", "draw"))
    if len(rows):
        names = list(rows["target"].unique())
        print("\nOther properties, n = 100: R squared of the logarithm (median |d| / value in %)\n")
        head("model", *names)
        for model, one in rows.groupby("model", sort=False):
            found = one.groupby("target")[["r2", "median_relative_error"]].median().reindex(names)
            print(line(model, *(f"{r:.3f} ({100 * e:.1f})" for r, e in found.to_numpy())))


def comparison(place: Path) -> None:
    """Encoders beside each other: all structures, families apart, real windows, and the time of features."""
    found = Comparison(place)
    if COMPARED_WITH not in found.rows:
        return
    names = sorted(found.rows, key=lambda name: name != COMPARED_WITH)
    sizes = (25, 100, 500)
    above = f"[above {COMPARED_WITH} by: mean, 90 % interval over draws and structures (over draws alone)]"

    def table(title: str, columns: list[str], cells: dict[str, list[str]]) -> None:
        print(f"\n{title} {above}\n")
        head("encoder", *columns)
        for label, row in cells.items():
            print(line(label, *row))

    for target, contrast in ((TARGET, 50), (UNSEEN, 300)):
        cells = {found.label(name): [found.cell(name, "test", target, n) for n in sizes] for name in names}
        table(f"R squared of ln k at contrast {contrast}", [f"n = {n}" for n in sizes], cells)
    families = sorted({*found.kinds["test"]})
    cells = {found.label(name): [found.cell(name, "test", TARGET, 100, (kind,)) for kind in families] for name in names}
    table("R squared of ln k at contrast 50 within each family, n = 100", families, cells)
    if without := [name for name in names if found.rows[name]["encoder"]["left_out"]]:
        cells = {}
        for name in without:
            for kind in found.rows[name]["encoder"]["left_out"]:
                cells[f"{found.label(name)}, on {kind}"] = [found.cell(name, "test", TARGET, n, (kind,)) for n in sizes]
                base = [found.cell(COMPARED_WITH, "test", TARGET, n, (kind,)) for n in sizes]
                cells[f"{COMPARED_WITH}, on {kind}"] = base
        table("R squared of ln k at contrast 50 of families left out", [f"n = {n}" for n in sizes], cells)
    materials = [(kind,) for kind in sorted({*found.kinds["real"]})]
    for target, contrast in ((TARGET, 50), (UNSEEN, 300)):
        cells = {
            found.label(name): [found.cell(name, "real", target, 500, kinds) for kinds in [*materials, ()]]
            for name in names
        }
        title = f"R squared of ln k at contrast {contrast} of windows of real micrographs, n = 500"
        table(title, [*(kind for (kind,) in materials), "all"], cells)
    print("\nFeatures of 1000 structures of 128 x 128 pixels\n")
    head("encoder", "threads", "seconds", "processor seconds")
    for name in names:
        for key, row in found.rows[name].items():
            if key.startswith("speed|"):
                print(line(name, key.split("|")[1], f"{row['seconds']:.1f}", f"{row['processor']:.1f}"))


def write_tables(place: Path, figure: Path | None = None) -> None:
    """Print everything that is done, in Markdown; draw the learning curves where asked."""
    for part in (curves, families, coverage, targets, comparison):
        part(place)
    if figure is not None:
        parts = [rows_of(place, part, ("model", "target", "n", "draw")) for part in ("curves", "networks")]
        rows = pd.concat(parts, ignore_index=True)
        rows["n"] = rows["n"].astype(int)
        drawn = learning_curves(rows[["model", "n", "draw", "r2", "median_relative_error"]])
        save_figure(drawn, place / "learning_curves", rows)
        shutil.copyfile(place / "learning_curves.png", figure)
