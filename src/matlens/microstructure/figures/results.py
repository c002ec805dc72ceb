"""The figure of each public result of this side, as ``plot()`` and notebooks show it (`matlens.core.display`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from matlens.errors import InputError
from matlens.figures.style import SINGLE, styled
from matlens.figures.units import name_with_unit
from matlens.microstructure.figures.cleaning import ways_to_segment
from matlens.microstructure.figures.curves import statistic_curves
from matlens.microstructure.figures.datasets import structure_families
from matlens.microstructure.figures.homogenization import Plane, field_planes
from matlens.microstructure.figures.pictures import micrographs
from matlens.microstructure.figures.pruning import pruned_ratios
from matlens.microstructure.figures.sensitivity import sensitivity_scatter
from matlens.microstructure.figures.verdicts import verdict_forest
from matlens.microstructure.figures.volumes import boxes, volume_views
from matlens.microstructure.statistics.equivalence.sentences import NAMES
from matlens.microstructure.statistics.tables import curves_of_files

if TYPE_CHECKING:
    from matlens.microstructure.physics import Homogenization
    from matlens.microstructure.properties import SensitivityStudy, StructureSet
    from matlens.microstructure.pruning import PruningStudy
    from matlens.microstructure.reconstruction import Reconstruction
    from matlens.microstructure.segmentation import Alternatives
    from matlens.microstructure.statistics import Comparison, Statistics
    from matlens.microstructure.structure import Microstructure

__all__ = [
    "draw_alternatives",
    "draw_comparison",
    "draw_homogenization",
    "draw_microstructure",
    "draw_pruning",
    "draw_reconstruction",
    "draw_sensitivity",
    "draw_statistics",
    "draw_structures",
]

_MOST = 8  # realisations that are drawn
_EACH = 5  # structures of a family that are drawn


def draw_microstructure(result: Microstructure, *, title: str = "", hidden: int | str | None = None) -> Figure:
    """Draw a microstructure with its scale bar; a volume as a box in space and its three middle planes.

    Parameters
    ----------
    result : Microstructure
        The structure.
    title : str
        Title of the picture.
    hidden : int or str, optional
        A phase of a volume that is not shown in the box, so that the surface of the others is seen.

    Returns
    -------
    Figure
        The picture, 183 mm wide.

    Raises
    ------
    InputError
        If a phase of a plane is to be hidden, or there is no such phase.
    """
    if result.ndim == 3 or hidden is not None:
        return volume_views([(title, result)], hidden=hidden)
    return micrographs([(title, result)], columns=1)


def draw_reconstruction(result: Reconstruction, *, columns: int | None = None) -> Figure:
    """Draw the realisations, at most eight; volumes as boxes in space.

    Parameters
    ----------
    result : Reconstruction
        The reconstruction.
    columns : int, optional
        Pictures in a row.

    Returns
    -------
    Figure
        A picture for each realisation.

    Raises
    ------
    InputError
        If no realisation is finished.
    """
    _need(result.microstructures, "no realisation is finished")
    panels = [(f"realisation {number}", m) for number, m in enumerate(result.microstructures[:_MOST])]
    draw = boxes if result.microstructures[0].ndim == 3 else micrographs
    return draw(panels, columns=columns)


def draw_comparison(result: Comparison) -> Figure:
    """Draw R of every statistic with its interval, for the size of windows that decides, and for the controls.

    Parameters
    ----------
    result : Comparison
        The comparison.

    Returns
    -------
    Figure
        A row for each statistic.

    Raises
    ------
    InputError
        If fewer than two windows of the result's size fit into the micrograph.
    """
    _need(result.ratios, "the micrograph is too small to cut windows from, and nothing was judged")
    most = result.ratios.sort_values("n_windows", ascending=False, kind="stable")["window"].iloc[0]
    rows = [table[table["window"] == most] for table in (result.ratios, result.controls) if len(table)]
    shown = pd.concat(rows, ignore_index=True)
    return verdict_forest(shown.assign(statistic=shown["statistic"].map(NAMES)))


def draw_homogenization(result: Homogenization) -> Figure:
    """Draw the fields of the first load case where they were kept, otherwise the tensor with its numbers.

    Parameters
    ----------
    result : Homogenization
        The effective property.

    Returns
    -------
    Figure
        The fields or the tensor.
    """
    return _fields(result) if result.fields else _tensor(result)


def _fields(result: Homogenization) -> Figure:
    name = "flux" if "flux" in result.fields else "strain energy"
    values = np.asarray(result.fields[name], dtype=float)
    middle = tuple(side // 2 for side in values.shape[1:-2])
    planes = [Plane(f"load case {case}", one[middle], (1.0, 1.0)) for case, one in enumerate(values)]
    return field_planes(planes, unit="px", label=f"{name} for a mean gradient of 1")


@styled
def _tensor(result: Homogenization) -> Figure:
    figure = Figure(figsize=(SINGLE, 0.8 * SINGLE), layout="constrained")
    axes = figure.subplots()
    values = result.tensor
    limit = float(np.nanmax(np.abs(values))) or 1.0
    axes.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, alpha=0.6)
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, "?" if np.isnan(value) else f"{value:.3g}", ha="center", va="center")
    axes.set_xticks(range(len(values)))
    axes.set_yticks(range(len(values)))
    axes.set_title(name_with_unit(result.name, result.unit or ""))
    return figure


def draw_statistics(result: Statistics) -> Figure:
    """Draw two-point probability, lineal path and cluster function against distance.

    Parameters
    ----------
    result : Statistics
        The statistics of one structure or several.

    Returns
    -------
    Figure
        A row for each phase.

    Raises
    ------
    InputError
        If the statistics hold no curve.
    """
    names = [str(name) for name in result["file"].values] if "file" in result.dims else ["this structure"]
    complete = {"phase", "axis", "r"} <= set(result.dims) and "distance" in result.coords
    curves = curves_of_files(result, names) if complete else pd.DataFrame()
    _need(curves, "these statistics hold no curve over distance")
    return statistic_curves(curves, unit=str(result.attrs.get("length_unit", "px")))


def draw_structures(result: StructureSet) -> Figure:
    """Draw the first structures of each family.

    Parameters
    ----------
    result : StructureSet
        The set.

    Returns
    -------
    Figure
        A row for each family.

    Raises
    ------
    InputError
        If the set is empty.
    """
    _need(result.names, "the set holds no structure")
    families = dict.fromkeys(map(str, result.families))
    return structure_families(
        {
            family or "structures": [
                result.microstructure(int(i)) for i in np.flatnonzero(result.families == family)[:_EACH]
            ]
            for family in families
        }
    )


def draw_sensitivity(result: SensitivityStudy) -> Figure:
    """Draw what the model expects of each flip against the solved change.

    Parameters
    ----------
    result : SensitivityStudy
        The study.

    Returns
    -------
    Figure
        A panel for each way to expect it.

    Raises
    ------
    InputError
        If no pixel was flipped.
    """
    _need(result.flips, "no pixel was flipped")
    maps = {"gradient": "model: gradient", "difference": "model: flipped", "linearised": "physics: linearised"}
    return sensitivity_scatter(result.flips, maps, label="change")


def draw_pruning(result: PruningStudy) -> Figure:
    """Draw R of every statistic against the depth or width of the network.

    Parameters
    ----------
    result : PruningStudy
        The study.

    Returns
    -------
    Figure
        A panel for each material.

    Raises
    ------
    InputError
        If nothing is finished.
    """
    _need(result.ratios, "nothing of the study is finished")
    ratios = result.ratios[~result.ratios[result.axis].isin(["white noise", "blurred noise"])]
    chosen = {name: found.chosen for name, found in result.recommendations.items()}
    ratios = ratios.assign(statistic=ratios["statistic"].map(NAMES))
    return pruned_ratios(ratios, sizes={}, chosen=chosen, axis=result.axis)


def draw_alternatives(result: Alternatives) -> Figure:
    """Draw each way to segment the picture, and its phases as a tint over the picture.

    Parameters
    ----------
    result : Alternatives
        The ways; a file of labels has one.

    Returns
    -------
    Figure
        The ways side by side.
    """
    grey = result[0].found.grey
    ways = [(one.name, one.found.microstructure) for one in result]
    return micrographs(ways) if grey is None else ways_to_segment(grey, ways)


def _need(found: object, why: str) -> None:
    if not len(found):  # type: ignore[arg-type]
        raise InputError(f"{why}; there is nothing to draw.")
