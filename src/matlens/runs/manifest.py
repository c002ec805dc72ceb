"""The manifest of a run directory: names and hashes of the files that MatLens wrote there.

A run directory may come from somebody else. Its manifest is data: a name counts only if it is relative and leads to a
place inside the directory, and a file counts as written by MatLens only if it has one of the hashes that stand beside
its name.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath

from matlens.core.atomic import open_plain
from matlens.core.registry import sha256_of
from matlens.errors import RunError

__all__ = ["MANIFEST", "SETTINGS", "STATE", "Manifest", "inside", "is_inside", "own_folder"]

SETTINGS = "settings.toml"
STATE = ".state"  # lock, manifest, state and results to resume from: nothing a user needs
MANIFEST = f"{STATE}/files.jsonl"
_PART = f"{STATE}/files-{{}}.jsonl"  # of a worker
_FORMER = f"{STATE}/files.txt"  # of earlier versions: names without hashes


def is_inside(root: Path, name: str) -> bool:
    """Return whether a name is relative and leads to a place inside a folder, whatever links there are.

    The last part of the name may be a link: it is replaced, moved or removed itself, never followed.

    Parameters
    ----------
    root : Path
        The folder.
    name : str
        A name, perhaps of somebody else.

    Returns
    -------
    bool
        Whether it is.

    Examples
    --------
    >>> [is_inside(Path("run"), name) for name in ("figures/a.png", "../a.png", "/etc/passwd", ".")]
    [True, False, False, False]
    """
    parts = PurePath(name).parts
    if not parts or PurePath(name).is_absolute() or PurePath(name).drive or ".." in parts or "\0" in name:
        return False
    try:
        os.fsencode(name)
        return (root / name).parent.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):  # not a name of this system; links in a circle
        return False


def inside(root: Path, name: str) -> Path:
    """Return the path of a file inside a folder.

    Parameters
    ----------
    root : Path
        The folder.
    name : str
        A name, perhaps of somebody else.

    Returns
    -------
    Path
        Where it leads.

    Raises
    ------
    RunError
        If it leads out of the folder.

    Examples
    --------
    >>> inside(Path("run"), "../a.png")
    Traceback (most recent call last):
    matlens.errors.RunError: '../a.png' leads out of the run directory run, where MatLens writes nothing; check the
    links and the settings in there.
    """
    if not is_inside(root, name):
        raise RunError(
            f"{name!r} leads out of the run directory {root}, where MatLens writes nothing; check the links and the "
            "settings in there."
        )
    return root / name


def own_folder(root: Path, name: str) -> Path:
    """Make a folder inside a run directory if it is not there.

    Parameters
    ----------
    root : Path
        The run directory.
    name : str
        Name of the folder.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RunError
        If it is a link.
    OSError
        If it cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> own_folder(Path(tempfile.mkdtemp()), ".state").name
    '.state'
    """
    folder = root / name
    if folder.is_symlink():
        raise RunError(f"{folder} is a link, and MatLens follows no links in a run directory; remove it.")
    folder.mkdir(exist_ok=True)
    return folder


class Manifest:
    """Names and hashes of the files that MatLens wrote in a folder; kept in ``.state/files.jsonl``, a file a line.

    Files below ``.state`` are MatLens' own and have no hash. A name has several hashes if the file was written again.

    Parameters
    ----------
    root : Path
        The folder.
    kept_in : Path, optional
        The folder whose manifest it is, where the files have moved from there to ``root``; by default ``root``.
    worker : str
        Name of a worker, which notes its files in a manifest of its own: lines that several machines append to one file
        can be lost on network file systems. All such parts are read.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> own_folder(root, STATE).is_dir()
    True
    >>> manifest = Manifest(root)
    >>> manifest.record("a.txt", b"mine")
    >>> (root / "a.txt").write_bytes(b"mine")
    4
    >>> manifest.wrote("a.txt"), Manifest(root).wrote("a.txt")
    (True, True)
    >>> (root / "a.txt").write_bytes(b"changed")
    7
    >>> list(manifest.ours()), list(manifest.changed())
    ([], ['a.txt'])
    """

    def __init__(self, root: Path, kept_in: Path | None = None, worker: str = "") -> None:
        self._root, self._kept_in = root, kept_in or root
        self._file = _PART.format(worker) if worker else MANIFEST
        self._hashes: dict[str, set[str]] = {}
        self.exists = False
        """Whether the folder has a manifest, of this version or of an earlier one."""
        for file, read in ((MANIFEST, _entry), (_FORMER, lambda line: (line, ""))):
            self._take(file, read)
        self.read_workers()

    def __contains__(self, name: object) -> bool:
        return name in self._hashes

    def read_workers(self) -> None:
        """Read the parts of workers, which may have written files since."""
        for part in sorted((self._kept_in / STATE).glob(Path(_PART).name.format("*"))):
            self._take(f"{STATE}/{part.name}", _entry)

    def join_workers(self) -> None:
        """Note what workers noted in the manifest itself, and remove their parts; no worker writes any more.

        Raises
        ------
        OSError
            If a file cannot be written.
        """
        self.read_workers()
        parts = list((self._kept_in / STATE).glob(Path(_PART).name.format("*")))
        if not parts:
            return
        own = {(name, digest) for name, digest in map(_entry, self._lines(MANIFEST)) if name}
        every = [(name, digest) for name, digests in self._hashes.items() for digest in sorted(digests)]
        self._append([pair for pair in every if pair not in own])
        for part in parts:
            part.unlink(missing_ok=True)

    def _take(self, file: str, read: Callable[[str], tuple[str, str]]) -> None:
        for line in self._lines(file):
            name, digest = read(line)
            if name and is_inside(self._root, name):
                self._hashes.setdefault(name, set()).add(digest)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._hashes))

    def record(self, name: str, content: bytes | memoryview) -> None:
        """Note that a file is about to be written. A process that is killed before it is leaves no file without a note.

        Parameters
        ----------
        name : str
            Path within the folder.
        content : bytes
            What the file will hold.

        Raises
        ------
        OSError
            If the manifest cannot be written.
        """
        digest = "" if _is_state(name) else hashlib.sha256(content).hexdigest()
        if digest in self._hashes.get(name, ()):
            return
        self._append([(name, digest)])
        self._hashes.setdefault(name, set()).add(digest)

    def _append(self, entries: Sequence[tuple[str, str]]) -> None:
        with open(open_plain(self._kept_in / self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab") as file:
            file.write("".join(json.dumps(entry) + "\n" for entry in entries).encode())
            file.flush()
            os.fsync(file.fileno())

    def wrote(self, name: str) -> bool:
        """Return whether a file is there as MatLens wrote it.

        Parameters
        ----------
        name : str
            Path within the folder.

        Returns
        -------
        bool
            Whether it is a file with a hash of the manifest, or a file below ``.state`` that the manifest names.
        """
        known, path = self._hashes.get(name, ()), self._root / name
        if not known or os.path.islink(path) or not os.path.isfile(path):  # of pathlib's, long names raise errors
            return False
        return _is_state(name) or sha256_of(path) in known

    def ours(self) -> Iterator[str]:
        """List the files that are there as MatLens wrote them."""
        return (name for name in self if self.wrote(name))

    def changed(self) -> Iterator[str]:
        """List the files that are there, but not as MatLens wrote them."""
        return (name for name in self if os.path.lexists(self._root / name) and not self.wrote(name))

    def folders(self) -> set[Path]:
        """Return the folders that hold files of the manifest.

        Returns
        -------
        set of Path
            The folders; those of files that are no longer there, too.
        """
        return {(self._root / name).parent for name in self}

    def _lines(self, file: str) -> list[str]:
        try:
            with open(open_plain(self._kept_in / file, os.O_RDONLY), encoding="utf-8", errors="replace") as listing:
                lines = listing.read().splitlines()
        except OSError:
            return []
        self.exists = True
        return lines


def _is_state(name: str) -> bool:
    return PurePath(name).parts[0] == STATE


def _entry(line: str) -> tuple[str, str]:
    try:
        name, digest = json.loads(line)
    except (ValueError, TypeError):  # the end of a process that was killed while it wrote, or damage
        return "", ""
    return (name, digest) if isinstance(name, str) and isinstance(digest, str) else ("", "")
