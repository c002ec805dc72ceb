"""The sections of a report that explains a model of a library: along the spectrum, and which components act alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.figures.units import name_with_unit, typeset_unit
from matlens.library import figures
from matlens.library.commands.words import gradients_in
from matlens.library.gradients import gradient_correlations, relative_gradients
from matlens.report.parts import Drawing, Folded, Section, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["alike", "along_the_spectrum", "bands_of_the_spectrum", "reference_analyses"]

_PAIR = ("first", "second")
_LEVEL = 0.05  # of a group that stands out
_BANDS = {
    "low": "from",
    "high": "to",
    "peak": "most clearly at",
    "sign": "effect",
    "channels": "channels",
    "gradient": "mean gradient",
    "t": "largest t",
    "p": "family-wise p",
}
_PEAKS = {
    "peak": "change",
    "value": "mean",
    "between": "between samples",
    "value_error": "error of a fit",
    "value_unit": "unit",
    "gradient": "gradient",
    "error": "its error",
    "unit": "its unit",
    "reason": "support",
}
_FITTED = ("peak", "value", "between", "value_error", "value_unit")
_GROUPS = {
    "components": "group",
    "correlation": "mean correlation",
    "least": "least of any pair",
    "null": "by chance (5 %)",
    "p": "family-wise p",
    "stability": "stability",
    "supported": "gradients with data",
}


def along_the_spectrum(run: RunDirectory) -> Section | None:
    """Show the spectrum coloured by gradient, the mean gradient with its band, and the significant bands.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    insight = gradients_in(run)
    if insight is None or "spectral_gradient" not in insight:
        return None
    bands = read_table(run, "bands")
    frame = figures.spectrum_frame(insight)
    units = str(insight["spectral_gradient"].attrs.get("units", ""))
    figure = figures.spectrum_gradient(
        frame,
        bands,
        axis=_axis(insight),
        intensity=_intensity(insight),
        gradient=name_with_unit("mean gradient", units),
    )
    caption = (
        "Above: mean spectrum of all samples, as it stands in the file, coloured by the mean gradient of the figure of "
        "merit with respect to each channel, composition held; orange: more intensity goes with a higher one. Below: "
        "that gradient, with one standard deviation over the members either way. Hatched channels do not vary beyond "
        "noise and composition in most samples, so that nothing can be said of them."
    )
    items: list[Any] = [Drawing("spectrum", figure, frame, caption)]
    said = []
    if bands is not None and len(bands):
        along = typeset_unit(str(insight["axis"].attrs.get("units", "")))
        names = _BANDS | ({key: f"{_BANDS[key]} ({along})" for key in ("low", "high", "peak")} if along else {})
        names["gradient"] = name_with_unit("mean gradient", units)
        listed = bands.assign(sign=np.where(bands["sign"] > 0, "raises", "lowers"))
        items.append(table(listed, "Windows with a gradient that is not zero", names))
        said.append(
            "Windows are tested together: the chance that any of them is false is 5 %, however many channels there are."
        )
    else:
        said.append("No stretch of the axis passes the family-wise test; single peaks of the curve may be chance.")
    return Section("Where in the spectrum", items, said)


