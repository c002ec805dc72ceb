"""Files in and out: one file a format family; every reader gives an `Image`, every writer is atomic."""

from matlens.io.image import Image
from matlens.io.loading import read_microstructure
from matlens.io.reading import read_image
from matlens.io.units import parse_spacing
from matlens.io.writing import write_microstructure

__all__ = [
    "Image",
    "parse_spacing",
    "read_image",
    "read_microstructure",
    "write_microstructure",
]
