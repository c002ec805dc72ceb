"""The options that commands share. Nothing heavy is imported here: ``matlens --help`` must be quick."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

if TYPE_CHECKING:
    from matlens.microstructure.segmentation import CleaningOptions

__all__ = ["Cleaning", "Machine", "Place", "Seed", "Talk"]


@dataclass(frozen=True, kw_only=True)
class Talk:
    """How much is said."""

    quiet: Annotated[bool, Option("--quiet", "-q", help="Print nothing but where the results lie.")] = False
    verbose: Annotated[bool, Option("--verbose", "-v", help="Also print what happens inside.")] = False


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where the computing happens."""

    device: Annotated[str, Option(help="auto, cpu or cuda.")] = "auto"
    threads: Annotated[int | None, Option(min=1, help="Processor threads; the default is what torch takes.")] = None


@dataclass(frozen=True, kw_only=True)
class Seed:
    """What chance starts from."""

    seed: Annotated[int, Option(min=0, help="The same seed, threads, device and versions give the same bytes.")] = 0


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where results go."""

    output: Annotated[
        Path | None, Option("--output", "-o", metavar="RUN", help="The run directory; default runs/DATE-COMMAND.")
    ] = None
    force: Annotated[
        bool, Option("--force", help="Replace an earlier run there; files of other origin are left alone.")
    ] = False


_PANEL = "From a grey picture to phases"


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """What is done to every input file, in this order, before it is phases."""

    dataset: Annotated[str | None, Option(help="Which array, in files that hold several.", rich_help_panel=_PANEL)] = (
        None
    )
    channel: Annotated[
        str | None,
        Option(help="Of a colour picture: grey, red, green, blue, or colours (each a phase).", rich_help_panel=_PANEL),
    ] = None
    crop: Annotated[
        str | None, Option(help="Part to keep, x0:x1,y0:y1 in pixels, or auto.", rich_help_panel=_PANEL)
    ] = None
    data_bar: Annotated[
        str | None, Option(help="Cut off the bar below the picture: its rows, or auto.", rich_help_panel=_PANEL)
    ] = None
    mask: Annotated[
        Path | None, Option(help="Picture that is black where the micrograph is bad.", rich_help_panel=_PANEL)
    ] = None
    flatten: Annotated[
        str | None,
        Option(help="Divide by the background: polynomial[:DEGREE], gaussian:SIGMA.", rich_help_panel=_PANEL),
    ] = None
    median: Annotated[int, Option(min=0, help="Side of the median filter in pixels.", rich_help_panel=_PANEL)] = 0
    threshold: Annotated[
        str | None, Option(help="otsu, multiotsu:K, or grey values v1,v2,...", rich_help_panel=_PANEL)
    ] = None
    invert: Annotated[bool, Option("--invert", help="Reverse the order of the phases.", rich_help_panel=_PANEL)] = False
    min_object: Annotated[
        int, Option(min=0, help="Drop patches of a phase other than 0 below so many pixels.", rich_help_panel=_PANEL)
    ] = 0
    min_hole: Annotated[
        int, Option(min=0, help="Fill patches of phase 0 below so many pixels.", rich_help_panel=_PANEL)
    ] = 0
    downsample: Annotated[
        int, Option(min=1, help="Join so many pixels along each axis to one.", rich_help_panel=_PANEL)
    ] = 1
    spacing: Annotated[str | None, Option(help="Size of a pixel, e.g. 0.35um.", rich_help_panel=_PANEL)] = None

    def options(self) -> CleaningOptions:
        """Check them and make them the library's options (without ``dataset``, which belongs to reading)."""
        from matlens.microstructure.segmentation import CleaningOptions

        values = {name: value for name, value in asdict(self).items() if name != "dataset"}
        if self.mask is not None:  # a run may be resumed from another folder
            values["mask"] = self.mask.absolute()
        return CleaningOptions(**values)
