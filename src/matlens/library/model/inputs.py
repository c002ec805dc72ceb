"""What a model sees of a sample, and the way back from there to fractions and file intensities."""

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


_MOST = 100  # principal components kept; methods take as many of the first ones as serve them


@dataclass(frozen=True)
class Blocks:
    """How many columns of the encoded rows are of the composition (the first ones) and how many of the spectrum."""

    composition: int
    spectrum: int


@dataclass(frozen=True, eq=False)
class Inputs:
    """Fractions and prepared spectra, as they are or standardised.

    Attributes
    ----------
    middle : ndarray, shape (D,), or None
    factor : ndarray, shape (D, K), or None
        Fractions enter as K sums (fractions - middle) factor; None where the composition is not used.
    mean : ndarray, shape (C',), or None
        Taken off the prepared spectrum; None where the spectrum is not used.
    loadings : ndarray, shape (k, C'), or None
        What is left enters as scores along them; None: as it is.
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
    def plain(
        cls, library: MaterialsLibrary, composition: bool, spectrum: bool, preprocessing: Preprocessing
    ) -> Inputs:
        """Fractions and prepared intensities as they are.

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
        """Fractions standardised one by one, and principal components of the spectra: what baselines see.

        Each block has total variance 1, so that neither drowns the other. Fractions are standardised each by itself,
        for a few percent of an alloying element matter as much as tens of percent of a host; a component that never
        varies counts nothing. Principal components keep their variances.

        Examples
        --------
        >>> library = MaterialsLibrary([[1, 0], [0, 1]], ("A", "B"), {"P": [1, 2]})
        >>> seen = Inputs.standardised(library, True, False, Preprocessing())
        >>> seen.rows(library.compositions, None).round(3).tolist()
        [[0.707, -0.707], [-0.707, 0.707]]
        """
        middle = factor = mean = loadings = axis = None
        if composition:
            middle, spread = library.compositions.mean(0), library.compositions.std(0)
            varies = spread > 1e-9
            factor = np.where(varies, 1 / np.where(varies, spread, 1), 0) / np.sqrt(max(int(varies.sum()), 1))
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
        """Fractions standardised one by one; spectra as scores of their first ``most`` principal components.

        ``power`` says how much of their differences in spread the scores keep: 1 all of it, 0 none (each has spread
        1, and noise counts as much as structure). The first one has spread 1 in any case.
        """
        found = cls.standardised(library, composition, spectrum, preprocessing)
        factor, loadings = found.factor, found.loadings
        if factor is not None:
            factor = factor * np.sqrt(max(int((factor > 0).sum()), 1))
        if loadings is not None:
            loadings = loadings[:most]
            spread = found.rows(library.compositions, library.spectra)[:, found.blocks.composition :].std(0)
            spread = np.maximum(spread, 1e-12)[:most]
            loadings = loadings * ((spread / spread[0]) ** power / spread)[:, None]
        return replace(found, factor=factor, loadings=loadings)

    def rescaled(self, factors: Array) -> Inputs:
        """The same with each input multiplied by a factor, shape (features of composition and spectrum,)."""
        count = 0 if self.factor is None else self.factor.shape[1]
        return replace(
            self,
            factor=None if self.factor is None else self.factor * factors[:count],
            loadings=None if self.loadings is None else self.loadings * factors[count:, None],
        )

    def with_sums(self, sums: Array) -> Inputs:
        """The same with weighted sums of the inputs of composition behind them, weights of shape (K, R)."""
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
        """Inputs of the networks' branches, float32, each of shape (n, features).

        Raises
        ------
        InputError
            If spectra are needed and not given, or have another number of channels.
        """
        found = self._parts(compositions, spectra)
        return {name: torch.from_numpy(value.astype(np.float32)).to(device) for name, value in found.items()}

    def rows(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Array:
        """Inputs side by side in double precision, shape (n, features of composition and spectrum)."""
        return np.concatenate(list(self._parts(compositions, spectra).values()), axis=1)

    @property
    def blocks(self) -> Blocks:
        """Features of each kind."""
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
        self, slopes: Mapping[str, Tensor], compositions: ArrayLike, spectra: ArrayLike | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Turn slopes of shape (m, n, features) into those of fractions, (m, n, D), and intensities, (m, n, C).

        Slopes in the spectrum are those of float32 tensors, so that those of all members fit into memory.
        """
        members = len(next(iter(slopes.values())))
        of_fractions = np.zeros((members, *np.shape(compositions)), dtype=np.float32)
        if self.factor is not None:
            of_fractions[:] = slopes["composition"].cpu().numpy() @ self.factor.T.astype(np.float32)
        if self.mean is None:
            return of_fractions, None
        given = torch.from_numpy(self._checked(spectra).astype(np.float32))  # a copy: a library's arrays are read-only
        of_spectra = np.empty((members, *given.shape), dtype=np.float32)
        loadings = None if self.loadings is None else torch.from_numpy(self.loadings).float()
        for member, slope in enumerate(slopes["spectrum"]):
            prepared = slope.cpu() if loadings is None else slope.cpu() @ loadings
            of_spectra[member] = self.preprocessing.pull_back(prepared, given, self._axis()).numpy()
        return of_fractions, of_spectra

    def arrays(self) -> Arrays:
        """Everything but the preprocessing, as arrays."""
        there = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in there.items() if isinstance(value, np.ndarray)}

    @classmethod
    def from_arrays(cls, arrays: Arrays, preprocessing: Preprocessing) -> Inputs:
        """Make it again from what `arrays` gave."""
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
    """Mean spectrum (C',) and loadings (k, C') that give scores of total variance 1 in all channels together."""
    total = float(np.sqrt(prepared.var(axis=0).sum()))
    if total <= 1e-12 * float(np.abs(prepared).max(initial=0)) or total == 0:
        return prepared.mean(0), np.zeros((1, prepared.shape[1]))  # spectra all alike tell nothing
    kept = min(_MOST, len(prepared) - 1, prepared.shape[1])
    found = PCA(kept, svd_solver="auto", iterated_power=7, random_state=0).fit(prepared)
    return found.mean_, found.components_ / total
