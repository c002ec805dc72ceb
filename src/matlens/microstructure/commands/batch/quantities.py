"""What a batch takes from the run of each file: one row a quantity, with its unit."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from matlens.errors import RunError
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["COLUMNS", "quantities_of"]

COLUMNS = ("quantity", "phase", "axis", "value", "unit")
"""Columns of a quantity."""


def quantities_of(run: RunDirectory) -> pd.DataFrame:
    """List the quantities that a run has found.

    Parameters
    ----------
    run : RunDirectory
        A finished run of a command that has batches.

    Returns
    -------
    DataFrame
        Columns ``quantity``, ``phase``, ``axis``, ``value`` and ``unit``; texts are empty where they have no meaning.
    """
    found = _OF[str(run.settings["command"])](run).reindex(columns=list(COLUMNS))
    texts = [name for name in COLUMNS if name != "value"]
    return found.assign(**{name: found[name].fillna("").astype(str) for name in texts}).reset_index(drop=True)


def _measured(run: RunDirectory) -> pd.DataFrame:
    return _table(run, "measures").rename(columns={"statistic": "quantity"})


def _reconstructed(run: RunDirectory) -> pd.DataFrame:
    """R of every statistic, for the result and the windows that it was judged by, and the fractions reached."""
    fractions = _table(run, "fractions").groupby("phase", sort=False)["after_decoding"].mean().reset_index()
    fractions = fractions.rename(columns={"after_decoding": "value"}).assign(quantity="volume_fraction", unit="1")
    judged = read_table(run, "ratios")
    if judged is None:  # of statistics, which have errors, or of named planes
        return fractions
    own = judged[judged["source"] == "result"]
    ratios = pd.DataFrame(
        {"quantity": "R of " + own["statistic"] + " in windows of " + own["window"], "value": own["R"], "unit": "1"}
    )
    return pd.concat([fractions, ratios], ignore_index=True)


def _homogenized(run: RunDirectory) -> pd.DataFrame:
    """Diagonal of the effective tensor, and the factors of transport where one phase alone conducts.

    Of a volume in windows, the means of what these appear to have.
    """
    kind = "conductivity" if run.settings["options"].get("conductivity") else "stiffness"
    apparent = read_table(run, "apparent")
    if apparent is not None:
        found = apparent.rename(columns={"mean": "value", "component": "axis"})
        return found.assign(quantity=f"apparent {kind} of windows")
    tensor = _table(run, "tensor")
    rows = [
        {"quantity": kind, "axis": name, "value": tensor[str(name)].iloc[place], "unit": tensor["unit"].iloc[place]}
        for place, name in enumerate(tensor["component"])
    ]
    factors = read_table(run, "transport")
    for row in () if factors is None else factors.to_dict("records"):
        rows += [
            {"quantity": name, "axis": row["axis"], "value": row[name], "unit": "1"}
            for name in ("formation_factor", "tortuosity_factor")
        ]
    return pd.DataFrame(rows).dropna(subset="value")


def _predicted(run: RunDirectory) -> pd.DataFrame:
    """Prediction and interval, and whether the structure is like those that were learned from."""
    found, target = _table(run, "predictions"), str(run.provenance.get("resolved", {}).get("target", "property"))
    ends = {"predicted": target, "low": f"{target}, lower end", "high": f"{target}, upper end"}
    ends["in_domain"] = "like the training data"
    parts = [pd.DataFrame({"quantity": name, "value": found[column].astype(float)}) for column, name in ends.items()]
    return pd.concat(parts, ignore_index=True)


_OF: dict[str, Callable[[RunDirectory], pd.DataFrame]] = {
    "characterize": _measured,
    "reconstruct": _reconstructed,
    "homogenize": _homogenized,
    "predict": _predicted,
}


def _table(run: RunDirectory, name: str) -> pd.DataFrame:
    found = read_table(run, name)
    if found is None:
        raise RunError(f"{run.path} has no {name}.csv; remove that folder and go on with 'matlens resume'.")
    return found
