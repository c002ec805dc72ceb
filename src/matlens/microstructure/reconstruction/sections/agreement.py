"""Whether sections of named planes can belong to one volume: planes that share an axis must look alike along it.

In ``xy`` and ``xz`` the lines along x are lines of one material. How far these stay in a phase, and how far their
covariance reaches, must then be the same within what bands of the sections scatter. A section that was turned by 90
degrees before it was named shows itself by lengths that differ, where the material is anisotropic; in an isotropic one
a turn has no effect. A mirrored section cannot be recognised: the two-point function and the lineal path are the same
along a line and against it. So where structure is inclined, the user must know which way each axis points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from matlens.errors import InputError
from matlens.microstructure.reconstruction.plane_names import plane_names
from matlens.microstructure.reconstruction.sections.finding import Finding
from matlens.microstructure.statistics import correlation_length, two_point_axes
from matlens.microstructure.statistics.lines.lineal_path import lineal_path
from matlens.microstructure.structure import Microstructure

__all__ = ["Agreement", "check_agreement"]

Array = NDArray[np.float64]

_LEVEL = 0.05  # false alarms of all comparisons together
_MARGIN = 1.1  # ratio of lengths that sections of one volume may have
_BANDS = 8  # bands of lines in a section, where there is room
_ACROSS = 1.0  # correlation lengths across a band, at least
_FEWEST = 4  # bands that give a standard error
_AS_GIVEN = (frozenset[str](),)


@dataclass(frozen=True)
class Agreement:
    """Whether sections agree along the axes that they share.

    Parameters
    ----------
    finding : Finding
        The answer in a sentence. Its numbers are ``p``, the smallest probability of all comparisons after Bonferroni's
        correction for their number; ``ratio``, of the lengths that differ most clearly; and ``comparisons``.
    swaps : tuple of frozenset of str
        Names of the sections of which rows and columns must be exchanged so that all agree: the smallest such sets, if
        several there are. One empty set where all agree as they are, nothing where no exchange helps.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> volume = gaussian_field((96, 96, 96), (6, 6, 15), seed=0)
    >>> check_agreement({"xy": [volume[20]], "xz": [volume[:, 20]]}).swaps
    (frozenset(),)
    """

    finding: Finding
    swaps: tuple[frozenset[str], ...]


def check_agreement(sections: Mapping[str, Sequence[Microstructure]]) -> Agreement:
    """Compare sections of different planes along the axes that they share.

    Parameters
    ----------
    sections : mapping of str to sequence of Microstructure
        Two-dimensional sections by the plane's name, the axis of the columns' index first: in ``xz`` x grows with the
        column and z with the row. Sections of planes that look alike have both names, as in ``"xz,yz"``. The phases are
        the same in all; pixels may differ in size, if their unit is the same.

    Returns
    -------
    Agreement
        The finding, which ``stops`` where sections disagree, and the exchanges of axes that would make them agree.

    Raises
    ------
    InputError
        If a name is not that of a plane, or the numbers of phases differ.

    Notes
    -----
    Compared are logarithms of three kinds of length along the axis: that over which the covariance falls at first,
    which is phi (1 - phi) over the number of the phase's ends, and the integrals of the normalised covariance and of
    each phase's lineal path over its fraction, up to the correlation length. Welch's test takes standard errors from a
    jackknife over bands of lines, and lets the true lengths differ by a tenth, since a material that is the same on
    average is not the same in every section: without that margin 8.5 % of 200 pairs of sections of Berea sandstone
    with sides of 128 pixels disagreed and 4.5 % of those with 256, with it 1.5 and 0.5 %
    (``benchmarks/section_agreement.py``). Sections with one name are pooled.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> volume = gaussian_field((96, 96, 96), (6, 6, 15), seed=0)
    >>> turned = Microstructure(volume.labels[:, 20].T)
    >>> found = check_agreement({"xy": [volume[20]], "xz": [turned], "yz": [volume[:, :, 20]]})
    >>> found.finding.stops, found.swaps
    (True, (frozenset({'xz'}),))
    """
    if len({m.n_phases for group in sections.values() for m in group}) > 1:
        raise InputError("the sections differ in their numbers of phases; give sections of one material.")
    shared = _shared(list(sections))
    if not shared:
        return Agreement(Finding("agreement", "No two sections share an axis, so nothing was compared."), _AS_GIVEN)
    lines = {(name, axis): _Lines(group, axis) for name, group in sections.items() for axis in (0, 1)}
    found = _differences(shared, lines, frozenset())
    if _joint(found) >= _LEVEL:
        return Agreement(_agree(found, shared), _AS_GIVEN)
    swaps: list[frozenset[str]] = []
    for size in range(1, len(sections) + 1):
        tried = map(frozenset, combinations(sections, size))
        swaps = [some for some in tried if _joint(_differences(shared, lines, some)) >= _LEVEL]
        if swaps:
            break
    return Agreement(_disagree(found, swaps), tuple(swaps))


def _agree(found: Sequence[_Difference], shared: Sequence[_Shared]) -> Finding:
    axes = ", ".join(dict.fromkeys(pair.axis for pair in shared))
    if not found:
        sentence = (
            f"The sections are too small to compare them along {axes}, which they share: they hold fewer than "
            f"{_FEWEST} bands of a correlation length."
        )
        return Finding("agreement", sentence, {"comparisons": 0.0})
    worst = min(found, key=lambda d: d.p)
    sentence = (
        f"The sections agree along the axes that they share ({axes}) within their scatter: the most doubtful lengths "
        f"have a ratio of {worst.ratio:.2f} (p = {_joint(found):.2g}); whether one is mirrored cannot be seen."
    )
    return Finding("agreement", sentence, _numbers(found))


def _disagree(found: Sequence[_Difference], swaps: Sequence[frozenset[str]]) -> Finding:
    worst = min(found, key=lambda d: d.p)
    first, second = worst.shared.first[0], worst.shared.second[0]
    sentence = (
        f"Sections {first} and {second} disagree along {worst.shared.axis}, which they share: lengths in {first} are "
        f"{worst.ratio:.2f} times those in {second} (p = {_joint(found):.2g}); "
    )
    ways = ", or of ".join(" and ".join(sorted(some)) for some in swaps)
    if not swaps:
        sentence += "no exchange of rows and columns makes all agree, so they are not of one volume as they are named."
    else:
        sentence += f"with rows and columns exchanged of {ways}, all agree, so check how these were turned."
    return Finding("agreement", sentence, _numbers(found), clear=False, stops=True)


def _numbers(found: Sequence[_Difference]) -> dict[str, float]:
    return {"p": _joint(found), "ratio": min(found, key=lambda d: d.p).ratio, "comparisons": float(len(found))}


@dataclass(frozen=True)
class _Shared:
    """An axis in space that two groups of sections share, and where it lies in the arrays of each."""

    axis: str
    first: tuple[str, int]
    second: tuple[str, int]


class _Difference(NamedTuple):
    """Of lengths along a shared axis: its probability by chance, and the ratio of the first to the second."""

    p: float
    ratio: float
    shared: _Shared


def _shared(names: Sequence[str]) -> list[_Shared]:
    found: dict[tuple[tuple[str, int], tuple[str, int]], _Shared] = {}
    for one, other in combinations(names, 2):
        for here, there in product(plane_names(one), plane_names(other)):
            common = set(here) & set(there)
            if len(common) == 2:
                continue  # two groups for one plane
            axis = common.pop()
            # the columns' index is the last axis of an array
            pair = _Shared(axis, (one, 1 - here.index(axis)), (other, 1 - there.index(axis)))
            found[pair.first, pair.second] = pair
    return list(found.values())


class _Lines:
    """Curves along one array axis of sections, in bands of lines that hardly depend on each other."""

    def __init__(self, sections: Sequence[Microstructure], axis: int) -> None:
        self.bands: list[tuple[float, Array, Array, Array]] = []
        lengths = []
        for m in sections:
            pixels = np.nan_to_num(correlation_length(m), nan=max(m.shape) / 2).max(axis=0)
            lengths.append(float(pixels[axis]) * m.spacing[axis])
            sides = [max(m.shape[a] // _BANDS, int(np.ceil(_ACROSS * pixels[a]))) for a in (0, 1)]
            sides[axis] = m.shape[axis]
            reach = sides[axis] // 2 + 1
            for band in m.tiles(sides, masked=True):
                curves = (two_point_axes(band)[:, axis, :reach], lineal_path(band)[:, axis, :reach])
                self.bands.append((m.spacing[axis], band.volume_fractions, *curves))
        self.length = float(np.mean(lengths))

    def log_lengths(self, reach: float) -> Array:
        """Logarithms of lengths along the lines, from all bands and then without each, shape (1 + B, C)."""
        rows = []
        for step, fractions, pairs, paths in self.bands:
            areas = [_area(curve, step, reach) for curve in (*pairs, *paths)]
            ends = (paths[:, 0] - paths[:, 1]) / step  # of the phase, for each unit of length
            rows.append(np.concatenate([fractions, ends, areas]))
        values = np.array(rows)
        means = np.vstack([values.mean(axis=0), (values.sum(axis=0) - values) / (len(values) - 1)])
        fractions, ends, pairs, paths = np.split(means, 4, axis=1)
        variances = fractions * (1 - fractions)
        lengths = [variances / ends, (pairs - reach * fractions**2) / variances]
        if fractions.shape[1] == 2:  # both are the same for the other phase
            lengths = [values[:, 1:] for values in lengths]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(np.hstack([*lengths, paths / fractions])))


def _area(curve: Array, step: float, reach: float) -> float:
    """Integral of a curve from 0 to a distance, by trapezoids; as far as it is known."""
    distance = step * np.arange(curve.size)
    places = np.append(distance[distance < reach], reach)
    return float(np.trapezoid(np.interp(places, distance, curve), places))


def _differences(
    shared: Sequence[_Shared], lines: Mapping[tuple[str, int], _Lines], swapped: frozenset[str]
) -> list[_Difference]:
    """Compare the lengths along every shared axis, with rows and columns of some groups exchanged."""
    found = []
    for pair in shared:
        one, other = (lines[name, axis ^ (name in swapped)] for name, axis in (pair.first, pair.second))
        if min(len(one.bands), len(other.bands)) < _FEWEST:
            continue
        reach = float(np.sqrt(one.length * other.length))
        first, second = one.log_lengths(reach), other.log_lengths(reach)
        found += [
            _Difference(float(p), float(np.exp(gap)), pair)
            for p, gap in zip(_welch(first, second), first[0] - second[0])
            if np.isfinite(p)
        ]
    return found


def _welch(first: Array, second: Array) -> Array:
    """Probabilities that jackknifed values differ by so much where the true ones differ by the margin, shape (C,)."""
    squares, freedoms = [], []
    for values in (first, second):
        count = len(values) - 1
        squares.append((count - 1) / count * ((values[1:] - values[1:].mean(axis=0)) ** 2).sum(axis=0))
        freedoms.append(count - 1)
    total = squares[0] + squares[1]
    freedom = total**2 / sum(s**2 / f for s, f in zip(squares, freedoms))
    gaps = np.maximum(0.0, np.abs(first[0] - second[0]) - np.log(_MARGIN))
    return np.asarray(2 * stats.t.sf(gaps / np.sqrt(total), freedom))


def _joint(differences: Sequence[_Difference]) -> float:
    """Smallest probability after Bonferroni's correction; 1 where nothing could be compared."""
    return min(1.0, *(len(differences) * d.p for d in differences)) if differences else 1.0
