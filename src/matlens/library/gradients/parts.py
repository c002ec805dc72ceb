"""Variables of the data set of gradients, in groups."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from matlens.hooks import Progress
from matlens.library.gradients.averaged_trend import fit_averaged_trend
from matlens.library.gradients.composition_response import CompositionResponse
from matlens.library.gradients.edges import edge_errors
from matlens.library.gradients.integrated import integrate_gradients
from matlens.library.gradients.peak_gradients import PeakChanges, peak_changes
from matlens.library.gradients.simplex import along
from matlens.library.gradients.support import Support, spectral_support
from matlens.library.gradients.tangent_spaces import channel_width, local_tangent_spaces, pinned_channels
from matlens.library.model import Gradients, Response
from matlens.library.model.response import GradientErrors, Single
from matlens.library.model.targets import learned_target
from matlens.library.table import MaterialsLibrary

__all__: list[str] = []  # of explain_library alone

Array = NDArray[np.float64]
Variables = dict[str, xr.Variable]
_HALF = 0.5  # docs/decisions/0045-standard-errors-of-gradients.md
_HUNDRED = 100.0  # at% in a fraction
_BLOCK = 64  # samples whose spectral gradients are in double precision at once


def variable(dims: str, values: ArrayLike, name: str, units: str = "1") -> xr.Variable:
    """Return an array as a variable; ``dims`` are names separated by spaces."""
    return xr.Variable(dims.split(), np.asarray(values), {"long_name": name, "units": units})


def per(unit: str, *over: str) -> str:
    """Return the unit of a derivative.

    Parameters
    ----------
    unit : str
        Unit of the function; empty for a pure number.
    *over : str
        Units of the variables.

    Returns
    -------
    str
        Units joined by "per".

    Examples
    --------
    >>> per("mW/cm2", "at%"), per("", "at%")
    ('mW/cm2 per at%', '1 per at%')
    """
    return " per ".join([unit or "1", *(name or "1" for name in over)])


def spread(values: ArrayLike) -> Array:
    """Return the standard deviation over the first dimension; NaN for a single model."""
    array = np.asarray(values, np.float64)
    if len(array) == 1:
        return np.full(array.shape[1:], np.nan)
    result: Array = array.std(0, ddof=1)
    return result


def predictions(model: Response, library: MaterialsLibrary, found: Gradients, *, members: bool) -> Variables:
    """Return inputs and predictions."""
    unit = model.unit_
    result = {
        "predicted": variable("sample", found.values.mean(0), "predicted figure of merit", unit),
        "predicted_spread": variable("sample", spread(found.values), "standard deviation over models", unit),
        "merit": variable("sample", _merit(model, library), "measured figure of merit", unit),
        "composition": variable("sample component", library.compositions, "fraction"),
    }
    if members:
        result["predicted_members"] = variable("model sample", found.values, "prediction of each model", unit)
    if model.uses_spectrum_ and library.spectra is not None:
        result["spectrum"] = variable("sample axis", library.spectra, library.spectrum_name, library.spectrum_unit)
    return result


def composition_gradients(
    model: Response,
    library: MaterialsLibrary,
    found: Gradients,
    response: CompositionResponse | None,
    rays: Array,
    errors: GradientErrors | None,
    *,
    members: bool,
) -> Variables:
    """Return partial and total composition gradients along rays of shape (schemes, n, D, D)."""
    each = _along_rays(found, library, response, rays)
    deviation = spread(each)
    if response is not None and found.spectrum is not None:
        covariance = response.carried_covariance(found.spectrum, library.compositions, library.spectra)
        deviation[:, 1] = np.sqrt(deviation[:, 1] ** 2 + _variance(covariance, rays) / _HUNDRED**2)
    unit, dims = per(model.unit_, library.fraction_name), "scheme kind sample component"
    name = "gradient of the figure of merit with respect to composition"
    result = {
        "composition_gradient": variable(dims, each.mean(0), name, unit),
        "composition_gradient_spread": variable(dims, deviation, f"standard deviation of the {name}", unit),
    }
    if errors is not None:
        steps = _along_rays(errors.features, library, response, rays)  # (F, schemes, kinds, n, D)
        own = errors.along(np.moveaxis(steps, 3, 1))
        error = np.hypot(deviation, np.moveaxis(own, 0, 2))
        result["composition_gradient_error"] = variable(dims, error, f"standard error of the {name}", unit)
    if members:
        single = each.astype(np.float32)
        result["composition_gradient_members"] = variable(f"model {dims}", single, f"{name}, of each model", unit)
    return result


def by_part(
    model: Response,
    left_out: tuple[Array, int],
    each: Gradients,
    library: MaterialsLibrary,
    response: CompositionResponse | None,
    rays: Array,
) -> Variables:
    """Return the composition gradients of each model of a mixture, and how these err for left-out compositions."""
    moments, count = left_out
    unit, name = per(model.unit_, library.fraction_name), "gradient with respect to composition, by each model"
    products = variable("part other_part", moments, "mean products of errors for left-out compositions")
    products.attrs["compositions"] = count
    found = _along_rays(each, library, response, rays).astype(np.float32)
    return {
        "composition_gradient_by_part": variable("part scheme kind sample component", found, name, unit),
        "held_out_moments": products,
    }


def _along_rays(
    found: Gradients, library: MaterialsLibrary, response: CompositionResponse | None, rays: Array
) -> Array:
    """Derivatives per at%, shape (m, schemes, kinds, n, D)."""
    partial = total = found.composition.astype(np.float64)
    if response is not None and found.spectrum is not None:
        total = partial + response.carried(found.spectrum, library.compositions, library.spectra)
    return np.stack([np.stack([along(kind, ray) for kind in (partial, total)], 1) for ray in rays], 1) / _HUNDRED


def composition_only(
    model: Response,
    library: MaterialsLibrary,
    measured: MaterialsLibrary,
    response: CompositionResponse | None,
    rays: Array,
    distance: Array,
) -> Variables:
    """Return total gradients of a Gaussian process on composition alone, and the errors at its edges."""
    merit = _merit(model, measured)
    rows = np.flatnonzero(~np.isnan(merit))
    design = None if response is None or len(rows) < len(measured) else response.design
    groups = measured.replicates()[rows]
    trend = fit_averaged_trend(measured.compositions[rows], merit[rows], groups, design=design)
    derivatives = np.stack([along(trend.gradients(library.compositions), ray) for ray in rays]) / _HUNDRED
    deviation = np.sqrt(_variance(trend.gradient_covariances(library.compositions), rays)) / _HUNDRED
    edge = edge_errors(trend, library.compositions, distance, rays) / _HUNDRED
    unit, dims = per(model.unit_, library.fraction_name), "scheme sample component"
    name = "gradient with respect to composition, by a Gaussian process without spectra"
    about = "error of the gradient where the component is absent, because data lie to one side"
    return {
        "composition_only_gradient": variable(dims, derivatives, name, unit),
        "composition_only_gradient_spread": variable(
            dims, np.hypot(deviation, edge), f"standard error of the {name}", unit
        ),
        "composition_gradient_edge_error": variable(dims, edge, about, unit),
    }


def with_shared_errors(variables: Variables, *, partial: bool) -> Variables:
    """Add to the errors of total gradients what all models have in common.

    That is the error where a component is absent, and half of what gradients of composition alone differ by: both
    estimate the same quantity, with other assumptions, and half of their difference is what either lacks if the truth
    lies between them. Partial gradients have such errors only if the model uses no spectra (``partial``).
    """
    if "composition_gradient_error" not in variables:
        return variables
    error = variables["composition_gradient_error"].copy()
    apart = variables["composition_gradient"].values - variables["composition_only_gradient"].values[:, None]
    shared = np.hypot(_HALF * apart, variables["composition_gradient_edge_error"].values[:, None])
    kinds = slice(0 if partial else 1, None)
    error.values[:, kinds] = np.hypot(error.values[:, kinds], np.nan_to_num(shared[:, kinds]))
    return variables | {"composition_gradient_error": error}


def support(library: MaterialsLibrary, found: Support) -> Variables:
    """Return the support of composition gradients by measured compositions."""
    dims, unit = "sample component", library.fraction_name
    return {
        "support": variable(dims, found.flags, "2 supported, 1 weak, 0 unsupported by measured compositions"),
        "support_distance": variable(dims, found.distance * _HUNDRED, "step to the nearest measured composition", unit),
        "support_count": variable(dims, found.count, "measured compositions along the direction"),
        "component_count": variable("component", found.elements, "measured compositions with the component"),
        "pair_count": variable("component other", found.pairs, "measured compositions with both components"),
    }


def spectral_gradients(
    model: Response,
    library: MaterialsLibrary,
    measured: MaterialsLibrary,
    gradient: Single,
    response: CompositionResponse,
    errors: GradientErrors | None,
    each_part: Gradients | None = None,
    *,
    held: bool,
    members: bool,
) -> Variables:
    """Return raw and projected gradients with respect to intensities, and their support."""
    axis, spectra = library.axis, library.spectra
    if axis is None or spectra is None or measured.spectra is None:
        return {}
    raw, raw_spread = _moments(gradient)
    spaces = local_tangent_spaces(
        response.residual if held else response.corrected,
        library.compositions,
        measured.compositions,
        seen=(raw != 0).any(0),
        noise=response.noise,
    )
    projected = spaces.project(gradient)
    mean, deviation = _moments(projected)
    pinned = pinned_channels(spectra, measured.spectra)
    width = channel_width(axis)
    flags = spectral_support(spaces.variance, response.noise, response.free_share, pinned)
    unit = per(model.unit_, library.spectrum_unit or library.spectrum_name)
    name, dims = "gradient of the figure of merit with respect to intensity", "sample axis"
    density, density_unit = f"{name}, per length of axis", f"{unit} per {library.axis_unit or library.axis_name}"
    result = {
        "spectral_gradient": variable(dims, mean, f"{name}, projected on the data", unit),
        "spectral_gradient_spread": variable(dims, deviation, f"standard deviation of the {name}, projected", unit),
        "spectral_gradient_raw": variable(dims, raw, f"{name}, not projected", unit),
        "spectral_gradient_raw_spread": variable(dims, raw_spread, f"standard deviation of the {name}", unit),
        "spectral_gradient_density": variable(dims, mean / width, density, density_unit),
        "spectral_gradient_density_spread": variable(
            dims, deviation / width, f"deviation of the {density}", density_unit
        ),
        "spectral_support": variable(dims, flags, "2 supported, 1 weak, 0 unsupported by the variation of spectra"),
        "off_manifold_share": variable("sample", spaces.share_off(raw), "share of the raw gradient off the data"),
        "manifold_dimension": variable("sample", spaces.dimension, "directions in which spectra vary"),
        "pinned": variable("axis", pinned.any(0).astype(np.int8), "held at one value in many samples"),
        "channel_width": variable("axis", width, "length of axis of each channel", library.axis_unit or "1"),
    }
    same = np.array_equal(library.compositions, measured.compositions)
    design = response.design if same else None
    changes = peak_changes(library, response.corrected, response.noise, (raw != 0).any(0), held=held, design=design)
    stacks = [projected]
    if errors is not None and errors.features.spectrum is not None:
        features = spaces.project(errors.features.spectrum)
        error = np.hypot(deviation, errors.along(features))
        result["spectral_gradient_error"] = variable(dims, error, f"standard error of the {name}, projected", unit)
        stacks.append(features)
    if members:
        result["spectral_gradient_members"] = variable(f"model {dims}", projected, f"{name}, of each model", unit)
    if changes is None:
        return result
    if each_part is not None and each_part.spectrum is not None:
        stacks.append(spaces.project(each_part.spectrum))
    each, *others = changes.carried_each(stacks)
    posterior = None
    if errors is not None and errors.features.spectrum is not None:
        posterior = errors.along(others[0])
    result |= _peaks(changes, each, posterior, (model.unit_, library.axis_unit or library.axis_name), members=members)
    if each_part is not None and each_part.spectrum is not None:
        words = "gradient with respect to a band of the spectrum, by each model"
        of_parts = others[-1].astype(np.float32)
        result["peak_gradient_by_part"] = variable("part sample peak", of_parts, words, "see peak_unit")
    return result


def _peaks(
    changes: PeakChanges, each: Array, posterior: Array | None, units: tuple[str, str], *, members: bool
) -> Variables:
    """Bands of the spectrum, and gradients with respect to their changes, of shape (m, n, Q)."""
    what = np.array(changes.whats)
    of_value = np.where(what == "area", "% of its mean", units[1])
    of_gradient = [per(units[0], "%" if one == "area" else units[1]) for one in changes.whats]
    partner = np.array([changes.names[k] if k >= 0 else "" for k in changes.partner])
    name, dims = "gradient of the figure of merit with respect to a band of the spectrum", "sample peak"
    result = {
        "peak": xr.Variable("peak", np.array(changes.names), {"long_name": "change of a band of the spectrum"}),
        "peak_what": xr.Variable("peak", what, {"long_name": "shift, width, area or splitting"}),
        "peak_unit": xr.Variable("peak", np.array(of_gradient), {"long_name": f"unit of the {name}"}),
        "peak_value_unit": xr.Variable("peak", of_value, {"long_name": "unit of the value"}),
        "peak_with": xr.Variable("peak", partner, {"long_name": "change that this one goes with most"}),
        "peak_value": variable(dims, changes.values, "position, width, area or splitting", "see peak_value_unit"),
        "peak_value_error": variable(dims, changes.errors, "standard error of peak_value", "see peak_value_unit"),
        "peak_gradient": variable(dims, each.mean(0), name, "see peak_unit"),
        "peak_gradient_spread": variable(dims, spread(each), f"standard deviation of the {name}", "see peak_unit"),
        "peak_support": variable("peak", changes.flags, "2 supported, 1 weak, 0 unsupported by changes of spectra"),
        "peak_reliability": variable("peak", changes.reliability, "share of the variance that is not noise"),
        "peak_correlation": variable("peak", changes.correlation, "correlation with peak_with"),
    }
    if posterior is not None:
        error = np.hypot(spread(each), posterior)
        result["peak_gradient_error"] = variable(dims, error, f"standard error of the {name}", "see peak_unit")
    if members:
        result["peak_gradient_members"] = variable(f"model {dims}", each, f"{name}, of each model", "see peak_unit")
    return result


def shares(response: CompositionResponse) -> Variables:
    """Return the shares of each channel's variance that composition, replicates and noise leave."""
    return {
        "unexplained_share": variable("axis", response.unexplained_share, "share of variance composition misses"),
        "replicate_share": variable("axis", response.within / response.variance, "share of variance within replicates"),
        "noise_share": variable("axis", response.noise_share, "share of variance that is noise"),
    }


