"""Methods side by side: the summary tables of the reconstruction benchmark."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reconstruction_methods import ALL, CONTROLS

Row = dict[str, Any]
ERRORS = {"s2_error": "S2", "lineal_path_error": "lineal path", "cluster_error": "cluster"}


def methods_tables(summary: Row) -> list[str]:
    """All methods on all materials, at the smallest size; bold is the best of those that are no control and no copy."""
    records, ratios = records_of(summary), pd.DataFrame(summary["ratios"])
    if records.empty or ratios.empty:
        return []
    records = records[records["size"] == records["size"].min()]
    copying = copies(pd.DataFrame(summary["copying"]))
    likeness, verdicts = judged(ratios[ratios["window"] == smaller(ratios)])
    values = {short: medians(records, name) for name, short in ERRORS.items()}
    parts = [
        "### All methods in short",
        in_short(records, values, likeness, verdicts, copying, summary["not_made"]),
        "Medians over materials, each the median over its seeds. Beyond: geometric mean over statistics of R, where R "
        "below 1 counts as 1, for being closer than the windows are to each other is no merit. Joint: verdicts "
        "equivalent / undecided / different. Best on: materials where no other method that does not copy is below it. "
        "Memory is the largest of the process, with Python and torch.",
        f"### Beyond the windows' own difference ({smaller(ratios)})",
        grid(likeness, "{:.2f}", copying, verdicts),
        "Behind it: statistics equivalent / undecided / different, and *c* where a result copies its exemplar. 1.00 is "
        "as close as windows of the material are to each other.",
    ]
    for short, table in values.items():
        parts += [f"### {short} error against the exemplar, median over seeds", grid(table, "{:.3f}", copying)]
    parts += ["### Where which method is best", *where_best(values | {"R": likeness}, copying)]
    seconds = grid(medians(records, "seconds"), "{:.1f}", copying, bold=False)
    parts += ["### Seconds of the processor, median over seeds", seconds]
    parts += ["### Peak memory in MB", grid(largest(records), "{:.0f}", copying, bold=False)]
    return parts + not_made(summary["not_made"])


def records_of(summary: Row) -> pd.DataFrame:
    """Realisations made; seconds are the processor's where they were taken: other work does not lengthen them."""
    records = pd.DataFrame(summary["records"])
    if "processor_seconds" in records:
        records["seconds"] = records["processor_seconds"].fillna(records["seconds"])
    return records


def smaller(ratios: pd.DataFrame) -> str:
    """The smaller windows, of which there are enough for a verdict."""
    return min(ratios["window"].unique(), key=lambda name: int(name.split("x")[0]))


