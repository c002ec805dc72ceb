"""Null distributions of gradients: random smooth functions, and models trained on permuted labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import pdist

from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.library.gradients import along, correlate_gradients, gradient_statistics, relative_gradients
from matlens.library.gradients.summaries import enough_support
from matlens.library.table import MaterialsLibrary

__all__ = ["closure_null", "label_null", "permuted_library", "smooth_gradients"]

Array = NDArray[np.float64]
_ROWS = 400  # compositions whose distances are computed; the median of more is the same
_WAVES = 256
# docs/decisions/0038-groups-of-components.md
_LENGTH_SCALE = 2.0  # in median distances; with 1 random functions are rougher than models trained on noise


def smooth_gradients(
    compositions: ArrayLike, draws: int, *, length_scale: float | None = None, seed: int = 0
) -> Iterator[Array]:
    """Yield gradients of random smooth functions of composition, in which no components form groups.

    The functions are sums of cosines with normally distributed wave vectors, which approximate draws from a Gaussian
    process with an RBF kernel (Rahimi and Recht, Random features for large-scale kernel machines, NeurIPS 20, 2007).

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.
    draws : int
        Number of functions.
    length_scale : float, optional
        Length scale of the kernel in fractions; by default twice the median distance between compositions.
    seed : int
        Seed of the functions.

    Yields
    ------
    ndarray, shape (n, D)
        Partial derivatives of one function with respect to fractions.

    Raises
    ------
    InputError
        If there are fewer than two different compositions.

    Examples
    --------
    >>> compositions = np.random.default_rng(0).dirichlet([1, 1, 1], 50)
    >>> [gradient.shape for gradient in smooth_gradients(compositions, 2)]
    [(50, 3), (50, 3)]
    """
    fractions = np.asarray(compositions, np.float64)
    if fractions.ndim != 2 or len(fractions) < 2:
        raise InputError(f"compositions must be (samples, components), found shape {fractions.shape}.")
    rng = np.random.default_rng(seed)
    some = fractions if len(fractions) <= _ROWS else fractions[rng.choice(len(fractions), _ROWS, replace=False)]
    distances = pdist(some)
    if not distances.any():
        raise InputError("all compositions are the same; correlations across samples need different ones.")
    scale = length_scale if length_scale is not None else _LENGTH_SCALE * float(np.median(distances[distances > 0]))
    for _ in range(draws):
        waves = rng.normal(size=(fractions.shape[1], _WAVES)) / scale
        heights = rng.normal(size=_WAVES)
        yield -(np.sin(fractions @ waves + rng.uniform(0, 2 * np.pi, _WAVES)) * heights) @ waves.T


def closure_null(
    compositions: ArrayLike,
    directions: ArrayLike,
    *,
    draws: int = 200,
    length_scale: float | None = None,
    there: ArrayLike | None = None,
    relative: bool = False,
    seed: int = 0,
) -> Array:
    """Compute correlations between gradients of random functions, which the compensation scheme alone causes.

    Closure correlates gradients: those that sum to zero have a mean correlation of -1/(D - 1), and a shared term makes
    it positive. For smooth functions at few compositions, single correlations scatter widely around the mean.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.
    directions : array_like, shape (n, D, D)
        Directions of the scheme, from `matlens.library.gradients.directions`.
    draws : int
        Number of random functions.
    length_scale : float, optional
        Length scale of the functions in fractions, as in `smooth_gradients`.
    there : array_like of bool, shape (n, D), optional
        Gradients to use, for example those with support; by default all.
    relative : bool
        Whether to subtract the mean over components first (`relative_gradients`).
    seed : int
        Seed of the functions.

    Returns
    -------
    ndarray, shape (draws, D, D)
        Correlations of each pair of components.

    Raises
    ------
    InputError
        If there are fewer than two different compositions.

    Examples
    --------
    >>> from matlens.library.gradients import directions
    >>> compositions = np.random.default_rng(0).dirichlet([1] * 5, 300)
    >>> null = closure_null(compositions, directions("tangent", compositions))
    >>> float(null[:, *np.triu_indices(5, 1)].mean().round(2))  # near -1 / 4
    -0.23
    """
    ways = np.asarray(directions, np.float64)
    used = None if there is None else np.asarray(there, bool)
    found = []
    for gradient in smooth_gradients(compositions, draws, length_scale=length_scale, seed=seed):
        bent = along(gradient, ways)
        bent = bent if used is None else np.where(used, bent, np.nan)
        found.append(correlate_gradients([relative_gradients(bent) if relative else bent])[0])
    return np.array(found)


def label_null(
    fit: Callable[[MaterialsLibrary, int], xr.Dataset],
    library: MaterialsLibrary,
    *,
    target: str | None = None,
    permutations: int = 19,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute statistics of the gradients of ensembles that were trained on permuted labels.

    Parameters
    ----------
    fit : callable
        Function that takes a library and the number of the permutation, trains a new model and returns its gradients
        with those of the members, for example
        ``lambda permuted, number: explain_library(LibraryModel(seed=number).fit(permuted), permuted, members=True)``.
        With fewer members than in the real ensemble the null is wider and the test conservative.
    library : MaterialsLibrary
        Library with its true labels.
    target : str, optional
        Name of the figure of merit; needed only if there are several.
    permutations : int
        Number of permutations; p = 0.05 needs at least 19.
    seed : int
        Seed of the permutations.
    progress : Progress, optional
        Called with permutations done and total.

    Returns
    -------
    Dataset
        Statistics as returned by `gradient_statistics`, with the first dimension ``permutation``; ``correlation`` is of
        relative gradients over samples with support, as in `component_groups`.

    Examples
    --------
    >>> library = MaterialsLibrary(np.eye(12), tuple("ABCDEFGHIJKL"), {"P": np.arange(12.0)})
    >>> def fit(permuted, number):  # stands for a model: its only gradient grows with the label
    ...     gradient = permuted.merit()[None, None, :, None]
    ...     return xr.Dataset({"composition_gradient": (("scheme", "kind", "sample", "component"), gradient)},
    ...                       {"scheme": ["dilution"], "kind": ["total"], "component": ["W"]})
    >>> label_null(fit, library, permutations=3).composition_mean.values.ravel().tolist()
    [5.5, 5.5, 5.5]
    """
    progress = progress or Silent()
    progress.begin(permutations, "permuted labels")
    found = []
    for number in range(permutations):
        permuted = permuted_library(library, target=target, seed=seed + number)
        found.append(gradient_statistics(_compared(fit(permuted, number))))
        progress.update(number + 1, "models of permuted labels")
    progress.end()
    return xr.concat(found, "permutation")


