"""The report of a data set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from matlens.core.numbers import percent, shown
from matlens.microstructure import figures
from matlens.microstructure.commands import cites
from matlens.microstructure.commands.generate.run import FILES
from matlens.microstructure.commands.generate.spec import GenerateSpec
from matlens.microstructure.physics import isotropic_stiffness, wiener
from matlens.microstructure.properties import StructureSet, read_structures
from matlens.microstructure.properties.data_sets.generation import POISSON
from matlens.report.parts import Answer, Drawing, Page, Section, Tile, table
from matlens.runs.command import options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE"]

_EXAMPLES = 7


def made(run: RunDirectory) -> Section:
    """List what was asked for, and the files that were written.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section
        The section.
    """
    spec = options_of(run, GenerateSpec)
    rows = {
        "families": ", ".join(spec.families),
        "size": f"{spec.shape[0]} x {spec.shape[1]} px",
        "conductivity of phase 1 over phase 0": _list(spec.conductivity_contrasts),
        "Young's modulus of phase 1 over phase 0": _list(spec.stiffness_contrasts),
        "Poisson's ratio of both (plane strain)": f"{POISSON:g}" if spec.stiffness_contrasts else "–",
        "seed of the structures to learn from": str(spec.seed),
    }
    items: list[Any] = [table(pd.DataFrame({"setting": list(rows), "value": list(rows.values())}), "Settings")]
    found = [
        {"file": FILES[split][0], "structures": len(sets), "properties": sets.targets.shape[1], "SHA-256": sets.sha256}
        for split in FILES
        if (sets := _set(run, split)) is not None
    ]
    if found:
        items.append(table(pd.DataFrame(found), "Files; the hash is that of the structures, and is checked on reading"))
    return Section(
        "Data set",
        items,
        [
            "Each structure comes from a stream of random numbers of its own, given by seed and number: neither the "
            "number of processes nor an interruption changes a byte. The test set has a stream that no seed leads to "
            "and is the same for every seed, so that results of different people compare."
        ],
    )


def answer(run: RunDirectory) -> Answer | None:
    """Show how many structures there are, and examples of each family.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before the structures are made.
    """
    found, labels = _set(run, "train"), read_table(run, "labels")
    if found is None or labels is None:
        return None
    examples = {
        family.replace("_", " "): [
            found.microstructure(int(i)) for i in np.flatnonzero(found.families == family)[:_EXAMPLES]
        ]
        for family in dict.fromkeys(found.families.tolist())
    }
    caption = f"The first structures of each family; phase 1, the one with the contrast, is light ({found.unit})."
    alt = f"Up to {_EXAMPLES} structures of each family: {', '.join(examples)}."
    drawn = Drawing("families", figures.structure_families(examples), labels.iloc[:, :5], caption, alt)
    test = _set(run, "test")
    tiles = [
        Tile("structures to learn from", str(len(found))),
        Tile("structures to test on", str(0 if test is None else len(test))),
        Tile("properties of each", str(found.targets.shape[1])),
        Tile("volume fraction of phase 1", shown(100 * float(labels["fraction_1"].median())), "%",
             f"from {percent(labels['fraction_1'].min())} to {percent(labels['fraction_1'].max())}"),
    ]  # fmt: skip
    return Answer(tiles, drawn)


def families(run: RunDirectory) -> Section | None:
    """List how many structures each family has, and the distribution of their volume fractions.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    labels = read_table(run, "labels")
    if labels is None:
        return None
    by_family = labels.groupby("family", sort=False)["fraction_1"]
    summary = by_family.agg(["count", "min", "median", "max"]).reset_index()
    names = {"family": "family", "count": "structures", "min": "smallest", "median": "median", "max": "largest"}
    fractions = ("min", "median", "max")
    return Section("Families", [table(summary, "Volume fraction of phase 1", names, fractions)])


def properties(run: RunDirectory) -> Section | None:
    """Show conductivity and stiffness against the volume fraction, with their bounds.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    labels = read_table(run, "labels")
    spec = options_of(run, GenerateSpec)
    if labels is None:
        return None
    points, bounds = [], []
    fraction = np.linspace(labels["fraction_1"].min(), labels["fraction_1"].max(), 60)
    stiff = float(isotropic_stiffness(1.0, POISSON, 2)[0, 0])
    kinds = [("k", "conductivity", contrast, 1.0) for contrast in spec.conductivity_contrasts]
    kinds += [("C", "stiffness", contrast, stiff) for contrast in spec.stiffness_contrasts]
    for letter, word, contrast, unit in kinds:
        name = f"{word}, contrast {contrast:g}"
        lower, upper = np.transpose([wiener([1 - f, f], [unit, unit * contrast]) for f in fraction])
        bounds.append(pd.DataFrame({"property": name, "fraction": fraction, "lower": lower, "upper": upper}))
        for axis in (0, 1):
            values = labels[["family", "fraction_1", f"{letter}_{axis}{axis}_c{contrast:g}"]]
            points.append(values.set_axis(["family", "fraction", "value"], axis=1).assign(property=name))
    if not points:
        return None
    source = pd.concat(points, ignore_index=True)
    figure = figures.property_scatter(source, pd.concat(bounds, ignore_index=True))
    caption = (
        "Effective properties along both axes, in units of phase 0, against the volume fraction of phase 1; the band "
        "lies between the harmonic and the arithmetic mean (Wiener; Voigt and Reuss), which bound every sample. "
        "How far the dots scatter at one fraction is what there is to learn beyond the fraction."
    )
    return Section("Properties", [Drawing("properties", figure, source, caption)])


def _list(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values) or "–"


def _set(run: RunDirectory, split: str) -> StructureSet | None:
    file = run.path / FILES[split][0]
    return read_structures(file) if file.is_file() else None


def _subtitle(run: RunDirectory) -> str:
    if (run.path / FILES["train"][0]).is_file():
        return "Two-phase periodic structures with their effective properties."
    return ""


def _facts(run: RunDirectory) -> dict[str, Any]:
    spec = options_of(run, GenerateSpec)
    return {"size": " × ".join(str(side) for side in spec.shape) + " px", "structures": spec.n}


PAGE = Page(
    "Labelled structures",
    _subtitle,
    (made, families, properties),
    lambda run: ("cahn1965phase", "torquato2002random", *cites.CONDUCTION, "willot2015fourier"),
    answer=answer,
    facts=_facts,
)
