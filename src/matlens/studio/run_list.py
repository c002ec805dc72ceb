"""The runs of a folder, as their directories say: nothing about them is kept in memory but what was read last."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matlens.runs.directory import PROVENANCE, SETTINGS
from matlens.runs.progress_file import progress_of
from matlens.studio.children import Children, is_run
from matlens.studio.folder import Folder

__all__ = ["RunList"]

_LARGEST = 4 << 20  # bytes of settings or provenance that are read
_PREVIEWS = ("preview.png", "figures/answer.png")
_SHOWN = 40  # files of a run that are listed
_ORDER = ("exemplar", "result", "labels", "realisation", "partial")
_STRUCTURE = re.compile(rf"({'|'.join(_ORDER)})(?:_(\d+))?\.(?:npz|tif)")


class RunList:
    """Reads the states of all runs below a folder.

    Parameters
    ----------
    folder : Folder
        The studio's folder.
    children : Children
        Knows which runs are being worked on.

    Examples
    --------
    >>> import tempfile
    >>> folder = Folder(tempfile.mkdtemp())
    >>> RunList(folder, Children(folder)).all()
    []
    """

    def __init__(self, folder: Folder, children: Children) -> None:
        self._folder, self._children = folder, children
        self._read: dict[Path, tuple[tuple[int, ...], dict[str, Any]]] = {}

    def all(self) -> list[dict[str, Any]]:
        """List the runs, the latest first, and starts that made none.

        Returns
        -------
        list of dict
            What `one` gives of each.
        """
        places = [place for place, files in self._folder.walk() if any(file.name == SETTINGS for file in files)]
        found = {run["run"]: run for run in map(self._state, places) if run}
        for start in self._children.started():
            if start["run"] not in found and not is_run(self._folder.path(start["run"])):
                found[start["run"]] = self._only_started(start)
        return sorted(found.values(), key=lambda run: (run["started"], run["run"]), reverse=True)

    def one(self, run: str) -> dict[str, Any]:
        """Describe a run in full.

        Parameters
        ----------
        run : str
            Its path relative to the folder.

        Returns
        -------
        dict
            Its state as in the list, with its options, sentences, warnings, files, structures, and those that failed in
            a batch; only ``run`` and ``state`` where there is no run.
        """
        place = self._folder.path(run)
        state = self._state(place) if is_run(place) else None
        if state is None:
            starts = [start for start in self._children.started() if start["run"] == run]
            return self._only_started(starts[0]) if starts else {"run": run, "state": "gone"}
        settings, provenance = _settings(place), _provenance(place)
        failed = provenance.get("failed")
        failed = failed if isinstance(failed, dict) else {}
        files = sorted(file.name for file in place.iterdir() if file.is_file() and not file.name.startswith("."))
        return {
            **state,
            "options": settings.get("options", {}),
            "sentences": _texts(provenance.get("sentences")),
            "warnings": _texts(provenance.get("warnings")),
            # The page names files as they are called in the folder.
            "failed": {
                os.path.basename(str(file)): str(said).replace(f"{self._folder.root}{os.sep}", "")
                for file, said in failed.items()
            },
            "files": files[:_SHOWN],
            "structures": _structures(files),
        }

    def _state(self, place: Path) -> dict[str, Any] | None:
        """The state of a run; None if its settings are not those of a run."""
        known = self._known(place)
        if not known:
            return None
        run = known["run"]
        state, progress = known["status"], progress_of(place)
        if state != "finished":
            working = self._children.working_on(run) is not None
            # A run that nothing works on was killed, whatever it wrote last.
            state = "running" if working else "stopped" if state in ("running", "interrupted") else state
        shown = {**known, "state": state, "progress": progress if state == "running" else None}
        if state == "stopped":
            shown["error"] = self._children.error(run)
        return shown

    def _known(self, place: Path) -> dict[str, Any]:
        """What files of a run say, read again only when one has changed."""
        watched = (SETTINGS, PROVENANCE, "report.html", *_PREVIEWS)
        stamps = tuple(_stamp(place / name) for name in watched)
        if place not in self._read or self._read[place][0] != stamps:
            self._read[place] = (stamps, self._described(place, dict(zip(watched, stamps))))
        return self._read[place][1]

    def _described(self, place: Path, stamps: dict[str, int]) -> dict[str, Any]:
        settings, provenance = _settings(place), _provenance(place)
        if not {"command", "version"} <= settings.keys():
            return {}
        sentences = _texts(provenance.get("sentences"))
        options = settings.get("options", {})
        values = list(options.values()) if isinstance(options, dict) else []
        texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
        files = [text for text in texts if isinstance(text, str) and os.path.isabs(text)]
        return {
            "run": self._folder.name(place),
            "command": str(settings["command"]),
            "status": str(provenance.get("status", "running")),
            "started": str(provenance.get("started", "")),
            "ended": str(provenance.get("finished", "")),
            "inputs": [os.path.basename(file) for file in files],
            "said": sentences[0] if sentences else "",
            "error": str(provenance.get("reason", "")),
            "report": bool(stamps["report.html"]) and f"report.html?{stamps['report.html']}",
            "picture": next((f"{name}?{stamps[name]}" for name in _PREVIEWS if stamps[name]), ""),
            "progress": None,
        }

    def _only_started(self, start: dict[str, Any]) -> dict[str, Any]:
        """A start whose process has made no run directory: not yet, or because it refused."""
        working = self._children.working_on(start["run"]) is not None
        return {
            "run": start["run"],
            "command": start["command"],
            "state": "starting" if working else "refused",
            "started": "9999",  # newest, until the run itself says when
            "ended": "",
            "inputs": [],
            "said": "",
            "error": "" if working else start["error"] or "the process ended before it made a run; start it again.",
            "report": False,
            "picture": "",
            "progress": None,
        }


def _structures(files: Iterable[str]) -> list[str]:
    """The files of a run that hold a structure: exemplars first, then what was made of them, one file for each."""
    found = [(name, match) for name in files if (match := _STRUCTURE.fullmatch(name))]
    return [name for name, match in sorted(found, key=lambda pair: (_ORDER.index(pair[1][1]), int(pair[1][2] or 0)))]


def _stamp(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _settings(place: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_content(place / SETTINGS))
    except (OSError, ValueError, RecursionError):
        return {}


def _provenance(place: Path) -> dict[str, Any]:
    try:
        content = json.loads(_content(place / PROVENANCE))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _content(file: Path) -> str:
    with open(file, encoding="utf-8") as opened:
        return opened.read(_LARGEST)


def _texts(found: Any) -> list[str]:
    return [str(text) for text in found] if isinstance(found, list) else []
