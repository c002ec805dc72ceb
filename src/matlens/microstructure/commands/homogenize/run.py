"""The steps of ``homogenize`` in a run directory; load cases that are finished are never solved again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.hooks import Arrays, Labelled, Progress
from matlens.microstructure.commands.homogenize.solving import cost_of, solve
from matlens.microstructure.commands.homogenize.spec import HomogenizeSpec
from matlens.microstructure.commands.homogenize.tables import (
    cautions,
    conclusions,
    corner_conclusions,
    tensor_names,
    threshold_conclusion,
    write_tables,
)
from matlens.microstructure.commands.homogenize.windows import (
    forecast_windows,
    prepare_windows,
    wanted_in_windows,
    work_windows,
)
from matlens.microstructure.commands.inputs import Inputs, by_number, exemplars_of, read_inputs, understood
from matlens.microstructure.commands.thresholds import extent, kept_variants
from matlens.microstructure.physics import Homogenization, corner_contacts, homogenize, phase_values
from matlens.microstructure.physics.summary import axis_names, voigt_names
from matlens.microstructure.structure import Microstructure
from matlens.runs.codecs import ARRAYS
from matlens.runs.command import Plan, Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each
from matlens.runs.tables import write_table

__all__ = ["FIELDS", "forecast", "prepare", "work"]

FIELDS = "fields.nc"
_WHOLE = "An effective property"
_FLOOR = 1e-6  # of the best conductor: what an insulator is given where the scheme cannot do with zero
_MOVED_TOLERANCE = 1e-4  # of what is solved again by other thresholds
_FEW = 2**18  # cells; more are solved again by the lowest and the highest thresholds only
_RECORDS = ("iterations", "residual")  # of each load case


def prepare(spec: HomogenizeSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the microstructure.

    Parameters
    ----------
    spec : HomogenizeSpec
        Options of the command.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options with every ``auto`` resolved, what is kept in settings.toml besides, and the inputs read.
    """
    inputs = Inputs.asked((spec.file,), spec)
    opened = wanted_in_windows(spec, inputs)
    if opened is not None:
        return prepare_windows(spec, inputs, opened, environment)
    found = read_inputs(inputs, whole=_WHOLE)
    structure, meanings = found[0].microstructure, found[0].mapping
    spec = replace(
        spec,
        device=environment["device"],
        conductivity=by_number(spec.conductivity, structure, meanings),
        young=by_number(spec.young, structure, meanings),
        poisson=by_number(spec.poisson, structure, meanings),
    )
    return Prepared(spec, "", {"inputs": inputs.hashed().settings()}, found, understood(found))


def forecast(prepared: Prepared) -> Plan:
    """Estimate the cost of all load cases, at a contrast of about 100 between the phases.

    Parameters
    ----------
    prepared : Prepared
        What `prepare` returned.

    Returns
    -------
    Plan
        Size, seconds and bytes.
    """
    if prepared.options.window is not None:
        return forecast_windows(prepared)
    spec, structure = prepared.options, prepared.found[0].microstructure
    cases, seconds, memory = cost_of(spec, structure.shape)
    size = f"{cases} load cases of {'x'.join(map(str, structure.shape))} cells"
    advice = "use --downsample {factor} or --crop, or homogenise windows (--memory)"
    # Potential and flux of a load case are kept in double precision, and once more as fields in single.
    disk = 24.0 * cases * prod(structure.shape)
    return Plan(size, seconds, memory, structure.shape, advice, disk)


def work(run: RunDirectory, progress: Progress, found: Any = None) -> None:
    """Homogenise as the run's settings say, and write everything but the report.

    Writes ``fields.nc`` and the tables of `matlens.microstructure.commands.homogenize.tables`. Load cases of conduction
    are kept as they are finished; uniform flux and stiffness begin anew.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far the work is.
    found : sequence of Segmentation, or Opened, optional
        The input, where it has been read already; for windows, the volume that has been opened.
    """
    spec = options_of(run, HomogenizeSpec)
    inputs = Inputs.from_settings(run.settings["inputs"])
    if spec.window is not None:
        work_windows(run, spec, inputs, progress, found)
        return
    structure = exemplars_of(run, inputs, found, whole=_WHOLE, thresholds=True)[0]
    if spec.conductivity is None or spec.boundary == "flux":
        result = solve(spec, structure, progress)
    else:
        result = _by_axis(run, spec, structure, progress)
    _write_fields(run, structure, spec, result)
    write_tables(run, structure, spec, result)
    schemes = _both_schemes(spec, structure, result, progress)
    if schemes is not None:
        write_table(run, "schemes", schemes)
    warned = cautions(structure, spec, result) + corner_conclusions(schemes)
    (variants,) = kept_variants(run, [structure])
    if variants:
        moved = _moved(spec, variants, result, progress)
        write_table(run, "thresholds", moved)
        warned.append(threshold_conclusion(moved, extent(variants)))
    run.mark("running", sentences=conclusions(structure, spec, result), warnings=warned)
    run.spend("axis")


