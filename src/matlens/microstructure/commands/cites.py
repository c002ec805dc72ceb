"""Papers that commands on microstructures stand on, chosen by what a run used: keys of runs/citations.bib."""

from __future__ import annotations

from collections.abc import Sequence

from matlens.microstructure.encoders import find_encoder
from matlens.microstructure.reconstruction import method_entry
from matlens.microstructure.statistics import sources_of
from matlens.runs.directory import RunDirectory

__all__ = ["BOUNDS", "CONDUCTION", "ELASTICITY", "PRUNING", "of_engine", "of_judging", "of_thresholds"]

_JUDGED = ("two_point", "lineal_path", "cluster", "euler_density")  # what results are compared by
CONDUCTION = ("wiegmann2006ejheat",)
ELASTICITY = ("willot2015fourier", "hill1963elastic")
PRUNING = ("mccabe1984principal",)
BOUNDS = ("hashin1962variational", "murat1985calcul")


def of_judging() -> Sequence[str]:
    """Cite the statistics by which results are compared with exemplars.

    Returns
    -------
    sequence of str
        Keys of ``runs/citations.bib``.
    """
    return sources_of(_JUDGED)


def of_engine(run: RunDirectory) -> Sequence[str]:
    """Cite the method and the encoder that made a run's realisations.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    sequence of str
        Keys of ``runs/citations.bib``.
    """
    resolved = run.provenance.get("resolved", {})
    encoder = resolved.get("encoder", "")
    # Studies of depths match features, as their settings need not say.
    method = resolved.get("method", "matching" if encoder else "")
    keys = list(method_entry(method).load_class().citations) if method else []
    return keys + list(find_encoder(encoder).load_class().citations if encoder else ())


def of_thresholds(run: RunDirectory) -> Sequence[str]:
    """Cite the method that segmented grey micrographs into phases.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    sequence of str
        Keys of ``runs/citations.bib``; empty if no threshold was searched for.
    """
    threshold = str(run.settings["options"].get("threshold", ""))
    return ("otsu1979threshold", "vanderwalt2014scikit") if "otsu" in threshold else ()
