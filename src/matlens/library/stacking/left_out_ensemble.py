"""Ensemble that is trained for the samples it leaves out, in a share of the time."""

from __future__ import annotations

from matlens.library.model import LibraryModel

__all__ = ["LeftOutEnsemble"]


class LeftOutEnsemble(LibraryModel):
    """`LibraryModel` that finds its length scales once, from 400 of its samples, if it has more.

    All else is learned from all of them. A mixture trains fourteen such ensembles to find its weights; the ensemble
    that is mixed finds its length scales from all samples.

    Parameters are those of `LibraryModel`.

    Examples
    --------
    >>> import numpy as np
    >>> from matlens.library.table import MaterialsLibrary
    >>> a = np.linspace(0, 1, 12)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("Fe", "Pd"), {"P": 2 * a})
    >>> bool(LeftOutEnsemble(n_models=2).fit(library).score(library) > 0.99)
    True
    """

    # docs/decisions/0051-mixture-of-models.md
    _searched = 400
