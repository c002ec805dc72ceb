"""The tables that ``homogenize`` leaves in a run, and what they say in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.core.numbers import shown
from matlens.microstructure.commands.homogenize.spec import HomogenizeSpec
from matlens.microstructure.physics import Homogenization, phase_values
from matlens.microstructure.physics.summary import (
    axis_names,
    bounds_of_conductivity,
    bounds_of_stiffness,
    engineering_moduli,
    principal_conductivities,
    transport_factors,
    voigt_names,
)
from matlens.microstructure.structure import Microstructure
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

__all__ = ["cautions", "conclusions", "corner_conclusions", "tensor_names", "threshold_conclusion", "write_tables"]

_LIMIT = (-1.0, 0.5)  # of Poisson's ratio; what the solver allows is checked there
_BOUNDARIES = {
    "periodic": "the structure repeated periodically",
    "fixed": "potentials fixed on two faces, the other sides insulated",
    "gradient": "uniform gradient on all faces: an upper limit for the window",
    "flux": "uniform flux on all faces: a lower limit for the window",
}


def write_tables(run: RunDirectory, structure: Microstructure, spec: HomogenizeSpec, result: Homogenization) -> None:
    """Write ``phases.csv``, ``tensor.csv``, ``load_cases.csv``, ``bounds.csv``, ``principal.csv`` or ``moduli.csv``.

    Where one phase alone conducts, ``transport.csv`` holds its formation and tortuosity factors too.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    structure : Microstructure
        The structure that was solved.
    spec : HomogenizeSpec
        Options of the command.
    result : Homogenization
        Effective tensor and fields.
    """
    values = _values(structure, spec)
    unit = spec.unit or ""
    phases = {"phase": structure.phase_names, "volume_fraction": structure.volume_fractions, **values, "unit": unit}
    write_table(run, "phases", pd.DataFrame(phases))
    names = tensor_names(result, structure.ndim)
    tensor = pd.DataFrame(result.tensor, columns=list(names))
    tensor.insert(0, "component", names)
    write_table(run, "tensor", tensor.assign(unit=unit))
    write_table(run, "load_cases", _load_cases(spec, result, names))
    there = np.flatnonzero(structure.volume_fractions)
    present = [structure.volume_fractions[there], *(value[there] for value in values.values())]
    if result.name == "conductivity":
        write_table(run, "bounds", bounds_of_conductivity(result.tensor, *present).assign(unit=unit))
        write_table(run, "principal", principal_conductivities(result.tensor).assign(unit=unit))
        transport = transport_factors(result, structure, values["conductivity"])
        if len(transport):
            write_table(run, "transport", transport)
    else:
        write_table(run, "bounds", bounds_of_stiffness(result.tensor, *present).assign(unit=unit))
        write_table(run, "moduli", engineering_moduli(result.tensor))


def conclusions(structure: Microstructure, spec: HomogenizeSpec, result: Homogenization) -> list[str]:
    """Say in a few sentences what was found.

    Parameters
    ----------
    structure : Microstructure
        The structure that was solved.
    spec : HomogenizeSpec
        Options of the command.
    result : Homogenization
        Effective tensor and fields.

    Returns
    -------
    list of str
        Sentences for the terminal and the report.
    """
    unit = f" {result.unit}" if result.unit else ""
    names = tensor_names(result, structure.ndim)
    known = [(name, value) for name, value in zip(names, np.diag(result.tensor)) if not np.isnan(value)]
    listed = ", ".join(f"{shown(float(value))} along {name}" for name, value in known)
    if result.name == "stiffness":
        listed = ", ".join(f"C({name}) {shown(float(value))}" for name, value in known)
        said = [f"Effective stiffness: {listed}{unit} ({_BOUNDARIES[result.boundary]})."]
    else:
        said = [f"Effective conductivity: {listed}{unit} ({_BOUNDARIES[result.boundary]})."]
        factors = transport_factors(result, structure, _values(structure, spec)["conductivity"])
        said += [
            f"Along {row['axis']} the formation factor is {shown(row['formation_factor'])} and the tortuosity factor "
            f"{shown(row['tortuosity_factor'])}."
            for row in factors.to_dict("records")
            if np.isfinite(row["formation_factor"])
        ]
        said += _blocked(known, result.boundary, alone=len(factors) > 0)
    if result.converged:
        worst, most = float(result.residual.max()), int(result.iterations.max())
        said.append(f"All load cases converged: residual at most {shown(worst, 2)} after at most {most} iterations.")
    if result.bounds is not None:
        said.append(f"The tensor {result.bounds.sentence}.")
    return said


def cautions(structure: Microstructure, spec: HomogenizeSpec, result: Homogenization) -> list[str]:
    """Say what speaks against using the result as it is.

    Parameters
    ----------
    structure : Microstructure
        The structure that was solved.
    spec : HomogenizeSpec
        Options of the command.
    result : Homogenization
        Effective tensor and fields.

    Returns
    -------
    list of str
        Sentences, the most serious first.
    """
    said = []
    if not result.converged:
        worst, most = float(result.residual.max()), int(result.iterations.max())
        said.append(
            f"Not converged: a residual of {shown(worst, 2)} after {most} iterations where {shown(spec.tolerance, 2)} "
            "was asked; do not use the result, and try --precision float64, a larger --tolerance, or 0 for a phase "
            "that hardly conducts."
        )
    if not structure.periodic and result.boundary == "periodic":
        advice = "; compare with --boundary fixed, and with gradient and flux, which bracket the window."
        said.append(
            "The input is not marked as periodic, so that the artificial seams at its borders influence the result"
            + (advice if result.name == "conductivity" else ".")
        )
    return said


def corner_conclusions(schemes: pd.DataFrame | None) -> list[str]:
    """Say how far the conductivity depends on whether cells conduct across corners.

    Parameters
    ----------
    schemes : DataFrame or None
        ``axis``, ``scheme`` and ``conductivity``; None where no good conductors touch at corners.

    Returns
    -------
    list of str
        A sentence for each axis along which the schemes differ by more than a tenth.

    Examples
    --------
    >>> found = pd.DataFrame({"axis": ["x", "x"], "scheme": ["staggered", "rotated"], "conductivity": [0.001, 0.1]})
    >>> corner_conclusions(found)
    ['Along x 99 % of the current passes corners at which cells touch: the conductivity lies between 0.001 (cells
    conduct across faces alone) and 0.1 (across corners, too), and no grid of this resolution tells where.']
    """
    if schemes is None:
        return []
    said = []
    for axis, rows in schemes.groupby("axis", sort=False):
        known = rows.set_index("scheme")["conductivity"]
        if not {"staggered", "rotated"} <= set(known.index):
            continue
        faces, corners = float(known["staggered"]), float(known["rotated"])
        if corners > 0 and (corners - faces) > 0.1 * corners:
            said.append(
                f"Along {axis} {100 * (1 - faces / corners):.0f} % of the current passes corners at which cells touch: "
                f"the conductivity lies between {faces:.3g} (cells conduct across faces alone) and {corners:.3g} "
                "(across corners, too), and no grid of this resolution tells where."
            )
    return said


def threshold_conclusion(moved: pd.DataFrame, thresholds: str) -> str:
    """Say between which values the result lies when the thresholds of a grey input move over their plateau.

    Parameters
    ----------
    moved : DataFrame
        ``component`` and ``value``, a row for each segmentation.
    thresholds : str
        The lowest and the highest thresholds, in words.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> threshold_conclusion(pd.DataFrame({"component": ["y", "y"], "value": [2.1, 2.4]}), "71 and 80")
    'With thresholds between grey 71 and 80, which separate the phases nearly as well, the result is y 2.1 to 2.4.'
    """
    spans = moved.groupby("component", sort=False)["value"].agg(["min", "max"])
    listed = ", ".join(
        f"{name} {shown(low)} to {shown(high)}" for name, (low, high) in zip(spans.index, spans.to_numpy())
    )
    return (
        f"With thresholds between grey {thresholds}, which separate the phases nearly as well, the result is {listed}."
    )


def _blocked(known: list[tuple[str, float]], boundary: str, *, alone: bool) -> list[str]:
    closed = [name for name, value in known if value == 0]
    if not closed:
        return []
    if boundary == "flux":
        return [
            f"Along {' and '.join(closed)} the lower limit is zero: a uniform flux cannot pass through cells at the "
            "border that conduct nothing. This says nothing about paths inside; take another --boundary."
        ]
    return [
        f"Along {' and '.join(closed)} the effective conductivity is exactly zero: no connected path of conducting "
        "phases leads from one end to the other" + (", so the formation factor is infinite." if alone else ".")
    ]


def _load_cases(spec: HomogenizeSpec, result: Homogenization, names: tuple[str, ...]) -> pd.DataFrame:
    chosen = range(len(names)) if spec.axes is None or spec.boundary == "flux" else spec.axes
    cases = {
        "load_case": [names[i] for i in chosen],
        "scheme": result.scheme,
        "iterations": result.iterations,
        "residual": result.residual,
        "converged": result.residual <= spec.tolerance,
    }
    table = pd.DataFrame(cases)
    return table if result.hourglass is None else table.assign(hourglass_energy_share=result.hourglass)


def tensor_names(result: Homogenization, ndim: int) -> tuple[str, ...]:
    """Name the rows of the effective tensor.

    Parameters
    ----------
    result : Homogenization
        Effective tensor.
    ndim : int
        Dimension of the structure.

    Returns
    -------
    tuple of str
        Axes, or components in Voigt's order.
    """
    return voigt_names(ndim) if result.name == "stiffness" else axis_names(ndim)


def _values(structure: Microstructure, spec: HomogenizeSpec) -> dict[str, NDArray[np.float64]]:
    """Values of each phase in the order of the labels."""
    if spec.conductivity is not None:
        return {"conductivity": phase_values(structure, spec.conductivity, "conductivity")}
    return {
        "young": phase_values(structure, spec.young or {}, "Young's modulus"),
        "poisson": phase_values(structure, spec.poisson or {}, "Poisson's ratio", limits=_LIMIT),
    }
