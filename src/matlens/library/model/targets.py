"""The figure of merit as it is learned: its transform, its unit, the rows that have it, and what cannot be learned."""

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
_LEAST = 5  # rows below which nothing can be learned and held out


@dataclass(frozen=True)
class Target:
    """A figure of merit on the scale on which it is learned.

    Attributes
    ----------
    name : str
        Of the figure of merit.
    unit : str
        After the transform, e.g. ``"log10(S/cm)"``.
    transform : {"none", "log10"}
        What is done to the numbers of the file.
    """

    name: str
    unit: str
    transform: str

    def values(self, library: MaterialsLibrary) -> NDArray[np.float64]:
        """Return the transformed figure of merit, shape (n,); NaN where it was not measured.

        Raises
        ------
        InputError
            If a logarithm is asked of a number that is not positive.

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
    """Find a figure of merit and say on which scale it is learned.

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
    """Say whether the composition and whether the spectrum is used; ``auto`` takes all there is.

    Raises
    ------
    InputError
        If the option is not known, or spectra are asked for and there are none.

    Examples
    --------
    >>> resolve_inputs(MaterialsLibrary([[1.0]], ("Fe",), {"P": [1]}), "auto")
    (True, False)
    """
    if inputs not in INPUTS:
        raise InputError(f"inputs {inputs!r} are not known; choose one of {', '.join(INPUTS)}.")
    if inputs in ("spectrum", "both") and not library.has_spectra:
        raise InputError(f"inputs {inputs!r} need spectra, and the library has none; choose inputs 'composition'.")
    return inputs != "spectrum", inputs in ("spectrum", "both") or (inputs == "auto" and library.has_spectra)


def training_rows(library: MaterialsLibrary, target: Target, *, composition_only: bool = False) -> NDArray[np.intp]:
    """Find the rows that have the figure of merit, once something can be learned from them.

    Raises
    ------
    InputError
        If fewer than 5 rows have it, it is the same in all of them, or the composition is all that is used and it is
        the same in all of them.

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
    """What a model is to learn from a library, resolved once; made by `resolve_task`.

    Attributes
    ----------
    target : Target
        Figure of merit.
    composition, spectrum : bool
        Which inputs are used.
    rows : ndarray of int
        Samples that have the figure of merit.
    """

    target: Target
    composition: bool
    spectrum: bool
    rows: NDArray[np.intp]


def resolve_task(library: MaterialsLibrary, target: str | None, *, inputs: str = "auto", transform: str) -> Task:
    """Resolve figure of merit, inputs and rows.

    Parameters
    ----------
    library : MaterialsLibrary
        What to learn from.
    target : str or None
        Figure of merit; None where there is only one.
    inputs : str
        One of `INPUTS`.
    transform : str
        One of `TRANSFORMS`.

    Returns
    -------
    Task

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
