"""Tables and the picture of the reconstruction benchmark, from the rows it gathers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from matlens.figures.micrographs import draw_phases
from matlens.figures.style import DOUBLE, styled
from matlens.microstructure import Microstructure

Row = dict[str, Any]
_INCH = DOUBLE / 2000  # a dot: seven materials then fill two columns of a journal
SHORT = {
    "s2_error": "S2",
    "lineal_path_error": "lineal path",
    "cluster_error": "cluster (face)",
    "cluster_error_full": "cluster (full)",
    "euler_density_error": "Euler density",
    "specific_surface_error": "surface",
    "chord_length_error": "chord length",
}
ASKED = {"s2_error": (0.12, 5), "lineal_path_error": (0.08, 6), "cluster_error": (0.12, 5)}  # at most, on so many


def markdown(summary: Row) -> str:
    parts = [" ".join(summary["study"])]
    records = pd.DataFrame(summary["records"])
    if not records.empty:
        parts += [
            "### Time and memory",
            costs(records),
            *errors_tables(records[records["size"] == records["size"].min()]),
        ]
    ratios, copying = pd.DataFrame(summary["ratios"]), pd.DataFrame(summary["copying"])
    for window, group in ratios.groupby("window", sort=False) if not ratios.empty else ():
        parts += [
            f"### R at windows of {window}, with its 90 % interval (bold above 1.25)",
            ratio_table(group),
            counts(group),
        ]
    if not copying.empty:
        parts += ["### Copy test against the exemplar", copy_table(copying)]
    return "\n\n".join(parts) + "\n"


def table(rows: list[Row]) -> str:
    heads = list(rows[0])
    lines = [heads, ["---"] * len(heads), *([str(row.get(head, "")) for head in heads] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def costs(records: pd.DataFrame) -> str:
    """Median seconds by material; evaluations and the largest peak memory over all."""
    names = list(dict.fromkeys(records["material"]))
    rows = []
    for (encoder, preset, size), group in records.groupby(["encoder", "preset", "size"], sort=False):
        seconds = group.groupby("material")["seconds"].median().map("{:.1f}".format).to_dict()
        rows.append({"encoder": encoder, "preset": preset, "size": size}
                    | {f"{name}, s": seconds.get(name, "") for name in names}
                    | {"evaluations": int(group["evaluations"].median()),
                       "peak MB": round(group["peak_memory_mb"].max())})  # fmt: skip
    return table(rows)


def errors_tables(records: pd.DataFrame) -> list[str]:
    """Errors against the exemplar itself, medians over seeds, and on how many materials they are as small as asked."""
    parts = []
    for (encoder, preset), group in records.groupby(["encoder", "preset"], sort=False):
        values = pd.DataFrame(list(group["errors"]))[list(SHORT)].assign(material=list(group["material"]))
        medians = values.groupby("material", sort=False).median()
        fractions = group.groupby("material", sort=False)[["fraction_error_before", "fraction_error_after"]].max()
        rows = [{"material": name} | {short: f"{medians.loc[name, long]:.3f}" for long, short in SHORT.items()}
                | {"fraction before": f"{fractions.iloc[i, 0]:.4f}", "after": f"{fractions.iloc[i, 1]:.1g}"}
                for i, name in enumerate(medians.index)]  # fmt: skip
        met = [f"{SHORT[name]} at most {limit}: {int((medians[name] <= limit).sum())} of {len(medians)} (asked {least})"
               for name, (limit, least) in ASKED.items()]  # fmt: skip
        parts += [f"### Errors against the exemplar: {encoder}, {preset}", table(rows), "; ".join(met) + "."]
    return parts


def ratio_table(ratios: pd.DataFrame) -> str:
    rows = []
    for (material, source), group in ratios.groupby(["material", "source"], sort=False):
        cells = {SHORT[line["statistic"]]: ratio_cell(line) for line in group.to_dict("records")}
        joint = group["joint"].iloc[0]
        row = {"material": material, "source": source} | {short: cells.get(short, "") for short in SHORT.values()}
        rows.append(row | {"joint": joint if isinstance(joint, str) else ""})
    return table(rows)


def counts(ratios: pd.DataFrame) -> str:
    """On how many materials R is at most 1.25, by source."""
    lines = []
    for source, group in ratios[ratios["statistic"].isin(list(ASKED))].groupby("source", sort=False):
        met = (group.assign(met=group["R"] <= 1.25).groupby("statistic", sort=False)["met"]).agg(["sum", "size"])
        lines.append(
            f"- {source}: " + ", ".join(f"{SHORT[name]} {row['sum']} of {row['size']}" for name, row in met.iterrows())
        )
    return "R at most 1.25:\n\n" + "\n".join(lines)


def ratio_cell(line: Row) -> str:
    text = f"**{line['R']:.2f}**" if line["R"] > 1.25 else f"{line['R']:.2f}"
    if line["low"] == line["low"]:  # not NaN
        text += f" [{line['low']:.2f}, {line['high']:.2f}]"
    return text + {"equivalent": " =", "different": " ≠"}.get(str(line["verdict"]), "")


def copy_table(copying: pd.DataFrame) -> str:
    """The patch side that decides and is nearest to failing, over all realisations."""
    rows = []
    for (material, source), group in copying.reset_index(drop=True).groupby(["material", "source"], sort=False):
        above = group["copy_share"] - group["limit"]
        judged = group["copies"] | (above <= 0)  # a side whose patches repeat by themselves decides nothing
        worst = group.loc[above[judged].idxmax() if judged.any() else above.idxmin()]
        failed = int(group.groupby("realisation", dropna=False)["copies"].any().sum())
        rows.append({"material": material, "source": source, "patch": worst["patch"],
                     "share": f"{worst['copy_share']:.3f}", "limit": f"{worst['limit']:.3f}",
                     "largest block (expected)": f"{group['largest_block'].max()} ({worst['largest_block_expected']})",
                     "copies": f"{failed} of {group['realisation'].nunique(dropna=False)}"})  # fmt: skip
    return table(rows)


def figure(rows: Mapping[str, Mapping[str, Microstructure]], path: Path) -> None:
    """Materials side by side, one row for the exemplars and for every encoder."""
    names = list(rows["exemplar"])
    if not names:
        return
    pixels = rows["exemplar"][names[0]].shape[0]
    side, gap, left, top = 2 * pixels, 20, 70, 50  # in dots; two of them a pixel keep the pixels sharp
    width, height = left + max(len(names), 3) * (side + gap), top + len(rows) * (side + gap)

    @styled
    def drawn() -> Figure:
        picture = Figure(figsize=(width * _INCH, height * _INCH), dpi=1 / _INCH)
        FigureCanvasAgg(picture)
        for row, (source, structures) in enumerate(rows.items()):
            for column, name in enumerate(names):
                if name not in structures:
                    continue
                x, y = left + column * (side + gap), height - top - row * (side + gap) - side
                axes = picture.add_axes((x / width, y / height, side / width, side / height))
                draw_phases(axes, structures[name])
                if row == 0:
                    axes.set_title(name, pad=3)
                if column == 0:
                    axes.set_ylabel(source, labelpad=3)
        picture.savefig(path, metadata={"Software": None})
        return picture

    drawn()
