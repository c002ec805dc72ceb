"""Tables and the picture of the reconstruction benchmark, from the rows it gathers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from matlens.figures.style import DOUBLE, styled
from matlens.microstructure.figures.pictures import draw_phases
from matlens.microstructure.structure import Microstructure
from reconstruction_methods import CONTROLS
from reconstruction_summary import methods_tables, records_of
from reconstruction_summary import written as table

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
    "conductivity_error": "conductivity",
}
ASKED = {"s2_error": (0.12, 5), "lineal_path_error": (0.08, 6), "cluster_error": (0.12, 5)}  # at most, on so many


def markdown(summary: Row) -> str:
    parts = [" ".join(summary["study"])]
    records = records_of(summary)
    parts += methods_tables(summary)
    if not records.empty:
        parts += [
            "### Time and memory of each material",
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


def costs(records: pd.DataFrame) -> str:
    """Median seconds by material; evaluations and the largest peak memory over all."""
    names = list(dict.fromkeys(records["material"]))
    rows = []
    for (method, size), group in records.groupby(["method", "size"], sort=False):
        seconds = group.groupby("material")["seconds"].median().map("{:.1f}".format).to_dict()
        rows.append({"method": method, "size": size}
                    | {f"{name}, s": seconds.get(name, "") for name in names}
                    | {"evaluations": evaluations(group), "peak MB": round(group["peak_memory_mb"].max())})  # fmt: skip
    return table(rows)


def evaluations(group: pd.DataFrame) -> str:
    counted = group["evaluations"].dropna() if "evaluations" in group else group["seconds"][:0]
    return str(int(counted.median())) if len(counted) else ""


def errors_tables(records: pd.DataFrame) -> list[str]:
    """Errors against the exemplar itself, medians over seeds, and on how many materials they are as small as asked."""
    parts = []
    for method, group in records[~records["method"].isin(CONTROLS)].groupby("method", sort=False):
        found = pd.DataFrame(list(group["errors"]), index=group["material"])
        values = found[[name for name in SHORT if name in found]].reset_index()
        medians = values.groupby("material", sort=False).median()
        names = ["fraction_error_before", "fraction_error_after"]
        fractions = group.reindex(columns=["material", *names]).groupby("material", sort=False)[names].max()
        rows = [{"material": name} | {SHORT[long]: f"{medians.loc[name, long]:.3f}" for long in medians}
                | {"fraction before": f"{fractions.iloc[i, 0]:.4f}", "after": f"{fractions.iloc[i, 1]:.1g}"}
                for i, name in enumerate(medians.index)]  # fmt: skip
        met = [f"{SHORT[name]} at most {limit}: {int((medians[name] <= limit).sum())} of {len(medians)} (asked {least})"
               for name, (limit, least) in ASKED.items()]  # fmt: skip
        parts += [f"### Errors against the exemplar: {method}", table(rows), "; ".join(met) + "."]
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


def figure(blocks: Sequence[Mapping[str, Mapping[str, Microstructure]]], path: Path) -> None:
    """Materials side by side, one row for the exemplars and for every method; blocks of materials below each other."""
    blocks = [rows for rows in blocks if rows["exemplar"]]
    if not blocks:
        return
    most = max(len(rows["exemplar"]) for rows in blocks)
    pixels = next(iter(blocks[0]["exemplar"].values())).shape[0]
    many = most > 7
    # In dots; one or two of them a pixel keep the pixels sharp.
    side, gap, left, top = (pixels, 10, 230, 60) if many else (2 * pixels, 20, 70, 50)
    width = left + max(most, 3) * (side + gap)
    height = sum(top + len(rows) * (side + gap) for rows in blocks)
    longest = max(len(name) for rows in blocks for name in rows["exemplar"])
    title = 6 * min(1, 10 / longest) if many else None  # points; a name is no wider than its column
    turned = {"ha": "right"} if many else {"ha": "right", "rotation": "vertical"}

    @styled
    def drawn() -> Figure:
        picture = Figure(figsize=(width * _INCH, height * _INCH), dpi=1 / _INCH)
        FigureCanvasAgg(picture)
        ceiling = height
        for rows in blocks:
            for row, (source, structures) in enumerate(rows.items()):
                y = ceiling - top - row * (side + gap) - side
                place = ((left - 15) / width, (y + side / 2) / height)
                said = source.replace(", ", ",\n")
                picture.text(*place, said, va="center", fontsize=6 if many else None, **turned)
                for column, name in enumerate(rows["exemplar"]):
                    if name not in structures:
                        continue
                    x = left + column * (side + gap)
                    axes = picture.add_axes((x / width, y / height, side / width, side / height))
                    draw_phases(axes, structures[name])
                    if row == 0:
                        axes.set_title(name, pad=3, fontsize=title)
            ceiling -= top + len(rows) * (side + gap)
        picture.savefig(path, metadata={"Software": None})
        return picture

    drawn()
