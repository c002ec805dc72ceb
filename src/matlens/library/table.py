"""The common data structure of the library side: compositions, spectra and figures of merit, a row for each sample."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from matlens.core.display import Shown
from matlens.errors import InputError

__all__ = ["CLOSURE", "PRESENT", "MaterialsLibrary", "array_digest", "named"]

CLOSURE = 1e-6  # allowed deviation of a row's sum from 1; readers renormalise rows, this only catches mistakes
PRESENT = 1e-9  # smallest fraction of a component that is present

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class MaterialsLibrary(Shown):
    """Compositions, spectra and figures of merit of n samples.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions; each row sums to 1. A component that is zero in all samples is kept.
    components : sequence of str
        Names of the D components.
    merits : DataFrame or mapping of str to array_like, shape (n,)
        Figures of merit; NaN where a sample was not measured.
    merit_units : mapping of str to str
        Unit of each figure of merit; "" where unknown.
    spectra : array_like, shape (n, C), optional
        Intensities, as in the file.
    axis : array_like, shape (C,), optional
        Position of each channel, strictly ascending or descending, of any spacing.
    axis_name, axis_unit : str
        Name and unit of the axis, e.g. "Raman shift" and "cm-1".
    spectrum_name, spectrum_unit : str
        Name and unit of the intensities.
    samples : sequence of str
        One unique id for each row; by default "0" to "n-1".
    covariates : DataFrame, optional
        Other facts about the samples (plate, x, y, thickness, batch), n rows, of any type.
    censored : DataFrame, shape (n, M), optional
        1 where the true value lies above the one in ``merits``, -1 where it lies below, 0 where it was measured.
    fraction_name : str
        Name of a hundredth of a fraction: "at%" or "%".
    notes : sequence of str
        Changes that reading made, in sentences.
    sites : sequence of str
        Site of each component, where the fractions of each of several sites sum to 1 by themselves, as those of A and
        of X in ABX3 do; by default all components share one.

    Raises
    ------
    InputError
        If lengths differ, names or ids repeat, fractions are negative, missing or do not sum to 1, the axis is not
        strictly monotonic, or a number is infinite; the message names rows and columns.

    Examples
    --------
    >>> fractions = [[0.5, 0.5, 0], [0.4, 0.4, 0.2]]
    >>> library = MaterialsLibrary(fractions, ("Bi", "V", "W"), {"P": [1.0, 3.0]}, {"P": "mW/cm2"})
    >>> library
    MaterialsLibrary(2 samples, Bi-V-W, P in mW/cm2, no spectra)
    >>> library.systems().tolist()
    ['Bi-V', 'Bi-V-W']
    """

    compositions: Floats
    components: tuple[str, ...]
    merits: pd.DataFrame
    merit_units: Mapping[str, str] = field(default_factory=dict)
    spectra: Floats | None = None
    axis: Floats | None = None
    axis_name: str = "channel"
    axis_unit: str = ""
    spectrum_name: str = "intensity"
    spectrum_unit: str = ""
    samples: tuple[str, ...] = ()
    covariates: pd.DataFrame = field(default_factory=pd.DataFrame)
    censored: pd.DataFrame | None = None
    fraction_name: str = "at%"
    notes: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        compositions = _numbers(self.compositions, "compositions", 2)
        samples = _ids(self.samples, len(compositions))
        components = _names(self.components, "component")
        sites = tuple(self.sites) if len(set(self.sites)) > 1 else ()
        if sites and len(sites) != len(components):
            raise InputError(f"found {len(sites)} sites for {len(components)} components; give one each.")
        merits = _merits(self.merits, samples)
        checked: dict[str, object] = {
            "samples": samples,
            "components": components,
            "sites": sites,
            "compositions": _closed(compositions, components, samples, sites),
            "merits": merits,
            "merit_units": {str(name): str(self.merit_units.get(str(name), "")) for name in merits},
            "covariates": _table(self.covariates, len(samples), "covariates"),
            "censored": _censored(self.censored, merits),
            "notes": tuple(self.notes),
        }
        if (self.spectra is None) != (self.axis is None):
            raise InputError("found spectra without an axis or an axis without spectra; give both or neither.")
        if self.axis is not None:
            axis = _axis(self.axis)
            checked |= {"axis": axis, "spectra": _spectra(self.spectra, axis, samples)}
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.compositions)

    @property
    def site_numbers(self) -> NDArray[np.intp]:
        """Number of the site of each component, shape (D,): what grows takes the place of others with its number."""
        if not self.sites:
            return np.zeros(len(self.components), dtype=np.intp)
        names = list(dict.fromkeys(self.sites))
        return np.array([names.index(site) for site in self.sites], dtype=np.intp)

    @property
    def has_spectra(self) -> bool:
        """Whether the samples have spectra."""
        return self.spectra is not None

    def merit(self, name: str | None = None) -> Floats:
        """Return a figure of merit.

        Parameters
        ----------
        name : str, optional
            Its name; not needed where there is only one.

        Returns
        -------
        ndarray of float, shape (n,)
            Values; NaN where a sample was not measured.

        Raises
        ------
        InputError
            If the name is unknown, or no name is given and there are several; the message lists the names.

        Examples
        --------
        >>> MaterialsLibrary([[1.0], [1.0]], ("Fe",), {"P": [1, 2]}).merit("P")
        array([1., 2.])
        """
        return self.merits[self.merit_name(name)].to_numpy(np.float64)

    def merit_name(self, name: str | None = None) -> str:
        """Return the name of a figure of merit after a check that it exists.

        Parameters
        ----------
        name : str, optional
            A name, also with its unit as in a column name ("P_mW_cm2"); not needed where there is only one.

        Returns
        -------
        str
            The name in this library.

        Raises
        ------
        InputError
            If the name is unknown, or no name is given and there are several; the message lists the names.

        Examples
        --------
        >>> MaterialsLibrary([[1.0]], ("Fe",), {"P": [1]}).merit_name()
        'P'
        """
        there = ", ".join(map(repr, self.merits)) or "none"
        if name is None:
            if self.merits.shape[1] != 1:
                raise InputError(
                    f"found {self.merits.shape[1]} figures of merit ({there}) where one is needed; name it."
                )
            return str(self.merits.columns[0])
        if name in self.merits:
            return name
        for merit, unit in self.merit_units.items():  # "P_mW_cm2", as a column may have been called, means P in mW/cm2
            if unit and name.startswith(merit) and _letters(name[len(merit) :]) == _letters(unit):
                return merit
        raise InputError(f"found no figure of merit {name!r}; this library has {there}.")

    def unit(self, name: str | None = None) -> str:
        """Return the unit of a figure of merit.

        Parameters
        ----------
        name : str, optional
            Its name; not needed where there is only one.

        Returns
        -------
        str
            The unit; "" where unknown.

        Raises
        ------
        InputError
            If the name is unknown, or no name is given and there are several.

        Examples
        --------
        >>> MaterialsLibrary([[1.0]], ("Fe",), {"P": [1]}, {"P": "mW"}).unit("P")
        'mW'
        """
        return self.merit_units[self.merit_name(name)]

    def censoring(self, name: str | None = None) -> NDArray[np.int8]:
        """Return which values of a figure of merit are limits only.

        Parameters
        ----------
        name : str, optional
            Its name; not needed where there is only one.

        Returns
        -------
        ndarray of int8, shape (n,)
            -1 where the true value lies below the stored one, 1 where it lies above, 0 where it was measured.

        Raises
        ------
        InputError
            If the name is unknown, or no name is given and there are several.

        Examples
        --------
        >>> MaterialsLibrary([[1.0], [1.0]], ("Fe",), {"P": [1, 10]}, censored={"P": [0, 1]}).censoring()
        array([0, 1], dtype=int8)
        """
        name = self.merit_name(name)
        if self.censored is None:
            return np.zeros(len(self), dtype=np.int8)
        return self.censored[name].to_numpy(np.int8)

    def component(self, name: str) -> int:
        """Return the column of a component in ``compositions``.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        int
            The column.

        Raises
        ------
        InputError
            If the component does not exist; the message lists the components.

        Examples
        --------
        >>> MaterialsLibrary([[1.0, 0.0]], ("Fe", "Pd"), {"P": [1]}).component("Pd")
        1
        """
        if name not in self.components:
            raise InputError(f"found no component {name!r}; this library has {', '.join(self.components)}.")
        return self.components.index(name)

    def select(self, rows: ArrayLike) -> MaterialsLibrary:
        """Return a library of some of the samples.

        Parameters
        ----------
        rows : array_like
            Indices of the samples, or a mask of n booleans.

        Returns
        -------
        MaterialsLibrary
            The selected samples, in this order.

        Raises
        ------
        InputError
            If no row, or a row twice, is selected.

        Examples
        --------
        >>> MaterialsLibrary([[1.0], [1.0]], ("Fe",), {"P": [1, 2]}).select([1]).samples
        ('1',)
        """
        chosen = np.arange(len(self))[np.asarray(rows)]
        return replace(
            self,
            compositions=self.compositions[chosen],
            merits=self.merits.iloc[chosen],
            spectra=None if self.spectra is None else self.spectra[chosen],
            samples=tuple(self.samples[row] for row in chosen),
            covariates=self.covariates.iloc[chosen],
            censored=None if self.censored is None else self.censored.iloc[chosen],
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of samples and number of components."""
        return len(self), len(self.components)

    def __getitem__(self, rows: Any) -> MaterialsLibrary:
        """Some of the samples, by number, range, list of numbers or mask; scikit-learn takes folds so."""
        if isinstance(rows, tuple):  # library[rows, ...]
            rows = rows[0]
        return self.select(np.atleast_1d(np.arange(len(self))[rows]))

    def to_frame(self) -> pd.DataFrame:
        """Return the library as one table, which `matlens.read_library` reads again.

        Returns
        -------
        DataFrame
            A row for each sample, with its id as index: fractions, figures of merit with their units in the names,
            covariates, and the intensities under their positions on the axis.

        Examples
        --------
        >>> MaterialsLibrary([[0.5, 0.5]], ("Fe", "Pd"), {"P": [1]}, {"P": "mW"}).to_frame()
                 Fe   Pd  P (mW)
        sample
        0       0.5  0.5     1.0
        """
        parts = [pd.DataFrame(self.compositions, columns=list(self.components)), self.merits, self.covariates]
        parts[1] = self.merits.rename(columns={n: f"{n} ({unit})" for n, unit in self.merit_units.items() if unit})
        if self.spectra is not None and self.axis is not None:
            parts.append(pd.DataFrame(self.spectra, columns=self.axis.tolist()))
        return pd.concat([part.reset_index(drop=True) for part in parts], axis=1).set_axis(
            pd.Index(self.samples, name="sample"), axis=0
        )

    def replicates(self, tolerance: float = 1e-4) -> NDArray[np.intp]:
        """Number the groups of samples of equal composition.

        Parameters
        ----------
        tolerance : float
            Fractions are rounded to it before they are compared.

        Returns
        -------
        ndarray of int, shape (n,)
            Group of each sample, from 0 in the order of first appearance.

        Examples
        --------
        >>> MaterialsLibrary([[0.5, 0.5], [0.1, 0.9], [0.50001, 0.49999]], ("A", "B"), {"P": [1, 2, 3]}).replicates()
        array([0, 1, 0])
        """
        # The borders of the cells are moved away from the decimal numbers in files, which would round at random there.
        cells = np.floor(self.compositions / tolerance + 0.5 + 1e-3 * np.pi)
        _, first, inverse = np.unique(cells, axis=0, return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[inverse.ravel()]

    def systems(self) -> NDArray[np.object_]:
        """Return the composition system of each sample: the names of the components present in it, e.g. "Bi-V-W".

        Returns
        -------
        ndarray of object, shape (n,)
            A name for each sample.
        """
        names = [
            "-".join(name for name, there in zip(self.components, row, strict=True) if there)
            for row in self.compositions > PRESENT
        ]
        return np.array(names, dtype=object)

    def with_spectra(self, spectra: ArrayLike, axis: ArrayLike) -> MaterialsLibrary:
        """Return the same samples with other spectra, e.g. preprocessed ones.

        Parameters
        ----------
        spectra : array_like, shape (n, C)
            Intensities.
        axis : array_like, shape (C,)
            Position of each channel.

        Returns
        -------
        MaterialsLibrary
            The new library.

        Raises
        ------
        InputError
            If spectra, axis and samples do not fit each other.

        Examples
        --------
        >>> MaterialsLibrary([[1.0]], ("Fe",), {"P": [1]}).with_spectra([[1, 2, 3]], [10, 20, 30]).has_spectra
        True
        """
        return replace(self, spectra=np.asarray(spectra), axis=np.asarray(axis))

    def without_spectra(self) -> MaterialsLibrary:
        """Return the same samples without spectra.

        Returns
        -------
        MaterialsLibrary
            The new library.

        Examples
        --------
        >>> MaterialsLibrary([[1.0]], ("Fe",), {"P": [1]}, {}, [[1.0]], [5.0]).without_spectra().has_spectra
        False
        """
        return replace(self, spectra=None, axis=None)

    def __repr__(self) -> str:
        units = [f"{name} in {unit}" if unit else name for name, unit in self.merit_units.items()]
        spectra = "no spectra"
        if self.axis is not None:
            spectra = f"{self.axis.size} channels {self.axis.min():g} to {self.axis.max():g} {self.axis_unit}".rstrip()
        numbers = self.site_numbers
        parts = ("-".join(np.array(self.components, object)[numbers == site]) for site in np.unique(numbers))
        names = " + ".join(parts)
        return f"MaterialsLibrary({len(self)} samples, {names}, {', '.join(units) or 'no merit'}, {spectra})"


def array_digest(*arrays: NDArray[np.generic] | None, about: object = None) -> str:
    """Compute the SHA-256 of arrays with their shapes, and of the representation of ``about``.

    Parameters
    ----------
    *arrays : ndarray or None
        The arrays; None is skipped.
    about : object
        Further facts, by their ``repr``.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> one, other = np.zeros((2, 3)), np.zeros((3, 2))
    >>> array_digest(one, None) == array_digest(one), array_digest(one) == array_digest(other)
    (True, False)
    """
    found = hashlib.sha256(repr(about).encode())
    for array in arrays:
        if array is not None:
            found.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def named(items: Iterable[object], most: int = 8) -> str:
    """Join names for a message.

    Parameters
    ----------
    items : iterable
        The names.
    most : int
        Largest number of names that are written out.

    Returns
    -------
    str
        The names, separated by commas, and the number of further ones.

    Examples
    --------
    >>> named(range(5), most=3)
    '0, 1, 2 and 2 more'
    """
    words = [str(item) for item in items]
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum() or letter == "%")


