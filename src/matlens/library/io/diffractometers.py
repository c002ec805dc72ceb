"""Files of diffractometers: XRDML of PANalytical, RAS and RASX of Rigaku."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.encoding import decoded
from matlens.library.io.layout import DEFAULT, Layout
from matlens.library.io.spectra import Spectra
from matlens.library.table import named

__all__ = ["patterns", "read_ras", "read_rasx", "read_xrdml"]

Floats = NDArray[np.float64]


def read_xrdml(path: Path) -> Spectra:
    """Read the scans over 2 theta of an XRDML file; raw counts are multiplied by the attenuation, if it is given.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Spectra
        One pattern for each scan.

    Raises
    ------
    InputError
        If the file is no whole XRDML, has no scan over 2 theta, or scans of different ranges.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.xrdml"
    >>> points = '<positions axis="2Theta"><startPosition>10</startPosition><endPosition>11</endPosition></positions>'
    >>> _ = path.write_text(f"<x><scan><dataPoints>{points}<counts>5 6 7</counts></dataPoints></scan></x>")
    >>> read_xrdml(path).axis.tolist()
    [10.0, 10.5, 11.0]
    """
    try:
        root = ElementTree.parse(path).getroot()
        scans = [scan for points in root.iter() if _tag(points) == "dataPoints" and (scan := _scan(points)) is not None]
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"{path.name} is no whole XRDML file ({error}); export it again.") from error
    return patterns(path.name, scans)


def read_ras(path: Path, layout: Layout = DEFAULT) -> Spectra:
    """Read the patterns of a RAS file; counts are multiplied by the attenuation.

    Parameters
    ----------
    path : Path
        The file.
    layout : Layout
        How the file is written, where it does not say.

    Returns
    -------
    Spectra
        One pattern for each range.

    Raises
    ------
    InputError
        If the file has no patterns, or patterns of different ranges.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.ras"
    >>> _ = path.write_text("*RAS_INT_START\\n10.0 5 1.0\\n10.1 6 2.0\\n*RAS_INT_END\\n")
    >>> read_ras(path).intensities.tolist()
    [[5.0, 12.0]]
    """
    text = decoded(path.read_bytes(), path.name, layout.encoding or "latin-1")
    parts = re.findall(r"\*RAS_INT_START\s*(.*?)\*RAS_INT_END", text, re.DOTALL)
    return patterns(path.name, [_columns(part, path.name) for part in parts])


def read_rasx(path: Path) -> Spectra:
    """Read the patterns of a RASX file, which is an archive; counts are multiplied by the attenuation.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Spectra
        One pattern for each profile.

    Raises
    ------
    InputError
        If the archive is damaged, has no profiles, or profiles of different ranges.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.rasx"
    >>> with zipfile.ZipFile(path, "w") as archive:
    ...     archive.writestr("Data0/Profile0.txt", "10.0\\t5\\t1\\n10.1\\t6\\t1\\n")
    >>> read_rasx(path).axis.tolist()
    [10.0, 10.1]
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if re.search(r"Profile\d+\.txt$", name))
            parts = [decoded(archive.read(name), path.name) for name in names]
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError) as error:
        raise InputError(f"{path.name} is no whole RASX file ({error}); copy it again from the instrument.") from error
    return patterns(path.name, [_columns(part, path.name) for part in parts])


def patterns(name: str, scans: Sequence[tuple[Floats, Floats]]) -> Spectra:
    """Put the scans of a file together, which must be over the same angles.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    scans : sequence of (ndarray of float, ndarray of float)
        Angles in degrees 2 theta, and counts, of each scan.

    Returns
    -------
    Spectra
        One pattern for each scan.

    Raises
    ------
    InputError
        If there is no scan, or angles and counts differ in number, or scans in their angles.

    Examples
    --------
    >>> patterns("a.ras", [(np.array([10.0, 11.0]), np.array([5.0, 6.0]))]).axis_unit
    'deg'
    """
    if not scans:
        raise InputError(f"{name} holds no scan over 2 theta; export the pattern as text.")
    axis = scans[0][0]
    if any(len(values) != len(own) for own, values in scans):
        raise InputError(f"{name} has another number of counts than of angles; export it again.")
    if any(not np.array_equal(own, axis) for own, _ in scans):
        ranges = named(f"{own[0]:g} to {own[-1]:g}" for own, _ in scans)
        raise InputError(f"{name} holds scans of different ranges ({ranges}); export the one to use as text.")
    return Spectra(np.array([values for _, values in scans]), axis, "deg")


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _scan(points: ElementTree.Element) -> tuple[Floats, Floats] | None:
    """Read positions and counts of one scan; None for a scan over another axis than 2 theta."""
    counts = next((part for part in points if _tag(part) in ("counts", "intensities")), None)
    places = next((part for part in points if _tag(part) == "positions" and part.get("axis") == "2Theta"), None)
    if counts is None or places is None:
        return None
    values = np.array((counts.text or "").split(), dtype=float)
    if _tag(counts) == "counts":  # "intensities" have been multiplied by the instrument
        factors = [part for part in points if _tag(part) in ("beamAttenuationFactors", "commonBeamAttenuationFactor")]
        values = values * np.array([float(text) for part in factors for text in (part.text or "").split()] or [1.0])
    ends = {_tag(part): np.array((part.text or "").split(), dtype=float) for part in places}
    if "listPositions" in ends:
        return ends["listPositions"], values
    if "startPosition" not in ends or "endPosition" not in ends:
        return None  # the detector stood still
    return np.linspace(ends["startPosition"][0], ends["endPosition"][0], len(values)), values


def _columns(text: str, name: str) -> tuple[Floats, Floats]:
    try:
        rows = np.array([line.split() for line in text.splitlines() if line.strip()], dtype=float)
        return rows[:, 0], rows[:, 1] * rows[:, 2]
    except (ValueError, IndexError) as error:
        raise InputError(
            f"{name} must have lines of angle, counts and attenuation ({error}); export it again."
        ) from error