def bands_of_the_spectrum(run: RunDirectory) -> Section | None:
    """Show how shifts, widths, areas and splittings of bands go with the figure of merit.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found, insight, said = read_table(run, "peaks"), gradients_in(run), read_table(run, "statements")
    if found is None or insight is None or not len(found):
        return None
    known = found[found["support"] > 0]
    reasons = {} if said is None else dict(zip(said["subject"], said["reason"]))
    listed = found.assign(reason=[reasons.get(name, "") for name in found["peak"]])
    listed["unit"] = [typeset_unit(unit) for unit in listed["unit"]]
    listed["value_unit"] = [typeset_unit(unit) for unit in listed["value_unit"]]
    few = [name for name in _PEAKS if name in listed]
    items: list[Any] = []
    paragraphs = [
        "Bands are found in the mean spectrum, and fitted to every sample (pseudo-Voigt functions on a smooth "
        "background). What the model says of a change of a band is the sum over channels of its gradient times what "
        "the change makes of the intensity, composition held; a width changes at constant area, and an area counts "
        "in percent of its mean."
    ]
    if len(known):
        frame = pd.DataFrame({"peak": known["peak"], "support": known["support"]})
        times = known["between"]
        frame["effect"] = known["gradient"] * times
        frame["low"], frame["high"] = known["low"] * times, known["high"] * times
        label = name_with_unit(f"change of {insight.attrs.get('target', 'the figure of merit')}", _of_merit(insight))
        caption = (
            "What a change of a band by one standard deviation of the samples goes with, and its 90 % interval; only "
            "changes that spectra of one composition show beyond noise, and not always together with another change."
        )
        items.append(Drawing("peaks", figures.peak_effects(frame, label=label), frame, caption))
        items.append(
            table(listed[listed["support"] > 0], "Changes of bands that data support", {k: _PEAKS[k] for k in few})
        )
    else:
        paragraphs.append(
            "No band changes by itself at held composition by more than noise, so that data support none of these "
            "gradients."
        )
    rest = listed[listed["support"] == 0]
    if len(rest):
        names = {key: _PEAKS[key] for key in (*_FITTED, "reason")}
        items.append(Folded(f"{len(rest)} changes of which nothing can be said", [table(rest, "", names)]))
    return Section("Which bands matter", items, paragraphs)


def _of_merit(insight: xr.Dataset) -> str:
    return typeset_unit(str(insight.attrs.get("unit", "")))


def alike(run: RunDirectory) -> Section | None:
    """Show gradients of each pair of components, groups of components, and their correlation with channels.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    insight = gradients_in(run)
    if insight is None:
        return None
    groups = read_table(run, "groups")
    pairs = figures.pair_frame(insight)
    known = [str(name) for name in pairs if pairs[name].notna().sum() >= 10]
    if len(known) < 2:
        return None
    correlations = _correlations(run, insight, known)
    # Each sample less its mean over components: a term that all components share would make any two of them agree.
    dots = pd.DataFrame(relative_gradients(pairs.to_numpy()), columns=pairs.columns)[known]
    drawn = correlations.assign(r=[_pearson(dots[a], dots[b]) for a, b in zip(*(correlations[k] for k in _PAIR))])
    label = name_with_unit("relative total gradient", str(insight["composition_gradient"].attrs.get("units", "")))
    caption = (
        "Total gradients (dilution) of each pair of components, less the mean over the components of the sample; a dot "
        "is a sample in which both have support, and the number is Pearson's r of these dots"
    )
    caption += "; grey: within what closure and chance give." if "beyond" in correlations else "."
    items: list[Any] = [Drawing("pairs", figures.gradient_pairs(dots, drawn, label=label), dots, caption)]
    members = [] if groups is None else [str(text).split(", ") for text in groups["components"]]
    order = list(dict.fromkeys([name for group in members for name in group if name in known] + known))
    sure = [] if groups is None else (groups["p"] <= _LEVEL).tolist()
    framed = [group for group, beyond in zip(members, sure) if beyond and set(group) <= set(order)]
    figure = figures.correlation_matrix(correlations, order, framed, label="correlation r of total gradients")
    caption = (
        "The same correlations within each model, averaged over models; frames are groups of components that act alike "
        f"beyond closure and chance (family-wise p of {_LEVEL:g} or less)."
    )
    items.append(Drawing("groups", figure, correlations, caption))
    said = [
        "Closure alone makes gradients go together or against each other, so groups are compared with random smooth "
        "functions on the same compositions (and, where trained, with models of permuted labels). Stability is the "
        "mean overlap with the groups of bootstrap resamples; above 0.75 a group is stable."
    ]
    if groups is not None and len(groups):
        items.append(table(groups, "Groups of components whose gradients go together", _GROUPS, ["supported"]))
    else:
        said.append("No group of components stands out.")
    items += _axis_map(run, insight, correlations)
    return Section("Which components act alike", items, said)


def _pearson(first: pd.Series, second: pd.Series) -> float:
    return float(first.corr(second, min_periods=10))


