"""VTK image data (.vti) for ParaView, written without VTK: XML with the raw bytes appended in base64."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np

from matlens.core.atomic import atomic_write
from matlens.microstructure.structure import Microstructure

__all__ = ["write_vti"]


def write_vti(microstructure: Microstructure, path: Path) -> None:
    """Write the labels as the cell array ``phase`` of a VTK image.

    The last array axis is x, which varies fastest; the origin is zero. VTK has no place for unit, phase names and
    periodicity. Unit and names are written as field data; MatLens does not read them.

    Parameters
    ----------
    microstructure : Microstructure
        The structure; a plane becomes one layer of unit thickness.
    path : Path
        The file.

    Raises
    ------
    RunError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.vti"
    >>> write_vti(Microstructure([[0, 1], [1, 1]], spacing=0.5, unit="um"), path)
    >>> 'Spacing="0.5 0.5 1.0"' in path.read_text()
    True
    """
    labels = microstructure.labels.reshape((1,) * (3 - microstructure.ndim) + microstructure.shape)
    x, y, z = microstructure.spacing[::-1] if microstructure.ndim == 3 else (*microstructure.spacing[::-1], 1.0)
    depth, height, width = labels.shape
    extent = f"0 {width} 0 {height} 0 {depth}"
    content = base64.b64encode(np.uint64(labels.size).tobytes() + np.ascontiguousarray(labels).tobytes()).decode()
    text = f"""<?xml version="1.0"?>
<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64">
  <ImageData WholeExtent="{extent}" Origin="0 0 0" Spacing="{x!r} {y!r} {z!r}">
    <FieldData>
      {_strings("unit", (microstructure.unit,))}
      {_strings("phase_names", microstructure.phase_names)}
    </FieldData>
    <Piece Extent="{extent}">
      <CellData Scalars="phase">
        <DataArray type="UInt8" Name="phase" format="appended" offset="0"/>
      </CellData>
    </Piece>
  </ImageData>
  <AppendedData encoding="base64">_{content}</AppendedData>
</VTKFile>
"""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _strings(name: str, values: tuple[str, ...]) -> str:
    """A VTK string array: the bytes of each string, zero-terminated, as decimal numbers."""
    numbers = " ".join(str(byte) for value in values for byte in (*value.encode(), 0))
    return f'<Array type="String" Name="{name}" NumberOfTuples="{len(values)}" format="ascii">{numbers}</Array>'
