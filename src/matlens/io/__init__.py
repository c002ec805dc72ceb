"""Files in and out: one file a format family; every reader gives an `Image`, every writer is atomic."""

from matlens.io.image import Image
from matlens.io.library import read_library
from matlens.io.library_options import LibraryOptions
from matlens.io.library_writing import write_library
from matlens.io.loading import load, read_microstructure
from matlens.io.options import CleaningOptions, parse_crop, parse_flatten, parse_threshold
from matlens.io.reading import read_image
from matlens.io.registry import entries, fetch, locate
from matlens.io.segmentation import Segmentation, segment
from matlens.io.statistics_file import read_statistics
from matlens.io.units import parse_spacing
from matlens.io.writing import write_microstructure

__all__ = [
    "CleaningOptions",
    "Image",
    "LibraryOptions",
    "Segmentation",
    "entries",
    "fetch",
    "load",
    "locate",
    "parse_crop",
    "parse_flatten",
    "parse_spacing",
    "parse_threshold",
    "read_image",
    "read_library",
    "read_microstructure",
    "read_statistics",
    "segment",
    "write_library",
    "write_microstructure",
]
