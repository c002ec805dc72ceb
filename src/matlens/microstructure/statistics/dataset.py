"""All statistics of one or several microstructures as one labelled data set (docs/statistics_schema.md)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from matlens.errors import InputError
from matlens.microstructure.statistics.correlation.cluster import cluster_radial
from matlens.microstructure.statistics.correlation.correlation_length import anisotropy, first_below
from matlens.microstructure.statistics.correlation.offsets import along_axes, half_sides, radial_mean
from matlens.microstructure.statistics.correlation.two_point import (
    normalised_covariance,
    two_point_cross,
    two_point_map,
)
from matlens.microstructure.statistics.equivalence.bands import with_distance
from matlens.microstructure.statistics.labelled import Named, fitted, variable
from matlens.microstructure.statistics.lines.chord_length import chord_length_distribution, mean_chord_length
from matlens.microstructure.statistics.lines.lineal_path import lineal_path
from matlens.microstructure.statistics.size_shape.euler import euler_density, euler_number
from matlens.microstructure.statistics.size_shape.specific_surface import specific_surface
from matlens.microstructure.statistics.size_shape.volume_fraction import volume_fraction
from matlens.microstructure.structure import Microstructure

__all__ = ["SCHEMA_VERSION", "characterize"]

SCHEMA_VERSION = "1.2"


def characterize(m: Microstructure | Sequence[Microstructure], *, names: Sequence[str] | None = None) -> xr.Dataset:
    """Compute every statistic of a microstructure.

    Parameters
    ----------
    m : Microstructure or sequence of them
        Several must agree in dimension, phases, pixel size and unit; their sizes are free.
    names : sequence of str, optional
        Values of the coordinate ``file``, one a microstructure.

    Returns
    -------
    Dataset
        The variables of docs/statistics_schema.md, over ``phase``, ``axis`` and ``r`` (offset in pixels, with physical
        ``distance`` (axis, r)); a leading dimension ``file`` if a sequence was given. Units are attributes.

    Raises
    ------
    InputError
        If nothing is given, or several that do not agree.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> m = Microstructure(np.kron([[0, 1], [1, 0]], np.ones((4, 4), dtype=int)), spacing=0.5, unit="um")
    >>> dataset = characterize(m)
    >>> dataset["lineal_path"].dims, dataset["lineal_path"].sel(phase=1, axis="x").values[:3].round(3).tolist()
    (('phase', 'axis', 'r'), [0.5, 0.429, 0.333])
    >>> characterize([m, m])["euler_number"].values.tolist()
    [[2, 2], [2, 2]]
    """
    several = [m] if isinstance(m, Microstructure) else list(m)
    _check(several, names)
    length = max(max(one.shape) for one in several) // 2 + 1
    parts = [with_distance(xr.Dataset(_variables(one)), one, max(one.shape) // 2 + 1) for one in several]
    if isinstance(m, Microstructure):
        dataset = parts[0]
    else:
        padded = [part.pad(r=(0, length - part.sizes["r"]), constant_values=np.nan) for part in parts]
        padded = [with_distance(part.drop_vars(list(part.coords)), several[0], length) for part in padded]
        dataset = xr.concat(padded, dim="file", join="exact")
        files = list(names) if names is not None else [str(i) for i in range(len(several))]
        dataset = dataset.assign_coords(file=files)
    dataset.attrs = {
        "title": "Statistics of microstructures",
        "schema_version": SCHEMA_VERSION,
        "length_unit": several[0].unit,
        "spacing": list(several[0].spacing),
        "shape": [side for one in several for side in one.shape],
        "periodic": [int(one.periodic) for one in several],
    }
    return dataset


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


def _variables(m: Microstructure) -> Named:
    from matlens.microstructure.statistics.size_shape.shape_variables import (  # loads torch, for the tortuosity
        connections,
        sizes,
        surfaces,
    )

    known = _correlations(m) | _anisotropy(m) | _lines(m) | _clusters(m) | _geometry(m)
    return known | surfaces(m) | sizes(m) | connections(m)


def _correlations(m: Microstructure) -> Named:
    half, phi = half_sides(m.shape), volume_fraction(m)
    size = max(half) + 1
    auto = two_point_map(m)
    radial, axes = fitted(radial_mean(auto, half), size), along_axes(auto, half)
    cross = fitted(two_point_cross(m), size)
    along = first_below(normalised_covariance(axes, phi[:, None, None])) * np.asarray(m.spacing)
    about = first_below(normalised_covariance(radial, phi[:, None])) * float(np.exp(np.log(m.spacing).mean()))
    return {
        "volume_fraction": variable("phase", phi, "volume fraction"),
        "two_point_radial": variable("phase r", radial, "two-point probability by distance"),
        "two_point_axes": variable("phase axis r", axes, "two-point probability along each axis"),
        "two_point_cross": variable("phase other r", cross, "P(x in phase, x + r in other) by distance"),
        "correlation_length": variable("phase axis", along, "first r with |c(r)| < 0.1", m.unit),
        "correlation_length_radial": variable("phase", about, "first distance with |c(r)| < 0.1", m.unit),
    }


def _anisotropy(m: Microstructure) -> Named:
    quarters = [anisotropy(window) for window in m.tiles([max(1, side // 2) for side in m.shape])]
    what = "longest over shortest correlation length along an axis"
    return {
        "anisotropy": variable("phase", anisotropy(m), what),
        # fmin and fmax pass over windows in which it is not known
        "anisotropy_low": variable("phase", np.fmin.reduce(quarters), f"{what}, least of windows of half the side"),
        "anisotropy_high": variable("phase", np.fmax.reduce(quarters), f"{what}, most of windows of half the side"),
    }


def _lines(m: Microstructure) -> Named:
    mean = mean_chord_length(m) * np.asarray(m.spacing)
    return {
        "lineal_path": variable("phase axis r", lineal_path(m), "P(segment of r + 1 pixels lies in the phase)"),
        "chord_length": variable("phase axis r", chord_length_distribution(m), "share of chords of r pixels"),
        "mean_chord_length": variable("phase axis", mean, "mean chord length", m.unit),
    }


def _clusters(m: Microstructure) -> Named:
    size = max(half_sides(m.shape)) + 1
    face, full = (fitted(cluster_radial(m, connectivity=c), size) for c in ("face", "full"))
    return {
        "cluster_radial": variable("phase r", face, "P(same face-connected cluster) by distance"),
        "cluster_radial_full": variable("phase r", full, "P(same fully connected cluster) by distance"),
    }


def _geometry(m: Microstructure) -> Named:
    inverse = f"{m.unit}^-{m.ndim}"
    return {
        "euler_number": variable("phase", euler_number(m), "Euler number, face-connected"),
        "euler_number_full": variable("phase", euler_number(m, connectivity="full"), "Euler number, fully connected"),
        "euler_density": variable("phase", euler_density(m), "Euler number per volume, face-connected", inverse),
        "euler_density_full": variable(
            "phase", euler_density(m, connectivity="full"), "Euler number per volume, fully connected", inverse
        ),
        "specific_surface": variable("phase", specific_surface(m), "interface per volume (Crofton)", f"{m.unit}^-1"),
    }
