"""A map whose results are files: after an interruption it resumes with the items that are missing.

Items have keys that are the same in every process, and a result depends on its item alone. The order in which items are
made, when, and by which process therefore does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from matlens.errors import SomeFailed
from matlens.hooks import Progress, Silent
from matlens.runs.codecs import Codec, read_value, write_value
from matlens.runs.directory import STATE, RunDirectory
from matlens.runs.pool import Serial, Work

__all__ = ["Results", "each", "once", "spread"]

Item = TypeVar("Item")
T = TypeVar("T")
_SHOWN = 3  # failed tasks in a sentence


def each(
    run: RunDirectory,
    key: str,
    items: Mapping[str, Item],
    make: Callable[[Item], T],
    codec: Codec[T],
    *,
    file: str = "",
    progress: Progress | None = None,
    label: str = "",
    independent: bool = False,
) -> Results[T]:
    """Compute the result of each item whose file does not exist yet, by the pool of the run.

    Parameters
    ----------
    run : RunDirectory
        The run. ``run.spend(key)`` removes the files when the run is finished.
    key : str
        Name of this work within the run. The result of item K is ``.state/KEY/K`` with the codec's suffix.
    items : mapping
        Items by their keys; a key must be usable as the name of a file.
    make : callable
        Takes an item and returns its result, which depends on the item alone.
    codec : Codec
        Writes and reads a result.
    file : str
        Name of the files in the run where they are meant for the user; ``{}`` stands for the key of the item. By
        default, files lie below ``.state``.
    progress : Progress, optional
        Called with items done and total; the text is the key of the present item.
    label : str
        Label of the progress; by default ``key``.
    independent : bool
        Whether the run goes on without the items that fail; by default it ends.

    Returns
    -------
    Results
        Results in the order of the items, each read from its file, so that they are the same after an interruption;
        ``failed`` has the reasons of those that failed.

    Raises
    ------
    KeyboardInterrupt
        On an interrupt; finished results are kept.
    RunError
        If a file cannot be written.
    SomeFailed
        If items failed on workers, after all others are finished, unless they are ``independent``.

    Examples
    --------
    >>> import tempfile
    >>> from matlens.runs.codecs import JSON
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "learn", {})
    >>> squares = each(run, "square", {"two": 2, "three": 3}, lambda number: number**2, JSON)
    >>> dict(squares)
    {'two': 4, 'three': 9}
    >>> sorted(path.name for path in (run.path / ".state" / "square").iterdir())
    ['three.json', 'two.json']
    """
    files = {name: file.format(name) if file else f"{STATE}/{key}/{name}{codec.suffix}" for name in items}

    def write(name: str) -> None:
        write_value(run, files[name], make(items[name]), codec)

    failed = _mapped(run, Work(run.path, key, files, write, label or key, independent), progress)
    return Results(run, {name: file for name, file in files.items() if name not in failed}, codec, failed)


def spread(
    run: RunDirectory,
    key: str,
    files: Mapping[str, str],
    make: Callable[[str], object],
    *,
    progress: Progress | None = None,
    label: str = "",
    independent: bool = False,
) -> dict[str, str] | None:
    """Let the workers of the run make files; do nothing where the run has none, as its command then makes them itself.

    Parameters
    ----------
    run : RunDirectory
        The run.
    key : str
        Name of this work within the run.
    files : mapping of str to str
        For each item by its key, the file within the run that is there when it is finished.
    make : callable
        Takes a key and makes its file, which depends on the key alone.
    progress : Progress, optional
        Called with items done and total.
    label : str
        Label of the progress; by default ``key``.
    independent : bool
        Whether the run goes on without the items that fail; by default it ends.

    Returns
    -------
    dict of str to str, or None
        Items that failed, with reasons; None if the run has no workers.

    Raises
    ------
    KeyboardInterrupt
        On an interrupt; what is finished is kept.
    SomeFailed
        If items failed, after all others are finished, unless they are ``independent``.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "learn", {})
    >>> spread(run, "square", {"two": "two.json"}, print) is None
    True
    """
    if isinstance(run.pool, Serial):
        return None

    def made(name: str) -> None:
        make(name)

    return _mapped(run, Work(run.path, key, files, made, label or key, independent), progress)


def _mapped(run: RunDirectory, work: Work, progress: Progress | None) -> dict[str, str]:
    missing = [name for name in work.files if not work.is_done(name)]
    found = run.pool.map(work, missing, progress or Silent())
    failed = {key: found[key] for key in work.files if key in found}  # workers end in any order
    if failed and not work.independent:
        raise SomeFailed(
            f"{len(failed)} of {len(work.files)} tasks failed ({_listed(failed)}); the others are finished, and "
            f"'matlens resume {run.path}' tries these again."
        )
    return failed


def _listed(failed: Mapping[str, str]) -> str:
    words = [f"{key}: {reason.rstrip('.')}" for key, reason in list(failed.items())[:_SHOWN]]
    more = len(failed) - _SHOWN
    return "; ".join(words) + (f"; and {more} more" if more > 0 else "")


def once(run: RunDirectory, name: str, make: Callable[[], T], codec: Codec[T]) -> T:
    """Compute one result if its file does not exist, and read it from the file.

    Parameters
    ----------
    run : RunDirectory
        The run.
    name : str
        Path of the file within the run.
    make : callable
        Returns the result.
    codec : Codec
        Writes and reads the result.

    Returns
    -------
    object
        The result as read from its file, so that it is the same after an interruption.

    Raises
    ------
    RunError
        If the file is damaged or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from matlens.runs.codecs import JSON
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "learn", {})
    >>> once(run, "answer.json", lambda: 42, JSON), once(run, "answer.json", lambda: 43, JSON)
    (42, 42)
    """
    if not (run.path / name).is_file():
        write_value(run, name, make(), codec)
    return read_value(run, name, codec)


class Results(Mapping[str, T], Generic[T]):
    """Results of `each` by the keys of the items; each is read from its file when it is accessed.

    Parameters
    ----------
    run : RunDirectory
        The run.
    files : mapping of str to str
        Paths within the run by the keys of the items.
    codec : Codec
        Reads a result.
    failed : mapping of str to str
        Items without a result, with reasons.

    Raises
    ------
    RunError
        On access, if the file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> from matlens.runs.codecs import JSON
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "learn", {})
    >>> results = each(run, "square", {"two": 2}, lambda number: number**2, JSON)
    >>> results["two"], len(results)
    (4, 1)
    """

    def __init__(
        self, run: RunDirectory, files: Mapping[str, str], codec: Codec[T], failed: Mapping[str, str] | None = None
    ) -> None:
        self.failed = dict(failed or {})
        self._run, self._files, self._codec = run, dict(files), codec

    def __getitem__(self, key: str) -> T:
        return read_value(self._run, self._files[key], self._codec)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)
