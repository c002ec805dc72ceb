"""Data sets of structures with their properties, in one object and one file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from matlens.core.arguments import checked_arguments
from matlens.core.atomic import atomic_write
from matlens.core.display import Shown
from matlens.core.guard import reading
from matlens.core.hdf5 import check_size, open_hdf5
from matlens.errors import InputError, ResourceError
from matlens.microstructure.structure import Microstructure

__all__ = ["StructureSet", "join_structures", "read_structures"]

SCHEMA = "matlens structures 1"


@dataclass(frozen=True, eq=False, repr=False)
class StructureSet(Shown):
    """Structures of one size and spacing, with their properties.

    Parameters
    ----------
    labels : ndarray of uint8, shape (n, *shape)
        Phase of each pixel.
    names : ndarray of str, shape (n,)
        Name of each structure.
    families : ndarray of str, shape (n,)
        Family of each structure; an empty text where unknown.
    groups : ndarray of int, shape (n,)
        Group of each structure: a structure, its windows and its rotations share a number and stay on one side of every
        split.
    parameters : DataFrame
        Parameters of generation, n rows; NaN where a column does not belong to the family.
    targets : DataFrame
        Properties, n rows. In generated sets, ``k_00_c50`` is the effective conductivity along array axis 0 where phase
        1 conducts 50 times as well as phase 0, and ``C_01_c100`` a stiffness in Voigt notation.
    spacing : tuple of float
        Size of a pixel along each axis, in ``unit``.
    unit : str
        Unit of the spacing.
    phase_names : tuple of str
        One name per phase.
    periodic : bool
        Whether opposite borders continue each other.
    provenance : dict
        Origin of the set, of types that JSON can represent.

    Raises
    ------
    InputError
        If a part does not have n rows, or a label is not that of a phase.

    Examples
    --------
    >>> labels = np.eye(4, dtype=int)[None].repeat(3, axis=0)
    >>> structures = StructureSet.from_arrays(labels, targets=pd.DataFrame({"k": [1.0, 2.0, 3.0]}))
    >>> structures
    StructureSet(3 structures of 4 x 4, 2 phases, targets k)
    >>> structures.select([2]).targets["k"].tolist()
    [3.0]
    """

    labels: NDArray[np.uint8]
    names: NDArray[np.str_]
    families: NDArray[np.str_]
    groups: NDArray[np.int64]
    parameters: pd.DataFrame
    targets: pd.DataFrame
    spacing: tuple[float, ...]
    unit: str = "px"
    phase_names: tuple[str, ...] = ("phase 0", "phase 1")
    periodic: bool = False
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = ("names", "families", "groups", "parameters", "targets")
        sizes = {name: len(getattr(self, name)) for name in parts}
        if any(size != len(self.labels) for size in sizes.values()):
            found = ", ".join(f"{size} {name}" for name, size in sizes.items())
            raise InputError(f"a set of {len(self.labels)} structures needs as many rows in every part, found {found}.")
        if len(self.labels):
            Microstructure(self.labels.reshape(len(self.labels), -1), phase_names=self.phase_names)

    @classmethod
    def from_arrays(cls, labels: ArrayLike, **parts: Any) -> StructureSet:
        """Make a set from labels, with defaults for the parts that are not given.

        Parameters
        ----------
        labels : array_like of int, shape (n, *shape)
            Phase of each pixel, 0 to 255.
        **parts
            Other parameters of `StructureSet`; by default, structures are numbered, each is its own group, and there
            are no targets.

        Returns
        -------
        StructureSet
            The structures.

        Raises
        ------
        InputError
            If labels are outside 0 to 255, or a part does not fit.
        """
        given = np.asarray(labels)
        if given.size and not 0 <= given.min() <= given.max() <= 255:
            raise InputError(f"labels of phases go from 0 to 255, found {given.min()} to {given.max()}; renumber them.")
        array = np.ascontiguousarray(given, dtype=np.uint8)
        count = len(array)
        defaults: dict[str, Any] = {
            "names": np.array([f"{index:05d}" for index in range(count)], dtype=np.str_),
            "families": np.full(count, "", dtype=np.str_),
            "groups": np.arange(count),
            "parameters": pd.DataFrame(index=range(count)),
            "targets": pd.DataFrame(index=range(count)),
            "spacing": (1.0,) * (array.ndim - 1),
        }
        return cls(array, **{**defaults, **parts})

    @property
    def shape(self) -> tuple[int, ...]:
        """Pixels of a structure along each axis."""
        return self.labels.shape[1:]

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the labels with their shape, as 64 hexadecimal digits; it identifies the structures."""
        return _digest(self.labels)

    @property
    def volume_fractions(self) -> NDArray[np.float64]:
        """Volume fraction of each phase in each structure, shape (n, K)."""
        flat = self.labels.reshape(len(self), -1)
        return np.stack([(flat == phase).mean(axis=1) for phase in range(len(self.phase_names))], axis=1)

    def select(self, chosen: ArrayLike | slice) -> StructureSet:
        """Select structures.

        Parameters
        ----------
        chosen : array_like of bool, shape (n,), array_like of int, or slice
            Mask, numbers or range of the structures.

        Returns
        -------
        StructureSet
            The selected structures.
        """
        rows = np.arange(len(self))
        if isinstance(chosen, slice):
            rows = rows[chosen]
        else:
            index = np.asarray(chosen)
            rows = rows[index if index.size else index.astype(np.intp)]  # an empty list is no list of floats
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in ("labels", "names", "families", "groups")},
            **{name: getattr(self, name).iloc[rows].reset_index(drop=True) for name in ("parameters", "targets")},
        )

    def microstructure(self, index: int) -> Microstructure:
        """Return one structure.

        Parameters
        ----------
        index : int
            Number of the structure.

        Returns
        -------
        Microstructure
            The structure.
        """
        return Microstructure(self.labels[index], self.spacing, self.unit, self.phase_names, self.periodic)

    def table(self) -> pd.DataFrame:
        """Return a table with one row per structure.

        Returns
        -------
        DataFrame
            Name, family, group, volume fractions, parameters and targets.
        """
        columns = {"structure": self.names, "family": self.families, "group": self.groups}
        fractions = {f"fraction_{k}": column for k, column in enumerate(self.volume_fractions.T)}
        return pd.concat([pd.DataFrame({**columns, **fractions}), self.parameters, self.targets], axis=1)

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write an HDF5 file with provenance and hashes; the same set gives the same bytes.

        Parameters
        ----------
        path : path-like
            File to write.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        RunError
            If the file cannot be written.
        """
        with atomic_write(path) as file:
            self.put(file)
        return Path(path)

    def put(self, file: BinaryIO) -> None:
        """Write the set to an open file, as `write` does.

        Parameters
        ----------
        file : binary file
            Open for writing.
        """
        import h5py

        with h5py.File(file, "w") as content:
            _put(content, "labels", self.labels)
            for name in ("names", "families"):
                _put(content, name, np.char.encode(getattr(self, name), "utf-8"))
            _put(content, "groups", self.groups)
            for name in ("parameters", "targets"):
                frame = getattr(self, name)
                columns = content.create_dataset(name, data=frame.to_numpy(np.float64), track_times=False)
                columns.attrs["columns"] = [str(column) for column in frame.columns]
            content.attrs.update(
                schema=SCHEMA,
                spacing=np.array(self.spacing),
                unit=self.unit,
                phase_names=list(self.phase_names),
                periodic=self.periodic,
                provenance=json.dumps(self.provenance, sort_keys=True),
                sha256=self.sha256,
                targets_sha256=_frame_digest(self.targets),
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        size = " x ".join(str(side) for side in self.shape)
        shown = [str(name) for name in self.targets.columns]
        targets = ", ".join(shown[:3]) + (", ..." if len(shown) > 3 else "") if shown else "none"
        return f"StructureSet({len(self)} structures of {size}, {len(self.phase_names)} phases, targets {targets})"


@checked_arguments
def read_structures(path: str | os.PathLike[str]) -> StructureSet:
    """Read a set that `StructureSet.write` wrote, and check that structures and targets are unchanged.

    Parameters
    ----------
    path : path-like
        The HDF5 file.

    Returns
    -------
    StructureSet
        The structures.

    Raises
    ------
    InputError
        If there is no such file, it cannot be read, or it is not a set of structures.
    ResourceError
        If its content does not have the hashes stored in it.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "set.h5"
    >>> read_structures(StructureSet.from_arrays(np.eye(4, dtype=int)[None]).write(path)).shape
    (4, 4)
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"there is no file {file}; name one that 'matlens generate' wrote.")
    with reading(file, "a set of structures"), open_hdf5(file) as content:
        if content.attrs.get("schema") != SCHEMA:
            raise InputError(f"{file} is not a set of structures; name one that 'matlens generate' wrote.")
        for name in ("labels", "parameters", "targets"):
            check_size(content[name], file.name)
        found, kept = _read(content)
    for part, digest in (("sha256", found.sha256), ("targets_sha256", _frame_digest(found.targets))):
        if kept[part] != digest:
            what = "structures" if part == "sha256" else "targets"
            raise ResourceError(
                f"the {what} in {file} are not those it was written with (SHA-256 {digest[:12]} where "
                f"{kept[part][:12]} is noted); copy or generate the file again."
            )
    return found


