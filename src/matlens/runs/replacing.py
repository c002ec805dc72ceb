"""Replacing an earlier run: it waits in ``previous/`` until the new one has finished, and comes back otherwise.

The settings are the first file to leave and the last to come back. A folder without settings whose ``previous/`` has
some is therefore one in which a replacement was interrupted, and what is left to be done is done when it is opened.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from matlens.errors import RunError
from matlens.runs.manifest import MANIFEST, SETTINGS, STATE, Manifest, inside, own_folder

__all__ = [
    "LOCK",
    "PREVIOUS",
    "bring_back",
    "check_replaceable",
    "forget_previous",
    "is_interrupted",
    "previous_waits",
    "set_aside",
]

PREVIOUS = "previous"
LOCK = "lock"  # below STATE; belongs to the process, not to a run
_SHOWN = 5  # names in a sentence


def check_replaceable(root: Path) -> None:
    """Raise an error if ``--force`` would overwrite a file that is not as MatLens wrote it.

    Parameters
    ----------
    root : Path
        The folder.

    Raises
    ------
    RunError
        The sentence names the files.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> (root / "report.html").write_text("mine")
    4
    >>> check_replaceable(root)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    matlens.errors.RunError: ... holds report.html but no run of MatLens that --force could replace; choose another ...
    """
    if not (root / SETTINGS).is_file():
        others = sorted(entry.name for entry in root.iterdir() if entry.name != STATE)
        if others:
            raise RunError(
                f"{root} holds {_listed(others)} but no run of MatLens that --force could replace; choose another "
                "--output."
            )
        return
    manifest = Manifest(root)
    unknown = () if SETTINGS in manifest else (SETTINGS,)
    free = previous_waits(root) or (root / PREVIOUS).is_symlink()  # the link itself is refused later
    waiting = (f"{PREVIOUS}/{name}" for name in manifest if not free)
    taken = (name for name in waiting if os.path.lexists(root / name))
    others = sorted({*unknown, *manifest.changed(), *taken})
    if others:
        raise RunError(
            f"{root} holds {_listed(others)}, not as MatLens wrote what --force replaces; move that away or choose "
            "another --output."
        )


def set_aside(root: Path, *, finished: bool) -> None:
    """Move the files of an earlier run to ``previous/``; remove them if that folder holds the last finished run.

    Parameters
    ----------
    root : Path
        The folder, locked; `check_replaceable` found nothing.
    finished : bool
        Whether the earlier run has finished.

    Raises
    ------
    OSError
        If a file cannot be moved.
    """
    manifest, previous = Manifest(root), root / PREVIOUS
    if finished:
        forget_previous(root)
    mine = [SETTINGS, *(name for name in manifest.ours() if name != SETTINGS and not name.startswith(f"{STATE}/"))]
    mine = [name for name in mine if (root / name).is_file()]
    state = [entry.name for entry in own_folder(root, STATE).iterdir() if entry.name != LOCK]
    state.sort(key=lambda name: f"{STATE}/{name}" == MANIFEST)  # last: where it is in previous/, all else is
    if not mine:
        _remove_state(root, state)
    elif previous_waits(root):
        for name in mine:
            (root / name).unlink()
        _remove_state(root, state)
    else:
        own_folder(root, PREVIOUS)
        for name in mine:
            kept = inside(previous, name)
            kept.parent.mkdir(parents=True, exist_ok=True)
            os.replace(root / name, kept)
        kept_state = own_folder(previous, STATE)
        for name in state:
            os.replace(root / STATE / name, kept_state / name)
    _remove_empty(root, manifest.folders())


def is_interrupted(root: Path) -> bool:
    """Return whether a replacement of a run was interrupted in this folder.

    Parameters
    ----------
    root : Path
        The folder.

    Returns
    -------
    bool
        Whether the folder has no settings, while its ``previous/`` has.
    """
    return not os.path.lexists(root / SETTINGS) and previous_waits(root)


def previous_waits(root: Path) -> bool:
    """Return whether an earlier run waits in ``previous/``, and not a folder that somebody else gave this name.

    Parameters
    ----------
    root : Path
        The folder.

    Returns
    -------
    bool
        Whether the settings in there are as MatLens wrote them.
    """
    return not (root / PREVIOUS).is_symlink() and _waiting(root).wrote(SETTINGS)


def _waiting(root: Path) -> Manifest:
    """The manifest of the run in ``previous/``, which moves there last."""
    previous = root / PREVIOUS
    return Manifest(previous, previous if (previous / MANIFEST).is_file() else root)


def bring_back(root: Path) -> None:
    """Remove what the new run wrote, and bring back the run that it was to replace; do nothing where there is none.

    Parameters
    ----------
    root : Path
        The folder, locked; the settings of the new run are removed already.

    Raises
    ------
    OSError
        If a file cannot be moved.
    """
    if not is_interrupted(root):
        return
    previous, waiting = root / PREVIOUS, _waiting(root)
    if (previous / MANIFEST).is_file():  # all was set aside: what else is listed is the new run's
        manifest = Manifest(root)
        for name in manifest.ours():
            (root / name).unlink()
        (root / MANIFEST).unlink(missing_ok=True)  # what comes back now may have the same bytes
        _remove_empty(root, manifest.folders())
    names = [name for name in _files(previous) if name.startswith(f"{STATE}/") or waiting.wrote(name)]
    for name in sorted(names, key=lambda name: (name == SETTINGS, name == MANIFEST, name)):
        back = inside(root, name)
        if name.startswith(f"{STATE}/") or not os.path.lexists(back):
            back.parent.mkdir(parents=True, exist_ok=True)
            os.replace(previous / name, back)
    _remove_empty(root, {(previous / name).parent for name in names})


def forget_previous(root: Path) -> None:
    """Remove the run that waited in ``previous/``, as the new one has finished; files of others in there stay.

    Parameters
    ----------
    root : Path
        The folder, locked.
    """
    previous = root / PREVIOUS
    if previous.is_symlink() or (previous / STATE).is_symlink() or not (previous / MANIFEST).is_file():
        return
    manifest = Manifest(previous)
    for name in sorted(manifest.ours(), key=lambda name: name != SETTINGS):
        (previous / name).unlink()
    shutil.rmtree(previous / STATE, ignore_errors=True)
    _remove_empty(root, manifest.folders() | {previous})


def _remove_state(root: Path, names: Iterable[str]) -> None:
    for name in names:
        entry = root / STATE / name
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _remove_empty(root: Path, folders: set[Path]) -> None:
    """Remove the folders below the root that are empty now, and those above them."""
    above = {parent for folder in folders for parent in folder.parents}
    for folder in sorted(folders | above, key=lambda folder: -len(folder.parts)):
        if folder != root and folder.is_relative_to(root):
            with suppress(OSError):  # not empty: it holds files of others
                folder.rmdir()


def _files(folder: Path) -> Iterator[str]:
    for where, _, names in os.walk(folder):  # follows no links
        yield from ((Path(where) / name).relative_to(folder).as_posix() for name in names)


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
