"""Reconstruction from two-point probabilities, lineal path and volume fractions, without a micrograph.

The curves are completed to all directions, and pixels are swapped until the sample has these curves (annealing). A
level-cut Gaussian field with the same two-point probability was measured too; its errors were five to twenty times
larger.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from matlens.core.arguments import checked_arguments
from matlens.core.guard import reading
from matlens.errors import InputError
from matlens.hooks import NoStore, Progress, Silent, StateStore
from matlens.microstructure.reconstruction.classical.annealing import Annealing, Target
from matlens.microstructure.reconstruction.fractions import check_fraction
from matlens.microstructure.reconstruction.from_statistics.targets import CurveTargets
from matlens.microstructure.reconstruction.method import Maker, Prepared
from matlens.microstructure.reconstruction.methods import options_of
from matlens.microstructure.reconstruction.realisations import Plan
from matlens.microstructure.reconstruction.result import Reconstruction
from matlens.microstructure.statistics import read_statistics
from matlens.microstructure.structure import Microstructure

__all__ = ["plan_from_statistics", "reconstruct_from_statistics"]

Statistics = xr.Dataset | CurveTargets | str | os.PathLike[str]

_SMALLEST = 16  # pixels on a side
_DEFAULT = (128, 128)


# docs/decisions/0023-rebuilding-from-statistics.md
@checked_arguments
def reconstruct_from_statistics(
    statistics: Statistics,
    shape: Sequence[int] | None = None,
    *,
    n: int = 1,
    fraction: str | Sequence[float] = "exact",
    moves: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
    checkpoint: StateStore | None = None,
) -> Reconstruction:
    """Reconstruct microstructures that have given statistics.

    Parameters
    ----------
    statistics : Dataset, CurveTargets or path-like
        Result of `matlens.characterize`, or the path of ``statistics.nc``. ``two_point_radial`` (phase, r) or
        ``two_point_axes`` (phase, axis, r) is required, with offsets in pixels; ``lineal_path`` (phase, axis, r) and
        ``volume_fraction`` (phase) are used if present.
    shape : (int, int), optional
        Height and width of the result in pixels; by default those of the measured structure, at most 128 x 128.
    n : int
        Number of realisations.
    fraction : "exact" or sequence of float
        Volume fractions: those of the statistics, or given numbers, one per phase, for which curves keep their
        covariance.
    moves : int
        Swaps proposed per pixel.
    seed : int
        Seed; the same seed gives the same bytes.
    progress : Progress, optional
        Called with swaps proposed and total.
    checkpoint : StateStore, optional
        Stores annealing state and finished realisations, so that a run can resume.

    Returns
    -------
    Reconstruction
        The realisations; `CurveTargets.errors` measures how well they match.

    Raises
    ------
    InputError
        If the file or an argument cannot be used.
    ResourceError
        If numba is missing.
    Interrupted
        On KeyboardInterrupt, with the partial result.

    Notes
    -----
    Yeong and Torquato, Phys. Rev. E 57, 495 (1998). Many structures share these functions, which do not fix
    connectedness: compare the cluster function before a property is computed.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> from matlens.microstructure.statistics import characterize
    >>> statistics = characterize(gaussian_field((64, 64), 6, 0.3, seed=0))
    >>> rebuilt = reconstruct_from_statistics(statistics, (48, 48), moves=20).microstructure
    >>> rebuilt
    Microstructure(48 x 48, 2 phases, 1 px, periodic)
    >>> {name: bool(value < 0.1) for name, value in CurveTargets.from_dataset(statistics).errors(rebuilt).items()}
    {'s2_error': True, 'lineal_path_error': True, 'fraction_error': True}
    """
    work = plan_from_statistics(statistics, shape, n=n, fraction=fraction, moves=moves, seed=seed)
    return work.run(progress or Silent(), checkpoint or NoStore())


def plan_from_statistics(
    statistics: Statistics,
    shape: Sequence[int] | None = None,
    *,
    n: int = 1,
    fraction: str | Sequence[float] = "exact",
    moves: int = 100,
    seed: int = 0,
) -> Plan[Prepared]:
    """Check the arguments of `reconstruct_from_statistics` and resolve every setting.

    Parameters
    ----------
    statistics, shape, n, fraction, moves, seed
        As in `reconstruct_from_statistics`.

    Returns
    -------
    Plan
        Checked plan; nothing is reconstructed yet.

    Raises
    ------
    InputError
        If the file or an argument cannot be used.
    ResourceError
        If numba is missing.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> from matlens.microstructure.statistics import characterize
    >>> plan_from_statistics(characterize(gaussian_field((64, 64), 6, 0.3, seed=0))).settings["shape"]
    [64, 64]
    """
    targets = _targets(statistics)
    sides = _checked_shape(shape, targets)
    if isinstance(fraction, str) and fraction != "exact":
        raise InputError(f"fraction={fraction!r}: statistics tell of no scatter; give 'exact' or one number a phase.")
    check_fraction(fraction, targets.fractions.size)
    if n < 1 or seed < 0:
        raise InputError(f"n={n} and seed={seed} were asked for; give n of at least 1 and a seed of at least 0.")
    terms = ("two-point",) if targets.lines is None else ("two-point", "lineal-path")
    annealing = Annealing(terms=terms, moves=moves)
    like = _like(targets)
    notes = (*targets.notes, *annealing.check([like], sides))
    settings = {
        "method": annealing.name,
        "target": "statistics",
        "options": options_of(annealing),
        "shape": list(sides),
        "reach": targets.reach(sides),
        "fraction": fraction if isinstance(fraction, str) else [float(value) for value in fraction],
        "n": n,
        "seed": seed,
        "device": "cpu",
    }
    asked = targets.fractions.tolist() if isinstance(fraction, str) else [float(value) for value in fraction]
    return Plan(_TowardsCurves({}, notes, annealing, targets, sides), (like,), sides, asked, n, seed, settings)


@dataclass(frozen=True)
class _TowardsCurves(Prepared):
    """Annealing to given curves; the exemplar of the plan only holds phases and scale."""

    annealing: Annealing
    targets: CurveTargets
    shape: tuple[int, int]

    def learn(self) -> Maker:
        targets, reach = self.targets, self.targets.reach(self.shape)
        wanted = {"two-point": targets.two_point_map(reach)}
        if targets.lines is not None:
            wanted["lineal-path"] = targets.lines[..., : reach + 1]
        target = Target(self.annealing, wanted, targets.fractions, reach, targets.periodic)
        return self.annealing.towards(target, targets.fractions.size)


def _targets(statistics: Statistics) -> CurveTargets:
    if isinstance(statistics, CurveTargets):
        return statistics
    if isinstance(statistics, xr.Dataset):
        return CurveTargets.from_dataset(statistics)
    with reading(statistics, "statistics of a microstructure", "name the statistics.nc of a characterize run"):
        return CurveTargets.from_dataset(read_statistics(statistics))


def _checked_shape(shape: Sequence[int] | None, targets: CurveTargets) -> tuple[int, int]:
    if shape is None:
        shape = [min(side, most) for side, most in zip(targets.shape or _DEFAULT, _DEFAULT)]
    sides = tuple(int(side) for side in shape)
    if len(sides) != len(_DEFAULT) or min(sides) < _SMALLEST:
        size = "x".join(map(str, sides))
        raise InputError(f"the shape {size} cannot be made; give height x width of at least {_SMALLEST} pixels each.")
    return sides[0], sides[1]


def _like(targets: CurveTargets) -> Microstructure:
    """Make the smallest microstructure of the same phases and scale."""
    phases = np.arange(targets.fractions.size)[None]
    return Microstructure(phases, targets.spacing, targets.unit, targets.phase_names, targets.periodic)
