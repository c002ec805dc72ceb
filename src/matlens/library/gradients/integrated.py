"""Integrated gradients along a path on the simplex: what of a prediction each component and channel accounts for."""

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
    """Attributions of the difference of predictions between samples and a reference.

    Parameters
    ----------
    composition : ndarray, shape (n, D)
        Share of each component, in the unit of the figure of merit.
    spectrum : ndarray, shape (n, C), or None
        Share of each channel.
    difference : ndarray, shape (n,)
        Mean prediction of the sample less that of the reference.
    error : ndarray, shape (n,)
        Sum of all shares less the difference: what integration misses.
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
    steps: int = 8,
    progress: Progress | None = None,
) -> Integrated:
    """Integrate gradients along the straight line from a reference to each sample.

    The line stays on the simplex. A component is credited with its growth times (g_k - x.g), the derivative when the
    mixture makes room for it: the shares still sum to the difference, since the growths sum to 0, and nothing that
    the model does off the simplex has a part in them.

    Parameters
    ----------
    model : Response
        Fitted.
    compositions : array_like, shape (n, D)
    spectra : array_like, shape (n, C), optional
        Needed where the model uses them.
    reference : tuple of array_like, optional
        Composition, shape (D,), and spectrum, shape (C,) or None; by default the means of those given.
    steps : int
        Gradients taken along the line (Gauss-Legendre).
    progress : Progress, optional
        Called with steps done and total.

    Returns
    -------
    Integrated

    Raises
    ------
    InputError
        If there are no steps.

    Notes
    -----
    After Sundararajan, Taly and Yan, Axiomatic attribution for deep networks, ICML 2017.

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
    components, channels = np.zeros_like(x), None if light is None else np.zeros_like(light)
    for done, (node, weight) in enumerate(zip((nodes + 1) / 2, weights / 2, strict=True), start=1):
        here = x - (1 - node) * grown
        found = model.gradients(here, None if light is None or brighter is None else light - (1 - node) * brighter)
        slope = found.composition.mean(0, dtype=np.float64)
        components += weight * grown * (slope - (here * slope).sum(1, keepdims=True))
        if channels is not None and brighter is not None and found.spectrum is not None:
            channels += weight * brighter * found.spectrum.mean(0, dtype=np.float64)
        progress.update(done, "steps")
    progress.end()
    there = model.respond(x, light).mean(0)
    here = model.respond(x - grown, None if light is None or brighter is None else light - brighter).mean(0)
    whole = components.sum(1) + (0 if channels is None else channels.sum(1))
    return Integrated(components, channels, there - here, whole - (there - here))
