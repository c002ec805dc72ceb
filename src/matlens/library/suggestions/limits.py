"""Limits of suggested compositions: bounds, increments of the synthesis and forbidden pairs of components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.library.table import PRESENT, MaterialsLibrary, named

__all__ = ["Limits", "decimals", "on_grid"]

Array = NDArray[np.float64]
_INCREMENTS = (0.001, 0.002, 0.0025, 0.005, 0.01, 0.02, 0.025, 0.05)
_STEPS = 20  # approximate number of increments in the range of a component
_BEYOND = 0.25  # share of the measured range by which suggestions may leave it


@dataclass(frozen=True)
class Limits:
    """Limits of suggested compositions.

    Parameters
    ----------
    bounds : mapping of str to (float, float)
        Least and greatest fraction of components, 0 to 1. Components without bounds may leave their measured range by
        a quarter of it.
    increment : float, optional
        Increment of the fractions; it must divide 1. By default about a twentieth of the median range of a component.
    forbidden : sequence of (str, str)
        Pairs of components that must not occur in one composition.
    most : int, optional
        Greatest number of components in a composition; by default any.

    Raises
    ------
    InputError
        If a bound or the increment is impossible.

    Examples
    --------
    >>> limits = Limits.from_settings(["W=0:8"], increment=0.5, forbidden=["W-Mo"])
    >>> limits
    Limits(bounds={'W': (0.0, 0.08)}, increment=0.005, forbidden=(('W', 'Mo'),), most=None)
    """

    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    increment: float | None = None
    forbidden: tuple[tuple[str, str], ...] = ()
    most: int | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in self.bounds.items():
            if not 0 <= low <= high <= 1:
                raise InputError(f"found the bounds {low:g} to {high:g} of {name}; expected 0 <= low <= high <= 1.")
        step = self.increment
        if step is not None and not (0 < step <= 0.5 and abs(1 / step - round(1 / step)) < 1e-6):
            raise InputError(f"found the increment {step:g}; expected a fraction that divides 1, such as 0.005.")
        if self.most is not None and self.most < 1:
            raise InputError(f"found {self.most} components at most; expected 1 or more.")

    @classmethod
    def from_settings(
        cls,
        bounds: Sequence[str] = (),
        increment: float | None = None,
        forbidden: Sequence[str] = (),
        most: int | None = None,
        components: Sequence[str] = (),
    ) -> Limits:
        """Read limits as written on the command line, in hundredths.

        Parameters
        ----------
        bounds : sequence of str
            Bounds such as ``"W=0:8"``; an empty end means 0 or 100. Bounds up to 1 need a percent sign
            (``"W=0:0.5%"``), as they may be meant as fractions.
        increment : float, optional
            Increment in hundredths.
        forbidden : sequence of str
            Pairs such as ``"W-Mo"``.
        most : int, optional
            Greatest number of components in a composition.
        components : sequence of str
            Names of the components, which may have hyphens themselves.

        Returns
        -------
        Limits
            The limits in fractions.

        Raises
        ------
        InputError
            If a text is not understood.
        """
        read = {}
        for text in bounds:
            name, _, span = text.rpartition("=")
            read[name.strip()] = _span(text, span)
        if increment is not None and not (0 < increment <= 50 and abs(100 / increment - round(100 / increment)) < 1e-6):
            raise InputError(
                f"found the step {increment:g} %, of which 100 % is no multiple; give one such as 0.5, 1, 2.5 or 5."
            )
        pairs = tuple(_pair(text, components) for text in forbidden)
        return cls(read, None if increment is None else increment / 100, pairs, most)

    def resolved(self, library: MaterialsLibrary) -> tuple[Array, Array, float]:
        """Work out the bounds of all components and the increment for a library.

        Parameters
        ----------
        library : MaterialsLibrary
            Measured samples, whose ranges give the default bounds.

        Returns
        -------
        low, high : ndarray, shape (D,)
            Least and greatest fraction of each component.
        increment : float
            Increment of the fractions.

        Raises
        ------
        InputError
            If a component is unknown, or bounds leave no composition.

        Examples
        --------
        >>> library = MaterialsLibrary([[0.9, 0.1, 0], [0.7, 0.3, 0]], ("Bi", "V", "W"), {"P": [1, 2]})
        >>> low, high, increment = Limits({"Bi": (0.5, 1)}).resolved(library)
        >>> low.round(3).tolist(), high.round(3).tolist(), increment
        ([0.5, 0.05, 0.0], [1.0, 0.35, 0.0], 0.01)
        """
        for name in [*self.bounds, *(name for pair in self.forbidden for name in pair)]:
            library.component(name)
        x = library.compositions
        span = np.ptp(x, axis=0)
        low = np.clip(x.min(0) - _BEYOND * span, 0, 1)
        high = np.clip(x.max(0) + _BEYOND * span, 0, 1)
        for name, (least, greatest) in self.bounds.items():
            low[library.component(name)], high[library.component(name)] = least, greatest
        for site in np.unique(library.site_numbers):
            there = library.site_numbers == site
            if low[there].sum() > 1 + PRESENT or high[there].sum() < 1 - PRESENT:
                raise InputError(f"no composition sums to 1 within the bounds of {named(self.bounds)}; widen them.")
        if self.increment is not None:
            return low, high, self.increment
        usual = float(np.median(span[span > PRESENT])) if (span > PRESENT).any() else 0.1
        step = max((one for one in _INCREMENTS if one <= usual / _STEPS * 1.01), default=_INCREMENTS[0])
        return low, high, step

    def allowed(self, compositions: ArrayLike, library: MaterialsLibrary) -> NDArray[np.bool_]:
        """Return which compositions are within the limits.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        library : MaterialsLibrary
            Measured samples, whose ranges give the default bounds.

        Returns
        -------
        ndarray of bool, shape (n,)
            True where a composition is allowed.

        Raises
        ------
        InputError
            If a component is unknown, or bounds leave no composition.

        Examples
        --------
        >>> library = MaterialsLibrary([[0.5, 0.5, 0], [0.8, 0, 0.2]], ("Bi", "V", "W"), {"P": [1, 2]})
        >>> Limits(forbidden=(("V", "W"),)).allowed([[0.6, 0.4, 0], [0.6, 0.3, 0.1]], library)
        array([ True, False])
        """
        x = np.asarray(compositions, np.float64)
        low, high, _ = self.resolved(library)
        found = np.asarray(((x >= low - PRESENT) & (x <= high + PRESENT)).all(1))
        for pair in self.forbidden:
            first, second = map(library.component, pair)
            found &= ~((x[:, first] > PRESENT) & (x[:, second] > PRESENT))
        if self.most is not None:
            found &= (x > PRESENT).sum(1) <= self.most
        return found


def on_grid(compositions: ArrayLike, increment: float) -> Array:
    """Round compositions to multiples of the increment that sum to 1, by the largest remainder method.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.
    increment : float
        Increment of the fractions; it must divide 1.

    Returns
    -------
    ndarray, shape (n, D)
        Rounded fractions; absent components stay absent.

    Examples
    --------
    >>> on_grid([[0.503, 0.487, 0.01, 0]], 0.01).tolist()
    [[0.5, 0.49, 0.01, 0.0]]
    """
    units = round(1 / increment)
    scaled = np.asarray(compositions, np.float64) * units
    whole = np.floor(scaled + 1e-9)
    lacking = np.rint(units - whole.sum(1)).astype(np.intp)
    order = np.argsort(-(scaled - whole), axis=1, kind="stable")
    ranks = np.argsort(order, axis=1, kind="stable")  # the largest remainders get the units that lack
    found: Array = (whole + (ranks < lacking[:, None])) / units
    return found


def decimals(increment: float) -> int:
    """Count the digits after the point that multiples of an increment need in hundredths.

    Parameters
    ----------
    increment : float
        Increment of the fractions.

    Returns
    -------
    int
        Number of digits, at most 4.

    Examples
    --------
    >>> [decimals(step) for step in (0.0025, 0.005, 0.01, 0.05, 0.00125)]
    [2, 1, 0, 0, 3]
    """
    step = 100 * increment
    return next((digits for digits in range(4) if abs(step - round(step, digits)) < 1e-9), 4)


def _span(text: str, span: str) -> tuple[float, float]:
    """Read bounds in hundredths as fractions."""
    try:
        low, high = (part.strip() for part in span.split(":", 1))
        least, greatest = float(low.rstrip("% ") or 0), float(high.rstrip("% ") or 100)
    except ValueError as error:
        raise InputError(f"bounds are written NAME=LOW:HIGH in hundredths, found {text!r}.") from error
    if 0 < greatest <= 1 and "%" not in span:
        raise InputError(
            f"found the bounds {text!r}, which may be fractions or hundredths; write {least:g}:{100 * greatest:g} for "
            f"up to {greatest:g} of the whole, or {least:g}:{greatest:g}% for up to {greatest:g} hundredths."
        )
    return least / 100, greatest / 100


def _pair(text: str, components: Sequence[str]) -> tuple[str, str]:
    """Split "A-B" where both parts are components; names may have hyphens."""
    parts = text.split("-")
    splits = [("-".join(parts[:k]).strip(), "-".join(parts[k:]).strip()) for k in range(1, len(parts))]
    known = [pair for pair in splits if set(pair) <= set(components)] or (splits if len(splits) == 1 else [])
    if len(known) != 1:
        raise InputError(
            f"forbidden pairs are written A-B, found {text!r}; the components are {named(components) or 'not known'}."
        )
    return known[0]
