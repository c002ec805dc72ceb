"""The steps of ``homogenize`` for a volume that does not fit into the memory: disjoint windows, one by one.

The result is no effective property of the volume: each window has boundary conditions of its own. It is the mean and
the scatter of what windows of this size appear to have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from matlens.core.memory import free_memory, parse_size
from matlens.core.numbers import shown
from matlens.errors import InputError, SomeFailed
from matlens.hooks import Labelled, Progress
from matlens.microstructure.commands.homogenize.solving import cost_of, solve
from matlens.microstructure.commands.homogenize.spec import HomogenizeSpec
from matlens.microstructure.commands.inputs import Inputs, by_number
from matlens.microstructure.commands.opened import kept_volume, open_asked
from matlens.microstructure.io import open_image
from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.physics.summary import axis_names, voigt_names
from matlens.microstructure.segmentation import Opened
from matlens.runs.codecs import JSON
from matlens.runs.command import Plan, Prepared
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each
from matlens.runs.sources import PROBLEM
from matlens.runs.tables import write_table

__all__ = ["forecast_windows", "prepare_windows", "wanted_in_windows", "windows_of", "work_windows"]

_LEAST = 8  # cells along each axis of a window that says anything
_FREE = 0.8  # share of the free memory


def wanted_in_windows(spec: HomogenizeSpec, inputs: Inputs) -> Opened | None:
    """Open the volume if it is to be homogenised in windows.

    Parameters
    ----------
    spec : HomogenizeSpec
        Options of the command.
    inputs : Inputs
        The one file.

    Returns
    -------
    Opened or None
        The volume, if windows are asked for or the whole needs more than ``--memory``; else None.

    Raises
    ------
    InputError
        If the file cannot be opened.
    """
    if spec.window is not None:
        return open_asked(inputs, "--window")
    if spec.memory is None or spec.file.startswith(PROBLEM) or not _exceeds(spec, _shape_in(inputs)):
        return None
    opened = open_asked(inputs, "--memory")
    return opened if _exceeds(spec, opened.microstructure.shape) else None  # after the crop


def _shape_in(inputs: Inputs) -> tuple[int, ...]:
    """Sides of what a file holds; none of one that is read whole only, whose reader says what is wrong."""
    try:
        return tuple(open_image(inputs.sources[0], dataset=inputs.dataset).values.shape)
    except InputError:
        return ()


def _exceeds(spec: HomogenizeSpec, shape: tuple[int, ...]) -> bool:
    return bool(shape) and cost_of(spec, shape)[2] > _memory(spec)


def _memory(spec: HomogenizeSpec) -> float:
    return _FREE * free_memory() if spec.memory is None else parse_size(spec.memory)


def prepare_windows(spec: HomogenizeSpec, inputs: Inputs, found: Opened, environment: Mapping[str, Any]) -> Prepared:
    """Choose the size of the windows.

    Parameters
    ----------
    spec : HomogenizeSpec
        Options of the command.
    inputs : Inputs
        The one file.
    found : Opened
        The volume.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options with the greatest side of a window resolved.

    Raises
    ------
    InputError
        If no window fits, or the phases given are not those of the volume.
    """
    m = found.microstructure
    sides = [side for side in range(_LEAST, (spec.window or max(m.shape)) + 1) if _fits(spec, m.shape, side)]
    if not sides:
        raise InputError(
            f"no window of {_LEAST} cells a side fits {_memory(spec) / 1e9:.2g} GB; give more --memory, or --precision "
            "float32."
        )
    spec = replace(
        spec,
        device=environment["device"],
        window=sides[-1],
        conductivity=by_number(spec.conductivity, m, found.mapping),
        young=by_number(spec.young, m, found.mapping),
        poisson=by_number(spec.poisson, m, found.mapping),
    )
    boxes = windows_of(m.shape, sides[-1])
    note = f"  The volume is homogenised in {_counted(boxes, m)}; these have apparent properties, of windows."
    return Prepared(spec, "", {"inputs": inputs.hashed().settings()}, found, (*found.understood.lines(), note))


def _fits(spec: HomogenizeSpec, shape: tuple[int, ...], side: int) -> bool:
    return cost_of(spec, _window_shape(shape, side))[2] <= _memory(spec)


def windows_of(shape: tuple[int, ...], side: int) -> list[tuple[slice, ...]]:
    """Divide a volume into the fewest windows of one size whose sides are at most as long as asked.

    Parameters
    ----------
    shape : tuple of int
        Pixels of the volume along each axis.
    side : int
        Greatest side of a window.

    Returns
    -------
    list of tuple of slice
        The windows, in the middle of the volume, of which a few layers at the borders may be left out.

    Examples
    --------
    >>> windows_of((9, 4), 4)
    [(slice(0, 3, None), slice(0, 4, None)), (slice(3, 6, None), slice(0, 4, None)), (slice(6, 9, None), slice(0, 4,
    None))]
    """
    parts = []
    for whole, size in zip(shape, _window_shape(shape, side)):
        first = whole % size // 2
        parts.append([slice(first + size * number, first + size * (number + 1)) for number in range(whole // size)])
    return list(product(*parts))


def _window_shape(shape: tuple[int, ...], side: int) -> tuple[int, ...]:
    return tuple(whole // -(-whole // side) for whole in shape)


def _counted(boxes: list[tuple[slice, ...]], m: LargeMicrostructure) -> str:
    """Number and size of the windows, in words."""
    size = [part.stop - part.start for part in boxes[0]]
    said = f"{len(boxes)} windows of {' x '.join(map(str, size))} px"
    if m.unit == "px":
        return said
    return f"{said} ({' x '.join(shown(side * step) for side, step in zip(size, m.spacing))} {m.unit})"


def forecast_windows(prepared: Prepared) -> Plan:
    """Estimate time and memory.

    Parameters
    ----------
    prepared : Prepared
        Result of `prepare_windows`.

    Returns
    -------
    Plan
        Number of windows, seconds and bytes.
    """
    spec, shape = prepared.options, prepared.found.microstructure.shape
    number = len(windows_of(shape, spec.window))
    cases, seconds, memory = cost_of(spec, _window_shape(shape, spec.window))
    return Plan(f"{number} windows of {cases} load cases", number * seconds, memory, advice="give a smaller --window")


def work_windows(
    run: RunDirectory, spec: HomogenizeSpec, inputs: Inputs, progress: Progress, found: Opened | None = None
) -> None:
    """Homogenise the windows that are missing, and write ``windows.csv`` and ``apparent.csv``: means and scatter.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    spec : HomogenizeSpec
        Options of the run.
    inputs : Inputs
        The one file.
    progress : Progress
        Called after each window.
    found : Opened, optional
        The volume, where it has been opened already.

    Raises
    ------
    InputError
        If the file has changed since the run began.
    SomeFailed
        If every window failed.
    """
    opened = kept_volume(run, inputs, found)
    m, side = opened.microstructure, spec.window
    assert side is not None
    boxes = {f"window_{number}": box for number, box in enumerate(windows_of(m.shape, side))}
    made = partial(_window, spec, m, progress)
    parts = each(run, "windows", boxes, made, JSON, progress=progress, label="windows", independent=True)
    if not parts:
        first = next(iter(parts.failed.values()))
        raise SomeFailed(f"none of {len(boxes)} windows could be homogenised; the first: {first}")
    names = axis_names(m.ndim) if spec.conductivity is not None else voigt_names(m.ndim)
    rows = [
        {
            "window": key,
            **{axis: part.start for axis, part in zip(axis_names(m.ndim), boxes[key])},
            **{f"component {name}": value for name, value in zip(names, one["diagonal"])},
            **{f"fraction of {name}": share for name, share in zip(m.phase_names, one["fractions"])},
            **{name: one[name] for name in ("converged", "residual", "iterations")},
        }
        for key, one in parts.items()
    ]
    windows = pd.DataFrame(rows)
    apparent = _apparent(windows, names).assign(unit=spec.unit or "")
    write_table(run, "windows", windows.assign(unit=spec.unit or ""))
    write_table(run, "apparent", apparent)
    run.mark(
        "running",
        sentences=_sentences(spec, apparent, _counted(list(boxes.values()), m)),
        warnings=_cautions(spec, windows),
        **({"failed": parts.failed} if parts.failed else {}),
    )
    if not parts.failed:  # else a resumed run tries these again
        run.spend("windows")


def _window(spec: HomogenizeSpec, m: LargeMicrostructure, progress: Progress, box: tuple[slice, ...]) -> dict[str, Any]:
    """Diagonal of the tensor of one window, with its fractions and the record of the solver."""
    window = m.crop(*box)
    place = ", ".join(str(part.start) for part in box)
    found = solve(spec, window, Labelled(progress, f"window at {place}"), fields=False)
    return {
        "diagonal": [None if np.isnan(value) else float(value) for value in np.diag(found.tensor)],
        "fractions": window.volume_fractions.tolist(),
        "converged": bool(found.converged),
        "residual": float(found.residual.max()),
        "iterations": int(found.iterations.max()),
    }


def _apparent(windows: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Mean and scatter of each component over the windows that converged."""
    settled = windows[windows["converged"]]
    rows = []
    for name in names:
        values = settled[f"component {name}"].dropna().astype(float)
        if len(values):
            rows.append(
                {
                    "component": name,
                    "mean": values.mean(),
                    "standard_deviation": values.std(),
                    "standard_error": values.sem(),
                    "least": values.min(),
                    "greatest": values.max(),
                    "windows": len(values),
                }
            )
    columns = ["component", "mean", "standard_deviation", "standard_error", "least", "greatest", "windows"]
    return pd.DataFrame(rows, columns=columns)


def _sentences(spec: HomogenizeSpec, apparent: pd.DataFrame, counted: str) -> list[str]:
    kind, unit = "stiffness" if spec.young is not None else "conductivity", f" {spec.unit}" if spec.unit else ""
    listed = ", ".join(
        f"{shown(row['mean'])}{unit} along {row['component']} (standard deviation {shown(row['standard_deviation'])})"
        for row in apparent.to_dict("records")
    )
    return [
        f"Apparent {kind} of {counted}: {listed or 'not known'}.",
        "These are properties of windows of this size, and not the effective property of the whole volume, which their "
        "mean approaches only as windows grow; compare with a smaller --window.",
    ]


def _cautions(spec: HomogenizeSpec, windows: pd.DataFrame) -> list[str]:
    said = []
    wrong = int((~windows["converged"]).sum())
    if wrong:
        said.append(f"{wrong} of {len(windows)} windows did not converge, and are left out of the means.")
    if spec.boundary == "periodic":
        advice = "; compare with --boundary gradient and flux, which bracket each window."
        said.append(
            "Windows are not periodic, so that the artificial seams at their borders influence the result"
            + (advice if spec.conductivity is not None else ".")
        )
    return said
