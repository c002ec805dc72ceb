"""Derivatives on the simplex: fractions sum to 1, so that others must shrink when a component grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.library.table import PRESENT, named

__all__ = [
    "SCHEMES",
    "along",
    "default_hosts",
    "dilution",
    "directions",
    "exchange",
    "longest_step",
    "moved",
    "tangent",
]

# docs/decisions/0035-gradients-on-the-simplex.md
SCHEMES = ("dilution", "exchange", "tangent")
"""Compensation schemes; `tangent` is a diagnostic only."""

Array = NDArray[np.float64]
Hosts = str | Mapping[str, str] | None


def dilution(gradient: ArrayLike, composition: ArrayLike) -> Array:
    """Compute derivatives for the growth of a component while all others shrink in proportion.

    These are derivatives along Cox directions (Cox, Biometrika 58, 155, 1971).

    Parameters
    ----------
    gradient : array_like, shape (..., n, D)
        Partial derivatives with respect to fractions.
    composition : array_like, shape (n, D)
        Fractions.

    Returns
    -------
    ndarray, shape (..., n, D)
        (g_k - x.g) / (1 - x_k), per unit of the fraction x_k; NaN if there is no other component. Adding
        h(x)(sum x - 1) to the function does not change it, for any h.

    Examples
    --------
    >>> dilution([[0.0, 0.0, 6.0]], [[0.5, 0.25, 0.25]]).round(6).tolist()
    [[-3.0, -2.0, 6.0]]
    """
    return along(gradient, directions("dilution", composition))


def exchange(gradient: ArrayLike, composition: ArrayLike, hosts: ArrayLike) -> Array:
    """Compute derivatives for the growth of a component at the cost of its host.

    Parameters
    ----------
    gradient : array_like, shape (..., n, D)
        Partial derivatives with respect to fractions.
    composition : array_like, shape (n, D)
        Fractions.
    hosts : array_like of int, shape (D,)
        Number of the host of each component, for example from `default_hosts`.

    Returns
    -------
    ndarray, shape (..., n, D)
        g_k - g_host; NaN for the host itself and in samples without it.

    Examples
    --------
    >>> exchange([[1.0, 2.0, 6.0]], [[0.5, 0.5, 0.0]], [0, 0, 1]).tolist()
    [[nan, 1.0, 4.0]]
    """
    return along(gradient, directions("exchange", composition, hosts))


def tangent(gradient: ArrayLike, composition: ArrayLike) -> Array:
    """Subtract the mean derivative over the components present and the growing one; for diagnosis only.

    Parameters
    ----------
    gradient : array_like, shape (..., n, D)
        Partial derivatives with respect to fractions.
    composition : array_like, shape (n, D)
        Fractions.

    Returns
    -------
    ndarray, shape (..., n, D)
        Derivatives per unit fraction.

    Examples
    --------
    >>> tangent([[1.0, 2.0, 6.0]], [[0.5, 0.5, 0.0]]).round(6).tolist()  # absent elements count only for themselves
    [[-0.5, 0.5, 3.0]]
    """
    return along(gradient, directions("tangent", composition))


def directions(
    scheme: str, composition: ArrayLike, hosts: ArrayLike | None = None, sites: ArrayLike | None = None
) -> Array:
    """Compute the direction of the growth of each component in a compensation scheme.

    Each scheme follows a straight line through the composition, which its directions define completely.

    Parameters
    ----------
    scheme : {"dilution", "exchange", "tangent"}
        Compensation scheme.
    composition : array_like, shape (n, D)
        Fractions.
    hosts : array_like of int, shape (D,), optional
        Number of the host of each component, for "exchange"; by default from `default_hosts`.
    sites : array_like of int, shape (D,), optional
        Number of the site of each component, whose fractions sum to 1; only components of its site give way to it. By
        default all share one.

    Returns
    -------
    ndarray, shape (n, D, D)
        Changes of all fractions (last axis) per unit growth of each component (second axis). They sum to 0; NaN where
        growth is impossible.

    Raises
    ------
    InputError
        If the scheme is unknown.

    Examples
    --------
    >>> directions("dilution", [[0.5, 0.5, 0.0]])[0, 2].tolist()
    [-0.5, -0.5, 1.0]
    >>> directions("dilution", [[0.5, 0.5, 0.8, 0.2]], sites=[0, 0, 1, 1])[0, 0].tolist()
    [1.0, -1.0, 0.0, 0.0]
    """
    x = np.asarray(composition, np.float64)
    unit = np.eye(x.shape[1])
    together = _together(x.shape[1], sites)
    if scheme == "dilution":
        rest = 1 - x
        possible = rest > PRESENT
        grown = np.where(together, unit - x[:, None], 0.0)
        return np.where(possible[:, :, None], grown / np.where(possible, rest, 1)[:, :, None], np.nan)
    if scheme == "exchange":
        host = default_hosts(x, sites=sites) if hosts is None else np.asarray(hosts, np.intp)
        possible = (x[:, host] > PRESENT) & (host != np.arange(len(host)))
        return np.where(possible[:, :, None], unit - unit[host], np.nan)
    if scheme == "tangent":
        taking = ((x[:, None] > PRESENT) & together) | (unit > 0)
        shared: Array = unit - taking / taking.sum(-1, keepdims=True)
        return shared
    raise InputError(f"found the compensation scheme {scheme!r}; expected one of {', '.join(SCHEMES)}.")


def _together(count: int, sites: ArrayLike | None) -> NDArray[np.bool_]:
    """Which components share a site, shape (D, D)."""
    numbers = np.zeros(count, np.intp) if sites is None else np.asarray(sites, np.intp)
    return np.asarray(numbers[:, None] == numbers)


def along(gradient: ArrayLike, direction: Array) -> Array:
    """Compute derivatives along directions.

    Parameters
    ----------
    gradient : array_like, shape (..., n, D)
        Partial derivatives with respect to fractions.
    direction : ndarray, shape (n, D, D)
        Directions from `directions`.

    Returns
    -------
    ndarray, shape (..., n, D)
        Derivatives per unit growth of each component.

    Examples
    --------
    >>> along([[1.0, 2.0]], directions("tangent", [[0.5, 0.5]])).tolist()
    [[-0.5, 0.5]]
    """
    # Sums of at most a dozen terms in float64: gradients come in float32, and components cancel.
    found: Array = np.einsum("...nj,nkj->...nk", np.asarray(gradient, np.float64), direction)
    return found


def default_hosts(
    composition: ArrayLike,
    components: Sequence[str] | None = None,
    hosts: Hosts = None,
    sites: ArrayLike | None = None,
) -> NDArray[np.intp]:
    """Find the host of each component: the one of the largest mean fraction on its site, unless another is named.

    Parameters
    ----------
    composition : array_like, shape (n, D)
        Fractions.
    components : sequence of str, optional
        Names of the D components; needed if ``hosts`` is given.
    hosts : str or mapping of str to str, optional
        Name of one host for all of its site, or of the host by component; other components keep the default.
    sites : array_like of int, shape (D,), optional
        Number of the site of each component; by default all share one.

    Returns
    -------
    ndarray of int, shape (D,)
        Number of the host of each component.

    Raises
    ------
    InputError
        If a name is not a component, or a host is absent from every sample or on another site.

    Examples
    --------
    >>> default_hosts([[0.5, 0.4, 0.1]], ("Bi", "V", "W"), {"W": "V"}).tolist()
    [0, 0, 1]
    """
    x = np.asarray(composition, np.float64)
    together = _together(x.shape[1], sites)
    chosen: NDArray[np.intp] = np.where(together, x.mean(0), -1.0).argmax(axis=1)
    names = tuple(components or ())
    pairs = dict.fromkeys(names, hosts) if isinstance(hosts, str) else dict(hosts or {})
    unknown = [name for name in dict.fromkeys([*pairs, *pairs.values()]) if name not in names]
    if unknown or (hosts and not names):
        raise InputError(f"found {named(unknown or [hosts])} among hosts; the components are {', '.join(names)}.")
    for name, host in pairs.items():
        k, place = names.index(name), names.index(host)
        if together[k, place]:
            chosen[k] = place
        elif not isinstance(hosts, str):  # one host for all is one for all components of its site
            raise InputError(f"found the host {host} for {name}, which is on another site; name one of its own site.")
    absent = [names[host] for host in np.unique(chosen) if names and not (x[:, host] > PRESENT).any()]
    if absent:
        there = [name for name, column in zip(names, x.T, strict=True) if (column > PRESENT).any()]
        raise InputError(f"the host {named(absent)} is absent from every sample; take one of {', '.join(there)}.")
    return chosen


def longest_step(composition: ArrayLike, direction: ArrayLike) -> Array:
    """Compute the longest step along directions that leaves no fraction negative.

    Parameters
    ----------
    composition : array_like, shape (..., D)
        Fractions.
    direction : array_like, shape (..., D)
        Changes of the fractions; the leading axes are broadcast against those of ``composition``.

    Returns
    -------
    ndarray, shape (...)
        Step in units of the direction; infinite if no fraction decreases, NaN if the direction is NaN.

    Examples
    --------
    >>> float(longest_step([0.3, 0.7, 0.0], [-1.0, 0.0, 1.0]))
    0.3
    """
    x, d = np.broadcast_arrays(np.asarray(composition, np.float64), np.asarray(direction, np.float64))
    shrinks = d < 0
    steps: Array = np.where(shrinks, x / np.where(shrinks, -d, 1), np.inf).min(-1)
    return np.where(np.isnan(d).any(-1), np.nan, steps)


def moved(composition: ArrayLike, direction: ArrayLike, step: ArrayLike) -> Array:
    """Compute the compositions after steps along directions.

    Parameters
    ----------
    composition, direction : array_like, shape (..., D)
        Fractions, and their changes per unit step.
    step : array_like, shape (...)
        Change of the fraction of the growing component; negative steps remove it.

    Returns
    -------
    ndarray, shape (..., D)
        Fractions after the step.

    Raises
    ------
    InputError
        If a fraction would become negative.

    Examples
    --------
    >>> moved([0.5, 0.5, 0.0], [-0.5, -0.5, 1.0], 0.1).round(3).tolist()
    [0.45, 0.45, 0.1]
    """
    x, d = np.asarray(composition, np.float64), np.asarray(direction, np.float64)
    found = x + np.asarray(step, np.float64)[..., None] * d
    if (found < -PRESENT).any():
        raise InputError(
            f"a step would leave a fraction of {found.min():.4g}; take it no longer than longest_step says."
        )
    return np.clip(found, 0, None)
