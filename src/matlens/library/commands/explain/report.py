"""The report of ``library explain``: what a model's gradients say, and how far to trust them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from matlens.core.numbers import shown
from matlens.core.user_text import listed
from matlens.figures.units import name_with_unit, typeset_unit
from matlens.library import figures
from matlens.library.commands.explain.spectra_report import (
    alike,
    along_the_spectrum,
    bands_of_the_spectrum,
    reference_analyses,
)
from matlens.library.commands.maps import gradients_on_the_wafer, on_the_triangle
from matlens.library.commands.words import (
    MARKS,
    SCHEMES,
    gradients_in,
    model_words,
    notes_of,
    sizes,
    subtitle,
)
from matlens.report.numbers import sentence
from matlens.report.parts import Answer, Drawing, Folded, Page, Section, Tile, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["CITES", "PAGE"]

_MEANING = (
    "Supported means that nothing found speaks against it; weak, that something does, which is named; unsupported, "
    "that there is no basis for it in the data or a check failed: it is listed so that nobody has to rediscover it."
)
_STATEMENTS = {"sentence": "statement", "status": "trust", "reason": "why"}
_FLIP = (
    "A conclusion is as sure as what it takes to reverse it: the loss of held-out log-likelihood at which the best "
    "rival explanation (other weights of the models of the mixture, or a change within the error of the effect) has "
    "the other sign. Above 2 the sign holds; below, measure the sample beside it first: there both explanations differ "
    "most, by so many standard deviations of a measurement (σ)."
)
_CONCLUSIONS = {"sentence": "conclusion", "flip": "loss to reverse it", "next": "sample that tells most", "but": "but"}
_RIVALS = {"subject": "about", "flip_mixture": "loss by weights alone", "rival": "least costly rival explanation"}
_LARGE = 100.0
_ERROR = "error"  # runs of earlier versions have another column
_ATTRIBUTES = ("total_check", "identifiability")  # of the data set: sentences on what the gradients are
_OF_GRADIENTS = ("mean", "spread", "between")
_REGIONS = {
    "region": "region",
    "component": "component",
    "mean": "gradient",
    "spread": "spread of the members",
    "between": "between samples",
    "samples": "samples",
}


def findings(run: RunDirectory) -> Section | None:
    """List every statement with its mark of trust, the supported ones first.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found, insight = read_table(run, "statements"), gradients_in(run)
    if found is None:
        return None
    found = found.assign(order=found["status"].map(MARKS.index)).sort_values("order", kind="stable")
    counts = [f"{int((found['status'] == mark).sum())} {mark}" for mark in MARKS]
    said = [f"{len(found)} statements were tested: {', '.join(counts[:-1])} and {counts[-1]}. {_MEANING}"]
    if insight is not None:
        said.append(_how(insight))
    found["sentence"] = [sentence(str(text)) for text in found["sentence"]]
    every = Folded(f"All {len(found)} statements", [table(found, "", _STATEMENTS)])
    few = read_table(run, "conclusions")
    if few is None:  # runs of earlier versions
        return Section("Statements", [every], [*said, *_notes(run, insight)])
    items: list[Any] = [*_conclusions(few), every]
    first = _FLIP if len(few) else "No statement has support by these data: they describe the model, not the material."
    return Section("What would reverse these conclusions", items, [first, *said, *_notes(run, insight)])


def _conclusions(few: pd.DataFrame) -> list[Any]:
    """The conclusions, and for each the rival explanation and the sample that would tell most."""
    if not len(few):
        return []
    listed = few.assign(
        sentence=[sentence(str(text)) for text in few["sentence"]],
        # a number above a hundred says no more than that it is large
        flip=[shown(float(loss), 2) if loss <= _LARGE else f"> {_LARGE:g}" for loss in few["flip"]],
        but=["" if row["status"] == "supported" else str(row["reason"]) for row in few.to_dict("records")],
    )
    text = listed["next"].astype(object).fillna("")
    listed["next"] = [f"{words} ({shown(float(apart), 2)} σ apart)" if words else "none found"
                      for words, apart in zip(text, listed["separation"])]  # fmt: skip
    both = few["status"].nunique() > 1
    order = (
        "Conclusions: supported ones, then weak ones, each with the surest first"
        if both
        else "Conclusions, the surest first"
    )
    main = table(listed, order, _CONCLUSIONS)
    return [main, Folded("What the rival explanations are", [table(listed, "", _RIVALS)])]


