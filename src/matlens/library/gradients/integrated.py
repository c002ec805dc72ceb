"""Integrated gradients along a path on the simplex: contributions of components and channels to predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.library.model import Response

__all__ = ["Integrated", "integrate_gradients"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Integrated:
    """Contributions to the difference of predictions between samples and a reference.

    Parameters
    ----------
    composition : ndarray, shape (n, D)
        Contribution of each component, in the unit of the figure of merit.
    spectrum : ndarray, shape (n, C), or None
        Contribution of each channel, in the same unit; None if the model uses no spectra.
    difference : ndarray, shape (n,)
        Prediction (mean over members) of the sample minus that of the reference.
    error : ndarray, shape (n,)
        Sum of all contributions minus the difference, due to numerical integration.

    Examples
    --------
    >>> Integrated(np.array([[0.2, 0.3]]), None, np.array([0.5]), np.array([0.0])).composition.sum()
    np.float64(0.5)
    """

    composition: Array
    spectrum: Array | None
    difference: Array
    error: Array


def integrate_gradients(
    model: Response,
    compositions: ArrayLike,
    spectra: ArrayLike | None = None,
    *,
    reference: tuple[ArrayLike, ArrayLike | None] | None = None,
    sites: ArrayLike | None = None,
    steps: int = 8,
    progress: Progress | None = None,
) -> Integrated:
    """Integrate gradients along the straight line from a reference to each sample.

    Sundararajan, Taly and Yan, Axiomatic attribution for deep networks, ICML 2017. The line stays on the simplex. The
    contribution of a component is the integral of its growth times (g_k - x.g), which does not depend on the model off
    the simplex. Contributions still sum to the difference of predictions, because the growths sum to 0.

    Parameters
    ----------
    model : Response
        Fitted model.
    compositions : array_like, shape (n, D)
        Fractions of the samples.
    spectra : array_like, shape (n, C), optional
        Intensities as in the file; needed if the model uses spectra.
    reference : tuple of array_like, optional
        Composition, shape (D,), and spectrum, shape (C,) or None; by default the means over the samples.
    sites : array_like of int, shape (D,), optional
        Number of the site of each component; x.g is then the sum over its site. By default all share one.
    steps : int
        Number of gradients along the line (Gauss-Legendre quadrature).
    progress : Progress, optional
        Called with steps done and total.

    Returns
    -------
    Integrated
        Contributions of components and channels.

    Raises
    ------
    InputError
        If ``steps`` is below 1.

    Examples
    --------
    >>> from matlens.library.baselines import BaselineModel
    >>> from matlens.library.table import MaterialsLibrary
    >>> w = np.linspace(0, 0.08, 9)
    >>> library = MaterialsLibrary(np.stack([1 - w, w], 1), ("V", "W"), {"P": 1 + 20 * w})
    >>> found = integrate_gradients(BaselineModel("ridge").fit(library), library.compositions)
    >>> found.composition[8].round(2).tolist(), bool(abs(found.error[8]) < 1e-6)  # from W 4 % to 8 %
    ([0.05, 0.75], True)
    """
    if steps < 1:
        raise InputError(f"integration needs at least one step, found {steps}.")
    x = np.asarray(compositions, np.float64)
    light = None if spectra is None or not model.uses_spectrum_ else np.asarray(spectra, np.float64)
    start, dark = reference or (x.mean(0), None if light is None else light.mean(0))
    grown = x - np.asarray(start, np.float64)
    brighter = None if light is None else light - np.asarray(dark, np.float64)
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    progress = progress or Silent()
    progress.begin(steps, "integrated gradients")
    numbers = np.zeros(x.shape[1], np.intp) if sites is None else np.asarray(sites, np.intp)
    together = (numbers[:, None] == numbers).astype(np.float64)
    components, channels = np.zeros_like(x), None if light is None else np.zeros_like(light)
    for done, (node, weight) in enumerate(zip((nodes + 1) / 2, weights / 2, strict=True), start=1):
        here = x - (1 - node) * grown
        found = model.gradients(here, None if light is None or brighter is None else light - (1 - node) * brighter)
        gradient = found.composition.mean(0, dtype=np.float64)
        components += weight * grown * (gradient - (here * gradient) @ together)
        if channels is not None and brighter is not None and found.spectrum is not None:
            channels += weight * brighter * found.spectrum.mean(0, dtype=np.float64)
        progress.update(done, "steps")
    progress.end()
    there = model.respond(x, light).mean(0)
    here = model.respond(x - grown, None if light is None or brighter is None else light - brighter).mean(0)
    whole = components.sum(1) + (0 if channels is None else channels.sum(1))
    return Integrated(components, channels, there - here, whole - (there - here))
