"""Results compared with exemplars, with the tables and the verdict, for every command that ends so."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd

from matlens.hooks import Progress
from matlens.microstructure.commands.compare.tables import curves_of_comparison
from matlens.microstructure.statistics import Comparison, compare
from matlens.microstructure.structure import Microstructure
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

__all__ = ["VERDICT", "compare_in"]

VERDICT = "verdict.json"


def compare_in(
    run: RunDirectory,
    results: Sequence[Microstructure],
    exemplars: Sequence[Microstructure],
    progress: Progress,
    *,
    seed: int,
    properties: Sequence[str] = ("conductivity",),
) -> Comparison:
    """Compare results with exemplars and write the tables of the comparison.

    Writes ``errors.csv``, ``ratios.csv`` (results and controls), ``properties.csv``, ``copy_test.csv``, ``curves.csv``,
    ``verdict.json``.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    results : sequence of Microstructure
        Structures to test.
    exemplars : sequence of Microstructure
        Micrographs of the material.
    progress : Progress
        Shows how far the work is.
    seed : int
        Seed of bootstrap and controls.
    properties : sequence of str
        Effective properties to compare: ``conductivity``, ``stiffness``.

    Returns
    -------
    Comparison
        The comparison.

    Examples
    --------
    >>> import tempfile
    >>> from matlens.microstructure.problems import gaussian_field
    >>> from matlens.hooks import Silent
    >>> field = gaussian_field((64, 64), 3.0, 0.4, seed=0)
    >>> with RunDirectory.create(tempfile.mkdtemp(), "compare", {}) as run:
    ...     compare_in(run, [gaussian_field((32, 32), 3.0, 0.4, seed=1)], [field], Silent(), seed=0).joint
    'undecided'
    """
    found = compare(list(results), list(exemplars), seed=seed, properties=properties, progress=progress)
    write_table(run, "errors", found.errors.reset_index())
    ratios = [table for table in (found.ratios, found.controls) if len(table)]
    write_table(run, "ratios", pd.concat(ratios, ignore_index=True) if ratios else pd.DataFrame())
    write_table(run, "properties", found.properties)
    write_table(run, "copy_test", found.copying)
    write_table(run, "curves", curves_of_comparison(found.curves))
    words = {"joint": found.joint, "word": found.word, "joints": found.joints, "sentences": found.sentences()}
    run.write_text(VERDICT, json.dumps(words, indent=2, ensure_ascii=False) + "\n")
    return found
