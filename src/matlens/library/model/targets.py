"""Figure of merit of a model: transform, unit and training rows, with checks that something can be learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.table import MaterialsLibrary, named

__all__ = [
    "INPUTS",
    "TRANSFORMS",
    "Target",
    "Task",
    "learned_target",
    "resolve_inputs",
    "resolve_task",
    "target_of",
    "training_rows",
]

TRANSFORMS = ("none", "log10")
INPUTS = ("auto", "composition", "spectrum", "both")
_LEAST = 5  # least number of rows for training with held-out samples


@dataclass(frozen=True)
class Target:
    """Figure of merit on the scale of a model.

    Attributes
    ----------
    name : str
        Name of the figure of merit.
    unit : str
        Unit after the transform, for example ``"log10(S/cm)"``.
    transform : {"none", "log10"}
        Transform of the values in the file.
    """

    name: str
    unit: str
    transform: str

    def values(self, library: MaterialsLibrary) -> NDArray[np.float64]:
        """Return the transformed figure of merit, shape (n,); NaN where it was not measured.

        Raises
        ------
        InputError
            If the logarithm of a value that is not positive is needed.

        Examples
        --------
        >>> library = MaterialsLibrary([[1.0], [1.0]], ("Fe",), {"P": [1, 100]})
        >>> target_of(library, None, "log10").values(library)
        array([0., 2.])
        """
        found = library.merit(self.name)
        if self.transform == "none":
            return found
        bad = [library.samples[row] for row in np.flatnonzero(found <= 0)]
        if bad:
            raise InputError(
                f"{self.name!r} is not positive in sample {named(bad)}, so that it has no logarithm; leave these "
                "samples out, mark them as missing, or choose the transform 'none'."
            )
        return np.log10(found)


def target_of(library: MaterialsLibrary, name: str | None, transform: str = "none") -> Target:
    """Find a figure of merit and its unit after a transform.

    Parameters
    ----------
    library : MaterialsLibrary
        Library with figures of merit.
    name : str or None
        Name of the figure of merit; None if there is only one.
    transform : {"none", "log10"}
        Transform of the values in the file.

    Returns
    -------
    Target
        Name, unit and transform.

    Raises
    ------
    InputError
        If there is no such figure of merit or transform.

    Examples
    --------
    >>> target_of(MaterialsLibrary([[1.0]], ("Fe",), {"P": [1]}, {"P": "S/cm"}), None, "log10").unit
    'log10(S/cm)'
    """
    if transform not in TRANSFORMS:
        raise InputError(f"transform {transform!r} is not known; choose one of {', '.join(TRANSFORMS)}.")
    found, unit = library.merit_name(name), library.unit(name)
    if transform == "log10":
        unit = f"log10({unit})" if unit else "log10"
    return Target(found, unit, transform)


def resolve_inputs(library: MaterialsLibrary, inputs: str) -> tuple[bool, bool]:
    """Resolve which inputs a model uses.

    Parameters
    ----------
    library : MaterialsLibrary
        Library with or without spectra.
    inputs : {"auto", "composition", "spectrum", "both"}
        Inputs of the model; ``auto`` uses everything that the library has.

    Returns
    -------
    composition, spectrum : bool
        Whether each is used.

    Raises
    ------
    InputError
        If the option is not known, or spectra are asked for and there are none, or all are equal.

    Examples
    --------
    >>> resolve_inputs(MaterialsLibrary([[1.0]], ("Fe",), {"P": [1]}), "auto")
    (True, False)
    """
    if inputs not in INPUTS:
        raise InputError(f"inputs {inputs!r} are not known; choose one of {', '.join(INPUTS)}.")
    if inputs in ("spectrum", "both") and not library.has_spectra:
        raise InputError(f"inputs {inputs!r} need spectra, and the library has none; choose inputs 'composition'.")
    if library.spectra is not None and not np.ptp(library.spectra, axis=0).any():
        if inputs in ("spectrum", "both"):
            raise InputError("the spectra of all samples are equal and show nothing; choose inputs 'composition'.")
        return True, False
    return inputs != "spectrum", inputs in ("spectrum", "both") or (inputs == "auto" and library.has_spectra)


def training_rows(library: MaterialsLibrary, target: Target, *, composition_only: bool = False) -> NDArray[np.intp]:
    """Find the rows that have the figure of merit, and check that something can be learned from them.

    Parameters
    ----------
    library : MaterialsLibrary
        Library with the samples.
    target : Target
        Figure of merit.
    composition_only : bool
        Whether the composition is the only input.

    Returns
    -------
    ndarray of int
        Numbers of the rows.

    Raises
    ------
    InputError
        If fewer than 5 rows have it, all have the same value, or all have the same composition and it is the only
        input.

    Examples
    --------
    >>> library = MaterialsLibrary([[1, 0], [0, 1]] * 3, ("A", "B"), {"P": [1, 2, 3, 4, 5, np.nan]})
    >>> training_rows(library, target_of(library, None))
    array([0, 1, 2, 3, 4])
    """
    values = target.values(library)
    rows = np.flatnonzero(~np.isnan(values))
    if len(rows) < _LEAST:
        raise InputError(f"{len(rows)} samples have the figure of merit {target.name!r}, at least {_LEAST} are needed.")
    if np.ptp(values[rows]) == 0:
        raise InputError(
            f"the figure of merit {target.name!r} is {values[rows[0]]:g} in all {len(rows)} samples, so that there is "
            "nothing to learn; choose another one."
        )
    if composition_only and len(np.unique(library.replicates()[rows])) < 2:
        raise InputError(
            f"all {len(rows)} samples have the same composition, so that nothing can be learned from it; "
            "give spectra or other samples."
        )
    return rows


@dataclass(frozen=True)
class Task:
    """Figure of merit, inputs and training rows of a model. Use `resolve_task` to make one.

    Attributes
    ----------
    target : Target
        Figure of merit.
    composition, spectrum : bool
        Whether each is an input.
    rows : ndarray of int
        Numbers of the samples that have the figure of merit.
    """

    target: Target
    composition: bool
    spectrum: bool
    rows: NDArray[np.intp]


def resolve_task(library: MaterialsLibrary, target: str | None, *, inputs: str = "auto", transform: str) -> Task:
    """Resolve figure of merit, inputs and training rows of a model.

    Parameters
    ----------
    library : MaterialsLibrary
        Library with the samples.
    target : str or None
        Name of the figure of merit; None if there is only one.
    inputs : {"auto", "composition", "spectrum", "both"}
        Inputs of the model; ``auto`` uses everything that the library has.
    transform : {"none", "log10"}
        Transform of the values in the file.

    Returns
    -------
    Task
        The resolved options.

    Raises
    ------
    InputError
        If an option is not known, or the figure of merit cannot be learned.

    Examples
    --------
    >>> library = MaterialsLibrary([[1, 0], [0, 1]] * 3, ("A", "B"), {"P": [1, 2, 3, 4, 5, np.nan]})
    >>> resolve_task(library, None, transform="none").rows
    array([0, 1, 2, 3, 4])
    """
    goal = target_of(library, target, transform)
    composition, spectrum = resolve_inputs(library, inputs)
    return Task(goal, composition, spectrum, training_rows(library, goal, composition_only=not spectrum))


def learned_target(model: Any) -> Target:
    """Figure of merit on the scale that a fitted model (`Response`) predicts.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> learned_target(SimpleNamespace(target_="P", unit_="log10(S/cm)", transform="log10"))
    Target(name='P', unit='log10(S/cm)', transform='log10')
    """
    return Target(model.target_, model.unit_, getattr(model, "transform", "none"))
