"""Statistics of one or several microstructures as one labelled data set (docs/statistics_schema.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from matlens.core.arguments import checked_arguments
from matlens.core.labelled import ShownDataset
from matlens.core.numbers import shown
from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.segmentation import StructuresLike, as_structures
from matlens.microstructure.statistics.catalogue import find_statistics
from matlens.microstructure.statistics.equivalence.bands import with_distance
from matlens.microstructure.statistics.statistic import Statistic
from matlens.microstructure.structure import Microstructure

__all__ = ["SCHEMA_VERSION", "Statistics", "characterize", "completed", "labelled"]

SCHEMA_VERSION = "1.3"


class Statistics(ShownDataset):  # type: ignore[no-untyped-call]
    """Statistics of one microstructure or several, a data set of xarray (docs/statistics_schema.md).

    Parameters
    ----------
    data_vars, coords, attrs
        As for `xarray.Dataset`; `characterize` makes it.

    Examples
    --------
    >>> found = characterize(Microstructure(np.eye(8, dtype=int)), statistics=["volume_fraction"])
    >>> found["volume_fraction"].values.tolist()
    [0.875, 0.125]
    """

    __slots__ = ()


@checked_arguments
def characterize(
    m: StructuresLike,
    *,
    names: Sequence[str] | None = None,
    statistics: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Statistics:
    """Compute the statistics of a microstructure.

    Parameters
    ----------
    m : Microstructure, array_like or path-like, or sequence of them
        Arrays and files may hold labels or grey values; the progress says what was understood of them.
        Several must agree in dimension, phases, pixel size and unit; their sizes are free. Of what is masked nothing
        is counted; percolation and tortuosity, which lead from face to face, are measured in the largest rectangle
        without masked pixels, which their attribute ``measured_in`` names.
    names : sequence of str, optional
        Values of the coordinate ``file``, one a microstructure.
    statistics : sequence of str, optional
        Which statistics, by their names in `matlens.microstructure.statistics.STATISTIC_NAMES`; by default all.
    progress : Progress, optional
        Shows the statistic that is under way, and the numbers that were found.

    Returns
    -------
    Statistics
        The variables of docs/statistics_schema.md that belong to the statistics, over ``phase``, ``axis`` and ``r``
        (offset in pixels, with physical ``distance`` (axis, r)); a leading dimension ``file`` if a sequence was given.
        Units are attributes.

    Raises
    ------
    InputError
        If nothing is given, several that do not agree, or a statistic is unknown.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> m = Microstructure(np.kron([[0, 1], [1, 0]], np.ones((4, 4), dtype=int)), spacing=0.5, unit="um")
    >>> dataset = characterize(m)
    >>> dataset["lineal_path"].dims, dataset["lineal_path"].sel(phase=1, axis="x").values[:3].round(3).tolist()
    (('phase', 'axis', 'r'), [0.5, 0.429, 0.333])
    >>> characterize([m, m])["euler_number"].values.tolist()
    [[2, 2], [2, 2]]
    >>> list(characterize(m, statistics=["chord_length"]).data_vars)
    ['chord_length', 'mean_chord_length']
    """
    given = as_structures(m, progress)
    several = [given] if isinstance(given, Microstructure) else given
    several = [one.in_unit(several[0].unit) for one in several]
    _check(several, names)
    length = max(max(one.shape) for one in several) // 2 + 1
    labels = [""] if isinstance(given, Microstructure) else [f"{name}: " for name in names or range(len(several))]
    parts = _parts(several, labels, find_statistics(statistics), Silent() if progress is None else progress)
    if isinstance(given, Microstructure):
        dataset = parts[0]
    else:
        padded = [part.pad(r=(0, length - part.sizes["r"]), constant_values=np.nan) for part in parts]
        padded = [with_distance(part.drop_vars(list(part.coords)), several[0], length) for part in padded]
        dataset = xr.concat(padded, dim="file", join="exact")
        files = list(names) if names is not None else [str(i) for i in range(len(several))]
        dataset = dataset.assign_coords(file=files)
    return completed(dataset, several)


def completed(dataset: xr.Dataset, structures: Sequence[Microstructure | LargeMicrostructure]) -> Statistics:
    """Give a data set of statistics its attributes.

    Parameters
    ----------
    dataset : Dataset
        The variables.
    structures : sequence of Microstructure or LargeMicrostructure
        What they were measured of.

    Returns
    -------
    Statistics
        The data set with what docs/statistics_schema.md lists.

    Examples
    --------
    >>> completed(xr.Dataset(), [Microstructure([[0, 1]])]).attrs["length_unit"]
    'px'
    """
    first = structures[0]
    attributes = {
        "title": "Statistics of microstructures",
        "schema_version": SCHEMA_VERSION,
        "length_unit": first.unit,
        "spacing": list(first.spacing),
        "shape": [side for one in structures for side in one.shape],
        "periodic": [int(one.periodic) for one in structures],
        "masked": [one.masked_share for one in structures],
    }
    return Statistics(dataset.data_vars, dataset.coords, attributes)


def _check(several: Sequence[Microstructure], names: Sequence[str] | None) -> None:
    if not several:
        raise InputError("nothing to characterize: at least one microstructure is needed.")
    first = several[0]
    for one in several:
        if (one.phase_names, one.spacing, one.unit) != (first.phase_names, first.spacing, first.unit):
            raise InputError(
                f"found {first!r} and {one!r}: several microstructures must agree in dimension, phases, pixel size and "
                "unit to share one table; characterize them one by one."
            )
    if names is not None and len(names) != len(several):
        raise InputError(f"found {len(names)} names for {len(several)} microstructures; give one each.")


def _parts(
    structures: Sequence[Microstructure],
    labels: Sequence[str],
    statistics: Sequence[Statistic],
    progress: Progress,
) -> list[xr.Dataset]:
    """Measure the structures one after the other."""
    # Work is weighed by what each statistic usually takes, as some take a hundred times as long as others.
    work = [[statistic.cost.estimate(one.shape, one.n_phases)[0] for statistic in statistics] for one in structures]
    progress.begin(sum(map(sum, work)), "statistics")
    before = 0.0
    found: list[xr.Dataset] = []
    try:
        for one, label, seconds in zip(structures, labels, work):
            found.append(_measured(one, statistics, _Told(progress, label, before, seconds)))
            before += sum(seconds)
        return found
    finally:
        progress.end()


class _Told:
    """Show which statistic is under way, and what was found."""

    def __init__(self, progress: Progress, label: str, before: float, seconds: Sequence[float]) -> None:
        self._progress, self._label, self._done, self._seconds = progress, label, before, iter(seconds)

    def begin(self, statistic: Statistic) -> None:
        self._progress.update(self._done, statistic.long_name)

    def end(self, statistic: Statistic, m: Microstructure, variables: Mapping[str, xr.Variable]) -> None:
        self._done += next(self._seconds)
        self._progress.update(self._done, statistic.long_name)
        for variable in statistic.variables:
            values = variables[variable.name]
            if values.dims == ("phase",) and np.isfinite(values.values).any():
                self._progress.say(self._label + finding(variable.long_name, values, m.phase_names))
                break


def finding(name: str, values: xr.Variable, phases: Sequence[str]) -> str:
    """Put a number of each phase into one line.

    Parameters
    ----------
    name : str
        What was measured.
    values : Variable, shape (phase,)
        The numbers, with their unit as an attribute.
    phases : sequence of str
        Names of the phases.

    Returns
    -------
    str
        The line; a phase without a number is left out.

    Examples
    --------
    >>> finding("mean chord length", xr.Variable("phase", [3.25, np.nan], {"units": "um"}), ["pore", "solid"])
    'mean chord length: pore 3.25 um'
    >>> finding("euler number", xr.Variable("phase", [-1698.0]), ["pore"])
    'euler number: pore −1698'
    """
    unit = str(values.attrs.get("units", ""))
    behind = "" if unit in ("", "1") else f" {unit}"
    known = [
        f"{phase} {shown(float(value))}{behind}" for phase, value in zip(phases, values.values) if np.isfinite(value)
    ]
    return f"{name}: {', '.join(known)}"


def _measured(m: Microstructure, statistics: Sequence[Statistic], told: _Told) -> xr.Dataset:
    variables: dict[str, xr.Variable] = {}
    for statistic in statistics:
        told.begin(statistic)
        variables |= labelled(m, statistic, statistic.measure(m))
        told.end(statistic, m, variables)
    return with_distance(xr.Dataset(variables), m, max(m.shape) // 2 + 1)


def labelled(
    m: Microstructure | LargeMicrostructure, statistic: Statistic, arrays: Sequence[ArrayLike]
) -> dict[str, xr.Variable]:
    """Label what a statistic gives, as the data set holds it.

    Parameters
    ----------
    m : Microstructure or LargeMicrostructure
        The structure.
    statistic : Statistic
        The statistic.
    arrays : sequence of array_like
        What it measured, in the order of its variables.

    Returns
    -------
    dict of str to Variable
        The variables by name; curves are continued with NaN to half the longest side.

    Examples
    --------
    >>> m = Microstructure(np.eye(8, dtype=int))
    >>> labelled(m, *find_statistics(["volume_fraction"]), [[0.9, 0.1]])["volume_fraction"].dims
    ('phase',)
    """
    size = max(m.shape) // 2 + 1
    return {
        variable.name: xr.Variable(
            variable.dims, _fitted(values, size) if variable.dims[-1:] == ("r",) else values, variable.attributes(m)
        )
        for variable, values in zip(statistic.variables, arrays, strict=True)
    }


def _fitted(values: ArrayLike, size: int) -> NDArray[np.float64]:
    """Continue curves that end early, as radial ones do at half the shortest side, with NaN.

    Examples
    --------
    >>> _fitted(np.array([1.0, 0.5]), 3)
    array([1. , 0.5, nan])
    """
    curves = np.asarray(values, dtype=np.float64)
    return np.pad(curves, [(0, 0)] * (curves.ndim - 1) + [(0, size - curves.shape[-1])], constant_values=np.nan)
