"""Whether an isotropic volume can have the two-point function of its section.

The covariances of isotropic media in space are the mixtures of sin(k r) / (k r) over wave numbers k with weights that
are nowhere negative (Schoenberg's theorem). In the plane more is allowed: a pattern of stripes of one width in all
directions has a covariance that no volume has. The mixture nearest to the section's covariance is found by non-negative
least squares; the distance that remains is the irreducible error. It is nearly zero for most sections of volumes,
whereas the share of negative mass of a transformed covariance is not, because the noise at long distances fills it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from matlens.errors import InputError
from matlens.microstructure.reconstruction.sections.finding import Finding
from matlens.microstructure.statistics import normalised_covariance, two_point_radial
from matlens.microstructure.statistics.correlation.correlation_length import first_below
from matlens.microstructure.statistics.correlation.offsets import half_sides, radial_mean
from matlens.microstructure.structure import Microstructure

__all__ = ["Realisability", "chance_of_sections", "check_realisable"]

Array = NDArray[np.float64]

_REACHES = 3  # times the reach of the covariance: as far as the two-point term of a reconstruction looks
_TAPERED = 6  # the same for the spectrum, which needs a taper
_LEAST = 4  # pixels; as in the comparison of two-point functions
_WHOLE = 1e3  # weight of the row that asks for c(0) = 1, which is then met to 1e-8
_FINEST = 4  # wave numbers per pi / reach: four times as many lowered errors by 5 % at most
# Chosen on seed 0 of benchmarks/sections.py so that hardly any of 108 cases exceeds 5 %. With seed 1, of 40 sections in
# each case 0.5 % were above; one case, of a sharp wavelength, had 3 of its 40.
_CHANCE, _CHANCE_LEAST = 50.0, 0.025
_PARTS = 4  # windows along a side of the section, whose difference the irreducible error is compared with


@dataclass(frozen=True)
class Realisability:
    """The nearest two-point function that an isotropic volume can have, and how far it is.

    Parameters
    ----------
    finding : Finding
        The answer in a sentence. Its numbers are those of the phase for which the error is largest beside what chance
        makes: ``irreducible_error``, ``chance`` (which sections of level-cut fields in space exceed in 5 % of cases),
        ``windows_difference`` and ``negative_share``.
    distances : ndarray of float, shape (R,)
        Distances r in pixels (the geometric mean of their sides), from 0 to the distance up to which it was compared.
    covariance : ndarray of float, shape (K, R)
        Normalised covariance c(r) of the sections, one for each phase.
    nearest : ndarray of float, shape (K, R)
        The nearest normalised covariance of an isotropic volume; c(0) is 1, as long as the section has noise of single
        pixels too.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> found = check_realisable([gaussian_field((128, 128), 8, 0.3)])
    >>> found.nearest.shape == found.covariance.shape == (2, found.distances.size)
    True
    """

    finding: Finding
    distances: Array
    covariance: Array
    nearest: Array

    @property
    def sentence(self) -> str:
        """What taking the nearest as the target means."""
        error = self.finding.numbers["irreducible_error"]
        return (
            "the target of the two-point term is the nearest that an isotropic volume can have, which is "
            f"{error:.2g} away from the section's own (irreducible error)"
        )

    def change(self, factor: int) -> Array:
        """Compute by how much the nearest covariance differs from the sections', at a level of fewer pixels.

        Parameters
        ----------
        factor : int
            Side length of the blocks that are averaged, in pixels.

        Returns
        -------
        ndarray of float, shape (K, M)
            Difference of the normalised covariances at the distances 0, 1, 2, ... in pixels of the level; none beyond.

        Notes
        -----
        The covariance of block means is the mean covariance of two points, one in each block.

        Examples
        --------
        >>> finding = Finding("realisable", "It is near.", {"irreducible_error": 0.1})
        >>> near = Realisability(finding, np.arange(4.0), np.zeros((1, 4)), np.array([[0, 0.2, 0.1, 0]]))
        >>> near.change(1).tolist(), near.change(2).round(4).tolist()
        ([[0.0, 0.2, 0.1, 0.0]], [[0.1396, 0.0889]])
        """
        apart = np.arange(1 - factor, factor)
        shares = factor - np.abs(apart)
        weights = np.outer(shares, shares) / factor**4
        along = np.arange(int(self.distances[-1]) // factor + 1) * factor
        distance = np.hypot(along[:, None, None] + apart[:, None], apart)
        differences = np.nan_to_num(self.nearest - self.covariance)  # NaN where a phase is absent
        at = [np.interp(distance, self.distances, one, right=0.0) for one in differences]
        return np.stack([np.asarray((weights * one).sum(axis=(1, 2))) for one in at])


def check_realisable(sections: Sequence[Microstructure]) -> Realisability:
    """Find the covariance of an isotropic volume that is nearest to that of sections.

    The test is necessary only: it never shows that there is such a volume, for not every covariance that is valid in
    space is one of phases.

    Parameters
    ----------
    sections : sequence of Microstructure
        Two-dimensional sections of one isotropic material with the same phases; their curves are averaged by area.

    Returns
    -------
    Realisability
        The finding and the nearest covariance. The finding is not ``clear`` where the error is larger than in 95 % of
        sections of three-dimensional level-cut Gaussian fields of the same size; it ``stops`` where the error exceeds
        also the median difference between windows of a quarter of the section's side.

    Raises
    ------
    InputError
        If the sections hold one phase only.

    Notes
    -----
    Errors and differences are sqrt(sum (c - c*)^2 / sum c*^2) over 1 <= r < 3 reaches of the covariance. The negative
    share is that of the mass of the spectrum P(k) k^2, after c(r) was tapered by the spherical covariance, which is
    valid in space. Schoenberg, Ann. Math. 39, 811 (1938); Torquato, Random Heterogeneous Materials (2002), section 2.2.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> check_realisable([bicontinuous((256, 256), wavelength=8, seed=1)]).finding.sentence[:53]
    'No isotropic volume has this two-point function, for '
    >>> volume = bicontinuous((16, 128, 128), wavelength=8, seed=1)
    >>> check_realisable([volume[5]]).finding.sentence[:22]
    'No contradiction found'
    """
    distances, curves = _mean_curves(sections)
    count = sections[0].n_phases
    stop = min(_stop(curves[phase], _REACHES) for phase in range(count))
    nearest = np.stack([_nearest(distances[:stop], curve[:stop]) for curve in curves])
    side = np.sqrt(sum(m.n_known for m in sections))
    windows = [_curves(tile)[1] for m in sections for tile in m.tiles([max(s // _PARTS, 8) for s in m.shape])]
    fractions = np.average([m.volume_fractions for m in sections], axis=0, weights=[m.n_known for m in sections])
    rows = []
    for phase, curve in enumerate(curves):
        if np.isnan(curve).any():
            continue  # the phase is absent, or nothing else is there
        reach = float(_stop(curve, 1))
        rows.append(
            {
                "irreducible_error": _distance(nearest[phase, 1:], curve[1:stop]),
                "chance": chance_of_sections(side / reach, fractions[phase]),
                "windows_difference": _median_difference([c[phase, 1:stop] for c in windows]),
                "negative_share": _negative_share(distances, curve, _stop(curve, _TAPERED)),
            }
        )
    if not rows:
        raise InputError("every section holds one phase only, so it has no two-point function; give a larger section.")
    worst = max(rows, key=lambda row: row["irreducible_error"] / row["chance"])
    return Realisability(_finding(worst), distances[:stop], curves[:, :stop], nearest)


def chance_of_sections(lengths: float, fraction: float) -> float:
    """Return the irreducible error that at most about 5 % of the sections of isotropic volumes exceed.

    Parameters
    ----------
    lengths : float
        Side of the section (the root of its area) in reaches of its covariance.
    fraction : float
        Volume fraction of the phase.

    Returns
    -------
    float
        The error, at most 1. A larger section has a smaller one, because its curve is less noisy.

    Notes
    -----
    A bound for all kinds that ``benchmarks/sections.py`` draws: level-cut Gaussian fields in space, of one wavelength
    and of Gaussian and exponential covariance, at three fractions. For most of them far fewer than 5 % exceed it.

    Examples
    --------
    >>> [round(chance_of_sections(20, fraction), 3) for fraction in (0.5, 0.1)]
    [0.125, 0.347]
    """
    fewness = 1 / (lengths**2 * 4 * fraction * (1 - fraction))
    return float(min(1.0, max(_CHANCE_LEAST, _CHANCE * fewness)))


def _finding(numbers: dict[str, float]) -> Finding:
    error, chance, windows = (numbers[n] for n in ("irreducible_error", "chance", "windows_difference"))
    if error <= chance:
        sentence = (
            "No contradiction found: the two-point function of the section can be that of an isotropic volume, as far "
            f"as can be told (irreducible error {error:.2g}, below the {chance:.2g} that chance makes at this size)."
        )
        return Finding("realisable", sentence, numbers)
    stops = bool(error > windows)
    sentence = (
        f"No isotropic volume has this two-point function, for the nearest one that a volume can have is {error:.2g} "
        f"away, and at most 5 % of sections of level-cut fields in space of this size exceed {chance:.2g}; "
    )
    sentence += (
        f"windows of the section differ by {windows:.2g} only, so give a second section, or ask for the nearest volume."
        if stops
        else f"that is less than windows of the section differ ({windows:.2g}), so its own is the target all the same."
    )
    return Finding("realisable", sentence, numbers, clear=False, stops=stops)


def _mean_curves(sections: Sequence[Microstructure]) -> tuple[Array, Array]:
    found = [_curves(m) for m in sections]
    size = min(distances.size for distances, _ in found)
    curves = np.stack([curve[:, :size] for _, curve in found])
    return found[0][0][:size], np.average(curves, axis=0, weights=[m.n_known for m in sections])


def _curves(m: Microstructure) -> tuple[Array, Array]:
    """Mean distance of the pixels of each shell, and the normalised covariance of each phase there."""
    half, sizes = half_sides(m.shape), np.asarray(m.spacing) / np.sqrt(np.prod(m.spacing))
    rows, columns = (np.arange(-h, h + 1) * size for h, size in zip(half, sizes))
    distances = radial_mean(np.hypot(rows[:, None], columns), half, m.spacing)
    return distances, normalised_covariance(two_point_radial(m), m.volume_fractions[:, None])


def _stop(curve: Array, reaches: int) -> int:
    """Number of distances up to some reaches of the covariance, or all."""
    reach = first_below(curve)
    return curve.size if np.isnan(reach) else min(curve.size, max(_LEAST, reaches * int(reach)))


def _nearest(distances: Array, curve: Array) -> Array:
    """The nearest mixture of sin(k r) / (k r), the constant 0 beyond r = 0 (k without end) among them."""
    if np.isnan(curve).any():
        return np.full(curve.shape, np.nan)
    step = np.pi / (_FINEST * distances[-1])
    waves = np.arange(1, int(1.2 * np.pi / step)) * step  # somewhat beyond the finest wave of a pixel grid
    mixed = np.sinc(np.outer(distances, waves) / np.pi)
    mixed = np.hstack([mixed, (distances == 0)[:, None]])
    rows = np.vstack([mixed[1:], np.full(mixed.shape[1], _WHOLE)])
    weights, _ = nnls(rows, np.append(curve[1:], _WHOLE))
    return np.asarray(mixed @ weights)


def _negative_share(distances: Array, curve: Array, stop: int) -> float:
    """Share of negative mass of the spectrum in space, P(k) k^2 ~ k * integral of c(r) r sin(kr) dr."""
    reach = distances[stop - 1]
    fine = np.linspace(0, reach, 4 * stop)
    relative = fine / reach
    tapered = np.interp(fine, distances, curve) * (1 - 1.5 * relative + 0.5 * relative**3)
    waves = np.arange(1, 2 * stop) * np.pi / (2 * reach)
    mass = waves * np.trapezoid(tapered * fine * np.sin(np.outer(waves, fine)), fine)
    return float(np.maximum(-mass, 0).sum() / np.abs(mass).sum())


def _distance(curve: Array, other: Array) -> float:
    size = min(curve.size, other.size)
    return float(np.sqrt(((curve[:size] - other[:size]) ** 2).sum() / (other[:size] ** 2).sum()))


def _median_difference(curves: Sequence[Array]) -> float:
    """Median distance between windows; NaN where fewer than two show the phase."""
    known = [c for c in curves if not np.isnan(c).any()]
    apart = [_distance(a, b) for i, a in enumerate(known) for j, b in enumerate(known) if i != j]
    return float(np.median(apart)) if apart else float("nan")
