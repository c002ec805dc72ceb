"""Inputs of models: scaled fractions and spectra, and the chain rule from there to fractions and file intensities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from torch import Tensor

from matlens.errors import InputError
from matlens.hooks import Arrays
from matlens.library.spectra import Preprocessing
from matlens.library.table import MaterialsLibrary

__all__ = ["Blocks", "Inputs"]

Array = NDArray[np.float64]


_MOST = 100  # principal components that are computed; methods choose how many of the first ones they use


@dataclass(frozen=True)
class Blocks:
    """Number of input columns of the composition (the first ones) and of the spectrum.

    Parameters
    ----------
    composition : int
        Columns of the composition.
    spectrum : int
        Columns of the spectrum.
    """

    composition: int
    spectrum: int


@dataclass(frozen=True, eq=False)
class Inputs:
    """Linear maps from fractions and preprocessed spectra to inputs of a model.

    Attributes
    ----------
    middle : ndarray, shape (D,), or None
        Fractions that are subtracted; None if the composition is not used.
    factor : ndarray, shape (D, K), or None
        Matrix of the inputs (fractions - middle) factor; None if the composition is not used.
    mean : ndarray, shape (C',), or None
        Spectrum that is subtracted from preprocessed spectra; None if spectra are not used.
    loadings : ndarray, shape (k, C'), or None
        Loadings of the scores that are used as inputs; None if intensities are used directly.
    axis : ndarray, shape (C,), or None
        Axis of the spectra as in the file.
    preprocessing : Preprocessing
        Preprocessing of the intensities in the file.
    """

    middle: Array | None
    factor: Array | None
    mean: Array | None
    loadings: Array | None
    axis: Array | None
    preprocessing: Preprocessing

    @classmethod
    def plain(
        cls, library: MaterialsLibrary, composition: bool, spectrum: bool, preprocessing: Preprocessing
    ) -> Inputs:
        """Use fractions and preprocessed intensities directly.

        Parameters
        ----------
        library : MaterialsLibrary
            Training samples.
        composition, spectrum : bool
            Whether each is used.
        preprocessing : Preprocessing
            Preprocessing of spectra.

        Returns
        -------
        Inputs
            Maps to the inputs.

        Examples
        --------
        >>> library = MaterialsLibrary([[1, 0], [0, 1]], ("A", "B"), {"P": [1, 2]})
        >>> Inputs.plain(library, True, False, Preprocessing())([[0.2, 0.8]], None)
        {'composition': tensor([[0.2000, 0.8000]])}
        """
        count = len(library.components)
        axis = library.axis if spectrum else None
        channels = 0 if axis is None else len(preprocessing.new_axis(axis))
        return cls(
            np.zeros(count) if composition else None,
            np.eye(count) if composition else None,
            None if axis is None else np.zeros(channels),
            None,
            axis,
            preprocessing,
        )

    @classmethod
    def standardised(
        cls, library: MaterialsLibrary, composition: bool, spectrum: bool, preprocessing: Preprocessing
    ) -> Inputs:
        """Use standardised fractions and principal components of spectra, as baselines do.

        Each block has total variance 1, so that neither dominates. Fractions are standardised one by one, because a few
        percent of an alloying element matter as much as tens of percent of a host; constant ones become 0. Principal
        components keep their relative variances.

        Parameters
        ----------
        library : MaterialsLibrary
            Training samples.
        composition, spectrum : bool
            Whether each is used.
        preprocessing : Preprocessing
            Preprocessing of spectra.

        Returns
        -------
        Inputs
            Maps to the inputs.

        Examples
        --------
        >>> library = MaterialsLibrary([[1, 0], [0, 1]], ("A", "B"), {"P": [1, 2]})
        >>> seen = Inputs.standardised(library, True, False, Preprocessing())
        >>> seen.rows(library.compositions, None).round(3).tolist()
        [[0.707, -0.707], [-0.707, 0.707]]
        """
        middle = factor = mean = loadings = axis = None
        if composition:
            middle, deviation = library.compositions.mean(0), library.compositions.std(0)
            varies = deviation > 1e-9
            factor = np.where(varies, 1 / np.where(varies, deviation, 1), 0) / np.sqrt(max(int(varies.sum()), 1))
            factor = np.diag(factor)
        if spectrum and library.axis is not None and library.spectra is not None:
            axis = library.axis
            mean, loadings = _components(preprocessing.transform(library.spectra, axis)[0])
        return cls(middle, factor, mean, loadings, axis, preprocessing)

    @classmethod
    def scores(
        cls,
        library: MaterialsLibrary,
        composition: bool,
        spectrum: bool,
        preprocessing: Preprocessing,
        *,
        most: int,
        power: float,
    ) -> Inputs:
        """Use standardised fractions and scores of the first principal components of spectra.

        Parameters
        ----------
        library : MaterialsLibrary
            Training samples.
        composition, spectrum : bool
            Whether each is used.
        preprocessing : Preprocessing
            Preprocessing of spectra.
        most : int
            Greatest number of principal components.
        power : float
            Exponent of the standard deviations of the scores relative to the first one: 1 keeps them, 0 sets all to 1,
            so that noise counts as much as structure. The first score always has standard deviation 1.

        Returns
        -------
        Inputs
            Maps to the inputs.
        """
        found = cls.standardised(library, composition, spectrum, preprocessing)
        factor, loadings = found.factor, found.loadings
        if factor is not None:
            factor = factor * np.sqrt(max(int((factor > 0).sum()), 1))
        if loadings is not None:
            loadings = loadings[:most]
            deviation = found.rows(library.compositions, library.spectra)[:, found.blocks.composition :].std(0)
            deviation = np.maximum(deviation, 1e-12)[:most]
            loadings = loadings * ((deviation / deviation[0]) ** power / deviation)[:, None]
        return replace(found, factor=factor, loadings=loadings)

    def rescaled(self, factors: Array) -> Inputs:
        """Return a copy in which each input is multiplied by a factor; ``factors`` has shape (features,)."""
        count = 0 if self.factor is None else self.factor.shape[1]
        return replace(
            self,
            factor=None if self.factor is None else self.factor * factors[:count],
            loadings=None if self.loadings is None else self.loadings * factors[count:, None],
        )

    def with_sums(self, sums: Array) -> Inputs:
        """Return a copy with R weighted sums of the composition inputs as further inputs; ``sums`` has shape (K, R)."""
        if self.factor is None:
            return self
        return replace(self, factor=np.concatenate([self.factor, self.factor @ sums], axis=1))

    @property
    def uses_composition(self) -> bool:
        """Whether the composition is used."""
        return self.middle is not None

    @property
    def uses_spectrum(self) -> bool:
        """Whether the spectrum is used."""
        return self.mean is not None

    def __call__(
        self, compositions: ArrayLike, spectra: ArrayLike | None, device: str | torch.device = "cpu"
    ) -> dict[str, Tensor]:
        """Compute the inputs of composition and spectrum in single precision.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        spectra : array_like, shape (n, C), or None
            Intensities as in the file.
        device : str or torch.device
            Device of the tensors.

        Returns
        -------
        dict of str to Tensor, shape (n, features)
            Inputs under "composition" and "spectrum".

        Raises
        ------
        InputError
            If fractions or spectra are missing or have another number of components or channels.
        """
        found = self._parts(compositions, spectra)
        return {name: torch.from_numpy(value.astype(np.float32)).to(device) for name, value in found.items()}

    def rows(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Array:
        """Return all inputs side by side in double precision, shape (n, features)."""
        return np.concatenate(list(self._parts(compositions, spectra).values()), axis=1)

    @property
    def blocks(self) -> Blocks:
        """Number of inputs of each kind."""
        return Blocks(
            0 if self.factor is None else self.factor.shape[1], 0 if self.loadings is None else len(self.loadings)
        )

    def _parts(self, compositions: ArrayLike, spectra: ArrayLike | None) -> dict[str, Array]:
        found = {}
        if self.middle is not None and self.factor is not None:
            given = np.asarray(compositions, dtype=np.float64)
            if given.ndim != 2 or given.shape[1] != len(self.middle):
                raise InputError(
                    f"the model learned from {len(self.middle)} components and was given fractions of shape "
                    f"{given.shape}; give the same components."
                )
            found["composition"] = (given - self.middle) @ self.factor
        if self.mean is not None:
            prepared = self.preprocessing.transform(self._checked(spectra), self._axis())[0] - self.mean
            found["spectrum"] = prepared if self.loadings is None else prepared @ self.loadings.T
        return found

    def back(
        self, gradients: Mapping[str, Tensor], compositions: ArrayLike, spectra: ArrayLike | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Carry gradients from the inputs back to fractions and file intensities by the chain rule.

        Single precision keeps the spectral gradients of all members in memory.

        Parameters
        ----------
        gradients : mapping of str to Tensor, shape (m, n, features)
            Derivatives with respect to the inputs of composition and spectrum.
        compositions : array_like, shape (n, D)
            Fractions.
        spectra : array_like, shape (n, C), or None
            Intensities as in the file.

        Returns
        -------
        composition : ndarray of float32, shape (m, n, D)
            Derivatives with respect to fractions; 0 if the composition is not used.
        spectrum : ndarray of float32, shape (m, n, C), or None
            Derivatives with respect to intensities; None if spectra are not used.
        """
        members = len(next(iter(gradients.values())))
        of_fractions = np.zeros((members, *np.shape(compositions)), dtype=np.float32)
        if self.factor is not None:
            of_fractions[:] = gradients["composition"].cpu().numpy() @ self.factor.T.astype(np.float32)
        if self.mean is None:
            return of_fractions, None
        given = torch.from_numpy(self._checked(spectra).astype(np.float32))  # a copy: a library's arrays are read-only
        of_spectra = np.empty((members, *given.shape), dtype=np.float32)
        loadings = None if self.loadings is None else torch.from_numpy(self.loadings).float()
        back = self.preprocessing.puller(given, self._axis())
        for member, gradient in enumerate(gradients["spectrum"]):
            prepared = gradient.cpu() if loadings is None else gradient.cpu() @ loadings
            of_spectra[member] = back(prepared).numpy()
        return of_fractions, of_spectra

    def arrays(self) -> Arrays:
        """Return all parameters as arrays, except the preprocessing."""
        there = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in there.items() if isinstance(value, np.ndarray)}

    @classmethod
    def from_arrays(cls, arrays: Arrays, preprocessing: Preprocessing) -> Inputs:
        """Inverse of `arrays`."""
        blank: dict[str, Any] = {field.name: None for field in fields(cls)}
        return replace(cls(**blank), **{**arrays, "preprocessing": preprocessing})  # type: ignore[arg-type]

    def _axis(self) -> Array:
        return np.zeros(0) if self.axis is None else self.axis

    def _checked(self, spectra: ArrayLike | None) -> Array:
        wanted = len(self._axis())
        if spectra is None or np.ndim(spectra) != 2 or np.shape(spectra)[1] != wanted:
            found = "none" if spectra is None else f"an array of shape {np.shape(spectra)}"
            raise InputError(
                f"the model learned from spectra of {wanted} channels and was given {found}; give spectra on the same "
                "axis."
            )
        return np.asarray(spectra, dtype=np.float64)


def _components(prepared: Array) -> tuple[Array, Array]:
    """Mean spectrum, shape (C',), and loadings, shape (k, C'), whose scores have a total variance of 1."""
    total = float(np.sqrt(prepared.var(axis=0).sum()))
    if total <= 1e-12 * float(np.abs(prepared).max(initial=0)) or total == 0:
        return prepared.mean(0), np.zeros((1, prepared.shape[1]))  # all spectra are equal
    kept = min(_MOST, len(prepared) - 1, prepared.shape[1])
    found = PCA(kept, svd_solver="auto", iterated_power=7, random_state=0).fit(prepared)
    return found.mean_, found.components_ / total