def _correlations(run: RunDirectory, insight: xr.Dataset, names: list[str]) -> pd.DataFrame:
    found = read_table(run, "correlations")
    if found is not None and {"first", "second", "r"} <= set(found):
        return found[found["first"].isin(names) & found["second"].isin(names)]
    frame = figures.pair_frame(insight)
    values = pd.DataFrame(relative_gradients(frame.to_numpy()), columns=frame.columns)[names].corr(min_periods=10)
    rows = [(a, b, values.loc[a, b]) for i, a in enumerate(names) for b in names[i + 1 :]]
    return pd.DataFrame(rows, columns=["first", "second", "r"])


def _axis_map(run: RunDirectory, insight: xr.Dataset, correlations: pd.DataFrame) -> list[Any]:
    """Correlations of components with channels."""
    if "spectral_gradient" not in insight:
        return []
    frame = read_table(run, "component_axis")
    if frame is None or not {"component", "axis", "r"} <= set(frame):
        found = gradient_correlations(insight, kind="partial")
        names = [str(name) for name in insight["component"].values]
        block = found.to_numpy()[: len(names), len(names) :]
        places = insight["axis"].to_numpy().astype(float)
        frame = pd.DataFrame(
            {"component": np.repeat(names, len(places)), "axis": np.tile(places, len(names)), "r": block.ravel()}
        )
    spectrum = figures.spectrum_frame(insight)
    silent = spectrum.loc[spectrum["support"] == 0, "axis"].to_numpy()
    known = set(correlations["first"]) | set(correlations["second"])
    frame = frame.assign(r=frame["r"].where(frame["component"].isin(known) & ~_among(frame["axis"], silent)))
    null = float(frame["limit"].iloc[0]) if "limit" in frame and frame["limit"].notna().any() else None
    figure = figures.component_axis_map(
        frame, spectrum[["axis", "intensity"]], axis=_axis(insight), label="correlation r", null=null
    )
    caption = (
        "Correlation over samples between the gradient of each component and that of each channel: channels and "
        "components of one colour move the figure of merit together. Hatched: no support, or a gradient that does not "
        "vary."
    )
    caption += " What chance reaches is pale." if null is not None else ""
    return [Drawing("axis_map", figure, frame, caption)]


def _among(places: pd.Series, others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which places are among others, but for what single precision and text files round."""
    return np.isin(places.to_numpy().astype(np.float32), others.astype(np.float32))


def reference_analyses(run: RunDirectory) -> Section | None:
    """Show what PLS, random forests and NMF find in the same data, beside the gradients.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "ways")
    if found is None or not {"way", "place", "value"} <= set(found):
        return None
    insight = gradients_in(run)
    found = found.assign(line=found["line"].astype(object).fillna("") if "line" in found else "")
    places = pd.to_numeric(found["place"], errors="coerce")
    items: list[Any] = []
    axis = "" if insight is None or "axis" not in insight.coords else _axis(insight)
    for name, part, label in (
        ("ways_axis", found[places.notna()].assign(place=places[places.notna()]), axis),
        ("ways_components", found[places.isna()], ""),
    ):
        if len(part):
            caption = "Along the axis" if label else "By component"
            caption += (
                ": the gradients beside what PLS, a random forest and non-negative factors show of the same data; each "
                "panel has its own scale."
            )
            items.append(Drawing(name, figures.reference_analyses(part, axis=label), part, caption))
    said = [
        "Coefficients of partial least squares hold for all samples at once; importances of a forest have no sign; "
        "factors of a non-negative factorisation know nothing of the figure of merit, and r beside each is the "
        "correlation of its weight with it. Agreement is reassuring; a gradient that none of them shows should be "
        "looked at in the checks below."
    ]
    return Section("Comparison with PLS and random forest", items, said) if items else None


def _axis(insight: xr.Dataset) -> str:
    about = insight["axis"].attrs
    return name_with_unit(str(about.get("long_name", "channel")), str(about.get("units", "")))


def _intensity(insight: xr.Dataset) -> str:
    about = insight["spectrum"].attrs
    return name_with_unit(str(about.get("long_name", "intensity")), str(about.get("units", "")))