def integrated(model: Response, library: MaterialsLibrary, steps: int, progress: Progress) -> Variables:
    """Return integrated gradients from the mean of the library."""
    sites = library.site_numbers
    found = integrate_gradients(
        model, library.compositions, library.spectra, sites=sites, steps=steps, progress=progress
    )
    unit, name = model.unit_, "integrated gradient from the mean of the library"
    result = {
        "integrated_composition": variable("sample component", found.composition, f"{name}, composition", unit),
        "completeness_error": variable("sample", found.error, "integrated gradients less difference", unit),
    }
    if found.spectrum is not None:
        single = found.spectrum.astype(np.float32)
        result["integrated_spectrum"] = variable("sample axis", single, f"{name}, channel", unit)
    return result


def _merit(model: Response, library: MaterialsLibrary) -> Array:
    """The figure of merit on the model's scale; NaN throughout where the library has not measured it."""
    if model.target_ not in library.merits:
        return np.full(len(library), np.nan)
    return learned_target(model).values(library)


def _variance(covariance: Array, rays: Array) -> Array:
    """Variances along rays (schemes, n, D, D) of gradients with covariances (n, D, D), shape (schemes, n, D)."""
    found: Array = np.einsum("snkj,nji,snki->snk", rays, covariance, rays, optimize=True)
    return np.maximum(found, 0)


def _moments(values: Single) -> tuple[Single, Single]:
    """Mean and standard deviation over models, a few samples at a time."""
    mean, deviation = (np.empty(values.shape[1:], np.float32) for _ in range(2))
    for start in range(0, values.shape[1], _BLOCK):
        block = values[:, start : start + _BLOCK].astype(np.float64)
        mean[start : start + _BLOCK], deviation[start : start + _BLOCK] = block.mean(0), spread(block)
    return mean, deviation
