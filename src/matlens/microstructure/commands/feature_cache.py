"""Features kept between runs: the same structures are never sent through an encoder twice."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.atomic import atomic_write
from matlens.core.registry import default_cache
from matlens.errors import RunError

__all__ = ["FeatureCache"]

_log = logging.getLogger(__name__)
_INTERVAL = 60.0  # seconds between writes: all that a killed process can lose
Row = NDArray[np.float32]


class FeatureCache(MutableMapping[str, Row]):
    """Keep features of structures between runs, in one file for each way of computing them.

    A key is a recipe and, after the last space, the hash of a structure. Files are read when a recipe is first asked
    for, and written whole every minute and when the ``with`` block ends. Any of them may be deleted at any time; one
    that is damaged, or a folder that cannot be written, costs nothing but the time to compute again.

    Parameters
    ----------
    folder : path-like, optional
        Where; by default ``features`` in the user's cache folder.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with FeatureCache(folder) as cache:
    ...     cache["filterbank scale1 00ff"] = np.ones(3, np.float32)
    >>> FeatureCache(folder)["filterbank scale1 00ff"].tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self.folder = default_cache() / "features" if folder is None else Path(folder)
        self._known: dict[str, dict[str, Row]] = {}
        self._new: set[str] = set()
        self._written = time.monotonic()

    def flush(self) -> None:
        """Write what is new, joined with what other processes have written since."""
        for recipe in sorted(self._new):
            rows = {**self._read(recipe), **self._known[recipe]}
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with atomic_write(self._file(recipe)) as file:
                    np.savez(file, recipe=recipe, keys=np.array(list(rows)), rows=np.stack(list(rows.values())))
            except (OSError, RunError) as error:
                _log.warning("features are not kept for later runs (%s).", error)
        self._new.clear()
        self._written = time.monotonic()

    def __getitem__(self, key: str) -> Row:
        recipe, name = _parts(key)
        return self._rows(recipe)[name]

    def __contains__(self, key: object) -> bool:
        recipe, name = _parts(str(key))
        return name in self._rows(recipe)

    def __setitem__(self, key: str, row: Row) -> None:
        recipe, name = _parts(key)
        self._rows(recipe)[name] = np.asarray(row, np.float32)
        self._new.add(recipe)
        if time.monotonic() - self._written > _INTERVAL:
            self.flush()

    def __delitem__(self, key: str) -> None:
        recipe, name = _parts(key)
        del self._rows(recipe)[name]

    def __iter__(self) -> Iterator[str]:
        return (f"{recipe} {name}" for recipe, rows in self._known.items() for name in rows)

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._known.values())

    def __enter__(self) -> FeatureCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()

    def _rows(self, recipe: str) -> dict[str, Row]:
        if recipe not in self._known:
            self._known[recipe] = self._read(recipe)
        return self._known[recipe]

    def _read(self, recipe: str) -> dict[str, Row]:
        file = self._file(recipe)
        try:
            with np.load(file, allow_pickle=False) as content:
                kept: dict[str, Any] = {name: content[name] for name in ("recipe", "keys", "rows")}
            same = str(kept["recipe"]) == recipe and kept["rows"].dtype == np.float32
            return dict(zip(kept["keys"].tolist(), kept["rows"], strict=True)) if same else {}
        except FileNotFoundError:
            return {}
        except Exception as error:  # a damaged archive fails in many ways, and is only a cache
            _log.warning("%s cannot be read (%s); its features are computed again.", file, error)
            return {}

    def _file(self, recipe: str) -> Path:
        return self.folder / f"{hashlib.sha256(recipe.encode()).hexdigest()[:24]}.npz"


def _parts(key: str) -> tuple[str, str]:
    recipe, _, name = key.rpartition(" ")
    return recipe, name
