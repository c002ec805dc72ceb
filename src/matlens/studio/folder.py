"""The folder that a studio works in: paths that stay inside, uploads, the trash, and the studio's own notes."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from matlens.core.atomic import open_plain, replace_file
from matlens.errors import InputError, RunError
from matlens.runs.manifest import is_inside, own_folder

__all__ = ["NOTES", "TRASH", "Folder"]

NOTES = ".studio"
TRASH = "trash"
_DEEPEST, _MOST = 4, 20_000  # folders below one another, and entries, that are looked at
_LONGEST = 120  # letters of a file's name
_LEFT_OUT = {"previous", "figures", "items", TRASH, "__pycache__"}  # items: of a batch, which stands for them


class Folder:
    """The folder of a studio.

    Parameters
    ----------
    root : path-like
        An existing folder that may be written to.

    Raises
    ------
    InputError
        If it is not there or cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> folder = Folder(tempfile.mkdtemp())
    >>> folder.path("../secret")
    Traceback (most recent call last):
    matlens.errors.InputError: '../secret' leads out of the folder of the studio; copy the file into it.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root).resolve()
        if not self.root.is_dir():
            raise InputError(f"there is no folder {root}; make it, or name another one.")
        try:
            self.notes = own_folder(self.root, NOTES)
            (own_folder(self.notes, "starts") / f"try-{secrets.token_hex(4)}").touch()
        except OSError as error:
            raise InputError(
                f"the folder {root} cannot be written to ({error.strerror or error}), and a studio stores its runs "
                "there; name another one."
            ) from error
        for tried in (self.notes / "starts").glob("try-*"):
            tried.unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        """Return the place of a file or folder inside.

        Parameters
        ----------
        name : str
            Path relative to the folder, from the page.

        Returns
        -------
        Path
            The place, links resolved.

        Raises
        ------
        InputError
            If it leads out of the folder, or no file can have this name.
        """
        refused = InputError(f"{name!r} leads out of the folder of the studio; copy the file into it.")
        if not is_inside(self.root, name):
            raise refused
        try:
            found = (self.root / name).resolve()
        except (OSError, RuntimeError):  # links in a circle
            raise refused from None
        if not found.is_relative_to(self.root):
            raise refused
        try:
            found.lstat()
        except FileNotFoundError:
            pass
        except OSError as error:  # a name that is too long, or a file where a folder is needed
            raise InputError(f"there is no file {name[:40]!r} ({error.strerror or error}); check the path.") from None
        return found

    def name(self, path: Path) -> str:
        """Return the path of a file inside relative to the folder, with slashes."""
        return path.relative_to(self.root).as_posix()

    def walk(self) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
        """Go through the folders inside, with the files of each; no link is followed, and hidden ones are left out.

        Yields
        ------
        Path
            The folder.
        list of os.DirEntry
            Its files.
        """
        waiting, seen = [(self.root, 0)], 0
        while waiting and seen < _MOST:
            place, depth = waiting.pop(0)
            files = []
            try:
                entries = sorted(os.scandir(place), key=lambda entry: entry.name)
            except OSError:  # gone meanwhile, or not ours to read
                continue
            for entry in entries:
                seen += 1
                if entry.name.startswith(".") or entry.is_symlink():
                    continue
                if not entry.is_dir():
                    files.append(entry)
                elif depth < _DEEPEST and entry.name not in _LEFT_OUT:
                    waiting.append((Path(entry.path), depth + 1))
            yield place, files

    def place_for(self, name: str) -> Path:
        """Choose the place of an upload: a new file in the folder itself.

        Parameters
        ----------
        name : str
            Name on the user's side; only its last part counts.

        Returns
        -------
        Path
            A name that is not taken.

        Raises
        ------
        InputError
            If the name cannot be one of a file.
        """
        last = name.replace("\\", "/").rpartition("/")[2].strip()
        kept = "".join(letter for letter in last if letter.isprintable() and letter not in '<>:"|?*').lstrip(". ")
        if not kept or len(kept.encode()) > 2 * _LONGEST or len(kept) > _LONGEST:
            raise InputError(f"{last[:40]!r} cannot be the name of a file here; rename it.")
        stem, dot, ending = kept.partition(".")
        number, place = 2, self.root / kept
        while os.path.lexists(place):
            place = self.root / f"{stem}-{number}{dot}{ending}"
            number += 1
        return place

    def discard(self, run: Path) -> str:
        """Move a run to the trash, a folder like any other, from which the user may take it back.

        Parameters
        ----------
        run : Path
            The run directory.

        Returns
        -------
        str
            Where it is now.

        Raises
        ------
        RunError
            If it cannot be moved.
        """
        trash = own_folder(self.root, TRASH)
        place = trash / f"{run.name}-{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        try:
            shutil.move(run, place)
        except OSError as error:
            raise RunError(f"{self.name(run)} cannot be moved to the trash ({error.strerror or error}).") from error
        return self.name(place)

    def write_note(self, name: str, content: dict[str, Any], *, private: bool = False) -> None:
        """Write a small file of the studio's own.

        Parameters
        ----------
        name : str
            Path below the folder of notes.
        content : dict
            What JSON can represent.
        private : bool
            Whether only the user may read it.
        """
        place = self.notes / name
        if private:  # made with these rights before it has content
            place.unlink(missing_ok=True)
            with open(open_plain(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
                os.chmod(place, stat.S_IRUSR | stat.S_IWUSR)
                file.write(json.dumps(content).encode())
        else:
            replace_file(place, json.dumps(content).encode())

    def read_note(self, name: str) -> dict[str, Any]:
        """Read a small file of the studio's own; empty where there is none, or it cannot be read."""
        try:
            with open(open_plain(self.notes / name, os.O_RDONLY), "rb") as file:
                content = json.loads(file.read(1 << 20))
        except (OSError, RunError, ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}
