"""Bands of the spectrum in which the gradient differs from zero, with a family-wise error rate for the whole axis."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.library.evidence.family import FamilyTest, bootstrap_family, permutation_family
from matlens.library.gradients import error_factor
from matlens.library.gradients.summaries import enough_support, member_means, supported_spectra

__all__ = ["band_average", "find_bands", "smooth_along_axis", "spectral_bands"]

Array = NDArray[np.float64]
# docs/decisions/0039-bands-of-spectral-gradients.md
_FORMING = 2.0  # |t| of channels that form a cluster; any value gives a valid test, this one finds wide bands
_COVERED = 0.5  # share of the samples that must support a channel, so that their mean represents the library
_COLUMNS = ["low", "high", "peak", "sign", "channels", "gradient", "share", "t", "p"]


def spectral_bands(
    insight: xr.Dataset,
    null: xr.Dataset | None = None,
    *,
    method: Literal["max-t", "cluster"] = "cluster",
    smooth: float = 0.0,
    level: float = 0.05,
    least_support: int = 1,
) -> pd.DataFrame:
    """Find bands in which the spectral gradient, averaged over samples, differs from zero.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`.
    null : Dataset, optional
        Gradients of models with permuted labels, from `label_null`. Without it the test uses the variation over
        members. This is a test only if members were trained on different compositions (``resample`` of the model; see
        `ERROR_FACTOR`); otherwise members differ by random numbers alone. A single model without null has no bands.
    method : {"max-t", "cluster"}
        Test, as in `find_bands`.
    smooth : float
        Standard deviation of a Gaussian smoothing of the mean gradient along the axis, in the unit of the axis; 0 for
        none.
    level : float
        Family-wise error rate.
    least_support : int
        Least ``spectral_support`` of the samples that are averaged in a channel. Channels with this support in fewer
        than half of the samples are in no band.

    Returns
    -------
    DataFrame
        Bands as returned by `find_bands`; ``attrs["null"]`` names the null distribution in words.

    Raises
    ------
    InputError
        If the model uses no spectra.

    Examples
    --------
    >>> members = np.random.default_rng(0).normal(size=(40, 1, 30))
    >>> members[:, :, 10:13] += 9
    >>> data = xr.Dataset({"spectral_gradient_members": (("model", "sample", "axis"), members),
    ...                    "spectral_gradient": (("sample", "axis"), members.mean(0))},
    ...                   {"axis": np.arange(30.0)}, {"resample": "bootstrap"})
    >>> spectral_bands(data, method="max-t")[["low", "high", "sign"]].to_numpy().tolist()
    [[10.0, 12.0, 1.0]]
    """
    if "spectral_gradient" not in insight:
        raise InputError("this insight has no spectral gradients, so no bands: its model uses no spectra.")
    axis = insight["axis"].to_numpy()
    enough = enough_support(insight, "spectral_gradient", least_support)
    covered = (enough.mean("sample") >= _COVERED).to_numpy()
    if null is not None:
        profile = np.where(covered, supported_spectra(insight, least_support).mean("sample"), np.nan)
        draws = np.where(covered, null["spectral_mean"].transpose("permutation", "axis"), np.nan)
        test = permutation_family(smooth_along_axis(profile, axis, smooth), smooth_along_axis(draws, axis, smooth))
        judge = f"{len(draws)} models of permuted labels"
    elif insight.sizes.get("model", 1) > 3:
        means = member_means(insight, "spectral_gradient", enough).transpose("model", "axis")
        profiles = np.where(covered, means, np.nan)
        profile = profiles.mean(0)
        factor = error_factor(insight)
        test = bootstrap_family(smooth_along_axis(profiles, axis, smooth), factor=1.0 if np.isnan(factor) else factor)
        judge = f"spread of {len(profiles)} models of {'the same' if np.isnan(factor) else 'different'} samples"
    else:
        nothing = pd.DataFrame(columns=_COLUMNS)
        nothing.attrs["null"] = "nothing: neither models of permuted labels nor gradients of several models"
        return nothing
    table = find_bands(profile, axis, test, method=method, level=level)
    table.attrs["null"] = judge
    return table


def find_bands(
    profile: ArrayLike,
    axis: ArrayLike,
    test: FamilyTest,
    *,
    method: Literal["max-t", "cluster"] = "cluster",
    level: float = 0.05,
) -> pd.DataFrame:
    """Find bands of significant channels with a family-wise error rate of ``level``.

    Parameters
    ----------
    profile : array_like, shape (C,)
        Gradient in each channel.
    axis : array_like, shape (C,)
        Positions of the channels.
    test : FamilyTest
        Test of the channels from `permutation_family` or `bootstrap_family`.
    method : {"max-t", "cluster"}
        ``max-t`` compares each channel with the largest |t| of the axis in null draws, so that every channel of a band
        is significant. ``cluster`` compares the sum of |t| in a run of channels with |t| > 2 and one sign with the
        largest such sum in null draws. It finds wide, weak bands, but shows only that the gradient differs from zero
        somewhere in the run (Maris and Oostenveld, J. Neurosci. Methods 164, 177, 2007).
    level : float
        Family-wise error rate.

    Returns
    -------
    DataFrame
        One row per band in the order of the axis: ``low``, ``high`` (positions of its first and last channel),
        ``peak`` (position of the largest |t|), ``sign``, ``channels`` (their number), ``gradient`` (mean of the
        profile), ``share`` (of the squared profile of the whole axis; it tells large gradients from merely significant
        ones), ``t`` (largest |t| with its sign) and ``p``.

    Raises
    ------
    InputError
        If shapes differ or the method is unknown.

    Examples
    --------
    >>> null = np.random.default_rng(0).normal(size=(99, 6))
    >>> found = find_bands([0, 9, 7, 0, 0, 0], [1, 2, 3, 4, 5, 6], permutation_family([0, 9, 7, 0, 0, 0], null))
    >>> found[["low", "high", "peak", "p"]].to_numpy().tolist()
    [[2.0, 3.0, 2.0, 0.01]]
    """
    values, positions = np.asarray(profile, np.float64), np.asarray(axis, np.float64)
    if values.shape != positions.shape or values.shape != test.t.shape:
        raise InputError(
            f"found a profile of shape {values.shape}, an axis of {positions.shape} and a test of {test.t.shape}; "
            "give one value a channel."
        )
    if method not in ("max-t", "cluster"):
        raise InputError(f"found the method {method!r}; expected 'max-t' or 'cluster'.")
    t = np.nan_to_num(test.t)
    runs = _runs(np.where(test.p <= level, np.sign(t), 0) if method == "max-t" else _excursion(t))
    if method == "cluster":
        largest = np.array([max((_mass(one, run) for run in _runs(_excursion(one))), default=0.0) for one in test.null])
        chances = [float((1 + (largest >= _mass(t, run)).sum()) / (1 + len(largest))) for run in runs]
    else:
        chances = [float(test.p[run].min()) for run in runs]
    rows = [_row(values, positions, t, run, p) for run, p in zip(runs, chances, strict=True) if p <= level]
    return pd.DataFrame(rows, columns=_COLUMNS).sort_values("low", ignore_index=True)


def smooth_along_axis(values: ArrayLike, axis: ArrayLike, width: float) -> Array:
    """Smooth values along an axis by a Gaussian kernel; channels need not be equally spaced.

    Parameters
    ----------
    values : array_like, shape (..., C)
        Values in each channel; NaN is ignored and stays NaN.
    axis : array_like, shape (C,)
        Positions of the channels.
    width : float
        Standard deviation of the kernel in the unit of the axis; 0 returns the values unchanged.

    Returns
    -------
    ndarray, shape (..., C)
        Smoothed values.

    Examples
    --------
    >>> smooth_along_axis([0.0, 3.0, 0.0], [1, 2, 3], 0.6).round(2).tolist()
    [0.6, 2.0, 0.6]
    """
    array, positions = np.asarray(values, np.float64), np.asarray(axis, np.float64)
    if width == 0:
        return array
    weight = np.exp(-0.5 * ((positions[:, None] - positions) / width) ** 2) * np.abs(np.gradient(positions))
    there = np.isfinite(array)
    near = there.astype(np.float64) @ weight.T
    return np.where(there, np.where(there, array, 0) @ weight.T / np.where(near > 0, near, 1), np.nan)


def band_average(values: ArrayLike, axis: ArrayLike, bands: ArrayLike) -> Array:
    """Average spectra or spectral gradients over bands.

    Parameters
    ----------
    values : array_like, shape (..., C)
        Values in each channel; NaN is ignored.
    axis : array_like, shape (C,)
        Positions of the channels.
    bands : array_like, shape (B, 2)
        Low and high end of each band, in the unit of the axis.

    Returns
    -------
    ndarray, shape (..., B)
        Mean over the channels of each band; NaN for a band without channels.

    Raises
    ------
    InputError
        If the bands do not have shape (B, 2).

    Examples
    --------
    >>> band_average([1.0, 2.0, 4.0, 9.0], [10, 20, 30, 40], [[15, 35], [50, 60]]).tolist()
    [3.0, nan]
    """
    array, positions = np.asarray(values, np.float64), np.asarray(axis, np.float64)
    ends = np.asarray(bands, np.float64)
    if ends.ndim != 2 or ends.shape[1] != 2:
        raise InputError(f"bands must be pairs of low and high ends, found shape {ends.shape}.")
    inside = ((positions >= ends[:, :1]) & (positions <= ends[:, 1:])).T.astype(np.float64)
    there = np.isfinite(array)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Array = np.where(there, array, 0) @ inside / (there @ inside)
    return mean


def _excursion(t: Array) -> Array:
    """Sign of the channels that may make a cluster, 0 of the others."""
    sign: Array = np.where(np.abs(np.nan_to_num(t)) > _FORMING, np.sign(np.nan_to_num(t)), 0)
    return sign


def _runs(signs: Array) -> list[slice]:
    """Runs of neighbouring channels of one sign other than 0."""
    borders = np.flatnonzero(np.diff(signs, prepend=0, append=0))
    return [slice(int(a), int(b)) for a, b in pairwise(borders) if signs[a] != 0]


def _mass(t: Array, run: slice) -> float:
    return float(np.abs(t[run]).sum())


def _row(profile: Array, axis: Array, t: Array, run: slice, p: float) -> dict[str, float]:
    peak = run.start + int(np.abs(t[run]).argmax())
    return {
        "low": float(axis[run].min()),
        "high": float(axis[run].max()),
        "peak": float(axis[peak]),
        "sign": float(np.sign(t[peak])),
        "channels": run.stop - run.start,
        "gradient": float(profile[run].mean()),
        "share": float(np.square(profile[run]).sum() / np.nansum(np.square(profile))),
        "t": float(t[peak]),
        "p": p,
    }
