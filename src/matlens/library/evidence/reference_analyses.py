"""Reference analyses of a library: PLS coefficients, random-forest importances and NMF factors."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from sklearn.decomposition import NMF
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning

from matlens.library.baselines import BaselineModel
from matlens.library.gradients import average_regions
from matlens.library.model.targets import Target, resolve_task
from matlens.library.spectra import Preprocessing
from matlens.library.table import MaterialsLibrary

__all__ = ["run_reference_analyses"]

Array = NDArray[np.float64]
_TREES = 100
_COLUMNS = ["way", "line", "place", "value"]
_HUNDRED = 100.0


def run_reference_analyses(
    insight: xr.Dataset, library: MaterialsLibrary, target: str | None = None, *, transform: str = "none",
    factors: int = 4, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Compare mean gradients with established analyses of the same data.

    The analyses are coefficients of partial least squares (Wold, Sjöström and Eriksson, Chemom. Intell. Lab. Syst. 58,
    109, 2001), importances of a random forest (Breiman, Mach. Learn. 45, 5, 2001) and factors of a non-negative matrix
    factorisation (NMF) of the spectra (Lee and Seung, Nature 401, 788, 1999).

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`.
    library : MaterialsLibrary
        Training samples of the model.
    target : str, optional
        Name of the figure of merit; needed only if there are several.
    transform : {"none", "log10"}
        Scale of the figure of merit.
    factors : int
        Number of NMF factors.
    seed : int
        Seed of random forest and NMF.

    Returns
    -------
    DataFrame
        One row per value: ``way`` (name of the analysis), ``line`` (name of one of several curves, or ""), ``place``
        (name of a component, or position on the axis) and ``value``. Gradients and PLS coefficients have the units of
        gradients. Importances are shares of the explained variance, over all fractions and channels. Factors are scaled
        to a maximum of 1; their ``line`` gives the correlation of their weights with the figure of merit.

    Raises
    ------
    InputError
        If there is no such figure of merit, or nothing can be learned from it.

    Examples
    --------
    >>> x = np.random.default_rng(0).dirichlet([1, 1, 1], 40)
    >>> library = MaterialsLibrary(x, ("Fe", "Ga", "Pd"), {"P": 3 * x[:, 1]})
    >>> dims = ("scheme", "kind", "sample", "component")
    >>> data = xr.Dataset({"composition_gradient": (dims, np.zeros((1, 1, 40, 3)))},
    ...                   {"scheme": ["dilution"], "kind": ["total"], "component": ["Fe", "Ga", "Pd"]})
    >>> table = run_reference_analyses(data, library)
    >>> table[table.way == "forest importance"].set_index("place")["value"].idxmax()
    'Ga'
    """
    task = resolve_task(library, target, transform=transform)
    known = library.select(task.rows)
    values = task.target.values(known)
    tables = [_gradients(insight, known.axis), _pls(known, task.target, seed), _forest(known, values, seed)]
    if known.spectra is not None and "spectral_gradient" in insight:
        tables.append(_factors(known, values, factors, seed))
    return pd.concat(tables, ignore_index=True)


def _rows(way: str, line: str, places: object, values: Array) -> pd.DataFrame:
    return pd.DataFrame({"way": way, "line": line, "place": list(places), "value": values}, columns=_COLUMNS)  # type: ignore[call-overload]


def _both(way: str, library: MaterialsLibrary, composition: Array, spectrum: Array | None) -> pd.DataFrame:
    parts = [_rows(way, "", library.components, composition)]
    if spectrum is not None and library.axis is not None:
        parts.append(_rows(way, "", library.axis, spectrum))
    return pd.concat(parts)


def _gradients(insight: xr.Dataset, axis: Array | None) -> pd.DataFrame:
    """Mean gradients over the samples with support."""
    found = average_regions(insight, {"all": np.ones(insight.sizes["sample"], bool)}).isel(region=0)
    total = found["composition_gradient"].sel(scheme="dilution", kind="total")
    parts = [_rows("gradient", "", insight["component"].values.astype(str), total.to_numpy())]
    if "spectral_gradient" in found and axis is not None:
        parts.append(_rows("gradient", "", axis, found["spectral_gradient"].to_numpy()))
    return pd.concat(parts)


def _pls(library: MaterialsLibrary, target: Target, seed: int) -> pd.DataFrame:
    """Coefficients, the same for all samples, of spectra as in the file."""
    model = BaselineModel("pls", preprocessing=Preprocessing(), transform=target.transform, seed=seed)
    model.fit(library, target.name)
    found = model.gradients(library.compositions, library.spectra)
    spectrum = None if found.spectrum is None else found.spectrum[0].mean(0, dtype=np.float64)
    composition = found.composition[0].mean(0, dtype=np.float64) / _HUNDRED
    return _both("PLS coefficients", library, composition, spectrum)


def _forest(library: MaterialsLibrary, values: Array, seed: int) -> pd.DataFrame:
    columns = library.compositions if library.spectra is None else np.hstack([library.compositions, library.spectra])
    forest = RandomForestRegressor(_TREES, max_features=0.34, min_samples_leaf=2, random_state=seed)
    shares: Array = forest.fit(columns, values).feature_importances_
    count = len(library.components)
    return _both("forest importance", library, shares[:count], shares[count:] if len(shares) > count else None)


def _factors(library: MaterialsLibrary, values: Array, factors: int, seed: int) -> pd.DataFrame:
    """Non-negative factors of the spectra, the one most correlated with the figure of merit first."""
    if library.spectra is None or library.axis is None:
        return pd.DataFrame(columns=_COLUMNS)
    spectra = np.maximum(library.spectra - min(0.0, float(library.spectra.min())), 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a picture of the spectra needs no last digits
        model = NMF(min(factors, *spectra.shape), init="nndsvda", random_state=seed, max_iter=300)
        weights = model.fit_transform(spectra)
    varies = weights.std(0) > 0
    r = np.array([np.corrcoef(weight, values)[0, 1] if there else 0.0 for weight, there in zip(weights.T, varies)])
    parts = [
        _rows("non-negative factors", f"{place + 1}: r = {r[k]:.2f}", library.axis, shape / max(shape.max(), 1e-300))
        for place, k in enumerate(np.argsort(-np.abs(r)))
        for shape in [model.components_[k]]
    ]
    return pd.concat(parts)
