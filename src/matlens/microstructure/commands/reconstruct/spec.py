"""The options of ``matlens reconstruct``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from matlens.core.settings import ChoiceOf, OnDevice, Seeded, option, options, pairs_of
from matlens.errors import InputError
from matlens.microstructure.commands.options import (
    Encoded,
    File,
    Files,
    Fraction,
    Micrographs,
    Preset,
    ShapeOrFull,
    parse_anchors,
    parse_planes,
)
from matlens.microstructure.reconstruction import METHODS
from matlens.microstructure.reconstruction.asked_shape import checked_shape
from matlens.runs.command import Command

__all__ = ["COMMAND", "PLANES", "PROPOSED", "RESAMPLED", "ReconstructSpec"]

PLANES = "planes"  # table of R of the planes normal to each axis, where sections have names
RESAMPLED = "resampled"  # table of the same for volumes from halves of the sections, and start of their folders
PROPOSED = "proposed"  # table of what the sections of a volume do not determine


@options
class ReconstructSpec(Encoded, Micrographs, Seeded, OnDevice):
    """Make microstructures that are statistically equivalent to one or more micrographs, and test that they are.

    A shape of three sides makes a volume, from a section of an isotropic material or from sections of named planes.

    With --target no micrograph is needed: two-point correlation, lineal path and volume fractions are given instead.
    """

    files: Annotated[
        Files, option("Micrographs of one material.", argument=True, many=True, metavar="FILE", exists="path")
    ] = ()
    shape: Annotated[
        ShapeOrFull | None,
        option(
            "Size of the result, e.g. 256x256, or full: that of the first file. By default a window that shows the "
            "material: 12 times the reach of its covariance, from 128 to 256, and no more than the file.",
            metavar="ROWSxCOLUMNS|full",
            unit="px",
        ),
    ] = None
    plane: Annotated[
        dict[str, File] | None,
        BeforeValidator(parse_planes),
        option(
            "Section of a volume by the name of its plane, instead of files: the axis of the columns, then that of the "
            "rows, e.g. xy=top.tif, and xz,yz=side.tif for two planes that look alike; may be given several times.",
            metavar="PLANE=FILE",
            many=True,
        ),
    ] = None
    anchor: Annotated[
        dict[str, File] | None,
        BeforeValidator(parse_anchors),
        option(
            "Known plane of a volume, which it keeps exactly and continues: the axis normal to it, its number along "
            "the axis from 0, and an image of the plane's size, e.g. z=0:slice.tif; may be given several times.",
            metavar="PLACE:FILE",
            many=True,
        ),
    ] = None
    force_sections: Annotated[
        bool,
        option(
            "Make a volume although a check of its sections found that none can have them, or that they contradict one "
            "another.",
        ),
    ] = False
    nearest: Annotated[
        bool,
        option(
            "Where no isotropic volume can have the two-point function of the section, aim at the nearest one that a "
            "volume can have; the report says how far it is.",
        ),
    ] = False
    target_resamples: Annotated[
        int,
        option(
            "Number of further volumes, each from another half of the section, to see how much its size leaves open of "
            "what the model proposes. With 0, the report gives the spread at fixed targets only.",
            ge=0,
        ),
    ] = 0
    n: Annotated[
        int, option("Number of structures to make, each from other random numbers.", "-n", "--number", ge=1)
    ] = 1
    preset: Annotated[
        Preset,
        option(
            "Settings of feature matching: default; fast, with fewer iterations; or li2018, as published by Li et al. "
            "(2018)."
        ),
    ] = "default"
    fraction: Annotated[
        Fraction,
        option(
            "Volume fractions of the result: exactly those of the micrographs (exact), varied as much as between "
            "windows of the micrographs (sampled), or one number for each phase, e.g. 0.3,0.7.",
            metavar="exact|sampled|F,F,...",
        ),
    ] = "exact"
    method: Annotated[
        str,
        ChoiceOf(lambda: tuple(METHODS)),
        option("How structures are made: matching of the features of a network, or a classical method."),
    ] = "matching"
    set: Annotated[
        dict[str, Any] | None,
        BeforeValidator(pairs_of),
        option(
            "Option of the classical method, e.g. reach=12; may be given several times.",
            metavar="NAME=VALUE",
            many=True,
        ),
    ] = None
    target: Annotated[
        File | None,
        option(
            "Statistics to match instead of micrographs: a statistics.nc of 'matlens characterize'; made by annealing.",
            "--target",
            "--target-statistics",
            metavar="STATISTICS.NC",
            exists="file",
        ),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.shape, tuple):  # said here, and not after the network was loaded
            checked_shape(self.shape)
        if self.plane is not None and self.files:
            first = self.files[0]
            raise InputError(f"found --plane and {first}; name the plane of every file, as in --plane xy={first}.")
        if self.plane is not None and (not isinstance(self.shape, tuple) or len(self.shape) != 3):
            raise InputError("sections of named planes make a volume: give --shape with three sides, as in 64x64x64.")
        if self.anchor is not None and (not isinstance(self.shape, tuple) or len(self.shape) != 3):
            raise InputError("known planes belong to a volume: give --shape with three sides, as in 64x64x64.")
        if self.target_resamples and (not isinstance(self.shape, tuple) or len(self.shape) != 3):
            raise InputError("--target-resamples is about volumes: give --shape with three sides, as in 64x64x64.")
        if self.target is None:
            return
        if given := [*self.files, *(self.plane or {}).values()]:
            raise InputError(
                f"found --target and {given[0]}; give either statistics to match or micrographs to resemble."
            )
        if self.method not in ("matching", "annealing") or self.weights is not None:
            raise InputError("--target works by annealing; leave out --method and --weights.")


COMMAND = Command(
    "reconstruct",
    ReconstructSpec,
    __package__,
    example="matlens reconstruct micrograph.png",
    results=("realisation_0.npy", "realisation_0.tif"),
    workers=1,
)
