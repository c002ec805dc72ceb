"""Representative size: how statistics scatter between windows, and how large a window must be for a wanted precision.

Windows of volume V scatter with variance k / V once V is large against the material's integral range; k is measured on
windows of several sizes and carried on to larger ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.statistics.correlation.correlation_length import covariance_reach
from matlens.microstructure.statistics.correlation.integral_range import fraction_variance, short_covariance
from matlens.microstructure.statistics.equivalence.curves import Curves, s2_error
from matlens.microstructure.statistics.equivalence.windows import MOST, count_windows, cut_windows
from matlens.microstructure.statistics.transport.properties import too_large
from matlens.microstructure.structure import Microstructure

__all__ = ["STUDIED", "Representative", "representative_size"]

# studied unless asked otherwise, each with the statistic of the catalogue that it belongs to
STUDIED = {"volume_fraction": "volume_fraction", "specific_surface": "specific_surface", "s2_error": "two_point"}
_PARTS = (2, 3, 4, 6, 8, 12, 16)  # windows are so many times shorter than the micrograph
_SMALLEST = 8  # pixels along the shortest side of a window
_FEWEST = 4  # windows, to see a scatter
_CONFIDENCE = 2.0  # standard errors either side: 95 %
# docs/decisions/0022-representative-size.md
_STEEP = 0.3  # by how much the measured exponent may differ from 1 without a word
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Representative:
    """Result of `representative_size`.

    Attributes
    ----------
    spread : DataFrame
        One row a statistic, phase and size of windows: ``statistic``, ``phase``, ``window`` (e.g. "64x64"), ``side``
        (its geometric mean, in the unit of the spacing), ``n_windows``, ``mean``, ``deviation`` (standard, between
        windows; of an error its root mean square), ``relative`` (deviation over the mean of all; of an error itself),
        ``fitted`` (by the law) and, for the volume fraction, ``predicted`` (from the covariance), both relative too.
    laws : DataFrame
        One row a statistic and phase: ``mean``, ``constant`` (k in variance = k / V, in pixels), ``exponent`` of V as
        measured (-1 expected), ``integral_range`` (pixels, from the covariance; of the fraction only),
        ``integral_range_windows`` (the same from the scatter, k / (phi (1 - phi))).
    windows : DataFrame
        One row a statistic, phase and number of windows: ``n_windows``, ``precision`` (half-width of the 95 % interval
        of the mean, relative), ``side`` of the windows needed for it (in the unit of the spacing), ``pixels`` (of the
        side), ``extrapolated`` (larger than any window that was measured).
    notes : tuple of str
        What should be known before numbers are used.

    Examples
    --------
    >>> from matlens.microstructure.problems import discs
    >>> study = representative_size(discs((128, 128), radius=4, fraction=0.4, seed=0), statistics=["volume_fraction"])
    >>> study.laws["statistic"].unique().tolist(), "side" in study.windows
    (['volume_fraction'], True)
    """

    spread: pd.DataFrame
    laws: pd.DataFrame
    windows: pd.DataFrame
    notes: tuple[str, ...]


def representative_size(
    m: Microstructure | Sequence[Microstructure],
    *,
    precision: float = 0.05,
    numbers: Sequence[int] = (1, 4, 16),
    statistics: Sequence[str] = tuple(STUDIED),
) -> Representative:
    """Study how statistics scatter between windows and which windows a wanted precision needs.

    Parameters
    ----------
    m : Microstructure or sequence of them
        One or more fields of one material.
    precision : float
        Wanted relative half-width of the 95 % interval of the mean over the windows; for ``s2_error`` the wanted root
        mean square of the error itself.
    numbers : sequence of int
        Numbers of windows to tell the needed size for.
    statistics : sequence of str
        Names from "volume_fraction", "specific_surface", "s2_error" (of each window against the whole) and
        "conductivity" (apparent, mean over axes, the phase 50 times as conductive as the rest; takes longer).

    Returns
    -------
    Representative

    Raises
    ------
    InputError
        If nothing is given, fields differ, a statistic is unknown, precision or numbers are not positive, or no
        micrograph holds windows of 8 pixels in at least two sizes.

    Notes
    -----
    After Kanit et al., Int. J. Solids Struct. 40, 3647 (2003), with exponent -1, which follows from any finite integral
    range. Windows cut from one micrograph scatter around its mean, not the material's; k is corrected for that.

    Examples
    --------
    >>> from matlens.microstructure.problems import discs
    >>> study = representative_size(discs((256, 256), radius=6, fraction=0.4, seed=0), statistics=["volume_fraction"])
    >>> study.windows.loc[study.windows["phase"] == "discs", ["n_windows", "pixels", "extrapolated"]].values.tolist()
    [[1, 496, True], [4, 248, True], [16, 124, False]]
    """
    fields = [m] if isinstance(m, Microstructure) else list(m)
    _check(fields, precision, numbers, statistics)
    sizes = _sizes(fields)
    measured = {size: _measured(fields, size, statistics) for size in sizes}
    known = _Known.from_fields(fields)
    rows, laws, needed, notes = [], [], [], _size_notes(fields, sizes)
    for statistic in statistics:
        # an error is one number for all phases
        for phase, name in enumerate(["all"] if statistic == "s2_error" else fields[0].phase_names):
            values = {size: table[statistic][:, phase] for size, table in measured.items() if statistic in table}
            law = _Law.fit(values, known, around_zero=statistic == "s2_error")
            if law is None:
                notes.append(f"{name}: {statistic} is not defined or does not vary, so its scatter cannot be studied.")
                continue
            key = {"statistic": statistic, "phase": name}
            of = phase if statistic == "volume_fraction" else None
            rows += [{**key, **row} for row in law.rows(values, known, of)]
            laws.append({**key, **law.summary(known, of)})
            needed += [{**key, **law.needed(number, precision, known.scale)} for number in numbers]
            notes += law.warnings(f"{name}, {statistic}")
    windows = pd.DataFrame(needed)
    if len(windows) and windows["extrapolated"].any():
        notes.append(
            f"{int(windows['extrapolated'].sum())} of {len(windows)} window sizes lie beyond the largest that was "
            "measured: they rest on the law alone, not on data."
        )
    return Representative(pd.DataFrame(rows), pd.DataFrame(laws), windows, tuple(dict.fromkeys(notes)))


@dataclass(frozen=True)
class _Known:
    """What is known of the material: pixels in all, length of a pixel, covariance and its reach, fractions."""

    volume: int
    scale: float
    length: float
    covariance: Array
    fractions: Array

    @classmethod
    def from_fields(cls, fields: Sequence[Microstructure]) -> _Known:
        sizes = np.array([field.n_known for field in fields], dtype=float)
        largest = fields[int(sizes.argmax())]
        lengths = covariance_reach(largest)
        return cls(
            int(sizes.sum()),
            float(np.prod(largest.spacing) ** (1 / largest.ndim)),
            float(np.nanmax(lengths)) if not np.isnan(lengths).all() else min(largest.shape) / 2,
            short_covariance(largest),
            sizes @ np.array([field.volume_fractions for field in fields]) / sizes.sum(),
        )


@dataclass(frozen=True)
class _Law:
    """Variance = constant / V, with the mean over all windows and the exponent as measured."""

    mean: float
    constant: float
    exponent: float
    largest: int
    ndim: int
    around_zero: bool

    @classmethod
    def fit(cls, values: dict[tuple[int, ...], Array], known: _Known, *, around_zero: bool) -> _Law | None:
        defined = {size: v[~np.isnan(v)] for size, v in values.items()}
        defined = {size: v for size, v in defined.items() if v.size >= _FEWEST}
        if not defined:
            return None
        centre = float(np.concatenate(list(defined.values())).mean())
        sizes = np.array([prod(size) for size in defined], dtype=float)
        variances = np.array([(v**2).mean() if around_zero else v.var(ddof=1) for v in defined.values()])
        if centre == 0 or (variances <= 0).any():
            return None
        ndim = len(next(iter(defined)))
        # windows share the mean of what they were cut from, which itself has variance k / volume
        constants = variances / (1 / sizes - 1 / known.volume)
        freedom = np.array([v.size - 1 for v in defined.values()], dtype=float)
        # few large windows are uncertain by chance, many small ones off the law: both errors, relative and squared
        weights = 1 / (2 / freedom + (known.length * sizes ** (-1 / ndim)) ** 2)
        constant = float((weights * constants).sum() / weights.sum())
        steep = np.polyfit(np.log(sizes), np.log(variances), 1, w=np.sqrt(weights))[0] if sizes.size > 2 else np.nan
        return cls(centre, constant, float(steep), int(sizes.max()), ndim, around_zero)

    def rows(self, values: dict[tuple[int, ...], Array], known: _Known, phase: int | None) -> list[dict[str, object]]:
        """Rows of the table of spreads; of the fraction of a phase with what its covariance predicts."""
        rows: list[dict[str, object]] = []
        for size, found in values.items():
            defined, volume = found[~np.isnan(found)], prod(size)
            if defined.size < _FEWEST:
                continue
            deviation = float(np.sqrt((defined**2).mean())) if self.around_zero else float(defined.std(ddof=1))
            over = 1.0 if self.around_zero else abs(self.mean)
            expected = np.nan
            if phase is not None and not np.isnan(known.covariance[phase]).any():
                variance = fraction_variance(known.covariance[phase], size, known.fractions[phase])
                expected = max(variance, 0.0) ** 0.5 / over
            rows.append(
                {
                    "window": "x".join(map(str, size)),
                    "side": volume ** (1 / self.ndim) * known.scale,
                    "n_windows": defined.size,
                    "mean": float(defined.mean()),
                    "deviation": deviation,
                    "relative": deviation / over,
                    "fitted": np.sqrt(self.constant / volume) / over,
                    "predicted": expected,
                }
            )
        return rows

    def summary(self, known: _Known, phase: int | None) -> dict[str, float]:
        """Its row in the table of laws."""
        variance = self.mean * (1 - self.mean)
        return {
            "mean": self.mean,
            "constant": self.constant,
            "exponent": self.exponent,
            "integral_range": float(known.covariance[phase].sum()) if phase is not None else np.nan,
            "integral_range_windows": self.constant / variance if phase is not None else np.nan,
        }

    def needed(self, number: int, precision: float, scale: float) -> dict[str, object]:
        """Size of windows for a precision."""
        wanted = precision if self.around_zero else precision * abs(self.mean) / _CONFIDENCE
        volume = self.constant / (number * wanted**2)
        side = volume ** (1 / self.ndim)
        return {
            "n_windows": number,
            "precision": precision,
            "side": side * scale,
            "pixels": int(np.ceil(side)),
            "extrapolated": bool(volume > self.largest),
        }

    def warnings(self, what: str) -> list[str]:
        """Say where the law does not hold."""
        if np.isnan(self.exponent) or abs(self.exponent + 1) <= _STEEP:
            return []
        why = "windows are too small for it, or order reaches far" if self.exponent > -1 else "it is nearly periodic"
        return [f"{what}: the variance falls with volume to the power {self.exponent:.2f} instead of -1 ({why})."]


def _check(
    fields: Sequence[Microstructure], precision: float, numbers: Sequence[int], statistics: Sequence[str]
) -> None:
    if not fields:
        raise InputError("no micrograph was given; at least one is needed.")
    for field in fields:
        if (field.phase_names, field.spacing) != (fields[0].phase_names, fields[0].spacing):
            raise InputError(
                f"found {fields[0]!r} and {field!r}; fields of one material must agree in phases and pixels."
            )
    unknown = [name for name in statistics if name not in (*STUDIED, "conductivity")]
    if unknown:
        raise InputError(f"{unknown[0]!r} cannot be studied; choose of {', '.join((*STUDIED, 'conductivity'))}.")
    if not precision > 0 or not numbers or min(numbers) < 1:
        raise InputError(f"precision={precision!r} and numbers={tuple(numbers)} must be positive.")


def _sizes(fields: Sequence[Microstructure]) -> list[tuple[int, ...]]:
    """Sizes of windows, from large to small; of fields of several sizes the smallest decides."""
    least = [min(sides) for sides in zip(*(field.shape for field in fields))]
    sizes = [tuple(side // part for side in least) for part in _PARTS]
    sizes = list(dict.fromkeys(size for size in sizes if min(size) >= _SMALLEST))
    sizes = [size for size in sizes if count_windows(fields, size)]
    if len(sizes) < 2:
        shape = "x".join(map(str, least))
        raise InputError(
            f"a micrograph of {shape} pixels holds no windows of {_SMALLEST} pixels in two sizes, so how statistics "
            "scatter with size cannot be studied; give a larger one."
        )
    return sizes


def _measured(fields: Sequence[Microstructure], size: tuple[int, ...], statistics: Sequence[str]) -> dict[str, Array]:
    """Values of every statistic, shape (windows, K) each."""
    windows = cut_windows(fields, size)
    table: dict[str, Array] = {}
    if "volume_fraction" in statistics:
        # no cost: all windows, not only the first 64
        table["volume_fraction"] = np.array([t.volume_fractions for field in fields for t in field.tiles(size)])
    if "specific_surface" in statistics:
        table["specific_surface"] = np.array([window.specific_surface for window in windows])
    if "s2_error" in statistics:
        wholes = [Curves(field) for field in fields]
        distance = np.array([np.mean([s2_error(window, whole) for whole in wholes]) for window in windows])
        table["s2_error"] = distance[:, None]
    if "conductivity" in statistics and not too_large(size):
        from matlens.microstructure.statistics.transport.apparent import apparent_conductivity

        table["conductivity"] = apparent_conductivity([window.microstructure for window in windows]).mean(axis=2)
    return table


def _size_notes(fields: Sequence[Microstructure], sizes: Sequence[tuple[int, ...]]) -> list[str]:
    count = sum(1 for field in fields for _ in field.tiles(sizes[0]))
    many = sum(1 for field in fields for _ in field.tiles(sizes[-1]))
    notes = [f"The largest windows are {'x'.join(map(str, sizes[0]))} px, of which {count} fit."]
    if many > MOST:
        notes.append(f"At most {MOST} windows of each size were measured, and all windows for the volume fraction.")
    return notes
