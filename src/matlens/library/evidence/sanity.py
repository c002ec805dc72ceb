"""Whether gradients are those of the model, and those of the data: checks that a wrong gradient fails."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
import xarray as xr
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.gradients import (
    along,
    composition_members,
    directions,
    gradient_statistics,
    longest_step,
    moved,
    spectral_members,
)
from matlens.library.model import LibraryModel, Response
from matlens.library.model.kernel.kernel_parts import KernelParts
from matlens.library.table import MaterialsLibrary

__all__ = [
    "check_differences",
    "check_halves",
    "check_insight",
    "check_labels",
    "check_weights",
    "with_random_weights",
]

Array = NDArray[np.float64]
Row = dict[str, object]
_COLUMNS = ["check", "what", "value", "limit", "passed", "sentence"]
_DIFFERENCE = 0.05  # relative; what single precision and a finite step leave is ten times less
_COMPLETE = 0.05
_AGREE = 0.9  # of halves: with r of the halves, the whole has 2 r / (1 + r)
_COLLAPSE = 0.5
_HALVED = 300  # samples compared, evenly spread over the file: more tell the same
_STEPS = (0.02, 0.005, 0.00125)


def check_insight(
    insight: xr.Dataset,
    *,
    model: Response | None = None,
    library: MaterialsLibrary | None = None,
    null: xr.Dataset | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Run every check that can be run with what is given.

    Parameters
    ----------
    insight : Dataset
        As of `explain_library`; halves are compared where it has members.
    model, library : Response and MaterialsLibrary, optional
        For finite differences, and, of a `LibraryModel`, random weights.
    null : Dataset, optional
        As of `label_null`.
    seed : int
        Of what is drawn.

    Returns
    -------
    DataFrame
        One row a check: ``check``, ``what``, ``value``, ``limit``, ``passed``, ``sentence``.

    Examples
    --------
    >>> data = xr.Dataset({"predicted": ("sample", [1.0, 3.0]), "completeness_error": ("sample", [0.01, -0.01])})
    >>> check_insight(data)[["check", "passed"]].to_numpy().tolist()
    [['completeness', True]]
    """
    rows: list[Row] = []
    if model is not None and library is not None:
        rows += _rows(check_differences(model, library, seed=seed))
    if isinstance(model, LibraryModel) and library is not None:
        rows += _rows(check_weights(model, library, seed=seed))
    if insight.sizes.get("model", 1) > 3:
        rows += _rows(check_halves(insight, seed=seed))
    if null is not None:
        rows += _rows(check_labels(insight, null))
    if "completeness_error" in insight:
        error = float(np.sqrt((insight["completeness_error"] ** 2).mean()) / insight["predicted"].std())
        rows.append(
            _row(
                "completeness",
                "integrated gradients",
                error,
                _COMPLETE,
                error <= _COMPLETE,
                f"integrated gradients add up to the prediction but for {100 * error:.2g} % of its spread",
            )
        )
    return pd.DataFrame(rows, columns=_COLUMNS)


def check_differences(model: Response, library: MaterialsLibrary, *, samples: int = 20, seed: int = 0) -> pd.DataFrame:
    """Compare gradients with finite differences of the predictions, on the simplex and between spectra.

    Compositions move by dilution, each component in turn; spectra towards that of another sample. A right gradient
    agrees at one of three steps (larger ones suffer from curvature, smaller ones from rounding), a wrong one at none.

    Parameters
    ----------
    model : Response
        Fitted.
    library : MaterialsLibrary
        With the samples to compare at.
    samples : int
        How many, drawn at random.
    seed : int
        Of the draw.

    Returns
    -------
    DataFrame
        As of `check_insight`; ``value`` is the root mean square error relative to the differences'.

    Examples
    --------
    >>> from matlens.library.model import Gradients
    >>> class Linear:
    ...     uses_composition_, uses_spectrum_ = True, False
    ...     def respond(self, x, spectra):
    ...         return (x @ [1.0, 2.0, 5.0])[None]
    ...     def gradients(self, x, spectra):
    ...         return Gradients(self.respond(x, spectra), np.broadcast_to([1.0, 2.0, 5.0], (1, *x.shape)))
    >>> library = MaterialsLibrary(np.random.default_rng(0).dirichlet([1] * 3, 30), ("A", "B", "C"), {"P": np.ones(30)})
    >>> check_differences(Linear(), library)["passed"].tolist()
    [True]
    """
    rng = np.random.default_rng(seed)
    part = _some(library, samples, rng)
    spectra = part.spectra if model.uses_spectrum_ else None
    found = model.gradients(part.compositions, spectra)
    rows = []
    if model.uses_composition_:
        pairs = _composition_differences(model, part.compositions, spectra, found.composition)
        rows.append(_differences("composition", min(_relative(*pair) for pair in pairs)))
    if found.spectrum is not None and spectra is not None:
        spectrum = np.asarray(found.spectrum)
        aims = library.spectra[rng.permutation(len(library))[: len(part)]] if library.spectra is not None else spectra
        pairs = _spectral_differences(model, part.compositions, spectra, aims - spectra, spectrum)
        rows.append(_differences("spectrum", min(_relative(*pair) for pair in pairs)))
    return pd.DataFrame(rows, columns=_COLUMNS)


