"""Tables of the likeness benchmark: every encoder against VGG-19, paired over materials and seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from material_kinds import Published, Synthetic
from matlens.core.bootstrap import bootstrap_weights, interval_columns
from reconstruction_materials import EVERY
from reconstruction_summary import ERRORS, copies, grid, in_order, judged, not_made, smaller, written

Row = dict[str, Any]
REFERENCE = "vgg19-oxford"
# How much of each measure the mean difference may be, if the encoder is to count as no worse.
ALLOWED = 0.01
MEASURES = {**ERRORS, "beyond": "beyond"}
RATIOS = {"s2_R": "R of S2", "lineal_path_R": "R of lineal path", "cluster_R": "R of cluster"}


def group_of(material: str) -> str:
    """Which of the three groups a material belongs to."""
    kind = EVERY[material]
    return "fresh" if isinstance(kind, Published) else "synthetic" if isinstance(kind, Synthetic) else "real"


def beyond(ratios: pd.Series) -> float:
    """Geometric mean of max(R, 1) over statistics."""
    return float(np.exp(np.log(ratios.clip(lower=1.0)).mean()))


def one_realisation(record: Row, ratios: list[Row], copying: list[Row]) -> Row:
    """A record together with how it was judged alone, at the smaller windows."""
    table = pd.DataFrame(ratios)
    table = table[table["window"] == smaller(table)].set_index("statistic")
    found = {name: record["errors"][name] for name in ERRORS}
    found |= {name.replace("_error", "_R"): float(table["R"][name]) for name in ERRORS}
    names = ("material", "method", "seed", "seconds", "processor_seconds")
    return {name: record[name] for name in names} | found | {
        "beyond": beyond(table["R"]),
        "joint": table["joint"].iloc[0],
        "copies": any(row["copies"] for row in copying),
    }  # fmt: skip


def paired(rows: pd.DataFrame, name: str, method: str, *, logarithm: bool = False) -> pd.DataFrame:
    """Differences of a measure to the reference's, one row for each material and seed that both made."""
    values = np.log(rows[name]) if logarithm else rows[name]
    keyed = values.set_axis(pd.MultiIndex.from_frame(rows[["method", "material", "seed"]]))
    if REFERENCE not in keyed.index.unique("method"):
        return pd.DataFrame({"material": [], "seed": [], "difference": []})
    return (keyed[method] - keyed[REFERENCE]).dropna().rename("difference").reset_index()


def mean_difference(differences: pd.DataFrame) -> Row:
    """Mean with its 90 % interval; materials are drawn with replacement, with all their seeds (Efron, 1979).

    One material has no interval: NaN.
    """
    if differences["material"].nunique() < 2:
        return {"mean": differences["difference"].mean(), "mean_low": np.nan, "mean_high": np.nan}
    weights = bootstrap_weights(differences["material"])
    drawn = weights @ differences["difference"].to_numpy(dtype=float) / weights.sum(axis=1)
    return interval_columns("mean", drawn)


def against_reference(rows: pd.DataFrame, together: pd.DataFrame) -> str:
    """One line for each group of materials and encoder: mean differences, materials *different*, ratio of times.

    ``together`` holds the joint verdict of all seeds of a material, by method and material.
    """
    lines = []
    groups = rows["material"].map(group_of)
    for group in dict.fromkeys(groups):
        own = rows[groups == group]
        for method in in_order(own.groupby("method", sort=False).first()).index:
            lines.append({"materials": f"{group}, {own['material'].nunique()}", "encoder": method}
                         | one_line(own, method) | {"different on": different(together, own, method)})  # fmt: skip
    return written(lines)


def one_line(rows: pd.DataFrame, method: str) -> Row:
    """Of one encoder on one group of materials; of the reference itself, means and the median time in brackets."""
    shown = MEASURES | RATIOS
    if method == REFERENCE:
        own = rows[rows["method"] == method]
        cells = {short: f"({own[name].mean():.3f})" for name, short in shown.items()}
        return {"pairs": "", **cells, "processor time": f"({own['processor_seconds'].median():.1f} s)"}
    differences = {name: paired(rows, name, method) for name in shown}
    cells = {short: difference_cell(differences[name], judge=name in MEASURES) for name, short in shown.items()}
    times = mean_difference(paired(rows, "processor_seconds", method, logarithm=True))
    ratio = with_interval({key: np.exp(value) for key, value in times.items()}, "{:.3f}")
    return {"pairs": len(differences["beyond"]), **cells, "processor time": ratio}


