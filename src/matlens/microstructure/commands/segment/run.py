"""The steps of ``segment`` in a run directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import tomli_w

from matlens.hooks import Progress
from matlens.microstructure.commands.inputs import Inputs, store_inputs, store_structures, understood, write_sensitivity
from matlens.microstructure.commands.segment.spec import SegmentSpec
from matlens.microstructure.io import put_microstructure
from matlens.microstructure.segmentation import Alternative, CleaningOptions, alternatives
from matlens.runs.command import Prepared
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

__all__ = ["prepare", "work"]


def prepare(spec: SegmentSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the file, and segment it in several ways.

    Parameters
    ----------
    spec : SegmentSpec
        Options of the command.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options, what is kept in settings.toml besides, and the alternatives.
    """
    inputs = Inputs.asked((spec.file,), spec)
    found = _alternatives(inputs)
    return Prepared(spec, "", {"inputs": inputs.hashed().settings()}, found, understood([found[0].found]))


def work(run: RunDirectory, progress: Progress, found: Sequence[Alternative] | None = None) -> None:
    """Write ``labels.tif``, ``segmentation.toml`` and ``alternatives.csv``.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Is not called: the work takes seconds.
    found : sequence of Alternative, optional
        The alternatives, where they have been made already.
    """
    inputs = Inputs.from_settings(run.settings["inputs"])
    found = _alternatives(inputs) if found is None else found
    first = found[0].found
    rows = [
        {"alternative": other.name, "phase": phase, "volume_fraction": share, "settings": _words(other.found.options)}
        for other in found
        for phase, share in zip(
            other.found.microstructure.phase_names, other.found.microstructure.volume_fractions, strict=True
        )
    ]
    write_table(run, "alternatives", pd.DataFrame(rows))
    write_sensitivity(run, inputs, [first])
    used = first.options or CleaningOptions()
    run.write_text("segmentation.toml", tomli_w.dumps(used.settings()))
    with run.writing("labels.tif") as file:
        put_microstructure(first.microstructure, "labels.tif", file)
    store_structures(run, "alternative", [other.found.microstructure for other in found])
    store_inputs(run, inputs, [first])
    run.mark("running", sentences=_sentences(found))


def _alternatives(inputs: Inputs) -> list[Alternative]:
    return alternatives(inputs.sources[0], CleaningOptions(**(inputs.cleaning or {})), dataset=inputs.dataset)


def _words(options: CleaningOptions | None) -> str:
    """Options as they are written on the command line."""
    settings = {} if options is None else options.settings()
    return " ".join(f"--{name.replace('_', '-')}" + ("" if v is True else f" {v}") for name, v in settings.items())


def _sentences(found: Sequence[Alternative]) -> list[str]:
    said = []
    for other in found:
        structure = other.found.microstructure
        shares = ", ".join(
            f"{n} {100 * share:.3g} %" for n, share in zip(structure.phase_names, structure.volume_fractions)
        )
        said.append(f"{other.name.capitalize()} ({_words(other.found.options) or 'labels'}): {shares}.")
    return said
