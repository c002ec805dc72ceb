"""Spectra in files beside a library's table: one file with all of them, or a folder with a file for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from matlens.core.guard import reading
from matlens.core.memory import check_memory
from matlens.errors import InputError
from matlens.library.io.formats import SPECTRUM_FORMATS, TEXT_SUFFIXES, export_advice, find_format, is_document
from matlens.library.io.layout import DEFAULT, Layout
from matlens.library.io.spectra import Spectra, matched
from matlens.library.io.spectral_axes import on_one_axis
from matlens.library.io.text_spectra import read_matrix, read_spectra_in_columns
from matlens.library.table import named

__all__ = ["files_below", "holds_spectra", "read_spectra", "readable", "unread_files"]

_COPIES = 10  # of a file: its bytes, its words and its numbers


def read_spectra(path: Path, samples: Sequence[str], layout: Layout = DEFAULT) -> Spectra:
    """Read the spectra of given samples from one file, or from a folder with a file for each.

    What is no spectrum of a declared format is a matrix of text. A file may name its samples; without names its spectra
    are in the order of the table. The files of a folder are named by the samples, or lie in folders that are.

    Parameters
    ----------
    path : Path
        File or folder.
    samples : sequence of str
        Sample ids, whose order the result has.
    layout : Layout
        How files of text are written, where they do not say.

    Returns
    -------
    Spectra
        One spectrum for each sample.

    Raises
    ------
    InputError
        If a sample has no spectrum, numbers are missing, or the axes cannot be put on a common one.

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
        return _folder(path, samples, layout)
    with reading(path, "a file of spectra"):
        return _file(path, samples, layout)


def _file(path: Path, samples: Sequence[str], layout: Layout) -> Spectra:
    found = find_format(path, SPECTRUM_FORMATS, layout)
    if found is not None:
        check_memory(path.stat().st_size * _COPIES, path.name, "split it into files of fewer spectra")
        read: Spectra = found.open(path, layout)
    elif advice := export_advice(path):
        raise InputError(f"{path.name} is {advice}.")
    else:
        return _matrix(path, samples, layout)
    return read.of(samples, path.name)


def files_below(folder: Path) -> list[Path]:
    """List the files of a folder and of the folders in it, without hidden ones.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    list of Path
        The files, in the order of their names.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "s1.txt").touch()
    >>> [file.name for file in files_below(folder)]
    ['s1.txt']
    """
    there = [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "__"))]
    return [file for path in there for file in (files_below(path) if path.is_dir() else [path]) if file.is_file()]


def unread_files(folder: Path, read: Sequence[Path], *, ignore: bool) -> tuple[str, ...]:
    """Refuse files of a folder that nothing has read; documents such as a readme are only noted.

    Parameters
    ----------
    folder : Path
        The folder.
    read : sequence of Path
        Files that were read, such as the library's table.
    ignore : bool
        Whether the user wants to go on without the other files: then they are noted.

    Returns
    -------
    tuple of str
        A sentence on files that were not read, if there are any.

    Raises
    ------
    InputError
        If files that may be spectra were not read; the message lists them.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "readme.txt").write_text("Measured with care.")
    >>> unread_files(folder, [], ignore=False)
    ('files that are not read: readme.txt',)
    """
    rest = [file for file in files_below(folder) if file not in read]
    spectra = [file for file in rest if not is_document(file)]
    if spectra and not ignore:
        advised = ((file.name, export_advice(file) or _text_advice(file)) for file in spectra)
        name, advice = next((pair for pair in advised if pair[1]), ("", ""))
        found = named(str(file.relative_to(folder)) for file in spectra)
        kind = f" ({name} is {advice})" if advice else ""
        raise InputError(
            f"{folder.name} holds {len(spectra)} files of a kind that is not read: {found}{kind}; give the spectra as "
            "text, move these files elsewhere, or go on without them by --ignore-unread."
        )
    return (f"files that are not read: {named(file.relative_to(folder) for file in rest)}",) if rest else ()


