"""At whose cost? Fractions sum to 1, so a derivative needs to say what shrinks when a component grows."""

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
    """Derivatives when a component grows and all others shrink in proportion.

    Parameters
    ----------
    gradient : array_like, shape (..., n, D)
        Partial derivatives with respect to fractions.
    composition : array_like, shape (n, D)
        Fractions.

    Returns
    -------
    ndarray, shape (..., n, D)
        (g_k - x.g) / (1 - x_k), per unit of the fraction x_k; NaN where nothing else is there to shrink. It does not
        change when h(x)(sum x - 1) is added to the function, whatever h is.

    Examples
    --------
    >>> dilution([[0.0, 0.0, 6.0]], [[0.5, 0.25, 0.25]]).round(6).tolist()
    [[-3.0, -2.0, 6.0]]
    """
    return along(gradient, directions("dilution", composition))


def exchange(gradient: ArrayLike, composition: ArrayLike, hosts: ArrayLike) -> Array:
    """Derivatives when a component replaces its host.

    Parameters
    ----------
    gradient, composition
        As of `dilution`.
    hosts : array_like of int, shape (D,)
        Number of each component's host, as `default_hosts` gives them.

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
    """Derivatives less their mean over the components present and the one that grows: a diagnostic only.

    Parameters
    ----------
    gradient, composition
        As of `dilution`.

    Returns
    -------
    ndarray, shape (..., n, D)

    Examples
    --------
    >>> tangent([[1.0, 2.0, 6.0]], [[0.5, 0.5, 0.0]]).round(6).tolist()  # absent elements count only for themselves
    [[-0.5, 0.5, 3.0]]
    """
    return along(gradient, directions("tangent", composition))


def directions(scheme: str, composition: ArrayLike, hosts: ArrayLike | None = None) -> Array:
    """Change of all fractions for each unit by which a component grows.

    Every scheme is one straight line through the sample, so that these directions are all that tells them apart.

    Parameters
    ----------
    scheme : {"dilution", "exchange", "tangent"}
    composition : array_like, shape (n, D)
    hosts : array_like of int, shape (D,), optional
        For "exchange"; by default `default_hosts`.

    Returns
    -------
    ndarray, shape (n, D, D)
        Row k of a sample is the direction in which component k grows; it sums to 0. NaN where there is none.

    Raises
    ------
    InputError
        If the scheme is none of the three.

    Examples
    --------
    >>> directions("dilution", [[0.5, 0.5, 0.0]])[0, 2].tolist()
    [-0.5, -0.5, 1.0]
    """
    x = np.asarray(composition, np.float64)
    unit = np.eye(x.shape[1])
    if scheme == "dilution":
        rest = 1 - x
        possible = rest > PRESENT
        return np.where(possible[:, :, None], (unit - x[:, None]) / np.where(possible, rest, 1)[:, :, None], np.nan)
    if scheme == "exchange":
        host = default_hosts(x) if hosts is None else np.asarray(hosts, np.intp)
        possible = (x[:, host] > PRESENT) & (host != np.arange(len(host)))
        return np.where(possible[:, :, None], unit - unit[host], np.nan)
    if scheme == "tangent":
        taking = (x[:, None] > PRESENT) | (unit > 0)
        shared: Array = unit - taking / taking.sum(-1, keepdims=True)
        return shared
    raise InputError(f"found the compensation scheme {scheme!r}; expected one of {', '.join(SCHEMES)}.")


def along(gradient: ArrayLike, direction: Array) -> Array:
    """Derivatives along directions, shape (..., n, D): those of `directions`, shape (n, D, D).

    Examples
    --------
    >>> along([[1.0, 2.0]], directions("tangent", [[0.5, 0.5]])).tolist()
    [[-0.5, 0.5]]
    """
    # Sums of at most a dozen terms in float64: gradients come in float32, and components cancel.
    found: Array = np.einsum("...nj,nkj->...nk", np.asarray(gradient, np.float64), direction)
    return found


def default_hosts(
    composition: ArrayLike, components: Sequence[str] | None = None, hosts: Hosts = None
) -> NDArray[np.intp]:
    """Find each component's host: that of the largest mean fraction, unless another is named.

    Parameters
    ----------
    composition : array_like, shape (n, D)
    components : sequence of str, optional
        D names; needed where hosts are named.
    hosts : str or mapping of str to str, optional
        One host for all, or component to host; components that are not named keep the default.

    Returns
    -------
    ndarray of int, shape (D,)

    Raises
    ------
    InputError
        If a name is no component, or a host is absent from every sample.

    Examples
    --------
    >>> default_hosts([[0.5, 0.4, 0.1]], ("Bi", "V", "W"), {"W": "V"}).tolist()
    [0, 0, 1]
    """
    x = np.asarray(composition, np.float64)
    chosen = np.full(x.shape[1], int(x.mean(0).argmax()), np.intp)
    names = tuple(components or ())
    pairs = dict.fromkeys(names, hosts) if isinstance(hosts, str) else dict(hosts or {})
    unknown = [name for name in dict.fromkeys([*pairs, *pairs.values()]) if name not in names]
    if unknown or (hosts and not names):
        raise InputError(f"found {named(unknown or [hosts])} among hosts; the components are {', '.join(names)}.")
    for name, host in pairs.items():
        chosen[names.index(name)] = names.index(host)
    absent = [names[host] for host in np.unique(chosen) if names and not (x[:, host] > PRESENT).any()]
    if absent:
        there = [name for name, column in zip(names, x.T, strict=True) if (column > PRESENT).any()]
        raise InputError(f"the host {named(absent)} is absent from every sample; take one of {', '.join(there)}.")
    return chosen


def longest_step(composition: ArrayLike, direction: ArrayLike) -> Array:
    """How far one may go along directions until a fraction is used up.

    Parameters
    ----------
    composition : array_like, shape (..., D)
    direction : array_like, shape (..., D)
        They may be broadcast against each other.

    Returns
    -------
    ndarray, shape (...)
        In units of the direction; infinite where nothing shrinks, NaN where the direction is.

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
    """Compositions a step along directions, shape (..., D).

    Parameters
    ----------
    composition, direction : array_like, shape (..., D)
    step : array_like, shape (...)
        Change of the component's fraction; negative removes it.

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
