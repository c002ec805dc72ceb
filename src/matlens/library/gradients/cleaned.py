"""Libraries without the spikes that a model's preprocessing removes."""

from __future__ import annotations

import torch

from matlens.library.spectra import Despike, Preprocessing
from matlens.library.table import MaterialsLibrary

__all__ = ["without_spikes"]


def without_spikes(library: MaterialsLibrary, preprocessing: Preprocessing | None) -> MaterialsLibrary:
    """Remove spikes from the spectra of a library, if a model's preprocessing does so.

    What a model says is not changed by this. What is made of the spectra beside it would be: directions in which they
    vary, and the spectrum of a composition, would follow the spikes.

    Parameters
    ----------
    library : MaterialsLibrary
        Library with or without spectra.
    preprocessing : Preprocessing or None
        Preprocessing of the model.

    Returns
    -------
    MaterialsLibrary
        The library, with its own spectra if the preprocessing removes no spikes.

    Examples
    --------
    >>> import numpy as np
    >>> bands = np.sin(np.arange(60) / 8) + np.zeros((2, 1))
    >>> bands[0, 20] += 50
    >>> library = MaterialsLibrary([[1.0]] * 2, ("A",), {}, {}, bands, np.arange(60.0))
    >>> bool(without_spikes(library, Preprocessing([Despike()])).spectra.max() < 2)
    True
    """
    steps = [] if preprocessing is None else [step for step in preprocessing.steps if isinstance(step, Despike)]
    if library.spectra is None or library.axis is None or not steps:
        return library
    spectra = torch.tensor(library.spectra)
    for step in steps:
        spectra = step(spectra, library.axis)[0]
    return library.with_spectra(spectra.numpy(), library.axis)
