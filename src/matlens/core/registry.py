"""Published data and weights: found on this machine or downloaded once, and always checked by their SHA-256."""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
from dataclasses import dataclass
from functools import cache as remembered
from importlib.resources import files
from pathlib import Path

from matlens.errors import InputError, ResourceError

__all__ = ["Entry", "RegisteredFile", "default_cache", "entries", "fetch", "locate", "sha256_of"]

_PATIENCE = (5.0, 30.0)  # seconds to wait for a connection, and for the next bytes
_DEPTH = 3  # levels of folders searched below each folder of MATLENS_DATA


@dataclass(frozen=True)
class RegisteredFile:
    """A registered file with its hash and its sources.

    Parameters
    ----------
    name : str
        File name.
    sha256 : str
        SHA-256 of the file in hexadecimal digits, or the leading digits that its publisher gives.
    sources : tuple of (str, str)
        URL and SHA-256 of each download: one for the file itself, or one for each part that it is made of.

    Examples
    --------
    >>> entries()["li2018"].files[0].name
    'li2018_alloy.npy'
    """

    name: str
    sha256: str
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Entry:
    """A registered data set or network.

    Parameters
    ----------
    name : str
        Name in the registry.
    description : str
        One sentence about the content.
    size : str
        Size of what is kept on this machine, for people.
    licence : str
        Licence of the files.
    source : str
        Where the files are published.
    citation : str
        BibTeX entry.
    files : tuple of RegisteredFile
        The files.

    Examples
    --------
    >>> entries()["li2018"].licence, len(entries()["li2018"].files)
    ('CC BY 4.0', 7)
    """

    name: str
    description: str
    size: str
    licence: str
    source: str
    citation: str
    files: tuple[RegisteredFile, ...]


@remembered
def entries() -> dict[str, Entry]:
    """Return all registered data sets and networks, by name.

    Returns
    -------
    dict of str to Entry
        Description, licence, citation and files of each.

    Examples
    --------
    >>> list(entries())
    ['li2018', 'vgg19-oxford', 'vgg19-torchvision']
    """
    table = tomllib.loads(files("matlens.core").joinpath("registry.toml").read_text(encoding="utf-8"))
    found = {}
    for name, row in table.items():
        listed = []
        for item in row["files"]:
            parts = item.get("shards") or [item]
            sources = tuple((part["url"], part["sha256"]) for part in parts)
            listed.append(RegisteredFile(item["name"], item["sha256"], sources))
        texts = {key: row[key].strip() for key in ("description", "size", "licence", "source", "citation")}
        found[name] = Entry(name, **texts, files=tuple(listed))
    return found


def locate(name: str, *, cache: str | os.PathLike[str] | None = None) -> Path | None:
    """Find a registered file on this machine, without a network.

    The folders of ``MATLENS_DATA`` and their sub-folders are searched first, then the cache.

    Parameters
    ----------
    name : str
        An entry (``"vgg19-oxford"``) or a file of an entry (``"li2018_alloy.npy"``).
    cache : path-like, optional
        Folder of downloaded files; by default the user's cache.

    Returns
    -------
    Path or None
        The file, or the folder of an entry with several files; None if a file is missing.

    Raises
    ------
    InputError
        If the name is not registered.
    ResourceError
        If a file of that name has another SHA-256.

    Examples
    --------
    >>> path = locate("vgg19-oxford")
    >>> path is None or path.suffix == ".safetensors"
    True
    """
    paths = [_find(file, cache) for file in _wanted(name)]
    if None in paths:
        return None
    return paths[0] if len(paths) == 1 or paths[0] is None else paths[0].parent


