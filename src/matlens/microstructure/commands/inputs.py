"""What a run starts from: files read and cleaned once, kept in the run so that it no longer needs them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from matlens.errors import InputError
from matlens.microstructure.commands.options import Micrographs, cleaning_of
from matlens.microstructure.commands.thresholds import keep_variants
from matlens.microstructure.io import put_microstructure
from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.problems import EXAMPLES
from matlens.microstructure.segmentation import CleaningOptions, Segmentation, load, read_microstructure
from matlens.microstructure.statistics import threshold_sensitivity
from matlens.microstructure.structure import Microstructure
from matlens.runs.directory import RunDirectory
from matlens.runs.provenance import sha256
from matlens.runs.sources import PROBLEM, short_names
from matlens.runs.tables import write_table

__all__ = [
    "RESULT",
    "Inputs",
    "by_number",
    "exemplars_of",
    "numbered",
    "read_inputs",
    "read_results",
    "store_inputs",
    "store_structures",
    "stored_inputs",
    "understood",
    "write_sensitivity",
]

CLEANING = "cleaning.json"
RESULT = "A result to be compared"


@dataclass(frozen=True)
class Inputs:
    """Files that a run starts from, and how they are segmented; a settings file can hold all of it.

    Parameters
    ----------
    sources : tuple of str
        Paths, or ``problem:NAME``.
    dataset : str, optional
        Which array, in files that hold several.
    cleaning : mapping
        The settings of `matlens.microstructure.segmentation.CleaningOptions`.
    hashes : tuple of str
        SHA-256 of each file, and of the mask if there is one, when they were first read; empty before.

    Examples
    --------
    >>> Inputs(("problem:gravel",)).settings()
    {'sources': ['problem:gravel'], 'hashes': []}
    """

    sources: tuple[str, ...]
    dataset: str | None = None
    cleaning: Mapping[str, Any] | None = None
    hashes: tuple[str, ...] = ()

    def settings(self) -> dict[str, Any]:
        """Return the inputs as a settings file holds them, with absolute paths.

        Returns
        -------
        dict
            Plain values, without those that are not given.
        """
        content: dict[str, Any] = {
            "sources": [_absolute(source) for source in self.sources],
            "dataset": self.dataset,
            "cleaning": dict(self.cleaning or {}),
            "hashes": list(self.hashes),
        }
        return {name: value for name, value in content.items() if value not in (None, {})}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Inputs:
        """Make the inputs from stored settings, the inverse of `settings`.

        Parameters
        ----------
        settings : mapping
            What `settings` returned.

        Returns
        -------
        Inputs
            The inputs.
        """
        return cls(
            tuple(settings["sources"]),
            settings.get("dataset"),
            settings.get("cleaning"),
            tuple(settings.get("hashes", ())),
        )

    @classmethod
    def asked(cls, sources: Sequence[str], options: Micrographs) -> Inputs:
        """Make the inputs from the options of a command.

        Parameters
        ----------
        sources : sequence of str
            Paths, or ``problem:NAME``.
        options : Micrographs
            Options of reading and segmentation.

        Returns
        -------
        Inputs
            The inputs, without hashes.
        """
        return cls(tuple(sources), options.dataset, cleaning_of(options).settings())

    def hashed(self) -> Inputs:
        """Compute the hashes of the files.

        Returns
        -------
        Inputs
            The same inputs, with hashes.
        """
        hashes = tuple("" if source.startswith(PROBLEM) else sha256(source) for source in self.files)
        return Inputs(self.sources, self.dataset, self.cleaning, hashes)

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the labels depend on: the sources, and the mask if there is one."""
        mask = (self.cleaning or {}).get("mask")
        return (*self.sources, str(mask)) if mask else self.sources

    @property
    def names(self) -> list[str]:
        """Short name of each source, for headings."""
        return short_names(self.sources)


def read_inputs(inputs: Inputs, *, alike: bool = True, whole: str = "") -> list[Segmentation]:
    """Read and segment every input.

    Parameters
    ----------
    inputs : Inputs
        Which files, and how they are segmented.
    alike : bool
        Whether they show one material, and so must have the same phases.
    whole : str
        What cannot take masked pixels, as the subject of a sentence: of inputs that have some, the largest rectangle
        without them is then used, and a note says so. Empty where masks are taken.

    Returns
    -------
    list of Segmentation
        One for each source.

    Raises
    ------
    InputError
        If one cannot be read, is not the file it was (hash), or phases differ that must not.

    Examples
    --------
    >>> [found.microstructure for found in read_inputs(Inputs(("problem:gravel",)))]
    [Microstructure(256 x 256, 2 phases, 1 px)]
    """
    options = CleaningOptions(**(inputs.cleaning or {}))
    found = []
    for file, known in zip(inputs.files, inputs.hashes):
        if known and sha256(file) != known:
            raise InputError(f"{file} has changed since the run started; put the old file back or start a new run.")
    for source in inputs.sources:
        if source.startswith(PROBLEM):
            found.append(Segmentation(_problem(source)))
        else:
            read = load(source, options, dataset=inputs.dataset, propose=True)
            found.append(read.in_rectangle(whole) if whole else read)
    if alike:
        _check_alike(inputs, [segmentation.microstructure for segmentation in found])
    return found