def readable(folder: Path, layout: Layout = DEFAULT) -> list[Path]:
    """List the files of a folder, and of the folders in it, that hold spectra of a declared format.

    Parameters
    ----------
    folder : Path
        The folder.
    layout : Layout
        How files of text are written, where they do not say.

    Returns
    -------
    list of Path
        The files.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "s1.txt").write_text("100 1.5\\n101 2.5\\n"), (folder / "readme.txt").write_text("1,176 cells")
    >>> [file.name for file in readable(folder)]
    ['s1.txt']
    """
    return [file for file in files_below(folder) if holds_spectra(file, layout)]


def holds_spectra(path: Path, layout: Layout = DEFAULT) -> bool:
    """Return whether a file holds spectra of a declared format.

    Parameters
    ----------
    path : Path
        The file.
    layout : Layout
        How a file of text is written, where it does not say.

    Returns
    -------
    bool
        Whether it does; not so for a document such as a readme whose numbers cannot be understood.

    Raises
    ------
    InputError
        If the numbers of another file cannot be understood without an option.

    Examples
    --------
    >>> holds_spectra(Path("a.docx"))
    False
    """
    try:
        with reading(path, "a file of spectra"):
            return find_format(path, SPECTRUM_FORMATS, layout) is not None
    except InputError:
        if is_document(path):
            return False
        raise


def _text_advice(path: Path) -> str:
    if path.suffix.lower() not in TEXT_SUFFIXES:
        return ""
    return "text, but most of its lines do not hold a position and an intensity; check it"


def _folder(folder: Path, samples: Sequence[str], layout: Layout) -> Spectra:
    files = readable(folder, layout)
    order, notes = matched([_name(file, folder, files) for file in files], samples, f"files in {folder.name}")
    chosen = [files[k] for k in order]
    read: list[Spectra] = []
    for file in chosen:
        with reading(file, "a file of spectra"):
            found = find_format(file, SPECTRUM_FORMATS, layout)
            read.append(found.open(file, layout))  # type: ignore[union-attr]  # `readable` lists files of a format only
    _check_single([file.name for file in chosen], read)
    together = on_one_axis([file.name for file in chosen], read, folder.name)
    told = dict.fromkeys(note for spectrum in read for note in spectrum.notes)
    places = [name for name in read[0].positions if all(name in spectrum.positions for spectrum in read)]
    return replace(
        together,
        notes=(*notes, *told, *together.notes),
        positions={name: np.concatenate([spectrum.positions[name] for spectrum in read]) for name in places},
        quantity=_common_quantity(folder.name, [file.name for file in chosen], read),
    )


def _matrix(path: Path, samples: Sequence[str], layout: Layout) -> Spectra:
    """Read spectra in the rows of a file or, where they do not fit the samples, in its columns."""
    try:
        return read_matrix(path, layout).of(samples, path.name)
    except InputError as in_rows:
        try:
            found = read_spectra_in_columns(path, layout).of(samples, path.name)
        except InputError:
            raise in_rows from None
        steps = np.diff(found.axis)
        if not ((steps > 0).all() or (steps < 0).all()):
            raise
        return found


def _name(file: Path, folder: Path, files: Sequence[Path]) -> str:
    """The name that a file gives its sample: its own, or that of its folder where all files are called alike."""
    alike = len({other.stem for other in files}) == 1 < len(files)
    return file.parent.name if alike and file.parent != folder else file.stem


def _common_quantity(folder: str, names: Sequence[str], read: Sequence[Spectra]) -> str:
    found = {spectrum.quantity: name for name, spectrum in zip(names, read, strict=True)}
    if len(found) > 1:
        pairs = named(f"{quantity or 'intensities'} ({name})" for quantity, name in found.items())
        raise InputError(f"the spectra in {folder} are of different kinds, {pairs}; give files of one kind.")
    return next(iter(found), "")


def _check_single(names: Sequence[str], read: Sequence[Spectra]) -> None:
    for name, spectrum in zip(names, read, strict=True):
        if len(spectrum.intensities) != 1:
            raise InputError(
                f"{name} holds {len(spectrum.intensities)} spectra where one for each sample is expected; save them as "
                "single files, or give a file with those of all samples by itself."
            )