def check_halves(insight: xr.Dataset, *, repeats: int = 20, seed: int = 0) -> pd.DataFrame:
    """Compare the mean gradients of two halves of the ensemble.

    Parameters
    ----------
    insight : Dataset
        With members.
    repeats : int
        Random halvings, of which the median is taken.
    seed : int
        Of the halvings.

    Returns
    -------
    DataFrame
        As of `check_insight`: correlation, over samples and components (or channels), of the two means.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(1, 1, 1, 50, 3)) + 0.1 * rng.normal(size=(20, 1, 1, 50, 3))
    >>> dims = ("scheme", "kind", "sample", "component")
    >>> data = xr.Dataset({"composition_gradient_members": (("model", *dims), values),
    ...                    "composition_gradient": (dims, values.mean(0))}, {"scheme": ["dilution"], "kind": ["total"]})
    >>> check_halves(data).passed.tolist()
    [True]
    """
    rng = np.random.default_rng(seed)
    rows = []
    for what, members in _member_fields(insight, _HALVED):
        if len(members) < 4:
            raise InputError(f"found {len(members)} members; halves need four at least (explain with members=True).")
        total, half = members.sum(0, dtype=np.float64), len(members) // 2
        agreements = []
        for _ in range(repeats):
            part = members[rng.permutation(len(members))[:half]].sum(0, dtype=np.float64)
            agreements.append(_alike(part, total - part))
        value = float(np.median(agreements))
        sentence = f"{what} gradients of the ensemble's halves correlate by {value:.2f}"
        rows.append(_row("halves", what, value, _AGREE, value >= _AGREE, sentence))
    return pd.DataFrame(rows, columns=_COLUMNS)


def check_labels(insight: xr.Dataset, null: xr.Dataset) -> pd.DataFrame:
    """Compare gradients with those of ensembles trained on permuted labels: neither direction nor size may be theirs.

    Parameters
    ----------
    insight : Dataset
    null : Dataset
        As of `label_null`, of the same samples.

    Returns
    -------
    DataFrame
        As of `check_insight`: ``permuted labels``, the mean over permutations of the cosine of the two fields of
        gradients (of spectra, of their means over samples), to be within a half of zero; ``size``, how large the mean
        gradients of permuted labels are in units of the real ones (median), to be below a half too. Channels count by
        how much they vary over the library.

    Examples
    --------
    >>> dims, coords = ("scheme", "kind", "sample", "component"), {"scheme": ["dilution"], "kind": ["total"]}
    >>> real = xr.Dataset({"composition_gradient": (dims, np.ones((1, 1, 12, 2)))}, coords | {"component": ["W", "Mo"]})
    >>> null = gradient_statistics(0.1 * real * [1, -1]).expand_dims(permutation=19)
    >>> check_labels(real, null)[["check", "value"]].round(3).to_numpy().tolist()
    [['permuted labels', 0.0], ['size', 0.1]]
    """
    real = gradient_statistics(insight)
    rows = []
    fields = {"composition": ("composition_gradient", "composition_mean"), "spectrum": ("spectral_mean",) * 2}
    for what, (field, mean) in fields.items():
        if field not in real or field not in null or not np.isfinite(real[mean]).any():  # or nothing has support
            continue
        weight = _weight(insight) if what == "spectrum" else 1.0
        cosines = [_cosine(own * weight, other * weight) for own, other in _pairs(real[field], null[field])]
        sizes = [_size(other * weight) / _size(own * weight) for own, other in _pairs(real[mean], null[mean])]
        alike, size = abs(float(np.mean(cosines))), float(np.median(sizes))
        sentence = f"{what} gradients have a cosine of {alike:.2f} with those of permuted labels"
        rows.append(_row("permuted labels", what, alike, _COLLAPSE, alike <= _COLLAPSE, sentence))
        sentence = f"with permuted labels {100 * size:.0f} % of the size of mean {what} gradients is left"
        rows.append(_row("size", what, size, _COLLAPSE, size <= _COLLAPSE, sentence))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _weight(insight: xr.Dataset) -> Array | float:
    """How much each channel varies: gradients of channels that do not may be of any size and mean nothing."""
    return insight["spectrum"].std("sample").to_numpy() if "spectrum" in insight else 1.0


