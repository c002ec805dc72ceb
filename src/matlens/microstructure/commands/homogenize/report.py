"""The report of a homogenisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.core.guard import reading
from matlens.core.hdf5 import open_hdf5
from matlens.core.numbers import shown
from matlens.errors import RunError
from matlens.figures.units import typeset_unit
from matlens.microstructure import figures
from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.homogenize.run import FIELDS
from matlens.microstructure.commands.homogenize.windows_report import WINDOWS
from matlens.microstructure.commands.inputs import stored_inputs
from matlens.microstructure.figures import Plane
from matlens.microstructure.physics.summary import axis_names
from matlens.report.parts import Answer, Drawing, Page, Section, Tile, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE", "page_of"]

_BOUNDARIES = {
    "periodic": "The structure is continued periodically; means of the local gradient are prescribed.",
    "fixed": "The potential is fixed on two opposite faces, half a cell beyond the outermost cell centres, and the "
    "other faces are insulated. Entries off the diagonal are not known: mirror symmetry would force them to zero.",
    "gradient": "The potential of a uniform gradient is prescribed on all faces: an upper limit of what a larger "
    "sample has on average.",
    "flux": "A uniform flux is prescribed on all faces: a lower limit of what a larger sample has on average.",
}
_HEADS = {
    "volume_fraction": "volume fraction",
    "holds_for": "holds for",
    "load_case": "load case",
    "formation_factor": "formation factor",
    "tortuosity_factor": "tortuosity factor",
}
_SHARES = ("volume_fraction",)
_SOLVED = " and solved by conjugate gradients with the inverse of the homogeneous problem as preconditioner."
_METHOD = {
    "staggered": "Conduction is discretised by finite volumes, one a pixel or voxel, with harmonic means of the two "
    "conductivities at each face," + _SOLVED,
    "rotated": "Conduction is discretised by Willot's rotated scheme, potentials at corners and conductivities in "
    "pixels or voxels," + _SOLVED,
    "stiffness": "Linear elasticity of isotropic phases (plane strain in two dimensions) is discretised by Willot's "
    "rotated scheme and solved by conjugate gradients preconditioned with a homogeneous medium. Components are in "
    "Voigt's order of array axes, for engineering shear strains.",
}


def findings(run: RunDirectory) -> Section | None:
    """Show the tensor with its unit and meaning, its bounds, and the accuracy of the solution.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    tensor, bounds = read_table(run, "tensor"), read_table(run, "bounds")
    if tensor is None or bounds is None:
        return None
    asked, kind = run.settings["options"], _kind(run)
    unit = _unit(run)
    items: list[Any] = [_table(run, "phases", f"The phases and what was given for them, in {unit}")]
    items.append(table(tensor.drop(columns="unit"), f"Effective {kind}, in {unit}"))
    if kind == "conductivity":
        items.append(_table(run, "principal", f"Principal values, in {unit}, with their directions"))
        items.append(_table(run, "transport", "Transport through the one phase that conducts"))
    else:
        items.append(
            _table(
                run,
                "moduli",
                f"Moduli along the array axes, from the inverse of the stiffness, in {unit}; of a picture they are "
                "those of plane strain, in which a material of Poisson's ratio ν has one of ν / (1 − ν)",
            )
        )
    moved = read_table(run, "thresholds")
    if moved is not None:
        wide = moved.pivot(index="threshold_shift", columns="component", values="value")[list(tensor["component"])]
        caption = (
            f"Diagonal of the tensor by thresholds from the lower end (-1) to the upper (1) of the plateau, in {unit}"
        )
        names = {"threshold_shift": "place in the plateau", **{name: name for name in map(str, wide)}}
        items.append(table(wide.reset_index(), caption, names))
    items.append(_table(run, "bounds", f"Bounds, in {unit}"))
    cases = read_table(run, "load_cases")
    items.append(_table(run, "load_cases", "Load cases: relative residual in the norm of the preconditioner"))
    scheme = "stiffness" if kind == "stiffness" or cases is None else str(cases["scheme"][0])
    said = [_METHOD[scheme], _BOUNDARIES[str(asked["boundary"])]]
    return Section(f"Effective {kind}", [item for item in items if item is not None], said)


def answer(run: RunDirectory) -> Answer | None:
    """Show the effective values between their bounds, and what limits their meaning.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before anything was solved.
    """
    tensor, bounds, exemplars = read_table(run, "tensor"), read_table(run, "bounds"), stored_inputs(run)
    if tensor is None or bounds is None or not exemplars:
        return None
    unit, kind = str(run.settings["options"].get("unit", "")), _kind(run)
    names = [str(name) for name in tensor["component"]]
    diagonal = np.diag(tensor[names].to_numpy(dtype=float))
    tiles = [Tile(f"{kind} {name}", shown(float(value)), typeset_unit(unit)) for name, value in zip(names, diagonal)]
    principal = read_table(run, "principal")
    if kind == "conductivity" and principal is not None and len(principal) > 1:
        least, greatest = principal["value"].min(), principal["value"].max()
        tiles.append(
            Tile("greatest over least principal value", shown(float(greatest / least) if least > 0 else np.inf))
        )
    return Answer(
        [*tiles[:4], *sections.fraction_tiles(exemplars[0])][:5],
        _between_bounds(run, diagonal, bounds) if kind == "conductivity" else sections.pictures(run),
        sections.threshold_warnings(run),
    )


