"""Papers that commands on microstructures stand on, chosen by what a run used: keys of runs/citations.bib."""

from __future__ import annotations

from collections.abc import Sequence

from matlens.microstructure.reconstruction import BASELINES
from matlens.runs.directory import RunDirectory

__all__ = ["BOUNDS", "CONDUCTION", "STATISTICS", "of_engine", "of_thresholds"]

STATISTICS = ("torquato2002random", "lu1992lineal", "torquato1988cluster", "ohser2000statistical")
CONDUCTION = ("wiegmann2006ejheat",)
BOUNDS = ("hashin1962variational", "murat1985calcul")


def of_engine(run: RunDirectory) -> Sequence[str]:
    """Cite the method and the encoder that made a run's realisations."""
    resolved = run.provenance.get("resolved", {})
    encoder, method = resolved.get("encoder", ""), resolved.get("method", "matching")
    keys = [] if method == "matching" else list(BASELINES[method].citations)
    if encoder:
        network = "simonyan2014very" if encoder.startswith("vgg") else "ustyuzhaninov2016texture"
        keys += ["li2018transfer", "gatys2015texture", network, "liu1989limited"]
    return keys


def of_thresholds(run: RunDirectory) -> Sequence[str]:
    """Cite the method that cut grey micrographs into phases."""
    threshold = str(run.settings["options"].get("threshold", ""))
    return ("otsu1979threshold", "vanderwalt2014scikit") if "otsu" in threshold else ()
