"""What ``learn`` starts from: structures with the labels that one model needs, and those it is tested on."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.properties import StructureSet, read_labelled, read_structures
from matlens.microstructure.properties.data_sets.label_tables import listed, read_label_table
from matlens.microstructure.properties.selection import FOLDS
from matlens.microstructure.segmentation import CleaningOptions

__all__ = ["fingerprint", "phase_values_of", "read_sets"]

_log = logging.getLogger(__name__)
_COMPONENT = re.compile(r"(?P<quantity>.+)_\d\d(?P<rest>(_.*)?)")
_MADE = re.compile(r"k_\d\d_c(?P<contrast>[0-9.e+-]+)")


def read_sets(
    structures: str, labels: str | None, target: str, test: str | None = None, cleaning: Mapping[str, Any] | None = None
) -> tuple[StructureSet, StructureSet | None]:
    """Read the structures to learn from, with all components of the target's tensor, and those to test on.

    Parameters
    ----------
    structures : str
        A folder of pictures, an HDF5 file of ``matlens generate``, or that command's run directory.
    labels : str, optional
        CSV table of labels.
    target : str
        What is learned.
    test : str, optional
        HDF5 file with labelled structures, or a CSV table that names those of ``structures`` to test on; these are
        not learned from.
    cleaning : mapping, optional
        What is done to raw micrographs, as `matlens.microstructure.segmentation.CleaningOptions`.

    Returns
    -------
    train : StructureSet
        Structures to learn from.
    test : StructureSet or None
        Structures to test on; None if none are named.

    Raises
    ------
    InputError
        If anything is missing or does not fit, there are fewer groups than the folds need, or a structure is in both.
    """
    options = CleaningOptions(**(cleaning or {}))
    found = read_labelled(structures, labels, _columns(structures, labels, target), segmentation=options)
    held = None
    if test is not None and Path(test).suffix.lower() == ".csv":
        held = read_labelled(structures, test, target, segmentation=options)
        found = _without(found, held)
    elif test is not None:
        held = read_labelled(test, None, target)
    if held is not None:
        _check_apart(found, held)
    groups, needed = len(np.unique(found.groups)), FOLDS + -(-FOLDS // (FOLDS - 1))
    if groups < needed:
        raise InputError(
            f"found {groups} groups of labelled structures in {structures}, expected at least {needed}: {FOLDS} folds "
            f"to test on, and {FOLDS} within the rest to choose by; label more structures."
        )
    return found, held


def fingerprint(structures: StructureSet) -> str:
    """Compute the SHA-256 of structures, labels and groups, by which a resumed run knows them.

    Parameters
    ----------
    structures : StructureSet
        Labelled structures.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> fingerprint(StructureSet.from_arrays(np.eye(4, dtype=int)[None]))[:8]
    'd546e6fb'
    """
    found = hashlib.sha256(structures.sha256.encode())
    found.update(structures.targets.to_numpy("<f8").tobytes())
    found.update(structures.groups.astype("<i8").tobytes())
    return found.hexdigest()


def phase_values_of(target: str, phases: int) -> tuple[float, ...] | None:
    """Read the values of the phases from the name of a conductivity that ``generate`` made.

    Parameters
    ----------
    target : str
        Name of the property, e.g. ``k_00_c50``.
    phases : int
        Number of phases.

    Returns
    -------
    tuple of float or None
        Conductivity of each phase; None for any other name.

    Examples
    --------
    >>> phase_values_of("k_00_c50", 2), phase_values_of("C_00_c100", 2)
    ((1.0, 50.0), None)
    """
    found = _MADE.fullmatch(target)
    return (1.0, float(found["contrast"])) if found and phases == 2 else None


def _columns(structures: str, labels: str | None, target: str) -> list[str]:
    """The target, and the other components that the structures have when their axes are exchanged."""
    available: list[str] = []
    if labels is not None:
        table = read_label_table(labels, [target])
        for name in (str(column) for column in table if column not in ("structure", "family", "group")):
            try:
                available += [name] if np.isfinite(table[name].astype(float)).all() else []
            except ValueError:  # words
                continue
    else:
        place = Path(structures)
        kept = place / "structures.h5" if place.is_dir() else place
        targets = read_structures(kept).targets if kept.is_file() else None
        available += [] if targets is None else [str(name) for name in targets if np.isfinite(targets[name]).all()]
    asked = component_name(target)
    tensor = {name for name in available if asked is not None and component_name(name) == asked}
    return [target, *sorted(tensor - {target})]


def component_name(target: str) -> tuple[str, str] | None:
    """Split the name of a tensor component into its quantity and what follows the indices.

    Parameters
    ----------
    target : str
        Name of the property.

    Returns
    -------
    tuple of (str, str) or None
        Quantity and ending; None for a name without indices.

    Examples
    --------
    >>> component_name("k_01_c50"), component_name("hardness")
    (('k', '_c50'), None)
    """
    found = _COMPONENT.fullmatch(target)
    return (found["quantity"], found["rest"]) if found else None


def _without(found: StructureSet, held: StructureSet) -> StructureSet:
    """The structures to learn from, less those to test on; no group may be on both sides."""
    tested = np.isin(found.names, held.names)
    torn = ~tested & np.isin(found.groups, found.groups[tested])
    if torn.any():
        raise InputError(
            f"{int(torn.sum())} structures to learn from share a group with structures to test on: "
            f"{listed([str(name) for name in found.names[torn]])}; put whole groups into the table of the test."
        )
    return found.select(~tested)


def _check_apart(found: StructureSet, held: StructureSet) -> None:
    if len(found.shape) != len(held.shape) or len(found.phase_names) != len(held.phase_names):
        raise InputError(
            f"the test structures are {len(held.shape)}-D of {len(held.phase_names)} phases, those to learn from "
            f"{len(found.shape)}-D of {len(found.phase_names)}; they must agree."
        )
    for what in ("spacing", "unit", "periodic"):
        ours, theirs = getattr(found, what), getattr(held, what)
        if ours != theirs:
            _log.warning("the test structures differ from those to learn from in %s: %s, not %s.", what, theirs, ours)
    known = {labels.tobytes() for labels in found.labels}
    both = [str(name) for name, labels in zip(held.names, held.labels) if labels.tobytes() in known]
    if both and found.shape == held.shape:
        raise InputError(
            f"{len(both)} structures to test on are also among those to learn from: {listed(both)}; take them out."
        )
