"""A map whose results are files: interrupted anywhere, it resumes with the items that are missing.

Items have keys that stay the same from one process to the next, and a result depends on its item alone. So it does not
matter in which order, when, or by which process an item is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from matlens.hooks import Progress, Silent
from matlens.runs.codecs import Codec, read_value, write_value
from matlens.runs.directory import STATE, RunDirectory

__all__ = ["Results", "each", "once"]

Item = TypeVar("Item")
T = TypeVar("T")


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
) -> Results[T]:
    """Make the result of each item, unless its file is there.

    Parameters
    ----------
    run : RunDirectory
        The run; ``run.drop(key)`` removes the files once what was made of them is stored.
    key : str
        Name of this work within the run. The result of item K is ``.state/KEY/K`` and the codec's suffix.
    items : mapping
        Item by its key, which is usable as the name of a file.
    make : callable
        Takes an item and returns its result, which depends on the item alone.
    codec : Codec
        Writes and reads a result.
    file : str
        Name of the files in the run instead, where they are for the user; ``{}`` stands for the key of the item.
    progress : Progress, optional
        Called with items done and total; the text is the key of the item at work.
    label : str
        What progress shows; by default ``key``.

    Returns
    -------
    Results
        In the order of the items, each read from its file: the same whether it was made now or before.

    Raises
    ------
    KeyboardInterrupt
        On an interrupt; the results that are finished stay.

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
    missing = [name for name in items if not (run.path / files[name]).is_file()]
    shown, before = progress or Silent(), len(items) - len(missing)
    shown.begin(len(items), label or key)
    try:
        for done, name in enumerate(missing, start=before):
            shown.update(done, name)
            write_value(run, files[name], make(items[name]), codec)
        shown.update(len(items))
    finally:
        shown.end()
    return Results(run, files, codec)


def once(run: RunDirectory, name: str, make: Callable[[], T], codec: Codec[T]) -> T:
    """Make one result, unless its file is there, and read it from the file.

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
    """Results of `each` by the key of their item; each is read from its file when it is asked for.

    Raises
    ------
    RunError
        On reading, if the file is damaged.
    """

    def __init__(self, run: RunDirectory, files: Mapping[str, str], codec: Codec[T]) -> None:
        self._run, self._files, self._codec = run, dict(files), codec

    def __getitem__(self, key: str) -> T:
        return read_value(self._run, self._files[key], self._codec)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)
