"""The steps of ``homogenize`` in a run directory; load cases that are finished are never solved again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from matlens.core.atomic import atomic_write
from matlens.hooks import Arrays, Labelled, Progress
from matlens.microstructure.commands.homogenize.tables import conclusions, write_tables
from matlens.microstructure.commands.inputs import Inputs, exemplars_of
from matlens.microstructure.physics import Homogenization, homogenize
from matlens.microstructure.physics.conduction import MAX_ITERATIONS
from matlens.microstructure.physics.summary import axis_names, voigt_names
from matlens.microstructure.segmentation import Segmentation
from matlens.microstructure.structure import Microstructure
from matlens.runs.codecs import ARRAYS
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each

__all__ = ["FIELDS", "HomogenizeOrder", "homogenize_in"]

FIELDS = "fields.nc"
_RECORDS = ("iterations", "residual")  # of each load case
Values = Mapping[int | str, float]


@dataclass(frozen=True)
class HomogenizeOrder:
    """What is asked of a homogenisation, as a settings file holds it; see `matlens.homogenize` for the meaning.

    Examples
    --------
    >>> order = HomogenizeOrder(Inputs(("problem:gravel",)), conductivity={"0": 1.0, "1": 50.0})
    >>> HomogenizeOrder.of(order.settings()).conductivity
    {'0': 1.0, '1': 50.0}
    """

    inputs: Inputs
    conductivity: Values | None = None
    young: Values | None = None
    poisson: Values | None = None
    unit: str | None = None
    boundary: str = "periodic"
    axes: tuple[int, ...] | None = None
    tolerance: float = 1e-6
    precision: str = "float64"

    def settings(self) -> dict[str, Any]:
        """Give the order as a settings file holds it."""
        given = {"conductivity": self.conductivity, "young": self.young, "poisson": self.poisson}
        return {
            "inputs": self.inputs.settings(),
            "homogenize": {
                **{name: dict(values) for name, values in given.items() if values is not None},
                "unit": self.unit,
                "boundary": self.boundary,
                "axes": None if self.axes is None else list(self.axes),
                "tolerance": self.tolerance,
                "precision": self.precision,
            },
        }

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> HomogenizeOrder:
        """Read it back."""
        asked = dict(settings["homogenize"])
        if asked.get("axes") is not None:
            asked["axes"] = tuple(asked["axes"])
        return cls(Inputs.from_settings(settings["inputs"]), **asked)

    def hashed(self) -> HomogenizeOrder:
        """Compute the hashes of the files."""
        return replace(self, inputs=self.inputs.hashed())

    def solve(
        self,
        structure: Microstructure,
        device: str,
        progress: Progress,
        *,
        axes: tuple[int, ...] | None = None,
        start: Mapping[int, NDArray[np.generic]] | None = None,
        further: bool = True,
    ) -> Homogenization:
        """Homogenise, with fields unless potentials are given to start from; ``axes`` in place of the order's own.

        With ``further`` false, those potentials are taken as they are.
        """
        return homogenize(
            structure,
            conductivity=self.conductivity,
            young=self.young,
            poisson=self.poisson,
            boundary=self.boundary,
            axes=self.axes if axes is None else axes,
            tolerance=self.tolerance,
            max_iterations=MAX_ITERATIONS if further else 0,
            dtype=self.precision,
            device=device,
            unit=self.unit,
            fields=start is None,
            start=start,
            progress=progress,
        )


def homogenize_in(run: RunDirectory, progress: Progress, found: Sequence[Segmentation] | None = None) -> None:
    """Homogenise as the run's settings say, and write everything but the report.

    Writes ``fields.nc`` and the tables of `matlens.microstructure.commands.homogenize.tables`. Load cases of conduction
    are kept as they are finished; uniform flux and stiffness begin anew.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far the work is.
    found : sequence of Segmentation, optional
        The input, where it has been read already.
    """
    order = HomogenizeOrder.of(run.settings)
    structure = exemplars_of(run, order.inputs, found)[0]
    device = run.settings["environment"]["device"]
    if order.conductivity is None or order.boundary == "flux":
        result = order.solve(structure, device, progress)
    else:
        result = _by_axis(run, order, structure, device, progress)
    _write_fields(run, structure, order, result)
    write_tables(run, structure, order, result)
    run.mark("running", sentences=conclusions(structure, order, result))
    run.drop("axis")


def _by_axis(
    run: RunDirectory, order: HomogenizeOrder, structure: Microstructure, device: str, progress: Progress
) -> Homogenization:
    """Solve for one axis after another, keep each, and put them together.

    That needs no iteration, save for what is lost in rounding; and where an axis did not converge, none is allowed.
    """
    axes = tuple(range(structure.ndim)) if order.axes is None else order.axes
    made = partial(_case, order, structure, device, progress)
    cases = dict(zip(axes, each(run, "axis", {str(axis): axis for axis in axes}, made, ARRAYS).values()))
    potentials = {axis: case["potential"] for axis, case in cases.items()}
    settled = all(case["converged"] for case in cases.values())
    whole = order.solve(structure, device, Labelled(progress, "putting together"), start=potentials, further=settled)
    iterations, residual = (np.concatenate([case[name] for case in cases.values()]) for name in _RECORDS)
    if not settled:
        whole = replace(whole, residual=residual, converged=False)
    names = ("potential", "flux", "flux components") if structure.ndim == 2 else ("potential", "flux")
    fields: Arrays = {name: np.stack([case[name].astype(np.float32) for case in cases.values()]) for name in names}
    return replace(whole, iterations=iterations + whole.iterations, fields=fields)


def _case(order: HomogenizeOrder, structure: Microstructure, device: str, progress: Progress, axis: int) -> Arrays:
    """Potential, flux and record of one load case of conduction."""
    part = order.solve(structure, device, Labelled(progress, f"axis {axis}"), axes=(axis,))
    records = {name: getattr(part, name) for name in _RECORDS}
    return {**records, "converged": np.array(part.converged), **{name: field[0] for name, field in part.fields.items()}}


def _write_fields(run: RunDirectory, structure: Microstructure, order: HomogenizeOrder, result: Homogenization) -> None:
    """Write the fields of every load case as netCDF, in single precision: they are to be looked at."""
    axes, unit = axis_names(structure.ndim), result.unit or "1"
    if result.name == "stiffness":
        loads: Sequence[str] = voigt_names(structure.ndim)
    else:
        chosen = range(structure.ndim) if order.axes is None or order.boundary == "flux" else order.axes
        loads = [axes[axis] for axis in chosen]
    what = {
        "potential": ("potential under a mean gradient of 1", structure.unit),
        "flux": ("magnitude of the flux density under a mean gradient of 1", unit),
        "flux components": ("flux density under a mean gradient of 1, towards the rising potential", unit),
        "strain energy": ("strain energy density under a mean strain of 1", unit),
    }
    dataset = xr.Dataset({"phase": (axes, structure.labels, {"long_name": "label of the phase", "units": "1"})})
    for name, values in result.fields.items():
        dims = ("load", "component", *axes) if name == "flux components" else ("load", *axes)
        described = {"long_name": what[name][0], "units": what[name][1]}
        dataset[name.replace(" ", "_")] = (dims, values.astype(np.float32), described)
    for axis, step, size in zip(axes, structure.spacing, structure.shape):
        dataset[axis] = (
            axis,
            (np.arange(size) + 0.5) * step,
            {"long_name": f"centres along {axis}", "units": structure.unit},
        )
    dataset = dataset.assign_coords(load=list(loads), component=list(axes))
    dataset.attrs = {"title": f"Fields of the effective {result.name}", "boundary": result.boundary}
    packed = {name: {"zlib": True, "complevel": 1} for name in dataset.data_vars}
    with atomic_write(run.claim(FIELDS)) as temporary:
        dataset.to_netcdf(temporary, engine="h5netcdf", encoding=packed)