def understood(found: Sequence[Segmentation]) -> tuple[str, ...]:
    """Return what was understood of each input, for the terminal.

    Parameters
    ----------
    found : sequence of Segmentation
        The segmented inputs.

    Returns
    -------
    tuple of str
        The line of truth of each file, and its notes.

    Examples
    --------
    >>> understood(read_inputs(Inputs(("problem:gravel",))))
    ()
    """
    return tuple(line for one in found if one.understood is not None for line in one.understood.lines())


def by_number(
    values: Mapping[int | str, float] | None,
    structure: Microstructure | LargeMicrostructure,
    meanings: Mapping[float, int],
) -> dict[int | str, float] | None:
    """Replace names of phases and the file's own values by numbers of phases.

    Parameters
    ----------
    values : mapping of int or str to float, optional
        A value for each phase, by the phase's name, number, or value in the file.
    structure : Microstructure or LargeMicrostructure
        The structure.
    meanings : mapping of float to int
        Phase of each value of the file; empty where the values are the numbers.

    Returns
    -------
    dict or None
        The same values by number. Keys that are the file's values, all of them, are values, unless they are the numbers
        too; other keys are a name, a number or a value, whichever exists.

    Raises
    ------
    InputError
        If a key is none of these, or is the number of one phase and the value of another, or a phase is given twice.

    Examples
    --------
    >>> by_number({"1": 5.0, "2": 7.0}, Microstructure([[0, 1]]), {1.0: 0, 2.0: 1})
    {0: 5.0, 1: 7.0}
    >>> by_number({"solid": 5.0, "0": 7.0}, Microstructure([[0, 1]], phase_names=["pore", "solid"]), {0.0: 0, 255.0: 1})
    {1: 5.0, 0: 7.0}
    """
    if values is None:
        return None
    numbers = {float(number): number for number in range(structure.n_phases)}
    keys = {_as_number(key) for key in values}
    if keys == set(meanings) != set(numbers):
        numbers = {}
    elif keys <= set(numbers):
        meanings = {}
    found: dict[int | str, float] = {}
    for key, value in values.items():
        number = _as_number(key)
        named = {structure.phase_names.index(str(key))} if str(key) in structure.phase_names else set()
        fits = named or {known[number] for known in (numbers, meanings) if number is not None and number in known}
        if len(fits) != 1 or found.keys() & fits:
            wrong = "does not exist" if not fits else "is given twice" if len(fits) == 1 else "could be two phases"
            raise InputError(
                f"phase {str(key)!r} {wrong}; the phases are {_listed(structure, meanings)}: name each once, by its "
                "number, its name or its value in the file."
            )
        found[fits.pop()] = value
    return found


def _as_number(key: int | str) -> float | None:
    try:
        return float(key)
    except ValueError:
        return None


def _listed(structure: Microstructure | LargeMicrostructure, meanings: Mapping[float, int]) -> str:
    """Each phase by number, name and value in the file, where these are not one."""
    values = {phase: f"value {value:.15g}" for value, phase in meanings.items() if value != phase}
    said = [
        ", ".join(word for word in ("" if name == f"phase {number}" else name, values.get(number, "")) if word)
        for number, name in enumerate(structure.phase_names)
    ]
    return ", ".join(f"{number}{f' ({words})' if words else ''}" for number, words in enumerate(said))


def store_inputs(run: RunDirectory, inputs: Inputs, found: Sequence[Segmentation]) -> None:
    """Write what the run needs of its inputs, the exemplars last: where they are, everything is.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    inputs : Inputs
        Which files.
    found : sequence of Segmentation
        The segmented inputs.
    """
    for index, segmentation in enumerate(found):
        if segmentation.grey is not None:
            with run.writing(f".state/grey_{index}.npz") as file:
                np.savez_compressed(file, grey=segmentation.grey.astype(np.float32))
    notes = [
        {
            "source": source,
            "steps": list(segmentation.steps),
            "thresholds": [float(v) for v in segmentation.thresholds],
            "understood": None if segmentation.understood is None else segmentation.understood.to_settings(),
        }
        for source, segmentation in zip(inputs.sources, found)
    ]
    run.write_text(CLEANING, json.dumps(notes, indent=2) + "\n")
    store_structures(run, "exemplar", [segmentation.microstructure for segmentation in found])


def store_structures(run: RunDirectory, kind: str, structures: Sequence[Microstructure]) -> None:
    """Write ``KIND_I.npz`` with number 0 last: where it is, all are.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    kind : str
        Start of the file names, e.g. ``exemplar``.
    structures : sequence of Microstructure
        Structures to write.
    """
    for index, structure in reversed(list(enumerate(structures))):
        name = f"{kind}_{index}.npz"
        with run.writing(name) as file:
            put_microstructure(structure, name, file)