def answer(run: RunDirectory) -> Answer | None:
    """Show the largest effects of components, how many statements have support, and gradients of all components.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before statements are made.
    """
    found, insight, checks = read_table(run, "statements"), gradients_in(run), read_table(run, "sanity")
    if found is None or insight is None:
        return None
    supported = found["status"] == "supported"
    tiles = [Tile("supported statements", f"{int(supported.sum())} of {len(found)}")]
    if checks is not None:
        tiles.append(Tile("checks passed", f"{int((checks['passed'].astype(str) == 'True').sum())} of {len(checks)}"))
    own = found[supported & (found["about"] == "composition") & (found["region"] == "all samples")]
    for row in own.loc[own["effect"].abs().sort_values(ascending=False).index].head(3).to_dict("records"):
        error = f"± {shown(float(row[_ERROR]))}" if _ERROR in row and not pd.isna(row[_ERROR]) else ""
        value = float(row["effect"])
        tiles.append(
            Tile(
                f"adding {row['subject']}", ("+" if value > 0 else "") + shown(value), typeset_unit(row["unit"]), error
            )
        )
    return Answer(tiles, _components(insight))


def _notes(run: RunDirectory, insight: xr.Dataset | None) -> list[str]:
    """Notes of the run, but for what stands with the components."""
    known = [] if insight is None else [sentence(str(insight.attrs.get(key, ""))) for key in _ATTRIBUTES]
    return [note for note in notes_of(run) if note not in known]


def _how(insight: xr.Dataset) -> str:
    """What was explained, and what its spreads are."""
    members = int(insight.attrs.get("members", 1))
    inputs = [word for word, key in (("composition", "composition"), ("spectrum", "spectrum"))
              if insight.attrs.get(f"uses_{key}")]  # fmt: skip
    model = f"an ensemble of {members} models" if members > 1 else "a single model"
    if "part" in insight.coords:
        others = [model_words(str(name)) for name in insight["part"].values[1:]]
        model = f"a mixture of {model} with {listed(others)}"
    return (
        f"Read from {model} of {' and '.join(inputs)}, at {insight.sizes['sample']} samples, in "
        f"{typeset_unit(str(insight['composition_gradient'].attrs.get('units', '')))}. What follows ± is "
        "one standard error; a spread is the "
        f"{insight.attrs.get('spread', 'standard deviation over models')}."
    )


def by_sample(run: RunDirectory) -> Section | None:
    """Show compositions of single samples with an arrow for each gradient.

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
    rows = figures.typical_samples(insight)
    items: list[Any] = []
    for scheme in ("dilution", "exchange"):
        frame = figures.arrow_frame(insight, rows, scheme=scheme)
        figure = figures.composition_arrows(frame, unit=typeset_unit(_units(insight)), fraction_name=_name(insight))
        caption = (
            "The best sample of each of the most frequent co-alloy systems, and those least like them, in "
            f"{_name(insight)}, with the total gradient of each component by {SCHEMES[scheme]}. Caps are one "
            f"{frame.attrs['caps']}. A dot is a gradient of known size that cannot be "
            "distinguished from zero; a cross is a direction in which no data lie, whatever the model says of it."
        )
        if scheme == "exchange":
            caption += f" Hosts: {_hosts(insight)}."
        items.append(Drawing(f"arrows_{scheme}", figure, frame, caption))
    return Section("What to add to a sample", items)


def _hosts(insight: xr.Dataset) -> str:
    hosts = pd.Series(insight["exchange_host"].values.astype(str), index=insight["component"].values.astype(str))
    return "; ".join(f"{host} for {', '.join(part.index)}" for host, part in hosts.groupby(hosts, sort=False))


def _components(insight: xr.Dataset) -> Drawing:
    """Draw the gradient of each component over the samples, beside its check."""
    frame = figures.gradient_frame(insight, ["dilution", "exchange"])
    label = name_with_unit("total gradient", _units(insight))
    caption = (
        "Total gradient of each component over the samples in which its direction has support: median (dot), central "
        "half (thick) and nine tenths (thin) of the samples. Beside it the same of a Gaussian process on composition "
        "alone, which knows nothing of the spectra and is the check of the total; crosses have no support."
    )
    own = frame[(frame["scheme"] == "dilution") & (frame["model"] == "model")].dropna(subset="median")
    listed = ", ".join(f"{name} {shown(float(median))}" for name, median in zip(own["component"], own["median"]))
    alt = f"Median {label} of each component at the expense of all others: {listed}."
    return Drawing("components", figures.component_gradients(frame, label=label), frame, caption, alt)


def by_component(run: RunDirectory) -> Section | None:
    """Show where the data support the gradients of each component, and their means over regions.

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
    items: list[Any] = []
    shares = figures.support_frame(insight)
    caption = (
        "Share of samples in which measured compositions lie along the direction of adding the component (supported), "
        "barely do (weak), or do not. Taken from the compositions alone, before any model."
    )
    items.append(Drawing("support", figures.support_shares(shares), shares, caption))
    regions = _regions(run)
    if regions is not None:
        items.append(
            table(
                regions,
                "Total gradients (dilution) averaged over regions",
                {
                    key: name_with_unit(_REGIONS[key], _units(insight)) if key in _OF_GRADIENTS else word
                    for key, word in _REGIONS.items()
                },
            )
        )
    said = [sentence(str(insight.attrs[key])) for key in _ATTRIBUTES if insight.attrs.get(key)]
    partial = int(insight["kind_support"].sel(kind="partial")) if "kind_support" in insight else 2
    if partial < 2:
        word = "unsupported" if partial == 0 else "weak"
        said.append(f"Partial gradients, with the spectrum held, are therefore {word} throughout, and not drawn.")
    return Section("Where the data support it", items, said)


