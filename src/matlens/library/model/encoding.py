"""What baselines see of a sample: standardised fractions, and principal components of the prepared spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA

from matlens.errors import InputError
from matlens.library.spectra import Preprocessing
from matlens.library.table import MaterialsLibrary

__all__ = ["Blocks", "Encoder"]

Array = NDArray[np.float64]
# docs/decisions/0033-reference-models-of-libraries.md
_MOST = 100  # principal components kept; methods take as many of the first ones as serve them


@dataclass(frozen=True)
class Blocks:
    """How many columns of the encoded rows are of the composition (the first ones) and how many of the spectrum."""

    composition: int
    spectrum: int


@dataclass(frozen=True, eq=False)
class Encoder:
    """Turns samples into rows of numbers, and gradients of these into gradients of fractions and intensities.

    Each block has total variance 1, so that neither drowns the other. Fractions are standardised each by itself, for
    a few percent of an alloying element matter as much as tens of percent of a host; a component that never varies
    counts nothing. Principal components keep their variances.

    Attributes
    ----------
    middle, factor : ndarray, shape (D,)
        A fraction enters as (fraction - middle) factor.
    mean : ndarray, shape (C',), or None
        Mean prepared spectrum.
    loadings : ndarray, shape (k, C'), or None
        Scores are loadings times what is left after the mean.
    axis : ndarray, shape (C,), or None
        Of the spectra as in the file.
    preprocessing : Preprocessing
        From the file's intensities to the prepared ones.
    """

    middle: Array | None
    factor: Array | None
    mean: Array | None
    loadings: Array | None
    axis: Array | None
    preprocessing: Preprocessing

    @classmethod
    def of(
        cls, library: MaterialsLibrary, composition: bool, spectrum: bool, preprocessing: Preprocessing | None
    ) -> Encoder:
        """Fit on the samples given, and nothing else.

        Examples
        --------
        >>> library = MaterialsLibrary([[1, 0], [0, 1]], ("A", "B"), {"P": [1, 2]})
        >>> encoder = Encoder.of(library, True, False, None)
        >>> encoder(library.compositions, None).round(3).tolist()
        [[0.707, -0.707], [-0.707, 0.707]]
        """
        chain = preprocessing or Preprocessing()
        middle = factor = mean = loadings = axis = None
        if composition:
            middle, spread = library.compositions.mean(0), library.compositions.std(0)
            varies = spread > 1e-9
            factor = np.where(varies, 1 / np.where(varies, spread, 1), 0) / np.sqrt(max(int(varies.sum()), 1))
        if spectrum and library.axis is not None and library.spectra is not None:
            axis = library.axis
            mean, loadings = _components(chain.transform(library.spectra, axis)[0])
        return cls(middle, factor, mean, loadings, axis, chain)

    @property
    def blocks(self) -> Blocks:
        """Columns of each kind."""
        return Blocks(
            0 if self.factor is None else len(self.factor), 0 if self.loadings is None else len(self.loadings)
        )

    def __call__(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Array:
        """Encode n samples, shape (n, D + k)."""
        parts = []
        if self.middle is not None and self.factor is not None:
            parts.append((np.asarray(compositions, dtype=np.float64) - self.middle) * self.factor)
        if self.mean is not None and self.loadings is not None:
            if spectra is None or self.axis is None or np.shape(spectra)[-1] != len(self.axis):
                raise InputError(
                    f"the model learned from spectra of {0 if self.axis is None else len(self.axis)} channels and was "
                    f"given {'none' if spectra is None else np.shape(spectra)[-1]}; give spectra on the same axis."
                )
            prepared, _ = self.preprocessing.transform(spectra, self.axis)
            parts.append((prepared - self.mean) @ self.loadings.T)
        return np.concatenate(parts, axis=1)

    def back(self, gradient: Array, compositions: ArrayLike, spectra: ArrayLike | None) -> tuple[Array, Array | None]:
        """Turn gradients of shape (n, D + k) into those of fractions, (n, D), and of file intensities, (n, C)."""
        count = self.blocks.composition
        of_fractions = np.zeros(np.shape(compositions))
        if self.factor is not None:
            of_fractions = gradient[:, :count] * self.factor
        if self.loadings is None or self.axis is None:
            return of_fractions, None
        prepared: Any = torch.as_tensor(gradient[:, count:] @ self.loadings)
        start = torch.tensor(np.asarray(spectra), dtype=torch.float64)
        return of_fractions, self.preprocessing.pull_back(prepared, start, self.axis).numpy()


def _components(prepared: Array) -> tuple[Array, Array]:
    """Mean spectrum (C',) and loadings (k, C') that give scores of total variance 1 in all channels together."""
    total = float(np.sqrt(prepared.var(axis=0).sum()))
    if total <= 1e-12 * float(np.abs(prepared).max(initial=0)) or total == 0:
        return prepared.mean(0), np.zeros((1, prepared.shape[1]))  # spectra all alike tell nothing
    kept = min(_MOST, len(prepared) - 1, prepared.shape[1])
    found = PCA(kept, svd_solver="auto", iterated_power=7, random_state=0).fit(prepared)
    return found.mean_, found.components_ / total
