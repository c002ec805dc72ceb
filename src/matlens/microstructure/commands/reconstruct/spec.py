"""The options of ``matlens reconstruct``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from matlens.core.settings import ChoiceOf, OnDevice, Seeded, option, options, pairs_of
from matlens.errors import InputError
from matlens.microstructure.commands.options import Encoded, File, Files, Fraction, Micrographs, Preset, Shape
from matlens.microstructure.reconstruction import METHODS
from matlens.runs.command import Command

__all__ = ["COMMAND", "ReconstructSpec"]


@options
class ReconstructSpec(Encoded, Micrographs, Seeded, OnDevice):
    """Make microstructures that are statistically equivalent to one or more micrographs, and test that they are.

    With --target no micrograph is needed: two-point probabilities, lineal path and fractions are matched alone.
    """

    files: Annotated[
        Files, option("Micrographs of one material.", argument=True, many=True, metavar="FILE", exists="file")
    ] = ()
    shape: Annotated[
        Shape | None, option("Size of what is made; by default the first file's.", metavar="ROWSxCOLUMNS", unit="px")
    ] = None
    n: Annotated[int, option("Number of realisations.", "-n", "--number", ge=1)] = 1
    preset: Annotated[Preset, option("Settings of the matching engine.")] = "default"
    fraction: Annotated[
        Fraction,
        option("Volume fractions: exact (the exemplar's), sampled, or one a phase.", metavar="exact|sampled|F,F,..."),
    ] = "exact"
    method: Annotated[str, ChoiceOf(lambda: tuple(METHODS)), option("Feature matching, or a classical method.")] = (
        "matching"
    )
    set: Annotated[
        dict[str, Any] | None,
        BeforeValidator(pairs_of),
        option("An option of the classical method; may be given again.", metavar="NAME=VALUE", many=True),
    ] = None
    target: Annotated[
        File | None,
        option("Statistics to match in place of micrographs.", metavar="STATISTICS.NC", exists="file"),
    ] = None

    def __post_init__(self) -> None:
        if self.target is None:
            return
        if self.files:
            raise InputError(
                f"found --target and {self.files[0]}; give either statistics to match or micrographs to resemble."
            )
        if self.method not in ("matching", "annealing") or self.weights is not None:
            raise InputError("--target works by annealing; leave out --method and --weights.")


COMMAND = Command(
    "reconstruct",
    ReconstructSpec,
    __package__,
    example="matlens reconstruct sandstone.tif --shape 256x256 -o sandstone",
    results=("realisation_0.npy", "realisation_0.tif"),
    former=("rebuild",),
)