def _pairs(real: xr.DataArray, null: xr.DataArray) -> Iterator[tuple[Array, Array]]:
    """Real values and those of each permutation; of composition gradients, total and by dilution."""
    if "scheme" in real.dims:
        real, null = (each.sel(scheme="dilution", kind="total") for each in (real, null))
    for other in null.transpose("permutation", *real.dims).to_numpy():
        yield real.to_numpy(), other


def _size(values: Array) -> float:
    return float(np.sqrt(np.nanmean(values**2)))


def check_weights(
    model: LibraryModel, library: MaterialsLibrary, *, samples: int = 100, repeats: int = 10, seed: int = 0
) -> pd.DataFrame:
    """Compare gradients with those of the same networks with random weights: they must not look alike.

    Parameters
    ----------
    model : LibraryModel
        Fitted.
    library : MaterialsLibrary
    samples : int
        How many to compare at, drawn at random.
    repeats : int
        How often each member's weights are shuffled.
    seed : int
        Of samples and weights.

    Returns
    -------
    DataFrame
        As of `check_insight`: mean over members and repeats of the cosine of the two fields of gradients (by dilution;
        of spectra as they are), to be within a half of zero (Adebayo et al. 2018). A single cosine of a few components,
        or the mean of a few, would often be larger by chance.

    Examples
    --------
    >>> x = np.random.default_rng(0).dirichlet([1, 1, 1], 40)
    >>> library = MaterialsLibrary(x, ("A", "B", "C"), {"P": x[:, 0] + 2 * x[:, 1]})
    >>> check_weights(LibraryModel(n_models=4).fit(library), library)["passed"].tolist()
    [True]
    """
    part = _some(library, samples, np.random.default_rng(seed))
    spectra = part.spectra if model.uses_spectrum_ else None
    ways = directions("dilution", part.compositions)

    def fields(model: LibraryModel) -> dict[str, NDArray[np.floating]]:
        found = model.gradients(part.compositions, spectra)
        of_composition = along(found.composition, ways) if model.uses_composition_ else None
        both = (("composition", of_composition), ("spectrum", found.spectrum))
        return {what: field for what, field in both if field is not None}

    others = [fields(with_random_weights(model, seed=seed + k)) for k in range(repeats)]
    rows = []
    for what, own in fields(model).items():
        value = abs(float(np.mean([_cosine(*pair) for other in others for pair in zip(own, other[what], strict=True)])))
        sentence = f"{what} gradients have a cosine of {value:.2f} with those of random weights"
        rows.append(_row("random weights", what, value, _COLLAPSE, value <= _COLLAPSE, sentence))
    return pd.DataFrame(rows, columns=_COLUMNS)