def exemplars_of(
    run: RunDirectory,
    inputs: Inputs,
    found: Sequence[Segmentation] | None = None,
    *,
    whole: str = "",
    thresholds: bool = False,
) -> list[Microstructure]:
    """Return the exemplars that the run keeps; read and store them first where that has not been done.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    inputs : Inputs
        Which files.
    found : sequence of Segmentation, optional
        The segmented inputs, where they have been read already.
    whole : str
        As for `read_inputs`.
    thresholds : bool
        Whether the structures by other thresholds are kept, too, for `kept_variants`.

    Returns
    -------
    list of Microstructure
        The exemplars.
    """
    stored = stored_inputs(run)
    if stored is not None:
        return stored
    found = read_inputs(inputs, whole=whole) if found is None else found
    write_sensitivity(run, inputs, found)
    if thresholds:
        keep_variants(run, found)
    store_inputs(run, inputs, found)
    return [segmentation.microstructure for segmentation in found]


def write_sensitivity(run: RunDirectory, inputs: Inputs, found: Sequence[Segmentation]) -> None:
    """Write how volume fractions and correlations change with the thresholds of grey inputs.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    inputs : Inputs
        Which files.
    found : sequence of Segmentation
        The segmented inputs.
    """
    tables = [
        threshold_sensitivity(segmentation.variants).assign(input=name)
        for name, segmentation in zip(inputs.names, found)
        if len(segmentation.variants) > 1
    ]
    if tables:
        write_table(run, "sensitivity", pd.concat(tables, ignore_index=True))


def read_results(source: str, material: Microstructure) -> tuple[Inputs, list[Segmentation]]:
    """Read the realisations of a run directory, or one labelled file, to compare with a material.

    Parameters
    ----------
    source : str
        Run directory or file.
    material : Microstructure
        An exemplar, whose phases and dimension the results must have.

    Returns
    -------
    inputs : Inputs
        The files, with hashes.
    results : list of Segmentation
        The results.

    Raises
    ------
    InputError
        If nothing can be read, or phases and dimension are not the material's.
    """
    folder = Path(source)
    if folder.is_dir():
        files = numbered(folder, "realisation", ".tif")
        if not files:
            raise InputError(f"{source} holds no realisation_*.tif; name a run directory with results, or a file.")
    else:
        files = [folder]
    inputs = Inputs(tuple(str(file) for file in files))
    found = read_inputs(inputs, whole=RESULT)
    result = found[0].microstructure
    if (result.n_phases, result.ndim) != (material.n_phases, material.ndim):
        raise InputError(
            f"{source} has {result.n_phases} phases in {result.ndim}-D and the exemplar {material.n_phases} in "
            f"{material.ndim}-D; they must agree."
        )
    return inputs.hashed(), found


def stored_inputs(run: RunDirectory, kind: str = "exemplar") -> list[Microstructure] | None:
    """Read the exemplars or the results that the run keeps.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    kind : str
        Start of the file names: ``exemplar`` or ``result``.

    Returns
    -------
    list of Microstructure or None
        The structures; None if the run was stopped before it stored them.
    """
    if not (run.path / f"{kind}_0.npz").is_file():
        return None
    return [read_microstructure(file) for file in numbered(run.path, kind, ".npz")]


def numbered(folder: Path, kind: str, suffix: str) -> list[Path]:
    """List the files ``KIND_0``, ``KIND_1``, ... in the order of their numbers.

    Parameters
    ----------
    folder : Path
        Folder to search.
    kind : str
        Start of the file names.
    suffix : str
        End of the file names, with its dot.

    Returns
    -------
    list of Path
        The files; others with similar names are left out.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("result_10.npz", "result_9.npz", "result_9_copy.npz", "result_best.npz"):
    ...     (folder / name).touch()
    >>> [file.name for file in numbered(folder, "result", ".npz")]
    ['result_9.npz', 'result_10.npz']
    """
    numbers = [file.stem.removeprefix(f"{kind}_") for file in folder.glob(f"{kind}_*{suffix}")]
    return [folder / f"{kind}_{number}{suffix}" for number in sorted(map(int, filter(str.isdecimal, numbers)))]


def _problem(source: str) -> Microstructure:
    name = source.removeprefix(PROBLEM)
    if name not in EXAMPLES:
        raise InputError(f"there is no problem {name!r}; choose one of {', '.join(EXAMPLES)}.")
    return EXAMPLES[name]()


def _check_alike(inputs: Inputs, found: Sequence[Microstructure]) -> None:
    first = found[0]
    for source, other in zip(inputs.sources, found):
        if (other.n_phases, other.ndim) != (first.n_phases, first.ndim):
            raise InputError(
                f"{source} has {other.n_phases} phases in {other.ndim}-D and {inputs.sources[0]} {first.n_phases} in "
                f"{first.ndim}-D; micrographs of one material must agree."
            )


def _absolute(source: str) -> str:
    return source if source.startswith(PROBLEM) else os.path.abspath(source)
