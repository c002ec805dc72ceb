"""Reading of structures with labels: a folder of images or one HDF5 file, and a table."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from matlens.core.arguments import checked_arguments
from matlens.errors import InputError
from matlens.microstructure.io import can_read, suffixes_of
from matlens.microstructure.properties.data_sets.label_tables import listed, matched, read_label_table
from matlens.microstructure.properties.data_sets.structure_set import StructureSet, read_structures
from matlens.microstructure.segmentation import CleaningOptions, load
from matlens.microstructure.structure import Microstructure

__all__ = ["read_folder", "read_labelled"]

_log = logging.getLogger(__name__)
_SET = "structures.h5"  # what `matlens generate` leaves in its run directory


@checked_arguments
def read_labelled(
    structures: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None,
    targets: str | Sequence[str],
    *,
    segmentation: CleaningOptions | None = None,
) -> StructureSet:
    """Read structures and join them with a table of their properties.

    Parameters
    ----------
    structures : path-like
        A folder of images or volumes in any format that MatLens reads, an HDF5 file of ``matlens generate``, or the run
        directory of that command.
    labels : path-like, optional
        CSV table, one row per structure. The column ``structure`` or ``file``, or else the first, holds its name, with
        or without the extension of its file. ``family`` and ``group`` are used if present: rows of one group (windows,
        rotations and slices of one specimen) stay together in every split. By default, the HDF5 file holds the targets.
    targets : str or sequence of str
        Columns to learn.
    segmentation : CleaningOptions, optional
        Cleaning and segmentation of raw micrographs in a folder.

    Returns
    -------
    StructureSet
        The labelled structures, in the order of the folder or file; ``provenance["notes"]`` lists those without a
        label, which are left out, and ``provenance["understood"]`` what was understood of each picture.

    Raises
    ------
    InputError
        If a file, a target or a structure of a label is missing, or the structures differ in size, spacing or phases.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in "ab":
    ...     np.save(folder / f"{name}.npy", np.eye(8, dtype=np.uint8))
    >>> _ = (folder / "labels.csv").write_text("structure,k_eff\\nb,2.5\\na,1.5\\n")
    >>> read_labelled(folder, folder / "labels.csv", "k_eff").targets["k_eff"].tolist()
    [1.5, 2.5]
    """
    wanted = [targets] if isinstance(targets, str) else list(targets)
    place = Path(structures)
    kept = place / _SET if (place / _SET).is_file() else place
    whole = read_structures(kept) if kept.is_file() else None
    if labels is None:
        return _with_own_labels(whole, wanted, place)
    files = [] if whole is not None else _files(place)
    names = [file.name for file in files] if whole is None else whole.names.tolist()
    table = read_label_table(labels, wanted)
    rows = matched(table, names, place)
    chosen = np.flatnonzero(rows >= 0)
    found = _read([files[i] for i in chosen], segmentation) if whole is None else whole.select(chosen)
    left = [name for name, row in zip(names, rows) if row < 0]
    notes = [f"{len(left)} of {len(names)} structures have no label and are left out: {listed(left)}."] if left else []
    for note in notes:
        _log.warning(note)
    origin = {**found.provenance, "structures": str(place), "labels": str(labels), "notes": notes}
    return replace(found, provenance=origin, **_labels(table.iloc[rows[chosen]].reset_index(drop=True), wanted))


def read_folder(folder: str | os.PathLike[str], *, segmentation: CleaningOptions | None = None) -> StructureSet:
    """Read all images or volumes of a folder, which must have one size, spacing and number of phases.

    Parameters
    ----------
    folder : path-like
        Folder; files that MatLens does not read and subfolders are ignored.
    segmentation : CleaningOptions, optional
        Cleaning and segmentation of raw micrographs.

    Returns
    -------
    StructureSet
        Structures named after the files, in alphabetical order, without targets.

    Raises
    ------
    InputError
        If there is no such folder or nothing to read in it, a file cannot be read, or the structures differ in size,
        spacing or phases.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> np.save(folder / "a.npy", np.eye(8, dtype=np.uint8))
    >>> read_folder(folder).names.tolist()
    ['a.npy']
    """
    return _read(_files(Path(folder)), segmentation)


def _with_own_labels(whole: StructureSet | None, wanted: list[str], place: Path) -> StructureSet:
    if whole is None:
        raise InputError(f"the pictures in {place} need a table of labels; name it with --labels.")
    missing = [name for name in wanted if name not in whole.targets]
    if missing:
        there = ", ".join(str(name) for name in whole.targets) or "none"
        raise InputError(f"{place} holds no target {listed(missing)}; it holds {there}, others need --labels.")
    return replace(whole, targets=whole.targets[wanted])


def _labels(table: pd.DataFrame, wanted: list[str]) -> dict[str, Any]:
    """Return the parts of a set that a table holds."""
    parts: dict[str, Any] = {"targets": table[wanted].astype(np.float64)}
    if "family" in table and "family" not in wanted:
        parts["families"] = table["family"].to_numpy(np.str_)
    if "group" in table and "group" not in wanted:
        parts["groups"] = np.asarray(pd.factorize(table["group"])[0], dtype=np.int64)
    return parts


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"there is no folder or file {folder}; name the folder with the structures.")
    files = [file for file in sorted(folder.iterdir()) if can_read(file)]
    if not files:
        raise InputError(f"{folder} holds no file that MatLens reads ({suffixes_of('read')}); name another folder.")
    return files


def _read(files: Sequence[Path], segmentation: CleaningOptions | None) -> StructureSet:
    found = [load(file, segmentation) for file in files]
    read = [one.microstructure for one in found]
    masked = [file.name for file, structure in zip(files, read) if structure.mask is not None]
    if masked:
        raise InputError(
            f"{listed(masked)}: pixels are masked, and a model learns from whole pictures of one size; fill small gaps "
            "(--fill-mask 30), crop all alike to what is known (--crop), or give --unmasked."
        )
    _check_alike(files, read)
    first = read[0]
    return StructureSet.from_arrays(
        np.stack([structure.labels for structure in read]),
        names=np.array([file.name for file in files]),
        spacing=first.spacing,
        unit=first.unit,
        phase_names=first.phase_names,
        periodic=all(structure.periodic for structure in read),
        provenance={
            "structures": str(files[0].parent),
            "understood": [one.understood.lines() if one.understood is not None else [] for one in found],
        },
    )


def _check_alike(files: Sequence[Path], read: Sequence[Microstructure]) -> None:
    sizes = [" x ".join(str(side) for side in structure.shape) for structure in read]
    steps = [f"{' x '.join(f'{step:g}' for step in structure.spacing)} {structure.unit}" for structure in read]
    phases = [str(structure.n_phases) for structure in read]
    for what, kinds, advice in (
        ("size", sizes, "crop or downsample them to one size (--crop, --downsample)"),
        ("pixel size", steps, "resample them, or give all one --spacing if the files are wrong"),
        ("number of phases", phases, "segment them alike (--threshold)"),
    ):
        first = {kind: file.name for kind, file in zip(reversed(kinds), reversed(files))}
        if len(first) > 1:
            found = listed([f"{kind} ({name})" for kind, name in first.items()])
            raise InputError(f"structures must be of one {what}, found {found}; {advice}, or keep them in two folders.")