def join_structures(sets: Sequence[StructureSet]) -> StructureSet:
    """Concatenate sets of one size, spacing and material; the provenance is that of the first.

    Parameters
    ----------
    sets : sequence of StructureSet
        Sets to join.

    Returns
    -------
    StructureSet
        All structures in order.

    Raises
    ------
    InputError
        If there are none, or they differ in shape, spacing, unit, phases or periodicity.

    Examples
    --------
    >>> one = StructureSet.from_arrays(np.eye(4, dtype=int)[None])
    >>> len(join_structures([one, one]))
    2
    """
    if not sets:
        raise InputError("found no sets of structures to join, where one or more are expected.")
    first = sets[0]
    for name in ("shape", "spacing", "unit", "phase_names", "periodic"):
        kinds = {getattr(part, name) for part in sets}
        if len(kinds) > 1:
            raise InputError(f"sets of different {name} cannot be joined, found {', '.join(map(str, kinds))}.")
    arrays, frames = ("labels", "names", "families", "groups"), ("parameters", "targets")
    parts: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in sets]) for name in arrays}
    parts |= {name: pd.concat([getattr(part, name) for part in sets], ignore_index=True) for name in frames}
    return replace(first, **parts)


def _put(file: Any, name: str, values: NDArray[Any]) -> None:
    chunks = (1, *values.shape[1:]) if values.ndim > 1 and len(values) else None
    file.create_dataset(
        name, data=values, chunks=chunks, compression="gzip" if chunks else None, shuffle=False, track_times=False
    )


