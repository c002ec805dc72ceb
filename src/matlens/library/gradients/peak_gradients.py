"""Gradients of the figure of merit with respect to bands of the spectrum: shift, width, area and splitting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.library.gradients.trend import Design, design_of, fit_trend
from matlens.library.spectra.peaks import Peaks, fit_peaks, follow_peaks, peak_derivatives
from matlens.library.table import MaterialsLibrary

__all__ = ["PeakChanges", "peak_changes"]

Array = NDArray[np.float64]
# docs/decisions/0053-gradients-of-peaks.md
_RELIABLE, _FAINT = 0.8, 0.3  # share of the variance at held composition that is not noise: supported, weak
_SEPARATE, _BARELY = 0.5, 0.8  # greatest squared correlation with another change: supported, weak
_LEAST = 12  # channels in which bands are looked for
_BLOCK = 16  # samples whose derivatives are in memory at once
_WHAT = ("shift", "width", "area")
_PERCENT = 100.0


@dataclass(frozen=True, eq=False)
class PeakChanges:
    """Ways in which the bands of a library's spectra change, with their support. Use `peak_changes` to find them.

    Parameters
    ----------
    bands : Peaks
        Bands of every sample.
    names : tuple of str
        Name of each of Q changes, for example "splitting 325/365".
    whats : tuple of str
        "shift", "width", "area" or "splitting".
    mixing : ndarray, shape (3 K, Q)
        Change of the position, width and area (in units of ``reference``) of each band.
    reference : ndarray, shape (n, K)
        A hundredth of the mean area of each band, times the brightness of the spectrum.
    seen : ndarray of bool, shape (C,)
        Channels that the model uses.
    axis : ndarray, shape (C,)
        Positions of the channels.
    values, errors : ndarray, shape (n, Q)
        Position, width, area (in percent of its mean) or splitting of every sample, with its standard error.
    reliability : ndarray, shape (Q,)
        Share of the variance at held composition that is not noise of the fit.
    partner : ndarray of int, shape (Q,)
        The change that goes most with each one at held composition; -1 where there is none.
    correlation : ndarray, shape (Q,)
        Their correlation, without noise.

    Examples
    --------
    >>> random, x = np.random.default_rng(0), np.linspace(0, 100, 201)
    >>> spectra = 1 / (1 + ((x - random.uniform(48, 52, (50, 1))) / 4) ** 2)
    >>> library = MaterialsLibrary(random.dirichlet([1, 1], 50), ("A", "B"), {}, {}, spectra, x)
    >>> changes = peak_changes(library, spectra, np.full(201, 0.001))
    >>> changes.names, changes.carried(np.ones((1, 50, 201))).shape
    (('shift 50.1', 'width 50.1', 'area 50.1'), (1, 50, 3))
    """

    bands: Peaks
    names: tuple[str, ...]
    whats: tuple[str, ...]
    mixing: Array
    reference: Array
    seen: NDArray[np.bool_]
    axis: Array
    values: Array
    errors: Array
    reliability: Array
    partner: NDArray[np.intp]
    correlation: Array

    @property
    def flags(self) -> NDArray[np.int8]:
        """Support of each change, 2, 1 or 0: it varies beyond noise at held composition, and not with another one."""
        shared = self.correlation**2
        return np.select(
            [
                (self.reliability >= _RELIABLE) & (shared <= _SEPARATE),
                (self.reliability >= _FAINT) & (shared <= _BARELY),
            ],
            [2, 1],
            0,
        ).astype(np.int8)

    def carried(self, gradient: ArrayLike) -> Array:
        """Carry gradients with respect to intensities to the changes of bands: J^T g.

        Parameters
        ----------
        gradient : array_like, shape (m, n, C)
            Spectral gradients.

        Returns
        -------
        ndarray, shape (m, n, Q)
            Derivatives per unit of the axis, and per percent of area.
        """
        return self.carried_each([gradient])[0]

    def carried_each(self, gradients: Sequence[ArrayLike]) -> list[Array]:
        """Carry several stacks of gradients, as `carried` does; the derivatives of the bands are made once for all.

        Parameters
        ----------
        gradients : sequence of array_like, shape (m, n, C)
            Spectral gradients.

        Returns
        -------
        list of ndarray, shape (m, n, Q)
            What `carried` returns of each.
        """
        stacks = [np.asarray(each) for each in gradients]
        found = [np.empty((*each.shape[:2], len(self.names))) for each in stacks]
        axis, size = self.axis[self.seen], 3 * self.bands.count
        for start in range(0, len(self.reference), _BLOCK):
            rows = slice(start, start + _BLOCK)
            part = Peaks(self.bands.values[rows], self.bands.errors[rows], self.bands.lorentzian)
            slopes = np.moveaxis(peak_derivatives(part, axis), 1, -1)  # (n, K, 3, C)
            slopes[:, :, 2] *= self.reference[rows, :, None]
            moved = slopes.reshape(len(slopes), size, -1).transpose(0, 2, 1)  # (n, C, 3 K)
            for own, values in zip(found, stacks, strict=True):
                given = values[:, rows][..., self.seen].astype(np.float64).transpose(1, 0, 2)
                own[:, rows] = ((given @ moved) @ self.mixing).transpose(1, 0, 2)
        return found


def peak_changes(
    library: MaterialsLibrary,
    corrected: ArrayLike,
    noise: ArrayLike,
    seen: ArrayLike | None = None,
    *,
    held: bool = True,
    design: Design | None = None,
) -> PeakChanges | None:
    """Fit the bands of a library's spectra, and find which changes of them its data can tell.

    Bands are found in the mean spectrum and followed in every sample. Of two overlapping bands (a doublet) the common
    shift and the splitting take the place of two shifts.

    Parameters
    ----------
    library : MaterialsLibrary
        Library with spectra.
    corrected : array_like, shape (N, C)
        Spectra without differences of brightness and background, whose mean shows the bands.
    noise : array_like, shape (C,)
        Standard deviation of the noise of each channel.
    seen : array_like of bool, shape (C,), optional
        Channels that the model uses; by default all.
    held : bool
        Whether changes count at held composition; else every change does.
    design : Design, optional
        Decomposition of the library's compositions from `design_of`; made here by default.

    Returns
    -------
    PeakChanges or None
        The changes; None if the mean spectrum has no band.

    Examples
    --------
    >>> random, x = np.random.default_rng(0), np.linspace(0, 100, 201)
    >>> half = random.uniform(3, 5, (50, 1))
    >>> spectra = sum(1 / (1 + ((x - 50 - side * half) / 4) ** 2) for side in (-1, 1))
    >>> library = MaterialsLibrary(random.dirichlet([1, 1], 50), ("A", "B"), {}, {}, spectra, x)
    >>> found = peak_changes(library, spectra, np.full(201, 0.001))
    >>> [name for name, flag in zip(found.names, found.flags) if flag == 2]
    ['splitting 45.9/54.1']
    """
    if library.spectra is None or library.axis is None:
        return None
    mask = np.ones(library.axis.size, bool) if seen is None else np.asarray(seen, bool)
    if mask.sum() < _LEAST:
        return None
    axis, sigma = library.axis[mask], np.asarray(noise, np.float64)[mask]
    mean = np.asarray(corrected, np.float64)[:, mask].mean(0)
    peaks = fit_peaks(mean, axis, float(sigma.mean()) / np.sqrt(len(library)))
    if not peaks.count:
        return None
    bands = follow_peaks(peaks, library.spectra[:, mask], axis, sigma)
    area = bands.values[..., 2]
    typical = np.maximum(area.mean(0), 1e-3 * area.mean(0).max())
    design = design or (design_of(library.compositions, library.replicates()) if held else None)
    expected = _followed(library, area, design)[0] if held else np.tile(typical, (len(area), 1))
    reference = _brightness(area, np.maximum(expected, 1e-3 * typical))[:, None] * typical / _PERCENT
    names, whats, mixing = _ways(peaks)
    # what each change is of the values: the inverse of how they make up the values
    taken = np.linalg.inv(mixing)
    single, error = bands.values.copy(), bands.errors.copy()
    single[..., 2], error[..., 2] = single[..., 2] / reference, error[..., 2] / reference
    flat, apart = single.reshape(len(single), -1), error.reshape(len(error), -1)
    values, errors = flat @ taken.T, np.sqrt(apart**2 @ taken.T**2)
    reliability, partner, correlation = _told_apart(library, values, errors, design, held=held)
    return PeakChanges(
        bands, names, whats, mixing, reference, mask, library.axis, values, errors, reliability, partner, correlation
    )


def _ways(peaks: Peaks) -> tuple[tuple[str, ...], tuple[str, ...], Array]:
    """Names and kinds of the changes, and the change of position, width and area of each band, (3 K, Q)."""
    count = peaks.count
    named = [_position(peaks.values, k) for k in range(count)]
    names, whats, columns = [], [], []
    first = dict(peaks.doublets)
    second = {b: a for a, b in peaks.doublets}
    for k in range(count):
        for p, what in enumerate(_WHAT):
            column = np.zeros((count, 3))
            if what == "shift" and k in first:
                column[[k, first[k]], 0] = 1
                names.append(f"shift {named[k]}/{named[first[k]]}")
            elif what == "shift" and k in second:
                column[[second[k], k], 0] = -0.5, 0.5
                what = "splitting"
                names.append(f"splitting {named[second[k]]}/{named[k]}")
            else:
                column[k, p] = 1
                names.append(f"{what} {named[k]}")
            whats.append(what)
            columns.append(column.ravel())
    return tuple(names), tuple(whats), np.array(columns).T


def _position(values: Array, k: int) -> str:
    """Position of a band with as many digits as its width makes sensible."""
    place, width = values[k, :2]
    digits = max(0, 1 - int(np.floor(np.log10(max(width, 1e-12)))))
    return f"{place:.{digits}f}"


def _brightness(area: Array, expected: Array) -> Array:
    """Median over bands of areas over expected ones, (n, K), by expected area: one band that grows counts nothing."""
    ratio = area / expected
    order = np.argsort(ratio, axis=1)
    reached = np.cumsum(np.take_along_axis(expected, order, 1), axis=1) >= expected.sum(1, keepdims=True) / 2
    found = np.take_along_axis(np.take_along_axis(ratio, order, 1), reached.argmax(1)[:, None], 1)[:, 0]
    return np.maximum(found, 0.01)


def _followed(library: MaterialsLibrary, values: Array, design: Design | None) -> tuple[Array, Array]:
    """What composition predicts of values of shape (n, R), left out, and what it does not."""
    left = fit_trend(library.compositions, values, library.replicates(), design=design).residual
    return values - left, left


def _told_apart(
    library: MaterialsLibrary, values: Array, errors: Array, design: Design | None, *, held: bool
) -> tuple[Array, NDArray[np.intp], Array]:
    """Reliability of each change, and the other change it goes with most."""
    left = _followed(library, values, design)[1] if held else values - values.mean(0)
    variance, noise = left.var(0), (errors**2).mean(0)
    signal = np.maximum(variance - noise, 0)
    reliability = np.where(variance > 0, signal / np.maximum(variance, 1e-300), 0)
    scale = np.sqrt(np.where(reliability >= _FAINT, signal, np.inf))  # noise goes with nothing
    r = np.clip(np.cov(left, rowvar=False, bias=True).reshape(len(scale), -1) / np.outer(scale, scale), -1, 1)
    np.fill_diagonal(r, 0)
    partner = np.abs(r).argmax(1)
    correlation = r[np.arange(len(r)), partner]
    return reliability, np.where(correlation == 0, -1, partner), correlation
