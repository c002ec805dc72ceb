"""Sanity checks of gradients: are they derivatives of the model, and do they depend on what it learned?"""

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
_DIFFERENCE = 0.05  # relative error; single precision and finite steps cause a tenth of it
_COMPLETE = 0.05
_AGREE = 0.9  # correlation r of halves; that of the whole ensemble is 2 r / (1 + r)
_COLLAPSE = 0.5
_HALVED = 300  # samples compared, evenly spaced over the file; more give the same result
_STEPS = (0.02, 0.005, 0.00125)


def check_insight(
    insight: xr.Dataset,
    *,
    model: Response | None = None,
    library: MaterialsLibrary | None = None,
    null: xr.Dataset | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Run all sanity checks of gradients that the arguments allow.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`. Halves of the ensemble are compared if it has gradients of members.
    model : Response, optional
        Fitted model. With ``library`` it is checked by finite differences, and a `LibraryModel` also by random weights.
    library : MaterialsLibrary, optional
        Samples at which the model is checked.
    null : Dataset, optional
        Gradients of models with permuted labels, from `label_null`.
    seed : int
        Seed of all random numbers.

    Returns
    -------
    DataFrame
        One row per check: ``check`` (name), ``what`` (kind of gradient), ``value``, ``limit``, ``passed`` and
        ``sentence``.

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
        found = check_weights(model.ensemble_alone, library, seed=seed)
        if model.ensemble_alone is not model:
            found["sentence"] = "of the ensemble in the mixture, " + found["sentence"]
        rows += _rows(found)
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
    """Compare gradients with finite differences of predictions.

    Compositions are changed by dilution, one component at a time, and spectra towards the spectrum of another sample.
    The best of three step sizes counts: large steps suffer from curvature, small ones from rounding, and a wrong
    gradient agrees at none.

    Parameters
    ----------
    model : Response
        Fitted model.
    library : MaterialsLibrary
        Samples to draw from.
    samples : int
        Number of samples at which gradients are compared.
    seed : int
        Seed of the draw.

    Returns
    -------
    DataFrame
        Table as in `check_insight`; ``value`` is the root mean square error divided by the root mean square difference.

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
        pairs = _composition_differences(model, part, spectra, found.composition)
        rows.append(_differences("composition", min(_relative(*pair) for pair in pairs)))
    if found.spectrum is not None and spectra is not None:
        spectrum = np.asarray(found.spectrum)
        aims = library.spectra[rng.permutation(len(library))[: len(part)]] if library.spectra is not None else spectra
        pairs = _spectral_differences(model, part.compositions, spectra, aims - spectra, spectrum)
        rows.append(_differences("spectrum", min(_relative(*pair) for pair in pairs)))
    return pd.DataFrame(rows, columns=_COLUMNS)


def check_halves(insight: xr.Dataset, *, repeats: int = 20, seed: int = 0) -> pd.DataFrame:
    """Compare the mean gradients of two random halves of the ensemble.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`, with those of the members.
    repeats : int
        Number of random divisions into halves.
    seed : int
        Seed of the divisions.

    Returns
    -------
    DataFrame
        Table as in `check_insight`; ``value`` is the correlation of both means over samples and components (or
        channels), the median over divisions.

    Raises
    ------
    InputError
        If there are fewer than four members.

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
        sentence = f"{what} gradients of two halves of the members correlate by {value:.2f}"
        rows.append(_row("halves", what, value, _AGREE, value >= _AGREE, sentence))
    return pd.DataFrame(rows, columns=_COLUMNS)


def check_labels(insight: xr.Dataset, null: xr.Dataset) -> pd.DataFrame:
    """Compare gradients with those of ensembles trained on permuted labels.

    Gradients that depend on the labels differ from the latter in direction and are larger (after Adebayo et al.,
    Sanity checks for saliency maps, NeurIPS 31, 2018).

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`.
    null : Dataset
        Gradients of models with permuted labels for the same samples, from `label_null`.

    Returns
    -------
    DataFrame
        Table as in `check_insight`. The check ``permuted labels`` gives the absolute mean, over permutations, of the
        cosine between both fields of gradients (for spectra, between their means over samples), at most 0.5. The check
        ``size`` gives the root mean square of mean gradients with permuted labels divided by that of the real ones
        (median over permutations), at most 0.5. Channels are weighted by their standard deviation over the library.

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
    """Standard deviation of each channel; gradients of channels that do not vary are arbitrary."""
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
    """Compare gradients with those of the same model with shuffled weights.

    Gradients that depend on what was learned differ from the latter (Adebayo et al., Sanity checks for saliency maps,
    NeurIPS 31, 2018).

    Parameters
    ----------
    model : LibraryModel
        Fitted model.
    library : MaterialsLibrary
        Samples to draw from.
    samples : int
        Number of samples at which gradients are compared.
    repeats : int
        Number of shuffles of each member's weights.
    seed : int
        Seed of samples and shuffles.

    Returns
    -------
    DataFrame
        Table as in `check_insight`; ``value`` is the absolute mean, over members and shuffles, of the cosine between
        both fields of gradients (composition gradients by dilution, spectral gradients), at most 0.5. The mean over
        members is needed because a single cosine of a few components is often large by chance.

    Examples
    --------
    >>> x = np.random.default_rng(0).dirichlet([1, 1, 1], 40)
    >>> library = MaterialsLibrary(x, ("A", "B", "C"), {"P": x[:, 0] + 2 * x[:, 1]})
    >>> check_weights(LibraryModel(n_models=4).fit(library), library)["passed"].tolist()
    [True]
    """
    part = _some(library, samples, np.random.default_rng(seed))
    spectra = part.spectra if model.uses_spectrum_ else None
    ways = directions("dilution", part.compositions, sites=part.site_numbers)

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
    """Copy a model and shuffle the weights within each layer and the sample weights of its kernel part.

    Parameters
    ----------
    model : LibraryModel
        Fitted model; it is not changed.
    seed : int
        Seed of the shuffles; those of each member differ.

    Returns
    -------
    LibraryModel
        The copy with shuffled weights.

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
    model: Response, library: MaterialsLibrary, spectra: Array | None, gradient: NDArray[np.floating]
) -> Iterator[tuple[Array, Array]]:
    """Finite differences and gradients along dilution, forwards only: an absent component cannot become less."""
    compositions = library.compositions
    ways = directions("dilution", compositions, sites=library.site_numbers)
    derivatives = along(gradient, ways)
    for step in _STEPS:
        found = np.full(derivatives.shape, np.nan)
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
        yield found, derivatives


def _spectral_differences(
    model: Response, compositions: Array, spectra: Array, ways: Array, gradient: NDArray[np.floating]
) -> Iterator[tuple[Array, Array]]:
    derivatives = np.einsum("mnc,nc->mn", gradient.astype(np.float64), ways)
    for step in (4 * step for step in _STEPS):
        ahead, behind = (model.respond(compositions, spectra + sign * step * ways) for sign in (1, -1))
        yield (ahead - behind) / (2 * step), derivatives


def _relative(differences: Array, derivatives: Array) -> float:
    there = np.isfinite(differences) & np.isfinite(derivatives)
    size = np.sqrt(np.mean(differences[there] ** 2)) if there.any() else 0.0
    error = np.sqrt(np.mean((differences - derivatives)[there] ** 2)) if there.any() else np.inf
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
