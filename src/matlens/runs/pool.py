"""Pools: who computes the results of many items, one after the other or on many processes and machines.

A result is a file under a key, and a pool is told keys, never arrays. Any process may make any of the files, and two
that make the same one write the same bytes; so neither the number of workers nor a kill changes a result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from matlens.core.guard import reason_of
from matlens.errors import Interrupted, RunError

if TYPE_CHECKING:
    from matlens.hooks import Progress  # whose module loads numpy, which a help does without

__all__ = ["Pool", "Serial", "Work"]


# docs/decisions/0052-pools.md
@dataclass(frozen=True)
class Work:
    """Many items of a run whose results are files.

    Attributes
    ----------
    root : Path
        The run directory.
    name : str
        Name of the work within the run.
    files : mapping of str to str
        The file of each result, within the run, by the key of its item. A file that is there is a result.
    make : callable
        Takes a key and writes its file; the result depends on the key alone.
    label : str
        What the items are, in words.
    independent : bool
        Whether the run goes on without the items that fail.

    Examples
    --------
    >>> Work(Path("run"), "square", {"two": "two.json"}, print, "squares").is_done("two")
    False
    """

    root: Path
    name: str
    files: Mapping[str, str]
    make: Callable[[str], None]
    label: str
    independent: bool = False

    def is_done(self, key: str) -> bool:
        """Return whether the result of an item is there.

        Parameters
        ----------
        key : str
            Key of the item.

        Returns
        -------
        bool
            Whether its file exists.
        """
        return (self.root / self.files[key]).is_file()


class Pool(Protocol):
    """Compute results; a protocol that `Serial` and the pools beside it follow.

    Examples
    --------
    >>> pool: Pool = Serial()
    """

    def map(self, work: Work, keys: Sequence[str], progress: Progress) -> dict[str, str]:
        """Make the results of some items.

        Parameters
        ----------
        work : Work
            The work.
        keys : sequence of str
            Keys of items whose files are not there.
        progress : Progress
            Called with items done and total.

        Returns
        -------
        dict of str to str
            Items that failed by an error of their own, each with its reason.

        Raises
        ------
        KeyboardInterrupt
            On an interrupt; results that are finished, and states of those that are not, are kept.
        RunError
            If no item can be worked on, e.g. because the disk is full.
        """


class Serial:
    """Compute one result after the other in this process.

    Examples
    --------
    >>> from matlens.hooks import Silent
    >>> Serial().map(Work(Path("run"), "square", {"two": "two.json"}, print, "squares"), ["two"], Silent())
    two
    {}
    """

    def map(self, work: Work, keys: Sequence[str], progress: Progress) -> dict[str, str]:
        """Make the results in the order of the keys; an error ends the work, unless its items are independent."""
        failed: dict[str, str] = {}
        progress.begin(len(work.files), work.label)
        try:
            for done, key in enumerate(keys, start=len(work.files) - len(keys)):
                progress.update(done, key)
                try:
                    work.make(key)
                except (Interrupted, RunError):
                    raise
                except Exception as error:
                    if not work.independent:
                        raise
                    failed[key] = reason_of(error)
            progress.update(len(work.files))
        finally:
            progress.end()
        return failed