def _numbers(values: ArrayLike | None, what: str, ndim: int) -> Floats:
    try:
        array = np.array(values, dtype=np.float64)  # a copy: the caller's array stays the caller's
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be numbers in rows of equal length: {error}.") from error
    if array.ndim != ndim or array.size == 0:
        raise InputError(f"{what} must be a non-empty {ndim}-D array, found shape {array.shape}.")
    array.setflags(write=False)
    return array


def _names(names: Sequence[str], what: str) -> tuple[str, ...]:
    names = tuple(map(str, names))
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise InputError(f"found the {what} {named(twice)} more than once; every {what} needs a name of its own.")
    return names


def _ids(samples: Sequence[str], count: int) -> tuple[str, ...]:
    ids = tuple(map(str, samples)) if len(samples) else tuple(str(row) for row in range(count))
    if len(ids) != count:
        raise InputError(f"found {len(ids)} sample ids for {count} rows of compositions; give one a row.")
    values = pd.Series(ids)
    twice = values[values.duplicated()].unique()
    if len(twice):
        raise InputError(f"found the sample id {named(twice)} more than once; every row needs an id of its own.")
    return ids


def _closed(
    array: Floats, components: tuple[str, ...], samples: tuple[str, ...], sites: tuple[str, ...] = ()
) -> Floats:
    if array.shape[1] != len(components):
        raise InputError(
            f"found {array.shape[1]} columns of fractions for {len(components)} components; give one each."
        )
    for bad, what in ((~np.isfinite(array), "missing or infinite"), (array < 0, "negative")):
        if bad.any():
            places = [f"{samples[row]}/{components[column]}" for row, column in np.argwhere(bad)]
            raise InputError(f"found {what} fractions at (sample/component) {named(places)}; correct or leave out.")
    for site in dict.fromkeys(sites or ("",)):
        there = [k for k in range(len(components)) if not sites or sites[k] == site]
        sums = array[:, there].sum(axis=1)
        open_rows = np.flatnonzero(np.abs(sums - 1) > CLOSURE)
        if open_rows.size:
            rows = named(f"{samples[row]} ({sums[row]:.6g})" for row in open_rows)
            of = f" on site {site}" if sites else ""
            raise InputError(f"fractions{of} must sum to 1, but do not in sample {rows}; renormalise or correct them.")
    return array