def with_random_weights(model: LibraryModel, *, seed: int = 0) -> LibraryModel:
    """Return a copy of a model in which every layer's weights, and the samples' weights, are shuffled among each other.

    Parameters
    ----------
    model : LibraryModel
        Fitted; it stays as it is.
    seed : int
        Of the shuffling; each member has another one.

    Examples
    --------
    >>> x = np.random.default_rng(0).dirichlet([1, 1, 1], 40)
    >>> model = LibraryModel(n_models=2).fit(MaterialsLibrary(x, ("A", "B", "C"), {"P": x[:, 0]}))
    >>> other = with_random_weights(model)
    >>> bool(np.ptp(other.respond(x, None)) > 0), bool(np.allclose(other.respond(x, None), model.respond(x, None)))
    (True, False)
    """
    random = np.random.default_rng(seed)

    def shuffled(values: torch.Tensor) -> torch.Tensor:
        order = torch.from_numpy(random.permuted(np.tile(np.arange(values[0].numel()), (len(values), 1)), axis=1))
        return values.flatten(1).gather(1, order.to(values.device)).reshape(values.shape)

    mixture = model.ensemble_
    parameters = {name: shuffled(values) for name, values in mixture.networks.parameters.items()}
    kernel = mixture.kernel
    if kernel is not None:
        kernel = KernelParts(tuple(replace(part, duals=shuffled(part.duals)) for part in kernel.parts))
    other = copy.copy(model)
    other.ensemble_ = replace(mixture, networks=replace(mixture.networks, parameters=parameters), kernel=kernel)
    return other


def _some(library: MaterialsLibrary, samples: int, rng: np.random.Generator) -> MaterialsLibrary:
    return library.select(np.sort(rng.choice(len(library), min(samples, len(library)), replace=False)))


def _member_fields(insight: xr.Dataset, most: int) -> Iterator[tuple[str, NDArray[np.floating]]]:
    insight = insight.isel(sample=slice(None, None, max(1, insight.sizes["sample"] // most)))
    yield "composition", composition_members(insight, "dilution", "total")
    if "spectral_gradient" in insight:
        yield "spectrum", spectral_members(insight)


def _composition_differences(
    model: Response, compositions: Array, spectra: Array | None, gradient: NDArray[np.floating]
) -> Iterator[tuple[Array, Array]]:
    """Finite differences and gradients along dilution, forwards only: an absent component cannot become less."""
    ways = directions("dilution", compositions)
    slopes = along(gradient, ways)
    for step in _STEPS:
        found = np.full(slopes.shape, np.nan)
        for component in range(compositions.shape[1]):
            way = ways[:, component]
            room = np.nan_to_num(longest_step(compositions, way), nan=-1.0)
            rows = np.flatnonzero(room > 2 * step)
            if rows.size:
                some = None if spectra is None else spectra[rows]
                at = [
                    model.respond(moved(compositions[rows], way[rows], np.full(rows.size, k * step)), some)
                    for k in range(3)
                ]
                found[:, rows, component] = (4 * at[1] - 3 * at[0] - at[2]) / (2 * step)
        yield found, slopes


def _spectral_differences(
    model: Response, compositions: Array, spectra: Array, ways: Array, gradient: NDArray[np.floating]
) -> Iterator[tuple[Array, Array]]:
    slopes = np.einsum("mnc,nc->mn", gradient.astype(np.float64), ways)
    for step in (4 * step for step in _STEPS):
        ahead, behind = (model.respond(compositions, spectra + sign * step * ways) for sign in (1, -1))
        yield (ahead - behind) / (2 * step), slopes


def _relative(differences: Array, slopes: Array) -> float:
    there = np.isfinite(differences) & np.isfinite(slopes)
    size = np.sqrt(np.mean(differences[there] ** 2)) if there.any() else 0.0
    error = np.sqrt(np.mean((differences - slopes)[there] ** 2)) if there.any() else np.inf
    return float(error / size) if size > 0 else float(error > 0)


def _differences(what: str, error: float) -> Row:
    sentence = f"{what} gradients differ from finite differences by {100 * error:.2g} %"
    return _row("finite differences", what, error, _DIFFERENCE, error <= _DIFFERENCE, sentence)


def _alike(first: Array, second: Array) -> float:
    there = np.isfinite(first) & np.isfinite(second)
    if there.sum() < 2 or np.ptp(first[there]) == 0 or np.ptp(second[there]) == 0:
        return float("nan")
    return float(np.corrcoef(first[there], second[there])[0, 1])


def _cosine(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    first, second = (each.astype(np.float64) for each in (first, second))
    there = np.isfinite(first) & np.isfinite(second)
    size = np.sqrt((first[there] ** 2).sum() * (second[there] ** 2).sum())
    return float((first[there] * second[there]).sum() / size) if size > 0 else 0.0


def _row(check: str, what: str, value: float, limit: float, passed: bool, sentence: str) -> Row:
    return dict(zip(_COLUMNS, (check, what, value, limit, bool(passed), f"{sentence}.")))


def _rows(table: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