def _regions(run: RunDirectory) -> pd.DataFrame | None:
    found = read_table(run, "regions")
    if found is None or "component" not in found or "mean" not in found:
        return None
    if "kind" in found:
        found = found[found["kind"] == "total"].drop(columns="kind")
    return found[found["component"].notna() & (found.get("scheme", "dilution") == "dilution")]


def trust(run: RunDirectory) -> Section | None:
    """Show the checks that a wrong gradient fails.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found, insight = read_table(run, "sanity"), gradients_in(run)
    if found is None:
        return None
    checked = found.assign(result=np.where(found["passed"].astype(str) == "True", "passed", "failed"))
    names = {"check": "check", "what": "gradients", "value": "value", "limit": "limit", "result": "result",
             "sentence": "meaning"}  # fmt: skip
    said = [
        "Gradients must be those of the model (finite differences, completeness of integrated gradients), of what was "
        "learned (they collapse when weights are drawn anew or labels are permuted), and of the data rather than of "
        "one training (halves of the members agree)."
    ]
    if insight is not None and "off_manifold_share" in insight:
        share = insight["off_manifold_share"].to_numpy()
        said.append(
            f"Of the squared norm of the raw spectral gradient, {100 * float(np.nanmedian(share)):.0f} % (median over "
            "samples) points in directions in which no spectrum near the sample varies; it is projected off, and kept "
            f"as spectral_gradient_raw. {int(insight['pinned'].sum())} of {insight.sizes['axis']} channels are held at "
            "one value by the preprocessing or the detector."
        )
    return Section("Can these gradients be trusted?", [table(checked, "Checks", names)], said)


def _units(insight: xr.Dataset) -> str:
    return str(insight["composition_gradient"].attrs.get("units", ""))


def _name(insight: xr.Dataset) -> str:
    return str(insight.attrs.get("fraction_name", "at%"))


def _folded(part: Callable[[RunDirectory], Section | None]) -> Callable[[RunDirectory], Section | None]:
    """The same section, of which only the heading is shown at first."""

    def section(run: RunDirectory) -> Section | None:
        found = part(run)
        return None if found is None else replace(found, folded=True)

    return section


CITES = (
    "umehara2019analyzing",
    "cox1971note",
    "sundararajan2017axiomatic",
    "adebayo2018sanity",
    "maris2007nonparametric",
)
PAGE = Page(
    "What drives the figure of merit?",
    subtitle,
    (
        findings,
        by_sample,
        bands_of_the_spectrum,
        along_the_spectrum,
        _folded(by_component),
        _folded(alike),
        _folded(on_the_triangle),
        _folded(gradients_on_the_wafer),
        _folded(reference_analyses),
        _folded(trust),
    ),
    lambda run: CITES,
    answer=answer,
    facts=sizes,
    marks=MARKS,
)
