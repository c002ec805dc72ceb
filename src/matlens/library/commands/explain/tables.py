"""The files that ``explain`` writes for a library: the data set of gradients, and tables made of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.evidence import ComponentGroups
from matlens.library.gradients import (
    average_regions,
    cluster_regions,
    composition_box,
    gradient_correlations,
    merit_regions,
)
from matlens.runs.directory import RunDirectory

__all__ = ["averages_table", "axis_table", "pairs_table", "regions_of", "said_of", "write_gradients"]

GRADIENTS = "gradients.nc"


def regions_of(insight: xr.Dataset, texts: Sequence[str], *, seed: int = 0) -> dict[str, NDArray[np.bool_]]:
    """Make regions: all samples, those with the best tenth of the figure of merit, and those asked for.

    Parameters
    ----------
    insight : Dataset
        As of `matlens.library.gradients.explain_library`.
    texts : sequence of str
        ``"W=1:5,Mo=0:2"`` (a box in hundredths), ``"clusters:4"``, or ``"merit:0.5:1"`` (quantiles).
    seed : int
        Seed of the clusters.

    Returns
    -------
    dict of str to ndarray of bool
        Rows of each region, by its name.

    Raises
    ------
    InputError
        If a text is not understood, or a component is unknown.

    Examples
    --------
    >>> data = xr.Dataset({"merit": ("sample", [1.0, 2.0, 3.0]),
    ...                    "composition": (("sample", "component"), [[0.5, 0.5], [0.6, 0.4], [0.9, 0.1]])},
    ...                   {"component": ["Bi", "V"]})
    >>> {name: int(rows.sum()) for name, rows in regions_of(data, ["V=30:50", "merit:0:0.5"]).items()}
    {'all samples': 3, 'merit 90 to 100 %': 1, 'V 0.3 to 0.5': 2, 'merit 0 to 50 %': 2}
    """
    found = {"all samples": np.ones(insight.sizes["sample"], bool)} | merit_regions(insight)
    for text in texts:
        kind, _, rest = text.partition(":")
        try:
            if "=" in text:
                found |= composition_box(insight, **_bounds(text))
            elif kind == "clusters":
                found |= cluster_regions(insight, int(rest), seed=seed)
            elif kind == "merit":
                found |= merit_regions(insight, [float(part) for part in rest.split(":")])
            else:
                raise ValueError(text)
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"the region {text!r} is not understood; write W=1:5,Mo=0:2 (in hundredths), clusters:4, or "
                "merit:0.5:1 (quantiles)."
            ) from None
    return found


def _bounds(text: str) -> dict[str, tuple[float, float]]:
    """Bounds of a box as fractions."""
    found = {}
    for part in text.split(","):
        name, _, ends = part.partition("=")
        low, high = (float(word) / 100 for word in ends.split(":"))
        found[name.strip()] = (low, high)
    return found


def write_gradients(run: RunDirectory, insight: xr.Dataset, *, members: bool) -> None:
    """Write ``gradients.nc``; values along the axis are stored in single precision.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    insight : Dataset
        Gradients, as `matlens.library.gradients.explain_library` returns them.
    members : bool
        Whether the gradients of every model of the ensemble are kept.
    """
    kept = insight if members else insight.drop_vars([name for name in insight if "model" in insight[name].dims])
    if not members and "model" in kept.coords:
        kept = kept.drop_vars("model")
    packed = {"zlib": True, "complevel": 1}
    encoding = {
        str(name): packed | ({"dtype": "float32"} if kept[name].dtype == np.float64 else {})
        for name in kept
        if "axis" in kept[name].dims
    }
    with run.writing(GRADIENTS) as file:
        kept.to_netcdf(file, engine="h5netcdf", encoding=encoding)


def pairs_table(groups: ComponentGroups) -> pd.DataFrame:
    """List the correlations of pairs of components, and the share of resamples that group them.

    Parameters
    ----------
    groups : ComponentGroups
        Groups of components.

    Returns
    -------
    DataFrame
        Columns ``first``, ``second``, ``r``, ``together``, ``beyond`` (whether r is above the threshold).

    Examples
    --------
    >>> square = pd.DataFrame([[1.0, 0.8], [0.8, 1.0]], ["W", "Mo"], ["W", "Mo"])
    >>> pairs_table(ComponentGroups(square, pd.DataFrame(), square, 0.5, ("closure",))).to_dict("records")
    [{'first': 'W', 'second': 'Mo', 'r': 0.8, 'together': 0.8, 'beyond': True}]
    """
    values, together = groups.correlation, groups.together
    rows = [
        {"first": a, "second": b, "r": values.loc[a, b], "together": together.loc[a, b]}
        for a, b in combinations(values.columns, 2)
    ]
    table = pd.DataFrame(rows, columns=["first", "second", "r", "together"])
    return table.assign(beyond=table["r"] > groups.threshold)


def axis_table(insight: xr.Dataset) -> pd.DataFrame:
    """List the correlations of each component's partial gradient (dilution) with that of each channel.

    Parameters
    ----------
    insight : Dataset
        Gradients with spectra.

    Returns
    -------
    DataFrame
        Columns ``component``, ``axis``, ``r``.
    """
    found = gradient_correlations(insight, kind="partial").to_numpy()
    names = [str(name) for name in insight["component"].values]
    places = insight["axis"].to_numpy().astype(float)
    values = found[: len(names), len(names) :].ravel()
    return pd.DataFrame({"component": np.repeat(names, len(places)), "axis": np.tile(places, len(names)), "r": values})


def averages_table(insight: xr.Dataset, regions: dict[str, NDArray[np.bool_]]) -> pd.DataFrame:
    """List the gradients of components averaged over regions.

    Parameters
    ----------
    insight : Dataset
        Gradients.
    regions : dict of str to ndarray of bool
        Rows of each region, by its name.

    Returns
    -------
    DataFrame
        A row for each region, scheme, kind and component.
    """
    found = average_regions(insight, regions)
    parts = {"mean": "", "spread": "_spread", "between": "_between", "samples": "_samples"}
    columns = {
        name: found[f"composition_gradient{end}"].to_series()
        for name, end in parts.items()
        if f"composition_gradient{end}" in found
    }
    return pd.DataFrame(columns).reset_index()


def said_of(said: pd.DataFrame, few: pd.DataFrame) -> list[str]:
    """Sum up an explanation: the conclusions that have support, and how many statements there are of each kind.

    Parameters
    ----------
    said : DataFrame
        Statements with ``status``.
    few : DataFrame
        Conclusions with ``status``, ``sentence``, ``flip`` and ``firm``.

    Returns
    -------
    list of str
        Sentences.
    """
    counts = said["status"].value_counts()
    kinds = ", ".join(f"{int(counts.get(kind, 0))} {kind}" for kind in ("supported", "weak", "unsupported"))
    supported = [
        str(row["sentence"])
        + ("" if row["firm"] else f" Its sign may be wrong (loss to reverse it: {row['flip']:.1f}).")
        for row in few[few["status"] == "supported"].to_dict("records")
    ]
    none = "No statement is supported by these data: the gradients describe the model, not the material."
    return [*(supported or [none]), f"{len(said)} statements: {kinds}."]