def _read(content: Any) -> tuple[StructureSet, dict[str, str]]:
    """Return the set in an open file, and the hashes stored there."""

    def frame(name: str) -> pd.DataFrame:
        return pd.DataFrame(content[name][()], columns=[str(column) for column in content[name].attrs["columns"]])

    attributes = content.attrs
    found = StructureSet(
        labels=content["labels"][()],
        names=np.char.decode(content["names"][()], "utf-8"),
        families=np.char.decode(content["families"][()], "utf-8"),
        groups=content["groups"][()],
        parameters=frame("parameters"),
        targets=frame("targets"),
        spacing=tuple(float(step) for step in attributes["spacing"]),
        unit=str(attributes["unit"]),
        phase_names=tuple(str(name) for name in attributes["phase_names"]),
        periodic=bool(attributes["periodic"]),
        provenance=json.loads(attributes["provenance"]),
    )
    return found, {name: str(attributes[name]) for name in ("sha256", "targets_sha256")}


def _digest(values: NDArray[Any]) -> str:
    found = hashlib.sha256(f"{values.dtype.str} {values.shape}".encode())
    found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def _frame_digest(frame: pd.DataFrame) -> str:
    names = "\n".join(str(column) for column in frame.columns)
    return hashlib.sha256(f"{names}\n{_digest(frame.to_numpy('<f8'))}".encode()).hexdigest()
