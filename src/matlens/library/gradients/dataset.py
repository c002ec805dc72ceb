"""Gradients of a model of a library as one labelled data set in physical units (docs/gradients_schema.md)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from matlens.core.labelled import ShownDataset
from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.library.gradients import parts
from matlens.library.gradients.cleaned import without_spikes
from matlens.library.gradients.composition_response import CompositionResponse, fit_composition_response
from matlens.library.gradients.separability import Identifiability, identifiability
from matlens.library.gradients.simplex import SCHEMES, Hosts, default_hosts, directions
from matlens.library.gradients.support import composition_support
from matlens.library.model import Mixed, Response
from matlens.library.table import MaterialsLibrary

__all__ = ["SCHEMA_VERSION", "LibraryGradients", "explain_library"]

SCHEMA_VERSION = "1.3"
_KINDS = ("partial", "total")


class LibraryGradients(ShownDataset):  # type: ignore[no-untyped-call]
    """Gradients of a model at the samples of a library, a data set of xarray (docs/gradients_schema.md).

    Parameters
    ----------
    data_vars, coords, attrs
        As for `xarray.Dataset`; `explain_library` makes it.

    Examples
    --------
    >>> LibraryGradients({"merit": ("sample", [1.0, 2.0])}).sizes["sample"]
    2
    """

    __slots__ = ()


def explain_library(
    model: Response,
    library: MaterialsLibrary,
    *,
    hosts: Hosts = None,
    members: bool = False,
    errors: bool = True,
    integration_steps: int = 0,
    measured: MaterialsLibrary | None = None,
    response: CompositionResponse | None = None,
    progress: Progress | None = None,
) -> LibraryGradients:
    """Compute the gradients of a model at the samples of a library, with their uncertainty and support.

    Gradients of ensembles follow Umehara et al., npj Comput. Mater. 5, 34 (2019); compensation schemes keep
    compositions on the simplex (Cox, Biometrika 58, 155, 1971).

    Parameters
    ----------
    model : Response
        Fitted ensemble or baseline.
    library : MaterialsLibrary
        Samples to explain, with the components and spectral axis of the model.
    hosts : str or mapping of str to str, optional
        Host that components replace in the scheme ``exchange``: one for all, or by component. By default the component
        of the largest mean fraction.
    members : bool
        Whether to keep the gradients of each member besides mean and standard deviation.
    errors : bool
        Whether to compute standard errors of gradients, if the model provides them; this can take longer than all
        other steps.
    integration_steps : int
        Number of steps of integrated gradients; 0 leaves them out.
    measured : MaterialsLibrary, optional
        Training samples of the model, by which support is judged; by default those stored in the model, or else
        ``library``.
    response : CompositionResponse, optional
        Spectra of ``measured`` as functions of composition; fitted here by default. It does not depend on the figure of
        merit, so that several models can share one.
    progress : Progress, optional
        Called with members done and total.

    Returns
    -------
    LibraryGradients
        Variables as described in docs/gradients_schema.md, for all samples in the order of the library.

    Raises
    ------
    InputError
        If components or axis are not the model's, a host is unknown or absent from every sample, or all compositions
        are equal.

    Examples
    --------
    >>> from matlens.library.baselines import BaselineModel
    >>> w = np.linspace(0, 0.08, 9)
    >>> library = MaterialsLibrary(np.stack([1 - w, w], 1), ("V", "W"), {"P": 1 + 20 * w}, {"P": "mW/cm2"})
    >>> insight = explain_library(BaselineModel("ridge").fit(library), library)
    >>> gradient = insight.composition_gradient.sel(scheme="exchange", kind="total", component="W")
    >>> f"{float(gradient[4]):.1f} {gradient.units}, support {int(insight.support[4, 1])}"
    '0.2 mW/cm2 per at%, support 2'
    """
    progress = progress or Silent()
    measured = measured or getattr(model, "library_", None) or library
    for each in (library, measured):
        _check(model, each)
    library, measured = (without_spikes(each, model.preprocessing_) for each in (library, measured))
    sites = library.site_numbers
    host = default_hosts(measured.compositions, library.components, hosts, sites)
    rays = np.stack([directions(scheme, library.compositions, host, sites) for scheme in SCHEMES])
    seen = library.spectra if model.uses_spectrum_ else None
    found = model.gradients(library.compositions, seen, progress=progress)
    if response is None and model.uses_spectrum_:
        response = fit_composition_response(measured)
    known = by_part = None
    if errors and isinstance(model, Mixed):
        by_part = model.gradients_by_part(library.compositions, seen)
        known = model.gradient_errors(library.compositions, seen, by_part=by_part)
    elif errors and hasattr(model, "gradient_errors"):
        known = model.gradient_errors(library.compositions, seen)
    variables = parts.predictions(model, library, found, members=members)
    variables |= parts.composition_gradients(model, library, found, response, rays, known, members=members)
    if by_part is not None and isinstance(model, Mixed):
        variables |= parts.by_part(model, model.left_out_moments(), by_part, library, response, rays)
    found_support = composition_support(
        library.compositions, measured.compositions, measured.replicates(), sites=library.site_numbers
    )
    variables |= parts.composition_only(model, library, measured, response, rays, found_support.distance)
    variables = parts.with_shared_errors(variables, partial=not model.uses_spectrum_)
    variables |= parts.support(library, found_support)
    verdict = _COMPOSITION_ONLY
    if response is not None and found.spectrum is not None:
        verdict = identifiability(response, found.spectrum.mean(0, dtype=np.float64))
        # Where spectra follow composition alone, nothing varies with the composition held, and all variation counts.
        held = model.uses_composition_ and verdict.support > 0
        variables |= parts.spectral_gradients(
            model, library, measured, found.spectrum, response, known, by_part, held=held, members=members
        )
        variables |= parts.shares(response)
    if integration_steps:
        variables |= parts.integrated(model, library, integration_steps, progress)
    names = np.array(library.components)
    if library.sites:
        about = {"long_name": "site whose fractions sum to 1 by themselves"}
        variables["site"] = xr.Variable("component", np.array(library.sites), about)
    variables["exchange_host"] = xr.Variable("component", names[host], {"long_name": "host in the scheme exchange"})
    kinds = np.array([verdict.support if model.uses_composition_ else 0, 2], np.int8)
    variables["kind_support"] = parts.variable("kind", kinds, "2 identifiable, 1 weakly, 0 not")
    return _dataset(model, library, variables, verdict)


_COMPOSITION_ONLY = Identifiability(
    float("nan"), float("nan"), 2, "the model uses no spectrum: partial and total gradients are the same"
)


def _check(model: Response, library: MaterialsLibrary) -> None:
    if library.components != tuple(model.components_):
        raise InputError(
            f"found the components {', '.join(library.components)}; the model knows {', '.join(model.components_)}, "
            "in this order."
        )
    if not model.uses_spectrum_ or model.axis_ is None:
        return
    if library.axis is None:
        raise InputError("the model uses spectra, and this library has none; give a library with spectra.")
    found, known = library.axis, model.axis_
    if found.shape != known.shape or not np.allclose(found, known):
        raise InputError(
            f"found spectra of {found.size} channels from {found[0]:g} to {found[-1]:g}; the model knows {known.size} "
            f"from {known[0]:g} to {known[-1]:g}; resample them to the model's axis."
        )


def _dataset(
    model: Response, library: MaterialsLibrary, variables: parts.Variables, verdict: Identifiability
) -> LibraryGradients:
    names = list(library.components)
    coordinates: dict[str, object] = {
        "scheme": list(SCHEMES),
        "kind": list(_KINDS),
        "sample": list(library.samples),
        "component": names,
        "other": names,
    }
    if isinstance(model, Mixed) and "held_out_moments" in variables:
        coordinates["part"] = list(model.parts_)
    if model.uses_spectrum_ and library.axis is not None:
        about = {"long_name": library.axis_name, "units": library.axis_unit or "1"}
        coordinates["axis"] = xr.Variable("axis", library.axis, about)
    data = LibraryGradients(variables, coordinates)
    data.attrs = {
        "title": f"gradients of {model.target_}",
        "schema_version": SCHEMA_VERSION,
        "target": model.target_,
        "unit": model.unit_,
        "fraction_name": library.fraction_name,
        "members": int(model.members_),
        "uses_composition": int(model.uses_composition_),
        "uses_spectrum": int(model.uses_spectrum_),
        "spread": "standard deviation over the models of the ensemble; its coverage was not measured",
        "resample": _resample(model),
        "unexplained": verdict.unexplained,
        "identifiability": verdict.sentence,
        "total_check": _total_check(data),
    }
    if "held_out_moments" in data:
        data.attrs["held_out_compositions"] = int(data["held_out_moments"].attrs.pop("compositions"))
    return data


def _resample(model: Response) -> str:
    """Return how the training samples of members were drawn, which decides what their standard deviation means."""
    return str(getattr(model, "resample_", "none"))  # baselines have one member, which sees all samples


def _total_check(data: xr.Dataset) -> str:
    """Compare total gradients with those of composition alone, where they are supported."""
    total = data["composition_gradient"].sel(scheme="dilution", kind="total").to_numpy()
    alone = data["composition_only_gradient"].sel(scheme="dilution").to_numpy()
    rows = (data["support"].to_numpy() == 2) & np.isfinite(total) & np.isfinite(alone)
    if rows.sum() < 3:
        return "too few supported directions to compare total gradients with those of composition alone"
    first, second = _centred(total[rows]), _centred(alone[rows])
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    r = float((first * second).sum() / scale) if scale > 0 else float("nan")
    sign = float((np.sign(total[rows]) == np.sign(alone[rows])).mean())
    return (
        f"in {int(rows.sum())} supported directions (dilution) total gradients and those of a Gaussian process on "
        f"composition alone correlate with r = {r:.2f}; {100 * sign:.0f} % have the same sign"
    )


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = values - values.mean()
    return result
