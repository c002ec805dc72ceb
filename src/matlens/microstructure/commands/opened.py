"""A volume that is read in parts, as a run keeps it: what was understood of it, and its middle, which reports show."""

from __future__ import annotations

import json

from matlens.errors import InputError
from matlens.microstructure.commands.inputs import CLEANING, Inputs, store_structures
from matlens.microstructure.segmentation import CleaningOptions, Opened, Understood, open_large, reopened
from matlens.runs.codecs import JSON, read_file
from matlens.runs.directory import RunDirectory
from matlens.runs.provenance import sha256
from matlens.runs.resumable import once
from matlens.runs.sources import PROBLEM

__all__ = ["OPENED", "kept_volume", "open_asked", "understood_volume"]

OPENED = "volume.json"
"""What was understood of the volume, with which workers and resumed runs open it again."""

_SHOWN = 96  # pixels along each axis that the report shows, from the middle


def open_asked(inputs: Inputs, option: str) -> Opened:
    """Open the one file of a run and look through it once.

    Parameters
    ----------
    inputs : Inputs
        The file, and how its phases are found.
    option : str
        The option that asks for it, which the message names.

    Returns
    -------
    Opened
        The volume.

    Raises
    ------
    InputError
        If it is a generated structure, or cannot be opened.
    """
    source = inputs.sources[0]
    if source.startswith(PROBLEM):
        raise InputError(f"{source} is no file, and fits the memory; leave out {option}.")
    return open_large(source, CleaningOptions(**(inputs.cleaning or {})), dataset=inputs.dataset)


def kept_volume(run: RunDirectory, inputs: Inputs, found: Opened | None) -> Opened:
    """Return the volume of a run, and keep what was understood of it.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    inputs : Inputs
        The file.
    found : Opened or None
        The volume, where it has been opened already.

    Returns
    -------
    Opened
        The volume, with the phases that the run began with.

    Raises
    ------
    InputError
        If the file has changed since the run began.
    """
    source, cleaning = inputs.sources[0], CleaningOptions(**(inputs.cleaning or {}))
    if found is None:
        if sha256(source) != inputs.hashes[0]:
            raise InputError(f"{source} has changed since the run started; put the old file back or start a new run.")
        stored = once(run, OPENED, lambda: open_large(source, cleaning, dataset=inputs.dataset).to_settings(), JSON)
        found = reopened(source, cleaning, stored, dataset=inputs.dataset)
    else:
        once(run, OPENED, found.to_settings, JSON)
    _show(run, source, found)
    return found


def _show(run: RunDirectory, source: str, found: Opened) -> None:
    """Store what was understood, and the middle of the volume."""
    if (run.path / "exemplar_0.npz").is_file():
        return
    note = {"source": source, "steps": [], "thresholds": [], "understood": found.understood.to_settings()}
    run.write_text(CLEANING, json.dumps([note], indent=2) + "\n")
    m = found.microstructure
    starts = [max((side - _SHOWN) // 2, 0) for side in m.shape]
    store_structures(run, "exemplar", [m.crop(*(slice(start, start + _SHOWN) for start in starts))])


def understood_volume(run: RunDirectory) -> Understood | None:
    """Return what was understood of a volume that is read in parts.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Understood or None
        None for a run on files that fit the memory.
    """
    if not (run.path / OPENED).is_file():
        return None
    return Understood.from_settings(read_file(run.path / OPENED, JSON)["understood"])