def difference_cell(differences: pd.DataFrame, *, judge: bool) -> str:
    """Mean and interval; where it is judged, bold if it is surely worse or worse by more than is allowed."""
    found = mean_difference(differences)
    text = with_interval(found, "{:+.3f}")
    return f"**{text}**" if judge and (found["mean_low"] > 0 or found["mean"] > ALLOWED) else text


def with_interval(found: Row, text: str) -> str:
    mean, low, high = (text.format(found[key]) for key in ("mean", "mean_low", "mean_high"))
    return "" if np.isnan(found["mean"]) else mean if np.isnan(found["mean_low"]) else f"{mean} [{low}, {high}]"


def different(together: pd.DataFrame, rows: pd.DataFrame, method: str) -> str:
    """On how many of the materials the results of all seeds together are *different*."""
    own = together.loc[method]["joint"]
    own = own[own.index.isin(rows["material"])]
    return f"{(own == 'different').sum()} of {len(own)}"


def measurements(rows: pd.DataFrame, shapes: list[Row]) -> str:
    """Grains and lamellae: the exemplar's value, and each encoder's mean over seeds in its per cent."""
    table = pd.DataFrame(shapes)
    lines = []
    for (material, name), group in table.groupby(["material", "measure"], sort=False):
        means = group.groupby("source", sort=False)["value"].mean()
        own = means["exemplar"]
        line = {"material": material, "measure": name, "exemplar": f"{own:.2f}"}
        for method in rows["method"].unique():
            line[method] = f"{means[method]:.2f} ({means[method] / own - 1:+.0%})" if method in means else ""
        lines.append(line)
    return written(lines)


def markdown(summary: Row) -> str:
    """Everything in tables: in short, grains and lamellae, then each material."""
    rows, ratios = pd.DataFrame(summary["rows"]), pd.DataFrame(summary["ratios"])
    parts = [" ".join(summary["study"])]
    if rows.empty:
        return parts[0] + "\n"
    copying = copies(pd.DataFrame(summary["copying"]))
    likeness, together = judged(ratios[ratios["window"] == smaller(ratios)])
    parts += [
        f"### Against {REFERENCE}, paired over materials and seeds",
        against_reference(rows, together),
        "Mean difference with its 90 % interval; materials are drawn with replacement, with all their seeds. In "
        "brackets: the mean of the reference itself, and its median time. Bold: surely above 0, or above "
        f"{ALLOWED} in the mean. Beyond: geometric mean over statistics of max(R, 1) of each realisation, at windows "
        f"of {smaller(ratios)}. Different: joint verdict of all seeds of a material together. Time: geometric mean of "
        "the ratio of processor times.",
        f"{int(rows['copies'].sum())} of {len(rows)} realisations fail the copy test.",
    ]
    if summary["shapes"]:
        parts += ["### Grains and lamellae, mean over seeds", measurements(rows, summary["shapes"])]
    for name, short in ERRORS.items():
        parts += [
            f"### {short} error against the exemplar, median over seeds",
            grid(over_seeds(rows, name), "{:.3f}", copying),
        ]
    parts += [f"### Beyond the windows' own difference ({smaller(ratios)}), all seeds together",
              grid(likeness, "{:.2f}", copying, together),
              "Behind it: statistics equivalent / undecided / different, and *c* where results copy their exemplar.",
              "### Seconds of the processor, median over seeds",
              grid(over_seeds(rows, "processor_seconds"), "{:.1f}", copying, bold=False)]  # fmt: skip
    return "\n\n".join(parts + not_made(summary["not_made"])) + "\n"


def over_seeds(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    return in_order(rows.groupby(["method", "material"], sort=False)[name].median().unstack())


def sources() -> str:
    """Where each fresh micrograph is from, and how it becomes phases."""
    lines = []
    for name, own in EVERY.items():
        if isinstance(own, Published):
            options = ", ".join(f"{key} {value}" for key, value in own.cleaning.items())
            lines.append({"material": name, "what": own.what, "save as": own.file, "from": own.address,
                          "licence": own.licence, "SHA-256": own.sha256, "window begins at": f"{own.row}, {own.column}",
                          "cleaning": options})  # fmt: skip
    return written(lines)
