"""Structures that a stored model is applied to, read and checked for ``predict`` and ``explain``."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matlens.core.settings import asked_for
from matlens.errors import InputError
from matlens.microstructure.commands.feature_cache import FeatureCache
from matlens.microstructure.commands.options import OfModel
from matlens.microstructure.encoders import load_encoder
from matlens.microstructure.io import can_read
from matlens.microstructure.properties import StructurePropertyModel, StructureSet, read_structures
from matlens.microstructure.properties.data_sets.label_tables import listed
from matlens.microstructure.properties.data_sets.structure_set import SCHEMA
from matlens.microstructure.segmentation import CleaningOptions, load
from matlens.microstructure.structure import Microstructure
from matlens.runs.models import kind_of_model

__all__ = [
    "Sample",
    "check_model",
    "check_samples",
    "digest_of",
    "model_of",
    "notes_of",
    "read_samples",
    "understood_of",
]

_FEW = 10  # files that are described although nothing was assumed of them
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """Structure to predict, with what is known of it.

    Attributes
    ----------
    name : str
        Name of its file, or its name in the data set.
    structure : Microstructure
        The structure.
    family : str
        Family of generated structures that it belongs to; empty if unknown.
    targets : mapping of str to float
        Known properties by name.
    understood : tuple of str
        What was understood of its file, a line a fact; empty for structures of a data set.
    meanings : mapping of float to int
        Phase of each value of its file; empty where the values are the numbers.
    """

    name: str
    structure: Microstructure
    family: str = ""
    targets: Mapping[str, float] = field(default_factory=dict)
    understood: tuple[str, ...] = ()
    meanings: Mapping[float, int] = field(default_factory=dict)


def check_model(spec: OfModel, command: str) -> None:
    """Check that the model is one of structures.

    Parameters
    ----------
    spec : OfModel
        Options of the command.
    command : str
        Name of the command, for the sentence of the error.

    Raises
    ------
    InputError
        If it is a model of a library, or no model.
    """
    if kind_of_model(spec.model) == "library":
        raise InputError(
            f"{spec.model} holds a model of a library, and one of structures is expected; use "
            f"'matlens library {command} {spec.model}'."
        )


def model_of(spec: OfModel, device: str, cache: FeatureCache | None = None) -> StructurePropertyModel:
    """Read the model, with the encoder of the user's weights where they are given.

    Parameters
    ----------
    spec : OfModel
        Options of the command.
    device : str
        Device that it computes on.
    cache : FeatureCache, optional
        Features that were computed before.

    Returns
    -------
    StructurePropertyModel
        The fitted model.
    """
    encoder = None if spec.weights is None else load_encoder(weights=spec.weights, device=device)
    return StructurePropertyModel.load(spec.model, encoder=encoder, device=device, cache=cache)


def read_samples(spec: OfModel, digest: str = "") -> list[Sample]:
    """Read the structures, and check that they have not changed since the run started.

    Parameters
    ----------
    spec : OfModel
        Options of the command.
    digest : str
        Digest from the start of the run; empty when it starts now.

    Returns
    -------
    list of Sample
        Structures in the order of the files.

    Raises
    ------
    InputError
        If there are none, one cannot be read, or they have changed.
    """
    if not spec.structures:
        raise InputError("found no structures to work on; name pictures, folders or sets behind the model.")
    options = asked_for(CleaningOptions, spec)
    found = [sample for source in spec.structures for sample in _samples(Path(source), options)]
    if not found:
        raise InputError(f"found no structures in {', '.join(spec.structures)}; name pictures, folders or sets.")
    if digest and digest != digest_of(found):
        raise InputError("the structures have changed since the run started; start a new run.")
    return found


def understood_of(files: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return what was understood of files, for the terminal; of many files only where something was assumed.

    Parameters
    ----------
    files : sequence of sequence of str
        The lines on each file: what was understood, and notes.

    Returns
    -------
    tuple of str
        A line a fact.

    Examples
    --------
    >>> understood_of([["a.tif: labels"], ["b.tif: grey", "  a note"]])
    ('a.tif: labels', 'b.tif: grey', '  a note')
    """
    few = len(files) <= _FEW
    return tuple(line for lines in files if few or len(lines) > 1 for line in lines)


