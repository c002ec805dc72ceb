"""One axis for spectra of many files: falling axes are turned, short ones cut, and small shifts interpolated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.spectra import Spectra
from matlens.library.table import named

__all__ = ["on_one_axis"]

_SAME = 1e-3  # difference of two axes, in widths of a channel, below which they are one
_SHIFT = 0.5  # difference in widths of a channel up to which intensities are interpolated
_CUT = 0.05  # share of the channels that may be left out, so that all spectra have the rest

Floats = NDArray[np.float64]


def on_one_axis(names: Sequence[str], spectra: Sequence[Spectra], folder: str) -> Spectra:
    """Put spectra on a common, rising axis.

    Parameters
    ----------
    names : sequence of str
        Names of their files, for messages.
    spectra : sequence of Spectra
        One spectrum each.
    folder : str
        Name of their folder, for messages.

    Returns
    -------
    Spectra
        All spectra on one axis, with a note for each change.

    Raises
    ------
    InputError
        If axes have different units, or differ by more than half a channel, or share too few channels.

    Examples
    --------
    >>> one = Spectra(np.array([[1.0, 2.0]]), np.array([10.0, 20.0]))
    >>> other = Spectra(np.array([[4.0, 3.0]]), np.array([20.0, 10.0]))
    >>> on_one_axis(["a", "b"], [one, other], "spectra").intensities.tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    unit = _common_unit(folder, names, spectra)
    pairs = [_rising(spectrum) for spectrum in spectra]
    turned = sum(bool(spectrum.axis.size > 1 and spectrum.axis[0] > spectrum.axis[-1]) for spectrum in spectra)
    notes = [f"the axes of {turned} of {len(spectra)} files fall and were turned"] if 0 < turned < len(spectra) else []
    for name, (own, _) in zip(names, pairs, strict=True):
        if twice := own[1:][np.diff(own) == 0].tolist():
            raise InputError(f"{name} has the positions {named(twice)} more than once; leave one of each out.")
    pairs, cut = _cut_to_common(folder, names, pairs)
    axis = np.median([axis for axis, _ in pairs], axis=0)
    width = np.abs(np.gradient(axis)) if len(axis) > 1 else np.ones(1)
    shifts = np.array([(np.abs(own - axis) / width).max() for own, _ in pairs])
    if far := [name for name, shift in zip(names, shifts, strict=True) if shift >= _SHIFT]:
        axes = dict(zip(names, (own for own, _ in pairs), strict=True))
        ends = dict.fromkeys(f"{axes[name][0]:g} to {axes[name][-1]:g}" for name in far)
        raise InputError(
            f"the axis of {named(far)} differs from the usual one by half a channel or more (it runs from "
            f"{named(ends, 3)}); resample all spectra on one axis."
        )
    moved = shifts > _SAME
    intensities = [
        np.interp(axis, own, values) if shifted else values for (own, values), shifted in zip(pairs, moved, strict=True)
    ]
    if moved.any():
        notes.append(
            f"the axes of {moved.sum()} of {len(spectra)} files differ by up to {shifts.max():.2g} of a channel; their "
            "intensities were interpolated"
        )
    if all(spectrum.axis.size > 1 and spectrum.axis[0] > spectrum.axis[-1] for spectrum in spectra):
        axis, intensities = axis[::-1], [values[::-1] for values in intensities]  # as in the files
    return Spectra(np.array(intensities), axis, unit, (*notes, *cut))


def _rising(spectrum: Spectra) -> tuple[Floats, Floats]:
    order = np.argsort(spectrum.axis, kind="stable")
    return spectrum.axis[order], spectrum.intensities[0, order]


def _cut_to_common(
    folder: str, names: Sequence[str], pairs: list[tuple[Floats, Floats]]
) -> tuple[list[tuple[Floats, Floats]], list[str]]:
    """Leave out channels at the ends that some spectra lack."""
    lengths = [len(axis) for axis, _ in pairs]
    if len(set(lengths)) == 1:
        return pairs, []
    usual = Counter(lengths).most_common(1)[0][0]
    uneven = [f"{name} ({length})" for name, length in zip(names, lengths, strict=True) if length != usual]
    low, high = max(axis[0] for axis, _ in pairs), min(axis[-1] for axis, _ in pairs)
    step = float(np.median(np.diff(max((axis for axis, _ in pairs), key=len))))
    inside = [(axis >= low - _SHIFT * step) & (axis <= high + _SHIFT * step) for axis, _ in pairs]
    kept = {int(mask.sum()) for mask in inside}
    if len(kept) != 1 or min(kept) < (1 - _CUT) * max(lengths):
        raise InputError(
            f"most spectra in {folder} have {usual} channels, but not {named(uneven)}; measure or resample them on one "
            "axis."
        )
    left = [(axis[mask], values[mask]) for (axis, values), mask in zip(pairs, inside, strict=True)]
    said = f"{kept.pop()} channels from {low:g} to {high:g}, which all files have"
    return left, [f"the spectra were cut to {said}: {named(uneven)} differ from {usual}"]


def _common_unit(folder: str, names: Sequence[str], read: Sequence[Spectra]) -> str:
    units = {spectrum.axis_unit: name for name, spectrum in zip(names, read, strict=True) if spectrum.axis_unit}
    if len(units) > 1:
        found = named(f"{unit} ({name})" for unit, name in units.items())
        raise InputError(f"the spectra in {folder} have axes in {found}; convert them to one unit.")
    return next(iter(units), "")
