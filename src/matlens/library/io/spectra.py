"""Spectra as a file gives them, and their assignment to samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
            return replace(self, intensities=self.intensities[order], names=(), notes=self.notes + notes)
        if len(self.intensities) != len(samples):
            found = f"{len(self.intensities)} spectra for {len(samples)} samples"
            raise InputError(f"{file} has {found}; give one for each.")
        return self


def matched(names: Sequence[str], samples: Sequence[str], what: str) -> tuple[list[int], tuple[str, ...]]:
    """Find the index of each sample in ``names``, by the same text or else the same number ("007" is "7").

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
    exact = {name: k for k, name in enumerate(names)}
    plain = {_plain(name): k for k, name in enumerate(names)}
    order = [exact.get(sample, plain.get(_plain(sample), -1)) for sample in samples]
    lacking = [sample for sample, k in zip(samples, order, strict=True) if k < 0]
    if lacking:
        raise InputError(
            f"{len(lacking)} of {len(samples)} samples have no spectrum among the {len(names)} {what}: "
            f"{named(lacking)}; name each by its sample."
        )
    spare = sorted(set(range(len(names))) - set(order))
    return order, (f"{len(spare)} {what} belong to no sample: {named(names[k] for k in spare)}",) if spare else ()


def _plain(name: str) -> str:
    return name.strip().lower().lstrip("0") or "0"