def digest_of(samples: Sequence[Sample]) -> str:
    """Compute a hash of names, shapes and labels, by which a resumed run knows its structures.

    Parameters
    ----------
    samples : sequence of Sample
        Structures.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> import numpy as np
    >>> digest_of([Sample("a", Microstructure(np.eye(4, dtype=np.uint8)))])[:8]
    '74d8b996'
    """
    found = hashlib.sha256()
    for sample in samples:
        found.update(f"{sample.name} {sample.structure.shape}".encode())
        found.update(sample.structure.labels.tobytes())
    return found.hexdigest()


def check_samples(samples: Sequence[Sample], model: StructurePropertyModel) -> None:
    """Check that a model can take the structures.

    Parameters
    ----------
    samples : sequence of Sample
        Structures to predict.
    model : StructurePropertyModel
        The model.

    Raises
    ------
    InputError
        Naming the first structure that it cannot take.
    """
    for sample in samples:
        structure = sample.structure
        if structure.ndim != model.ndim_ or structure.n_phases > model.phases_:
            raise InputError(
                f"{sample.name} is {structure.ndim}-D of {structure.n_phases} phases, and the model was trained on "
                f"{model.ndim_}-D structures of {model.phases_}; segment it alike (--threshold), or leave it out."
            )


def notes_of(samples: Sequence[Sample], model: StructurePropertyModel) -> list[str]:
    """Warn of structures unlike those in training: another pixel size or unit, or other borders.

    Parameters
    ----------
    samples : sequence of Sample
        Structures to predict.
    model : StructurePropertyModel
        The model.

    Returns
    -------
    list of str
        Sentences, also written to the log.

    Examples
    --------
    >>> import numpy as np
    >>> labels = (np.arange(16).reshape(1, 4, 4) < np.arange(2, 14)[:, None, None]).astype(np.uint8)
    >>> model = StructurePropertyModel(features="volume-fraction", head="ridge").fit(labels, labels.mean((1, 2)))
    >>> notes_of([Sample("a", Microstructure(labels[0], periodic=True))], model)
    ['the model was trained on structures that are not periodic; 1 of 1 are not so.']
    """
    trained = _scale(model.spacing_, model.unit_)
    odd = [s.name for s in samples if _scale(s.structure.spacing, s.structure.unit) != trained]
    notes = []
    if odd:
        step = " x ".join(f"{value:g}" for value in dict.fromkeys(model.spacing_))
        notes.append(
            f"{len(odd)} of {len(samples)} structures have another pixel size than those the model was trained on "
            f"({step} {model.unit_}): {listed(odd)}; their predictions hold for patterns of that size in pixels."
        )
    odd = [s.name for s in samples if s.structure.periodic != model.periodic_]
    if odd:
        kind = ("not periodic", "periodic")[model.periodic_]
        notes.append(f"the model was trained on structures that are {kind}; {len(odd)} of {len(samples)} are not so.")
    for note in notes:
        _log.warning(note)
    return notes


def _scale(spacing: Sequence[float], unit: str) -> tuple[tuple[float, ...], str]:
    """Size of a pixel; one for all pictures without a unit of length, whose pixels may be of any size."""
    # Joined pixels of a picture without scale (--downsample) are 2 px of the file wide; no length is known of either.
    return ((), unit) if unit == "px" else (tuple(spacing), unit)


def _samples(place: Path, options: CleaningOptions) -> list[Sample]:
    """The structures in a folder, a set, or a single file."""
    if place.is_dir():
        kept = place / "structures.h5"
        if kept.is_file():
            return _samples(kept, options)
        files = [file for file in sorted(place.iterdir()) if can_read(file)]
        return [sample for file in files for sample in _samples(file, options)]
    if place.suffix.lower() in (".h5", ".hdf5") and _is_set(place):
        return _of_set(read_structures(place))
    found = load(place, options, propose=True).in_rectangle("A model of structures")
    lines = found.understood.lines() if found.understood is not None else []
    return [Sample(place.name, found.microstructure, understood=tuple(lines), meanings=found.mapping)]


def _is_set(file: Path) -> bool:
    import h5py

    try:
        with h5py.File(file, "r") as content:
            return bool(content.attrs.get("schema") == SCHEMA)
    except OSError:  # read as any other file, and refused in its words
        return False


def _of_set(found: StructureSet) -> list[Sample]:
    rows = found.targets.to_dict("records")
    return [
        Sample(str(name), found.microstructure(i), str(found.families[i]), {str(k): v for k, v in rows[i].items()})
        for i, name in enumerate(found.names)
    ]