def _merits(merits: pd.DataFrame | Mapping[str, ArrayLike], samples: tuple[str, ...]) -> pd.DataFrame:
    table = _table(merits, len(samples), "figures of merit")
    for name in _names(list(table.columns), "figure of merit"):
        try:
            table[name] = table[name].astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"figure of merit {name!r} must be numbers: {error}.") from error
        rows = np.flatnonzero(np.isinf(table[name].to_numpy()))
        if rows.size:
            places = named(samples[row] for row in rows)
            raise InputError(f"figure of merit {name!r} is infinite in sample {places}; correct it or leave it out.")
    return table


def _table(table: pd.DataFrame | Mapping[str, ArrayLike], count: int, what: str) -> pd.DataFrame:
    columns = {str(name): np.asarray(values) for name, values in table.items()}
    for name, values in columns.items():
        if values.shape != (count,):
            raise InputError(f"{what} must have one row for each of {count} samples, found {values.shape} in {name!r}.")
    return pd.DataFrame(columns, index=range(count))


def _censored(table: pd.DataFrame | Mapping[str, ArrayLike] | None, merits: pd.DataFrame) -> pd.DataFrame | None:
    if table is None:
        return None
    frame = _table(table, len(merits), "censoring").reindex(columns=merits.columns, fill_value=0)
    if set(table) - set(merits) or not frame.isin([-1, 0, 1]).all(axis=None):
        raise InputError("censoring must be -1 (true value below), 0 or 1 (above) for figures of merit of the library.")
    return frame.astype(np.int8)


def _axis(axis: ArrayLike) -> Floats:
    array = _numbers(axis, "the axis", 1)
    if not np.isfinite(array).all():
        raise InputError("the axis of the spectra holds missing or infinite positions; give each channel a number.")
    values, counts = np.unique(array, return_counts=True)
    if (counts > 1).any():
        raise InputError(f"the axis of the spectra has {named(values[counts > 1])} more than once; leave one out.")
    steps = np.diff(array)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise InputError("the axis of the spectra must rise or fall throughout; sort its channels.")
    return array


def _spectra(spectra: ArrayLike | None, axis: Floats, samples: tuple[str, ...]) -> Floats:
    array = _numbers(spectra, "spectra", 2)
    if array.shape != (len(samples), axis.size):
        raise InputError(
            f"found spectra of shape {array.shape} for {len(samples)} samples and an axis of {axis.size} channels; "
            "give one value for each."
        )
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        places = named(f"{samples[row]}/{axis[column]:g}" for row, column in bad)
        raise InputError(f"spectra hold missing or infinite values at (sample/channel) {places}; correct or leave out.")
    return array
