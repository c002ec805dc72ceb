"""Spectra as a file gives them, and their assignment to samples."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.table import named

__all__ = ["Spectra", "matched"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Spectra:
    """Spectra on a common axis.

    Parameters
    ----------
    intensities : ndarray of float, shape (n, C)
        Intensities.
    axis : ndarray of float, shape (C,)
        Position of each channel.
    axis_unit : str
        Unit of the axis, where the file gives one.
    notes : tuple of str
        Assumptions of the reader and what was left out, one sentence each.
    names : tuple of str
        Sample of each spectrum, where the file gives it.
    positions : mapping of str to ndarray of float, shape (n,)
        Where each spectrum was measured, such as ``{"map x (um)": ...}``, where the file gives it.
    quantity : str
        What the intensities are, such as "absorbance", where the file gives it.

    Examples
    --------
    >>> Spectra(np.eye(2), np.arange(2.0), names=("b", "a")).of(["a", "b"], "xrd.txt").intensities.tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """

    intensities: Floats
    axis: Floats
    axis_unit: str = ""
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    positions: Mapping[str, Floats] = field(default_factory=dict)
    quantity: str = ""

    def of(self, samples: Sequence[str], file: str) -> Spectra:
        """Put the spectra in the order of samples; spectra without names are in that order already.

        Parameters
        ----------
        samples : sequence of str
            Sample ids.
        file : str
            File name, for messages.

        Raises
        ------
        InputError
            If a sample has no spectrum or two, or the numbers of samples and of spectra without names differ.
        """
        if self.names:
            order, notes = matched(self.names, samples, f"rows of {file}")
            positions = {name: values[order] for name, values in self.positions.items()}
            return replace(
                self, intensities=self.intensities[order], names=(), notes=self.notes + notes, positions=positions
            )
        if len(self.intensities) != len(samples):
            found = f"{len(self.intensities)} spectra for {len(samples)} samples"
            raise InputError(f"{file} has {found}; give one for each.")
        return self


def matched(names: Sequence[str], samples: Sequence[str], what: str) -> tuple[list[int], tuple[str, ...]]:
    """Find the index of each sample in ``names``.

    The same text comes first, then the same without leading zeros and in small letters ("S007" is "s7"), then a name
    that holds the sample's as the only one ("s7_532nm").

    Parameters
    ----------
    names : sequence of str
        Names of what was measured.
    samples : sequence of str
        Sample ids.
    what : str
        What the names stand for, for messages.

    Returns
    -------
    order : list of int
        Index of each sample.
    notes : tuple of str
        A sentence about names that belong to no sample.

    Raises
    ------
    InputError
        If a name is there twice, or a sample is not there.

    Examples
    --------
    >>> matched(["b", "007"], ["7", "b"], "files")[0]
    [1, 0]
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{what} name the sample {named(twice)} more than once; keep one spectrum for each.")
    order, loose = [], []
    exact, plain = ({form(name): k for k, name in enumerate(names)} for form in (str, _plain))
    inner = _distinct_parts(names)
    for sample in samples:
        k = exact.get(sample, plain.get(_plain(sample), -1))
        if k < 0 and len(holding := [j for j, parts in enumerate(inner) if _contains(parts, _parts(sample))]) == 1:
            k = holding[0]
            loose.append(f"{names[k]} is {sample}")
        order.append(k)
    lacking = [sample for sample, k in zip(samples, order, strict=True) if k < 0]
    spare = [names[k] for k in sorted(set(range(len(names))) - set(order))]
    if lacking:
        raise InputError(
            f"{len(lacking)} of {len(samples)} samples have no spectrum among the {len(names)} {what}: "
            f"{named(lacking)}; name each by its sample.{f' Without a sample are {named(spare)}.' if spare else ''}"
        )
    shared = [names[k] for k, count in Counter(order).items() if count > 1]
    if shared:
        raise InputError(f"{what}: {named(shared)} fit more than one sample; name each by its sample.")
    notes = [f"{what} were matched to samples by a part of their names: {named(loose, 3)}"] if loose else []
    notes += [f"{len(spare)} {what} belong to no sample: {named(spare)}"] if spare else []
    return order, tuple(notes)


def _plain(name: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", name.strip().lower())


def _parts(name: str) -> list[str]:
    return [part for part in re.split(r"[^0-9a-z.+]+", _plain(name)) if part]


def _distinct_parts(names: Sequence[str]) -> list[list[str]]:
    """Split names, and leave out what all begin with and all end with, such as a date or "spectrum"."""
    parts = [_parts(name) for name in names]
    if len(parts) > 1:
        shortest = min(map(len, parts))
        first = next((k for k in range(shortest) if len({row[k] for row in parts}) > 1), shortest)
        last = next((k for k in range(shortest - first) if len({row[-1 - k] for row in parts}) > 1), shortest - first)
        parts = [row[first : len(row) - last] for row in parts]
    return parts


def _contains(parts: list[str], wanted: list[str]) -> bool:
    return bool(wanted) and any(parts[k : k + len(wanted)] == wanted for k in range(len(parts) - len(wanted) + 1))