def judged(ratios: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Methods x materials: geometric mean of R (at least 1), and counts of verdicts with the joint one."""
    ratios = ratios[ratios["verdict"].notna()] if "verdict" in ratios else ratios
    beyond = np.log(ratios["R"].clip(lower=1.0)).groupby([ratios["source"], ratios["material"]], sort=False).mean()
    rows = {}
    for (source, material), group in ratios.groupby(["source", "material"], sort=False):
        found = group["verdict"].value_counts()
        counts = "/".join(str(int(found.get(kind, 0))) for kind in ("equivalent", "undecided", "different"))
        rows[source, material] = {"counts": counts, "joint": group["joint"].iloc[0]}
    return in_order(np.exp(beyond).unstack()), pd.DataFrame(rows).T


def medians(records: pd.DataFrame, name: str) -> pd.DataFrame:
    values = records[name] if name in records else records["errors"].map(lambda found: found[name])
    return in_order(values.groupby([records["method"], records["material"]], sort=False).median().unstack())


def largest(records: pd.DataFrame) -> pd.DataFrame:
    return in_order(records.groupby(["method", "material"], sort=False)["peak_memory_mb"].max().unstack())


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Methods as they are listed, whatever was made first; others behind."""
    return table.reindex([*(m for m in ALL if m in table.index), *(m for m in table.index if m not in ALL)])


def copies(copying: pd.DataFrame) -> set[tuple[str, str]]:
    """Methods and materials of which more than half of the results fail the copy test."""
    if copying.empty or "realisation" not in copying:
        return set()
    failed = copying.groupby(["source", "material", "realisation"])["copies"].any()
    share = failed.groupby(["source", "material"]).mean()
    return set(share[share > 0.5].index)


def contest(table: pd.DataFrame, copying: set[tuple[str, str]]) -> pd.DataFrame:
    """The table without controls and copies: what may be the best."""
    left = table.drop(index=[name for name in CONTROLS if name in table.index])
    for method, material in copying:
        if method in left.index and material in left.columns:
            left.loc[method, material] = np.nan
    return left


def grid(
    table: pd.DataFrame, text: str, copying: set[tuple[str, str]], verdicts: Any = None, *, bold: bool = True
) -> str:
    best = contest(table, copying).min()
    rows = []
    for method, values in table.iterrows():
        row = {"method": method}
        for material, value in values.items():
            shown = "" if value != value else text.format(value)
            wins = bold and shown == text.format(best[material]) and method not in CONTROLS
            shown = f"**{shown}**" if shown and wins and (method, material) not in copying else shown
            if shown and verdicts is not None:
                shown += f" {verdicts.loc[(method, material), 'counts']}"
                shown += " *c*" if (method, material) in copying else ""
            row[str(material)] = shown
        rows.append(row)
    return written(rows)


def in_short(
    records: pd.DataFrame,
    values: dict[str, pd.DataFrame],
    likeness: pd.DataFrame,
    verdicts: pd.DataFrame,
    copying: set[tuple[str, str]],
    lacking: list[Row],
) -> str:
    compared = values | {"beyond": likeness}
    best = {name: contest(table, copying).min() for name, table in compared.items()}
    rows = []
    for method in values["S2"].index:
        own = records[records["method"] == method]
        joints = verdicts.loc[method]["joint"].value_counts()
        refused = {row["material"] for row in lacking if row["method"] == method and "refused" in row}
        row = {"method": method, "materials": own["material"].nunique(), "refused": len(refused)}
        for name, table in compared.items():
            wins = (table.loc[method] <= best[name]) & np.array([(method, m) not in copying for m in table.columns])
            row[name] = f"{table.loc[method].median():.3f}"
            row[f"best on ({name})"] = "" if method in CONTROLS else int(wins.sum())
        row["joint"] = "/".join(str(int(joints.get(kind, 0))) for kind in ("equivalent", "undecided", "different"))
        row["copies on"] = sum(source == method for source, _ in copying)
        row["s"] = f"{own.groupby('material')['seconds'].median().median():.1f}"
        row["MB"] = f"{own['peak_memory_mb'].max():.0f}"
        rows.append(row)
    return written(rows)


def where_best(tables: dict[str, pd.DataFrame], copying: set[tuple[str, str]]) -> list[str]:
    """Plain sentences: which method wins which material, baselines as well."""
    lines = []
    for name, table in tables.items():
        left = contest(table, copying).dropna(how="all", axis=1)
        winners = left.idxmin()
        said = (f"{method} on {', '.join(winners.index[winners == method])}" for method in dict.fromkeys(winners))
        lines.append(f"- {name}: " + "; ".join(said))
    return ["\n".join(lines)]


def not_made(lacking: list[Row]) -> list[str]:
    """Refusals and failures, each once, in the method's own words."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for row in lacking:
        kind = "refused" if "refused" in row else "failed"
        names = rows.setdefault((row["method"], kind, str(row[kind])), [])
        if row["material"] not in names:
            names.append(row["material"])
    table = [{"method": m, "": kind, "materials": ", ".join(names), "reason": said.replace("|", "/")}
             for (m, kind, said), names in rows.items()]  # fmt: skip
    return ["### Refused and failed", written(table)] if table else []


def written(rows: list[Row]) -> str:
    heads = list(rows[0])
    lines = [heads, ["---"] * len(heads), *([str(row.get(head, "")) for head in heads] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
