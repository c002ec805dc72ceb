"""Statistics as the target of a reconstruction: read from a data set, checked, and completed to all directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.statistics import Curves, lineal_path, normalised_covariance, two_point_map
from matlens.microstructure.statistics.correlation.correlation_length import first_below
from matlens.microstructure.statistics.correlation.offsets import along_axes, half_sides, radial_mean, radial_size
from matlens.microstructure.structure import Microstructure

__all__ = ["CurveTargets"]

Array = NDArray[np.float64]

_NDIM = 2
_LEAST = 3  # offsets of a curve; with fewer there is no structure to speak of
_REACHES, _FEWEST = 3.0, 16
_CLOSE = 1e-3  # how well S2(0) must be the volume fraction


@dataclass(frozen=True)
class CurveTargets:
    """Statistics that a microstructure is reconstructed from.

    Attributes
    ----------
    fractions : ndarray, shape (K,)
        Volume fractions.
    radial : ndarray, shape (K, R)
        Two-point probability by distance, at offsets 0, 1, ... in pixels.
    axes : ndarray, shape (K, 2, R)
        Two-point probability along the axes; the radial one if the data set has none.
    lines : ndarray, shape (K, 2, R), or None
        Lineal path along the axes.
    phase_names, spacing, unit, periodic
        As in `Microstructure`.
    shape : tuple of int or None
        Height and width of the measured structure in pixels, if the data set holds them.
    notes : tuple of str
        Remarks on missing statistics and what replaces them, one sentence each.

    Notes
    -----
    The functions are defined in Torquato, Random Heterogeneous Materials (2002), and Lu and Torquato, Phys. Rev. A
    (1992).

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> from matlens.microstructure.statistics import characterize
    >>> targets = CurveTargets.from_dataset(characterize(gaussian_field((48, 48), 5, 0.3, seed=0)))
    >>> targets.fractions.round(3), targets.reach((32, 32)), targets.two_point_map(15).shape
    (array([0.7, 0.3]), 15, (2, 31, 31))
    """

    fractions: Array
    radial: Array
    axes: Array
    lines: Array | None
    phase_names: tuple[str, ...]
    spacing: tuple[float, ...] = (1.0, 1.0)
    unit: str = "px"
    periodic: bool = False
    shape: tuple[int, ...] | None = None
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def from_dataset(cls, statistics: xr.Dataset) -> CurveTargets:
        """Take the targets from a data set of `matlens.characterize`, or from one with some of its variables.

        ``two_point_radial`` or ``two_point_axes`` is required; ``lineal_path`` and ``volume_fraction`` are used if
        present. Several files are averaged, as fields of view of one material.

        Parameters
        ----------
        statistics : Dataset
            Statistics, with offsets in pixels.

        Returns
        -------
        CurveTargets
            Checked targets.

        Raises
        ------
        InputError
            If variables are missing, have other dimensions, hold NaN where they should not, or contradict each other.
        """
        names = ("two_point_radial", "two_point_axes", "lineal_path", "volume_fraction")
        found = {name: _values(statistics, name) for name in names if name in statistics}
        if not {"two_point_radial", "two_point_axes"} & set(found):
            there = ", ".join(map(str, list(statistics.data_vars)[:6])) or "nothing"
            raise InputError(
                f"the statistics hold {there}, but neither two_point_radial nor two_point_axes; a microstructure is "
                "rebuilt from at least one of them (matlens characterize writes both)."
            )
        notes = []
        axes, radial = found.get("two_point_axes"), found.get("two_point_radial")
        if radial is None and axes is not None:
            radial = axes.mean(axis=1)
            notes.append("no radial two-point probability: the mean of those along the axes stands for it")
        assert radial is not None  # one of the two is there
        if axes is None:
            axes = np.repeat(radial[:, None], _NDIM, axis=1)
            notes.append("no two-point probability along the axes: the material is taken as isotropic")
        if "lineal_path" not in found:
            notes.append("no lineal path: only two-point probabilities are matched")
        lines = found.get("lineal_path")
        reach = min(curve.shape[-1] for curve in (radial, axes, lines) if curve is not None)
        fractions = _checked_fractions(found.get("volume_fraction", radial[:, 0]), radial)
        return cls(
            fractions,
            radial[..., :reach],
            axes[..., :reach],
            None if lines is None else lines[..., :reach],
            notes=tuple(notes),
            **_facts(statistics, fractions.size),
        )

    def reach(self, shape: tuple[int, ...]) -> int:
        """Return the largest offset to match: 3 reaches of the covariance, at least 16 pixels, less than half a side.

        Parameters
        ----------
        shape : tuple of int
            Height and width of the sample in pixels.

        Returns
        -------
        int
            Offset in pixels.
        """
        most = min(self.radial.shape[-1] - 1, (min(shape) - 1) // 2)
        lengths = first_below(normalised_covariance(self.radial, self.fractions[:, None]))
        longest = float(np.nanmax(lengths)) if np.isfinite(lengths).any() else most
        return int(min(most, max(_FEWEST, np.ceil(_REACHES * longest))))

    def two_point_map(self, reach: int) -> Array:
        """Complete the two-point probabilities to all directions.

        At each distance, the angular dependence has harmonics of order 0, 2 and 4, which give the radial mean and the
        values along the axes. Beyond the end of the curves, in the corners, their last values are used.

        Parameters
        ----------
        reach : int
            Largest offset along each axis in pixels.

        Returns
        -------
        ndarray, shape (K, 2 reach + 1, 2 reach + 1)
            Two-point probabilities by offset.
        """
        line = np.arange(-reach, reach + 1.0)
        distance, angle = np.hypot(line[:, None], line), np.arctan2(line[:, None], line)
        offsets = np.arange(self.radial.shape[-1])
        maps = []
        for mean, (down, right) in zip(self.radial, self.axes):
            second, fourth = (right - down) / 2, (right + down) / 2 - mean
            parts = [np.interp(distance, offsets, part) for part in (mean, second, fourth)]
            maps.append(parts[0] + parts[1] * np.cos(2 * angle) + parts[2] * np.cos(4 * angle))
        return np.asarray(np.clip(np.stack(maps), 0.0, 1.0))

    def measured(self, m: Microstructure) -> tuple[Array, Array]:
        """Measure a microstructure in the same way as the target: as a window, unless the target was periodic.

        Parameters
        ----------
        m : Microstructure
            Structure to measure.

        Returns
        -------
        two_point : ndarray, shape (K, 3, R)
            Two-point probability, radial and along the axes.
        lines : ndarray, shape (K, 2, R)
            Lineal path along the axes.
        """
        seen = m if self.periodic else Curves(m).microstructure
        half = half_sides(m.shape)
        pairs = two_point_map(seen)
        size = min(min(half) + 1, radial_size(half, seen.spacing))
        curves = [radial_mean(pairs, half, seen.spacing)[:, None, :size], along_axes(pairs, half)[..., :size]]
        return np.concatenate(curves, axis=1), lineal_path(seen)[..., :size]

    def errors(self, m: Microstructure) -> dict[str, float]:
        """Compare a microstructure with the targets, by the definitions of `s2_error` and `lineal_path_error`.

        Parameters
        ----------
        m : Microstructure
            Structure with the same phases.

        Returns
        -------
        dict of str to float
            ``s2_error`` (mean over the radial curve and the axes; white noise has about 1), ``lineal_path_error`` (NaN
            if there is no lineal path) and ``fraction_error``.
        """
        pairs, paths = self.measured(m)
        phi, mine = m.volume_fractions, np.moveaxis(pairs, 1, 0)
        theirs = np.stack([self.radial, *np.moveaxis(self.axes, 1, 0)])
        covariance = normalised_covariance(mine, phi[:, None])
        wanted = normalised_covariance(theirs, self.fractions[:, None])
        lengths = first_below(wanted[0])
        last = min(mine.shape[-1], theirs.shape[-1], (min(m.shape) - 1) // 2 + 1) - 1
        s2 = []
        for phase in range(phi.size) if phi.size > _NDIM else (1,):
            end = last if np.isnan(lengths[phase]) else min(last, max(4, 3 * int(lengths[phase])))
            s2.append(np.mean([_relative(a[phase], b[phase], end) for a, b in zip(covariance, wanted)]))
        lines = float("nan")
        if self.lines is not None:
            lines = float(np.mean([
                _relative(paths[k, axis], self.lines[k, axis], last) for k in range(phi.size) for axis in range(_NDIM)
            ]))  # fmt: skip
        return {
            "s2_error": float(np.mean(s2)),
            "lineal_path_error": lines,
            "fraction_error": float(np.abs(phi - self.fractions).max()),
        }


def _values(statistics: xr.Dataset, name: str) -> Array:
    """Return the values of a variable in the order of the schema, without the offsets at which it is unknown."""
    wanted = {
        "volume_fraction": ("phase",),
        "two_point_radial": ("phase", "r"),
        "two_point_axes": ("phase", "axis", "r"),
        "lineal_path": ("phase", "axis", "r"),
    }[name]
    variable = statistics[name]
    if "file" in variable.dims:
        variable = variable.mean("file", skipna=True)
    if set(variable.dims) != set(wanted) or variable.dtype.kind not in "fiu":
        found = ", ".join(map(str, variable.dims))
        raise InputError(f"{name} has the dimensions ({found}) where numbers over ({', '.join(wanted)}) were expected.")
    values = variable.transpose(*wanted).to_numpy().astype(np.float64)
    if "axis" in wanted and values.shape[1] != _NDIM:
        raise InputError(f"{name} has {values.shape[1]} axes; structures are rebuilt in two dimensions only.")
    if values.shape[0] < 2:
        raise InputError(f"{name} has {values.shape[0]} phase; it must tell of every phase, two or more.")
    if "r" in wanted:
        known = ~np.isnan(values).reshape(-1, values.shape[-1]).any(axis=0)
        end = int(known.argmin()) if not known.all() else known.size
        if end < _LEAST:
            raise InputError(f"{name} is known at {end} offsets, and {_LEAST} are the least; give longer curves.")
        values = values[..., :end]
    if np.isnan(values).any() or values.min() < -_CLOSE or values.max() > 1 + _CLOSE:
        raise InputError(f"{name} holds values that are no probabilities (outside 0..1 or NaN); check the file.")
    return np.clip(values, 0.0, 1.0)


def _checked_fractions(fractions: Array, radial: Array) -> Array:
    if abs(fractions.sum() - 1) > _CLOSE * fractions.size or (fractions <= 0).any():
        raise InputError(
            f"the volume fractions {fractions.round(4).tolist()} must be positive and sum to 1; give all phases."
        )
    if np.abs(radial[:, 0] - fractions).max() > 0.02:
        raise InputError(
            f"two_point_radial is {radial[:, 0].round(4).tolist()} at r = 0 and the volume fractions are "
            f"{fractions.round(4).tolist()}; they must agree: check that the curves are not normalised."
        )
    return np.asarray(fractions / fractions.sum())


def _facts(statistics: xr.Dataset, phases: int) -> Mapping[str, Any]:
    """Return names, scale and size, as far as the data set holds them."""
    names = statistics["phase_name"].to_numpy() if "phase_name" in statistics else range(phases)
    spacing = tuple(np.atleast_1d(statistics.attrs.get("spacing", (1.0,) * _NDIM)).astype(float).tolist())
    if len(spacing) not in (1, _NDIM) or not min(spacing) > 0:
        raise InputError(f"the attribute spacing is {spacing}; give a positive pixel size for each of {_NDIM} axes.")
    shape = tuple(np.atleast_1d(statistics.attrs.get("shape", ())).astype(int).tolist())[:_NDIM]
    periodic = np.atleast_1d(statistics.attrs.get("periodic", 0))
    return {
        "phase_names": tuple(str(name) if isinstance(name, str) else f"phase {name}" for name in names),
        "spacing": spacing,
        "unit": str(statistics.attrs.get("length_unit", "px")),
        "periodic": bool(periodic.size and periodic.all()),
        "shape": shape if len(shape) == _NDIM else None,
    }


def _relative(mine: Array, theirs: Array, last: int) -> float:
    return float(np.abs(mine[1 : last + 1] - theirs[1 : last + 1]).sum() / np.abs(theirs[1 : last + 1]).sum())
