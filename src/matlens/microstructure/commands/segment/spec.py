"""The options of ``matlens segment``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import option, options
from matlens.microstructure.commands.options import File, Micrographs
from matlens.runs.command import Command

__all__ = ["COMMAND", "SegmentSpec"]


@options
class SegmentSpec(Micrographs):
    """Segment a micrograph into phases, and compare with other thresholds; writes labels and their settings.

    Other commands take labels.tif in place of the micrograph, or the settings by --segmentation.
    """

    file: Annotated[File, option("Image or volume to segment.", argument=True, metavar="FILE", exists="path")]


COMMAND = Command(
    "segment",
    SegmentSpec,
    __package__,
    example="matlens segment micrograph.tif -o segmented",
    results=("labels.tif", "segmentation.toml", "alternatives.csv"),
    torch=False,
)