def _between_bounds(run: RunDirectory, diagonal: NDArray[np.float64], bounds: pd.DataFrame) -> Drawing:
    """Draw the principal values, or what is known of the diagonal, between their bounds."""
    principal = read_table(run, "principal")
    known = pd.Series(diagonal) if principal is None or not len(principal) else principal["value"]
    values = pd.DataFrame({"name": "this sample", "value": known}).dropna().drop_duplicates()
    bars = bounds[~bounds["bound"].str.startswith("trace")]  # as Hashin and Shtrikman's, but of other values
    caption = (
        "Principal values of this sample (dots) between bounds. Wiener's hold for every periodic sample; those of "
        "Hashin and Shtrikman for the mean of an isotropic material only, and of the trace for every sample."
    )
    figure = figures.bounds_chart(bars, values, label=f"conductivity ({_unit(run)})")
    alt = f"Principal values {', '.join(shown(float(value)) for value in values['value'])} between " + " and ".join(
        f"{name}'s bounds {shown(float(low))} and {shown(float(high))}"
        for name, low, high in zip(bars["bound"], bars["lower"], bars["upper"])
    )
    return Drawing("bounds", figure, bounds, caption, f"{alt}.")


def _unit(run: RunDirectory) -> str:
    return typeset_unit(str(run.settings["options"].get("unit", ""))) or "the unit of the values given"


def sample(run: RunDirectory) -> Section | None:
    """Show the structure that was solved.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None before the structure is stored.
    """
    drawn = sections.pictures(run)
    return None if drawn is None or _kind(run) == "stiffness" else Section("Structure", [drawn])


def fields(run: RunDirectory) -> Section | None:
    """Show the fields of each load case: whole in 2-D, the middle planes of volumes.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    file = run.path / FIELDS
    if not file.is_file():
        return None
    remedy = f"make it again with 'matlens resume {run.path}'"
    with reading(file, "fields of a run", remedy, RunError), open_hdf5(file), xr.open_dataset(file) as dataset:
        name = "flux" if "flux" in dataset else "strain_energy"
        field, spacing = dataset[name], _spacing(dataset)
        planes = _planes(dataset, name, spacing)
        unit, length = str(field.attrs["units"]), str(dataset[field.dims[-1]].attrs["units"])
    volume = len(spacing) == 3
    if name == "flux":
        label = "flux density" + (f" ({unit})" if unit != "1" else "")
        caption = "Magnitude of the flux density under a mean gradient of 1 along the named axis"
        caption += "" if volume else ", with streamlines"
    else:
        label = "strain energy density" + (f" ({unit})" if unit != "1" else "")
        caption = "Strain energy density under a mean strain of 1 of the named component"
    caption += (
        "; the middle planes, normal to each axis."
        if volume and name == "flux"
        else "; the middle plane."
        if volume
        else "."
    )
    caption += " Colours end at the 98th percentile. All fields are in fields.nc."
    rows = pd.DataFrame(
        {
            "panel": [p.title for p in planes],
            "mean": [p.values.mean() for p in planes],
            "max": [p.values.max() for p in planes],
        }
    )
    figure = figures.field_planes(planes, unit=length, label=label)
    return Section("Fields", [Drawing("fields", figure, rows, caption)])


def _planes(dataset: xr.Dataset, name: str, spacing: tuple[float, ...]) -> list[Plane]:
    field, axes = dataset[name], axis_names(len(spacing))
    along = "along " if name == "flux" else ""
    planes = []
    for load in dataset["load"].values:
        values = field.sel(load=load)
        if len(axes) == 2:
            vectors = dataset["flux_components"].sel(load=load).to_numpy() if "flux_components" in dataset else None
            planes.append(Plane(f"{along}{load}", values.to_numpy(), (spacing[0], spacing[1]), vectors))
            continue
        for normal in axes if name == "flux" else axes[:1]:
            plane = values.isel({normal: values.sizes[normal] // 2}).to_numpy()
            steps = [step for axis, step in zip(axes, spacing) if axis != normal]
            planes.append(Plane(f"{along}{load}, normal to {normal}", plane, (steps[0], steps[1])))
    return planes


def _spacing(dataset: xr.Dataset) -> tuple[float, ...]:
    axes = axis_names(dataset["phase"].ndim)
    return tuple(2 * float(dataset[axis][0]) for axis in axes)  # the first centre lies half a cell from the border


def _table(run: RunDirectory, name: str, caption: str) -> Any:
    found = read_table(run, name)
    if found is None or not len(found):
        return None
    found = (
        found.drop(columns="unit") if name != "phases" and "unit" in found else found.dropna(axis="columns", how="all")
    )
    return table(
        found, caption, {str(column): _HEADS.get(str(column), str(column)) for column in found.columns}, _SHARES
    )


def _kind(run: RunDirectory) -> str:
    return "stiffness" if "young" in run.settings["options"] else "conductivity"


def _cited(run: RunDirectory) -> Sequence[str]:
    return cites.ELASTICITY if _kind(run) == "stiffness" else (*cites.CONDUCTION, *cites.BOUNDS, "cooper2016taufactor")


PAGE = Page(
    "Effective property of {}",
    sections.micrographs_subtitle,
    (sections.cleaning, findings, fields, sample),
    _cited,
    answer=answer,
)


def page_of(run: RunDirectory) -> Page:
    """Return the page of a run: of windows, where the volume does not fit into the memory.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Page
        The page.
    """
    return WINDOWS if "window" in run.settings["options"] else PAGE
