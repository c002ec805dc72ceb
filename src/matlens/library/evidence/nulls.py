"""What gradients show where there is nothing to find: random smooth functions, and models of permuted labels."""

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
_ROWS = 400  # of which distances are taken: the median of more is the same
_WAVES = 256
# docs/decisions/0038-groups-of-components.md
_LENGTH = 2.0  # median distances over which a random function varies; over one it is rougher than models of noise are


def smooth_gradients(
    compositions: ArrayLike, draws: int, *, length: float | None = None, seed: int = 0
) -> Iterator[Array]:
    """Gradients of random smooth functions at given compositions; components are exchangeable, nothing is grouped.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.
    draws : int
        How many functions.
    length : float, optional
        Over which a function varies, in fractions; by default twice the median distance between compositions.
    seed : int
        Of the functions.

    Yields
    ------
    ndarray, shape (n, D)
        Partial derivatives of one function, a sum of waves with normally distributed wave vectors: nearly a Gaussian
        process of squared-exponential covariance (Rahimi & Recht 2007).

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
    scale = length if length is not None else _LENGTH * float(np.median(distances[distances > 0]))
    for _ in range(draws):
        waves = rng.normal(size=(fractions.shape[1], _WAVES)) / scale
        heights = rng.normal(size=_WAVES)
        yield -(np.sin(fractions @ waves + rng.uniform(0, 2 * np.pi, _WAVES)) * heights) @ waves.T


def closure_null(
    compositions: ArrayLike,
    directions: ArrayLike,
    *,
    draws: int = 200,
    length: float | None = None,
    there: ArrayLike | None = None,
    relative: bool = False,
    seed: int = 0,
) -> Array:
    """Correlations that a compensation scheme alone makes between gradients of functions without any groups.

    Closure ties gradients to each other: those that sum to zero have a mean correlation of -1/(D - 1), and a term
    that all share makes a positive one. Smooth functions at a few compositions scatter widely around it.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
    directions : array_like, shape (n, D, D)
        Of the scheme, see `directions`.
    draws, length, seed
        As for `smooth_gradients`.
    there : array_like of bool, shape (n, D), optional
        Which gradients are used; by default all.
    relative : bool
        Whether of gradients less their mean over components, see `relative_gradients`.

    Returns
    -------
    ndarray, shape (draws, D, D)

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
    for gradient in smooth_gradients(compositions, draws, length=length, seed=seed):
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
    """Gradients' statistics of ensembles that were trained on permuted labels.

    Parameters
    ----------
    fit : callable
        From a library and the number of the permutation to the insight of a new model of it, with members, e.g.
        ``lambda permuted, number: explain_library(LibraryModel(seed=number).fit(permuted), permuted, members=True)``.
        Fewer members than the real ensemble has make the null wider, so that the test errs to the safe side.
    library : MaterialsLibrary
        With its true labels.
    target : str, optional
        Figure of merit.
    permutations : int
        19 are needed for p of 0.05.
    seed : int
        Of the permutations.
    progress : Progress, optional
        Called with permutations done and total.

    Returns
    -------
    Dataset
        As of `gradient_statistics`, with the dimension ``permutation`` in front; ``correlation`` is of relative
        gradients over samples with support, as `component_groups` takes it.

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
        progress.update(number + 1, "ensembles of permuted labels")
    progress.end()
    return xr.concat(found, "permutation")


def _compared(insight: xr.Dataset) -> xr.Dataset:
    """With members' composition gradients as groups compare them; their mean stays as it is."""
    members = insight.get("composition_gradient_members", insight["composition_gradient"])
    kept = members.where(enough_support(insight, "composition_gradient", 1))
    dims = [*(dim for dim in kept.dims if dim not in ("sample", "component")), "sample", "component"]
    kept = kept.transpose(*dims)
    return insight.assign(composition_gradient_members=kept.copy(data=relative_gradients(kept)))


def permuted_library(library: MaterialsLibrary, *, target: str | None = None, seed: int = 0) -> MaterialsLibrary:
    """Give every group of equal composition the figures of merit of another, so that nothing is left to learn.

    Replicates stay replicates, so that noise and sizes stay as they are; a larger group repeats the values that it
    is given.

    Parameters
    ----------
    library : MaterialsLibrary
    target : str, optional
        Figure of merit; rows without it keep their place.
    seed : int
        Of the permutation.

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
