"""The list of examples, and how one becomes a file."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from matlens.core.atomic import atomic_write
from matlens.core.late import imported
from matlens.errors import InputError

if TYPE_CHECKING:  # the list is read without them
    from matlens.library.table import MaterialsLibrary
    from matlens.microstructure.structure import Microstructure

__all__ = ["EXAMPLES", "Example", "write_example"]

_STRUCTURES, _LIBRARIES = "matlens.microstructure.problems.examples", "matlens.library.problems.examples"


@dataclass(frozen=True)
class Example:
    """An example that MatLens makes itself.

    Parameters
    ----------
    where : str
        ``"module:function"`` that makes it.
    file : str
        Name of the file that holds it.
    size : str
        Size of that file, for people.
    description : str
        One sentence about the content.
    source : str
        What it is made of, or after.
    licence : str
        Licence of the content.

    Examples
    --------
    >>> EXAMPLES["particles"].file
    'particles.tif'
    """

    where: str
    file: str
    size: str
    description: str
    source: str
    licence: str = "BSD-3-Clause"


EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "gravel": Example(
            f"{_STRUCTURES}:gravel",
            "gravel.tif",
            "66 kB",
            "A photograph of gravel, segmented: 256 x 256 pixels",
            "installed with scikit-image",
            "CC0-1.0",
        ),
        "bicontinuous": Example(
            f"{_STRUCTURES}:bicontinuous",
            "bicontinuous.tif",
            "66 kB",
            "A spinodal-like structure of two connected phases: 256 x 256 pixels",
            "after Cahn, J. Chem. Phys. 42, 93 (1965)",
        ),
        "particles": Example(
            f"{_STRUCTURES}:particles",
            "particles.tif",
            "66 kB",
            "Round particles in a matrix: 256 x 256 pixels of 0.5 um",
            "MatLens",
        ),
        "porous": Example(
            f"{_STRUCTURES}:porous",
            "porous.tif",
            "0.9 MB",
            "A volume of a porous solid: 96 x 96 x 96 voxels of 0.5 um",
            "after Quiblier, J. Colloid Interface Sci. 98, 84 (1984)",
        ),
        "photoanode": Example(
            f"{_LIBRARIES}:photoanode",
            "photoanode.csv",
            "2.8 MB",
            "A library of 150 photoanodes: seven components, Raman spectra and power",
            "layout of Umehara et al., npj Comput. Mater. 5, 34 (2019)",
        ),
        "blend": Example(
            f"{_LIBRARIES}:blend",
            "blend.csv",
            "8 kB",
            "A library of 120 blends: a polymer, four dopants and the conductivity",
            "MatLens",
        ),
    }
)


def write_example(name: str, folder: str | os.PathLike[str] = ".") -> Path:
    """Make an example and write it to a file, which commands read.

    Parameters
    ----------
    name : str
        One of `EXAMPLES`.
    folder : path-like
        Where the file is written; by default the current folder.

    Returns
    -------
    Path
        The file: TIFF with pixel size and names of phases, or CSV.

    Raises
    ------
    InputError
        If there is no such example, or the folder holds another file of that name.
    RunError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> write_example("particles", tempfile.mkdtemp()).name
    'particles.tif'
    """
    if name not in EXAMPLES:
        raise InputError(f"found no example {name!r}; choose one of {', '.join(EXAMPLES)}.")
    path = Path(folder) / EXAMPLES[name].file
    content = _content(imported(EXAMPLES[name].where)(), path.name)
    if not path.exists():
        with atomic_write(path) as file:
            file.write(content)
    elif not path.is_file() or path.read_bytes() != content:
        raise InputError(f"{path} is there already and is not the example; move it, or call this in another folder.")
    return path


def _content(made: Microstructure | MaterialsLibrary, name: str) -> bytes:
    file = io.BytesIO()
    if name.endswith(".csv"):
        from matlens.library.io import put_library

        put_library(cast("MaterialsLibrary", made), file)
    else:
        from matlens.microstructure.io import put_microstructure

        put_microstructure(cast("Microstructure", made), name, file)
    return file.getvalue()
