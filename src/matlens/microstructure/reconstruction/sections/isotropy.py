"""Whether a section is isotropic in its own plane, and how well it determines the volume fraction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from matlens.microstructure.reconstruction.sections.finding import Finding
from matlens.microstructure.statistics import covariance_reach, integral_range, two_point_map
from matlens.microstructure.statistics.correlation.offsets import half_sides
from matlens.microstructure.statistics.lines.directional import (
    directional_lineal_path,
    directional_mean_chord,
    line_step,
)
from matlens.microstructure.structure import Microstructure

__all__ = ["check_fraction", "check_isotropy"]

Array = NDArray[np.float64]

_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (-1, 1))  # the first diagonal goes from axis 1 towards axis 0
_LEVEL = 0.05  # false alarms of all curves together
_LENGTHS = 4  # reaches of the covariance in a window, so that neighbours hardly depend on each other
_FEWEST = 6  # windows; fewer tell nothing of two differences
_PARTS = 4  # windows along a side, where there is room


def check_isotropy(sections: Sequence[Microstructure]) -> Finding:
    """Test whether directions in the plane of sections differ more than their windows scatter.

    Horizontal is compared with vertical and one diagonal with the other, within each window; what windows differ in
    otherwise, such as their fraction, has no effect. Out of the plane nothing can be tested: that is an assumption.

    Parameters
    ----------
    sections : sequence of Microstructure
        Two-dimensional sections of one plane.

    Returns
    -------
    Finding
        ``p``, after Bonferroni's correction for the number of curves; ``elongation``, how many times longer
        chords are along the long direction than across; ``angle``, of that direction in degrees from axis
        1 (the columns' index) towards axis 0; and ``windows``. Not ``clear`` where p is below 0.05. All but the
        number of windows are NaN where these are fewer than 6.

    Notes
    -----
    Curves are the two-point function and the lineal path of each phase, summed up to the reach of the covariance. Both
    differences are tested together by Hotelling's T^2 over the windows (Ann. Math. Stat. 2, 360, 1931).

    Examples
    --------
    >>> from matlens.microstructure.problems import anisotropic_field
    >>> check_isotropy([anisotropic_field((256, 256), aspect=1.0, seed=1)]).clear
    True
    >>> found = check_isotropy([anisotropic_field((256, 256), aspect=2.0, angle=45, seed=1)])
    >>> found.clear, round(found.numbers["angle"], -1)
    (False, 50.0)
    """
    differences = [_differences(window, reach) for window, reach in _windows(sections)]
    values = np.array([d for d in differences if not np.isnan(d).any()])  # (windows, curves, 2)
    if len(values) < _FEWEST:
        unknown = {"p": float("nan"), "elongation": float("nan"), "angle": float("nan"), "windows": float(len(values))}
        sentence = (
            f"The section holds {len(values)} windows of a few correlation lengths, too few to test whether it is "
            "isotropic; that it is so in its plane and out of it are assumptions."
        )
        return Finding("isotropy", sentence, unknown)
    p = np.array([_hotelling(values[:, curve]) for curve in range(values.shape[1])])
    joint = float(min(1.0, p.min() * p.size))
    elongation, angle = _stretch(sections)
    numbers = {"p": joint, "elongation": elongation, "angle": angle, "windows": float(len(values))}
    if joint >= _LEVEL:
        sentence = (
            f"In its plane the section is isotropic within the scatter of its windows (p = {joint:.2g}, "
            f"{len(values)} windows); isotropy out of the plane is an assumption that a section cannot test."
        )
        return Finding("isotropy", sentence, numbers)
    sentence = (
        f"In its plane the section is not isotropic (p = {joint:.2g}, {len(values)} windows): its structure is "
        f"stretched about {elongation:.2f} times at {angle:.0f} degrees from axis 1 towards axis 0, so name "
        "the planes one by one and give a section for each."
    )
    return Finding("isotropy", sentence, numbers, clear=False)


def check_fraction(sections: Sequence[Microstructure]) -> Finding:
    """Estimate the standard error of the volume fractions of sections, which a volume made from them inherits.

    Parameters
    ----------
    sections : sequence of Microstructure
        Two-dimensional sections of one material with the same phases.

    Returns
    -------
    Finding
        ``fraction_k`` and ``error_k`` of each phase k: the mean by area, and sqrt(phi (1 - phi) A / V) with the
        integral range A and the area V. The error is NaN, and the finding not ``clear``, where a section is too small
        to tell A.

    Notes
    -----
    Matheron (1971); Lantuejoul, J. Microsc. 161, 387 (1991). An integral range below one pixel, as in an ordered
    material, is taken as one.

    Examples
    --------
    >>> from matlens.microstructure.problems import discs
    >>> check_fraction([discs((256, 256), fraction=0.4, seed=0)]).sentence
    'The volume inherits the fractions of its section: matrix 0.597 +- 0.020, discs 0.403 +- 0.020 (standard errors).'
    """
    areas = np.array([m.n_known for m in sections], dtype=float)
    fractions = np.average([m.volume_fractions for m in sections], axis=0, weights=areas)
    ranges = np.average([np.maximum(integral_range(m), 1.0) for m in sections], axis=0, weights=areas)
    errors = np.sqrt(fractions * (1 - fractions) * ranges / areas.sum())
    numbers = {f"fraction_{k}": float(phi) for k, phi in enumerate(fractions)}
    numbers |= {f"error_{k}": float(error) for k, error in enumerate(errors)}
    known = bool(np.isfinite(errors).all())
    names = sections[0].phase_names
    shares = ", ".join(
        f"{name} {phi:.3f}" + (f" +- {error:.3f}" if np.isfinite(error) else "")
        for name, phi, error in zip(names, fractions, errors, strict=True)
    )
    sentence = f"The volume inherits the fractions of its section: {shares}" + (
        " (standard errors)."
        if known
        else "; the section is too small to tell their standard errors, for its correlations do not end within it."
    )
    return Finding("fraction", sentence, numbers, clear=known)


def _windows(sections: Sequence[Microstructure]) -> Iterator[tuple[Microstructure, float]]:
    """Windows with the distance up to which curves are summed, in the unit of the spacing."""
    for m in sections:
        reaches = covariance_reach(m)
        if np.isnan(reaches).all():
            continue
        pixels = float(np.nanmax(reaches))
        reach = pixels * float(np.sqrt(np.prod(m.spacing)))
        sides = [max(side // _PARTS, int(np.ceil(_LENGTHS * reach / step))) for side, step in zip(m.shape, m.spacing)]
        for window in m.tiles(sides):
            yield window, reach


def _differences(m: Microstructure, reach: float) -> Array:
    """Logarithms of the ratios of horizontal to vertical and of one diagonal to the other, shape (curves, 2)."""
    steps = np.array([line_step(m, direction) for direction in _DIRECTIONS])
    half, found = half_sides(m.shape), two_point_map(m)
    pairs = [_ray(found, half, direction) for direction in _DIRECTIONS]
    paths = directional_lineal_path(m, _DIRECTIONS)
    # of two phases the two-point functions differ by a constant only
    curves = [[pairs[i][k] for i in range(4)] for k in range(int(m.n_phases == 2), m.n_phases)]
    curves += [list(paths[k]) for k in range(m.n_phases)]
    lengths = np.array([[_area(row, step, reach) for row, step in zip(rows, steps)] for rows in curves])
    logs = np.log(np.where(lengths > 0, lengths, np.nan))
    return np.asarray(np.stack([logs[:, 0] - logs[:, 1], logs[:, 2] - logs[:, 3]], axis=1))


def _ray(values: Array, half: Sequence[int], direction: tuple[int, int]) -> Array:
    """Read a centred map along one of the four directions, for each phase."""
    steps = np.arange(min(h for h, d in zip(half, direction) if d) + 1)
    return np.asarray(values[:, half[0] + direction[0] * steps, half[1] + direction[1] * steps])


def _area(curve: Array, step: float, reach: float) -> float:
    """Integral of a curve from 0 to the reach, by trapezoids."""
    distance = step * np.arange(curve.size)
    end = min(reach, float(distance[-1]))
    places = np.append(distance[distance < end], end)
    return float(np.trapezoid(np.interp(places, distance, curve), places))


def _hotelling(values: Array) -> float:
    """Probability under Hotelling's T^2 that the two means are zero."""
    count, size = values.shape
    mean, scatter = values.mean(axis=0), np.cov(values.T)
    squared = count * mean @ np.linalg.pinv(scatter) @ mean
    return float(stats.f.sf(squared * (count - size) / (size * (count - 1)), size, count - size))


def _stretch(sections: Sequence[Microstructure]) -> tuple[float, float]:
    """Elongation and its angle in degrees.

    Where an isotropic medium is stretched, 1 / chord^2 is a quadratic form of the direction. The two diagonals are
    compared with each other only, for digitised lines along them meet a few more changes of phase than lines along axes
    do.
    """
    chords = np.mean([directional_mean_chord(m, _DIRECTIONS)[-1] for m in sections], axis=0)
    horizontal, vertical, towards, away = chords**-2.0
    mean, half = (horizontal + vertical) / 2, (horizontal - vertical) / 2
    shear = (towards - away) / (towards + away) * mean
    swing = min(float(np.hypot(half, shear)), 0.99 * mean)
    # the form is smallest along the long direction
    return float(np.sqrt((mean + swing) / (mean - swing))), float(np.degrees(np.arctan2(-shear, -half)) / 2)