def _compared(insight: xr.Dataset) -> xr.Dataset:
    """Replace the members' composition gradients by relative ones where supported, as `component_groups` does."""
    members = insight.get("composition_gradient_members", insight["composition_gradient"])
    kept = members.where(enough_support(insight, "composition_gradient", 1))
    dims = [*(dim for dim in kept.dims if dim not in ("sample", "component")), "sample", "component"]
    kept = kept.transpose(*dims)
    return insight.assign(composition_gradient_members=kept.copy(data=relative_gradients(kept)))


def permuted_library(library: MaterialsLibrary, *, target: str | None = None, seed: int = 0) -> MaterialsLibrary:
    """Exchange the figures of merit of whole compositions at random, so that nothing can be learned from them.

    Replicates of one composition receive the values of replicates of another, so that noise within compositions stays.
    A composition with more replicates than values receives repeats of them.

    Parameters
    ----------
    library : MaterialsLibrary
        Library with its true labels.
    target : str, optional
        Name of the figure of merit; needed only if there are several. Rows without it are not permuted.
    seed : int
        Seed of the permutation.

    Returns
    -------
    MaterialsLibrary
        Library with permuted figures of merit.

    Examples
    --------
    >>> library = MaterialsLibrary([[0.5, 0.5], [0.5, 0.5], [1, 0], [0, 1]], ("A", "B"), {"P": [1.0, 1.1, 5.0, 9.0]})
    >>> permuted_library(library, seed=0).merit().tolist()
    [9.0, 9.0, 1.0, 5.0]
    """
    rows = np.flatnonzero(np.isfinite(library.merit(target)))
    groups = library.replicates()[rows]
    numbers = np.unique(groups)
    source = np.arange(len(library))
    for number, other in zip(numbers, np.random.default_rng(seed).permutation(numbers), strict=True):
        own = rows[groups == number]
        source[own] = np.resize(rows[groups == other], own.size)
    censored = library.censored
    return replace(
        library,
        merits=library.merits.iloc[source].reset_index(drop=True),
        censored=None if censored is None else censored.iloc[source].reset_index(drop=True),
    )
