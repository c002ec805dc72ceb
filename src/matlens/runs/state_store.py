"""State of interrupted work as files of a run directory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.hooks import Arrays, Progress
from matlens.runs.codecs import ARRAYS, read_value, write_value
from matlens.runs.directory import STATE, RunDirectory
from matlens.runs.resumable import spread

__all__ = ["INTERVAL", "RunStateStore"]

INTERVAL = 2.0  # seconds of work that a kill may cost; Ctrl-C costs none
_QUICK = 0.1  # seconds: a save that takes less costs nothing worth waiting for


class RunStateStore:
    """Store states and results in a run directory: ``.state/FOLDER/KEY.state.npz`` and ``KEY.result.npz``.

    Follows `matlens.hooks.StateStore`.

    Parameters
    ----------
    run : RunDirectory
        The run.
    folder : str
        Folder for these keys where a run stores several sets of them; ends with ``/``.
    interval : float, optional
        Least number of seconds between two saves under one key; by default 2. Where a save takes long, twenty times as
        long lies between it and the next.
    progress : Progress, optional
        Shows how much of what is shared is done.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "learn", {})
    >>> store = RunStateStore(run, "fit/", interval=0)
    >>> store.save("chunk_0", lambda: {"x": np.arange(3)})
    >>> store.load("chunk_0")
    {'x': array([0, 1, 2])}
    >>> store.finish("chunk_0", {"y": np.ones(2)})
    >>> store.load("chunk_0") is None, store.result("chunk_0")
    (True, {'y': array([1., 1.])})
    >>> run.drop("fit")
    >>> store.result("chunk_0") is None
    True
    """

    def __init__(
        self,
        run: RunDirectory,
        folder: str = "",
        *,
        interval: float | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._run, self._folder, self._progress = run, folder, progress
        self._interval = INTERVAL if interval is None else interval
        self._wait = self._interval
        self._last: dict[str, float] = {}
        self._start = time.monotonic()

    def load(self, key: str) -> Arrays | None:
        """Return the state saved last under ``key``.

        Parameters
        ----------
        key : str
            Key of the work.

        Returns
        -------
        dict of str to ndarray, or None
            None where there is no state.

        Raises
        ------
        RunError
            If the file is damaged.
        """
        return self._read(self._file(key, "state"))

    def save(self, key: str, state: Callable[[], Arrays], *, force: bool = False) -> None:
        """Write the state if the last save is long enough ago.

        Parameters
        ----------
        key : str
            Key of the work.
        state : callable
            Returns the state, arrays by name; called only when the state is written.
        force : bool
            Write in any case.

        Raises
        ------
        RunError
            If the file cannot be written.
        """
        if force or time.monotonic() - self._last.get(key, self._start) >= self._wait:
            begun = time.monotonic()
            write_value(self._run, self._file(key, "state"), state(), ARRAYS)
            self._last[key] = time.monotonic()  # after the write: a slow disk must not fill the time with saving
            # The state of a volume is hundreds of megabytes: saving takes a twentieth of the time at most.
            spent = self._last[key] - begun
            self._wait = self._interval if spent < _QUICK else max(self._interval, 20 * spent)

    def show(self, key: str, labels: Callable[[], NDArray[np.generic]], *, force: bool = False) -> None:
        """Do nothing: a store of arrays has no pictures."""

    def drop(self, key: str) -> None:
        """Remove the state saved under ``key``, if there is one.

        Parameters
        ----------
        key : str
            Key of the work.
        """
        self._run.remove(self._file(key, "state"))

    def finish(self, key: str, result: Arrays) -> None:
        """Write the result of finished work and remove its state.

        Parameters
        ----------
        key : str
            Key of the work.
        result : dict of str to ndarray
            Result, arrays by name.

        Raises
        ------
        RunError
            If the file cannot be written.
        """
        write_value(self._run, self._file(key, "result"), result, ARRAYS)
        self.drop(key)

    def result(self, key: str) -> Arrays | None:
        """Return the result stored under ``key``.

        Parameters
        ----------
        key : str
            Key of the work.

        Returns
        -------
        dict of str to ndarray, or None
            None while the work is not finished.

        Raises
        ------
        RunError
            If the file is damaged.
        """
        return self._read(self._file(key, "result"))

    def result_file(self, key: str) -> str:
        """Return the path within the run of the file that is there when the work under ``key`` is finished.

        Parameters
        ----------
        key : str
            Key of the work.

        Returns
        -------
        str
            The path.
        """
        return self._file(key, "result")

    def share(self, keys: Sequence[str], make: Callable[[str], Arrays], label: str) -> None:
        """Let the workers of the run, if it has any, finish the work under some keys.

        Parameters
        ----------
        keys : sequence of str
            Keys of the work.
        make : callable
            Takes a key and returns its result, which depends on the key alone.
        label : str
            What the work is, in words.

        Raises
        ------
        KeyboardInterrupt
            On an interrupt; what is finished is kept.
        SomeFailed
            If work failed.
        """
        files = {key: self.result_file(key) for key in keys}
        name = self._folder.strip("/").replace("/", "_") or "state"
        spread(self._run, name, files, lambda key: self.finish(key, make(key)), progress=self._progress, label=label)

    def _read(self, name: str) -> Arrays | None:
        return read_value(self._run, name, ARRAYS) if (self._run.path / name).is_file() else None

    def _file(self, key: str, kind: str) -> str:
        return f"{STATE}/{self._folder}{key}.{kind}.npz"