def fetch(name: str, *, cache: str | os.PathLike[str] | None = None) -> list[Path]:
    """Return the files of a registered name, and download those that are not on this machine.

    Parameters
    ----------
    name : str
        An entry, such as ``"li2018"``, or one file of an entry.
    cache : path-like, optional
        Folder for downloads; by default the user's cache.

    Returns
    -------
    list of Path
        The files, each with the registered SHA-256.

    Raises
    ------
    InputError
        If the name is not registered.
    ResourceError
        If a download fails, if a file has another SHA-256 (a downloaded one is then not kept), or if the cache cannot
        be made.

    Examples
    --------
    >>> fetch("nothing")
    Traceback (most recent call last):
    matlens.errors.InputError: 'nothing' is not registered; choose one of li2018, vgg19-oxford, vgg19-torchvision, or
    what else 'matlens fetch' lists.
    """
    return [_find(file, cache) or _download(file, Path(cache or default_cache())) for file in _wanted(name)]


def default_cache() -> Path:
    """Return the folder of MatLens in this user's cache.

    Returns
    -------
    Path
        The folder, which need not exist.

    Examples
    --------
    >>> default_cache().name
    'matlens'
    """
    import pooch

    return Path(pooch.os_cache("matlens"))


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Compute the SHA-256 of a file.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "empty"
    >>> path.touch()
    >>> sha256_of(path)[:8]
    'e3b0c442'
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wanted(name: str) -> tuple[RegisteredFile, ...]:
    known = entries()
    if name in known:
        return known[name].files
    for entry in known.values():
        for file in entry.files:
            if file.name == name:
                return (file,)
    raise InputError(
        f"{name!r} is not registered; choose one of {', '.join(known)}, or what else 'matlens fetch' lists."
    )


def _find(file: RegisteredFile, cache: str | os.PathLike[str] | None) -> Path | None:
    folders = [Path(folder) for folder in os.environ.get("MATLENS_DATA", "").split(os.pathsep) if folder]
    candidates = [path for folder in folders for path in _below(folder, file.name)]
    candidates.append(Path(cache or default_cache()) / file.name)
    for path in candidates:
        if path.is_file():
            _check(path, file.sha256, f"{path} is not the registered {file.name}")
            return path
    return None


def _below(folder: Path, name: str) -> list[Path]:
    patterns = ("/".join(["*"] * depth + [name]) for depth in range(_DEPTH))
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]


def _check(path: Path, expected: str, what: str) -> None:
    found = sha256_of(path)
    if not found.startswith(expected):
        raise ResourceError(f"{what}: its SHA-256 is {found} and should be {expected}; remove it and fetch it again.")


def _download(file: RegisteredFile, cache: Path) -> Path:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".matlens-", dir=cache) as folder:  # of the user alone
            fetched = Path(folder) / file.name
            if len(file.sources) == 1:
                _retrieve(*file.sources[0], fetched)
            else:
                from matlens.core.vgg19_shards import join_shards  # loads numpy, which help and errors do without

                fetched.write_bytes(join_shards([_retrieved(url, digest, fetched) for url, digest in file.sources]))
            _check(fetched, file.sha256, f"what was made of the downloads for {file.name} is not what is registered")
            os.replace(fetched, cache / file.name)
    except OSError as error:
        raise ResourceError(
            f"{file.name} cannot be written to the cache {cache} ({error.strerror or error}); free some space there, "
            "or put the file into a folder that MATLENS_DATA names."
        ) from error
    return cache / file.name


def _retrieved(url: str, digest: str, temporary: Path) -> bytes:
    _retrieve(url, digest, temporary)
    return temporary.read_bytes()


def _retrieve(url: str, digest: str, target: Path) -> None:
    import pooch

    try:
        pooch.HTTPDownloader(timeout=_PATIENCE)(url, str(target), None)
    except (OSError, ValueError) as error:  # requests' errors are OSErrors
        raise ResourceError(
            f"{url} could not be fetched ({type(error).__name__}); connect to a network, or fetch the file elsewhere "
            "and put it into a folder that MATLENS_DATA names."
        ) from error
    _check(target, digest, f"what came from {url} is not what is registered")
