"""What a reconstruction leaves in a run besides its realisations, for every command that reconstructs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from matlens.errors import RunError
from matlens.microstructure.reconstruction import Reconstruction
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

__all__ = ["check_weights", "write_outcome"]


def write_outcome(run: RunDirectory, result: Reconstruction) -> None:
    """Write loss history and volume fractions, and store settings, notes and times in the provenance.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    result : Reconstruction
        The reconstruction.
    """
    write_table(run, "history", result.history)
    names = result.microstructure.phase_names
    rows = [
        {"realisation": index, "phase": names[phase], "before_decoding": before, "after_decoding": after}
        for index, *pair in zip(result.numbers, result.fraction_before, result.fraction_after)
        for phase, (before, after) in enumerate(zip(*pair))
    ]
    write_table(run, "fractions", pd.DataFrame(rows))
    run.mark(
        "running",
        resolved=result.settings,
        notes=list(result.notes),
        stopped=list(result.status),
        evaluations=list(result.evaluations),
        seconds=[None if np.isnan(spent) else round(spent, 2) for spent in result.seconds],
    )


def check_weights(run: RunDirectory, now: Mapping[str, str]) -> None:
    """Check that a resumed run continues with the weights it began with.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    now : mapping of str to str
        Facts on the weights in use; ``sha256`` is their hash.

    Raises
    ------
    RunError
        If the weights' hash differs from the one in the run's settings.
    """
    then = run.settings.get("resolved", {}).get("weights")
    if then is not None and then.get("sha256") != now.get("sha256"):
        raise RunError(
            f"the encoder's weights at hand ({now.get('sha256', 'none')}) are not those this run began with "
            f"({then.get('sha256', 'none')}); bring the old ones back or start a new run."
        )
