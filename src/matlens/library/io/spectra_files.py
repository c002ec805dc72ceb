"""Spectra in files beside a library's table: one file with all of them, or a folder with a file for each sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.formats import SPECTRUM_FORMATS, find_format
from matlens.library.io.spectra import Spectra, matched
from matlens.library.io.text_spectra import read_matrix
from matlens.library.table import named

__all__ = ["left_out", "read_spectra"]

_SAME_AXIS = 1e-3  # allowed difference of two axes, in widths of a channel


def read_spectra(path: Path, samples: Sequence[str], table: Path | None = None) -> Spectra:
    """Read the spectra of given samples from one file, or from a folder with a file for each.

    What is no spectrum of a declared format is a matrix of text. A file may name its samples; without names its spectra
    are in the order of the table. The files of a folder are named by the samples.

    Parameters
    ----------
    path : Path
        File or folder.
    samples : sequence of str
        Sample ids, whose order the result has.
    table : Path, optional
        The library's table, which a note about other files of the folder leaves unmentioned.

    Returns
    -------
    Spectra
        One spectrum for each sample.

    Raises
    ------
    InputError
        If a sample has no spectrum, numbers are missing, or spectra differ in length, axis or its unit.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("a", "b"):
    ...     _ = (folder / f"{name}.txt").write_text("100 1.5\\n101 2.5\\n")
    >>> read_spectra(folder, ["b", "a"]).intensities.tolist()
    [[1.5, 2.5], [1.5, 2.5]]
    """
    if path.is_dir():
        return _folder(path, samples, table)
    found = find_format(path, SPECTRUM_FORMATS)
    read: Spectra = read_matrix(path) if found is None else found.load()(path)
    return read.of(samples, path.name)


def left_out(folder: Path, table: Path | None) -> tuple[str, ...]:
    """Say which files of a folder are of no format of spectra; the table and hidden files are not mentioned."""
    others = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]
    names = [file.name for file in others if file != table and find_format(file, SPECTRUM_FORMATS) is None]
    return (f"files in {folder.name} that are not read as spectra: {named(names)}",) if names else ()


def _folder(folder: Path, samples: Sequence[str], table: Path | None) -> Spectra:
    formats = {file: find_format(file, SPECTRUM_FORMATS) for file in sorted(folder.iterdir()) if file.is_file()}
    readers = {file: found.load() for file, found in formats.items() if found is not None}
    files = list(readers)
    order, spare = matched([file.stem for file in files], samples, f"files in {folder.name}")
    names = [files[k].name for k in order]
    read: list[Spectra] = [readers[files[k]](files[k]) for k in order]
    _check_single(names, read)
    _check_channels(folder, names, read)
    notes = tuple(dict.fromkeys(note for spectrum in read for note in spectrum.notes))
    return Spectra(
        np.concatenate([spectrum.intensities for spectrum in read]),
        _common_axis(names, read),
        _common_unit(folder, names, read),
        (*spare, *notes, *left_out(folder, table)),
    )


def _check_single(names: Sequence[str], read: Sequence[Spectra]) -> None:
    for name, spectrum in zip(names, read, strict=True):
        if len(spectrum.intensities) != 1:
            raise InputError(
                f"{name} holds {len(spectrum.intensities)} spectra where one for each sample is expected; save them as "
                "single files, or give a file with those of all samples by itself."
            )


def _check_channels(folder: Path, names: Sequence[str], read: Sequence[Spectra]) -> None:
    lengths = [len(spectrum.axis) for spectrum in read]
    usual = Counter(lengths).most_common(1)[0][0]
    if uneven := [f"{name} ({length})" for name, length in zip(names, lengths, strict=True) if length != usual]:
        raise InputError(
            f"most spectra in {folder.name} have {usual} channels, but not {named(uneven)}; measure or resample them "
            "on one axis."
        )


def _common_axis(names: Sequence[str], read: Sequence[Spectra]) -> NDArray[np.float64]:
    axis = np.median([spectrum.axis for spectrum in read], axis=0)
    width = np.abs(np.gradient(axis)) if len(axis) > 1 else np.ones(1)
    moved = [
        name
        for name, spectrum in zip(names, read, strict=True)
        if (np.abs(spectrum.axis - axis) > _SAME_AXIS * width).any()
    ]
    if moved:
        raise InputError(
            f"the axis of {named(moved)} differs from that of the other spectra; resample them on one axis."
        )
    return axis


def _common_unit(folder: Path, names: Sequence[str], read: Sequence[Spectra]) -> str:
    units = {spectrum.axis_unit: name for name, spectrum in zip(names, read, strict=True) if spectrum.axis_unit}
    if len(units) > 1:
        found = named(f"{unit} ({name})" for unit, name in units.items())
        raise InputError(f"the spectra in {folder.name} have axes in {found}; convert them to one unit.")
    return next(iter(units), "")