def _both_schemes(
    spec: HomogenizeSpec, structure: Microstructure, result: Homogenization, progress: Progress
) -> pd.DataFrame | None:
    """Conductivities across faces alone and across corners too, where good conductors touch at corners.

    None where they do not. The scheme that allows corners needs a periodic boundary and no cell that insulates.
    """
    if spec.conductivity is None or spec.boundary not in ("periodic", "fixed"):
        return None
    values = phase_values(structure, spec.conductivity, "conductivity")
    share = corner_contacts(structure, values)
    if share == 0:
        return None
    floor = _FLOOR * float(np.nanmax(values))
    lifted: dict[int | str, float] = {
        k: max(float(value), floor) for k, value in enumerate(values) if np.isfinite(value)
    }
    rows = []
    for scheme in ("staggered", "rotated"):
        known = scheme == result.scheme
        found = result
        if not known:
            found = homogenize(
                structure,
                conductivity=spec.conductivity if scheme == "staggered" else lifted,
                boundary=spec.boundary if scheme == "staggered" else "periodic",
                scheme="staggered" if scheme == "staggered" else "rotated",
                axes=spec.axes,
                tolerance=spec.tolerance,
                dtype=spec.precision,
                device=spec.device,
                progress=Labelled(progress, f"scheme {scheme}"),
            )
        for axis, value in zip(axis_names(structure.ndim), np.diag(found.tensor)):
            rows.append({"axis": axis, "scheme": scheme, "conductivity": value, "converged": found.converged})
    return pd.DataFrame(rows).dropna(subset="conductivity").assign(corner_contacts=share)


def _moved(
    spec: HomogenizeSpec, variants: Mapping[float, Microstructure], result: Homogenization, progress: Progress
) -> pd.DataFrame:
    """Diagonal of the tensor by the thresholds of the plateau, each solved from the potentials of those in use."""
    start: dict[int, NDArray[np.generic]] | None = None
    if spec.conductivity is not None and spec.boundary != "flux":
        start = dict(zip(spec.axes or range(variants[0.0].ndim), result.fields["potential"]))
    few = variants[0.0].labels.size <= _FEW
    rows = []
    for place in sorted(variants):
        if place == 0:
            found = result
        elif few or abs(place) == 1:
            shown = Labelled(progress, f"thresholds moved to {place:+.1f} of their plateau")
            loose = replace(spec, tolerance=max(spec.tolerance, _MOVED_TOLERANCE))
            found = solve(loose, variants[place], shown, start=start)
        else:
            continue
        for name, value in zip(tensor_names(result, variants[0.0].ndim), np.diag(found.tensor)):
            known = float(value) if found.converged else float("nan")
            rows.append({"threshold_shift": place, "component": name, "value": known, "unit": spec.unit or ""})
    return pd.DataFrame(rows).dropna(subset="value")


def _by_axis(run: RunDirectory, spec: HomogenizeSpec, structure: Microstructure, progress: Progress) -> Homogenization:
    """Solve for one axis after another, keep each, and put them together without solving again."""
    axes = tuple(range(structure.ndim)) if spec.axes is None else spec.axes
    made = partial(_case, spec, structure, progress)
    cases = dict(zip(axes, each(run, "axis", {str(axis): axis for axis in axes}, made, ARRAYS).values()))
    potentials = {axis: case["potential"] for axis, case in cases.items()}
    settled = all(case["converged"] for case in cases.values())
    whole = solve(spec, structure, Labelled(progress, "putting together"), solved=potentials)
    iterations, residual = (np.concatenate([case[name] for case in cases.values()]) for name in _RECORDS)
    if not settled:
        whole = replace(whole, residual=residual, converged=False)
    names = ("potential", "flux", "flux components") if structure.ndim == 2 else ("potential", "flux")
    fields: Arrays = {name: np.stack([case[name].astype(np.float32) for case in cases.values()]) for name in names}
    return replace(whole, iterations=iterations, fields=fields)


def _case(spec: HomogenizeSpec, structure: Microstructure, progress: Progress, axis: int) -> Arrays:
    """Potential, flux and record of one load case of conduction."""
    part = solve(spec, structure, Labelled(progress, f"axis {axis}"), axes=(axis,))
    records = {name: getattr(part, name) for name in _RECORDS}
    return {**records, "converged": np.array(part.converged), **{name: field[0] for name, field in part.fields.items()}}


def _write_fields(run: RunDirectory, structure: Microstructure, spec: HomogenizeSpec, result: Homogenization) -> None:
    """Write the fields of every load case as netCDF, in single precision: they are to be looked at."""
    axes, unit = axis_names(structure.ndim), result.unit or "1"
    if result.name == "stiffness":
        loads: Sequence[str] = voigt_names(structure.ndim)
    else:
        chosen = range(structure.ndim) if spec.axes is None or spec.boundary == "flux" else spec.axes
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
    with run.writing(FIELDS) as file:
        dataset.to_netcdf(file, engine="h5netcdf", encoding=packed)
