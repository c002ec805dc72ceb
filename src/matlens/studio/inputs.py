"""Files of the folder that a run may start from."""

from __future__ import annotations

from typing import Any

from matlens.microstructure.io import can_read
from matlens.runs.manifest import SETTINGS
from matlens.runs.sources import kind_of_source
from matlens.studio.folder import Folder
from matlens.studio.painted import is_painted

__all__ = ["listed_inputs"]

_MOST = 500
_RESULTS = ("labels.tif", "realisation_0.tif", "library.csv")  # of a run; its other files are not what one starts from


def listed_inputs(folder: Folder) -> list[dict[str, Any]]:
    """List pictures, volumes and tables, the latest first.

    Parameters
    ----------
    folder : Folder
        The studio's folder.

    Returns
    -------
    list of dict
        ``file``, its path; ``kind``, ``"structures"`` or ``"library"``; ``size`` in bytes.

    Examples
    --------
    >>> import tempfile
    >>> folder = Folder(tempfile.mkdtemp())
    >>> (folder.root / "photoanodes.csv").write_text("Bi,V,P")
    6
    >>> listed_inputs(folder)
    [{'file': 'photoanodes.csv', 'kind': 'library', 'size': 6}]
    """
    found = []
    for place, files in folder.walk():
        of_run = any(file.name == SETTINGS for file in files)
        for file in files:
            if (of_run and file.name not in _RESULTS) or is_painted(file.name):
                continue
            kind = "structures" if can_read(file.name) else kind_of_source(file.name)
            if kind != "unknown":
                facts = file.stat()
                shown = {"file": folder.name(place / file.name), "kind": kind, "size": facts.st_size}
                found.append((facts.st_mtime, shown))
    return [shown for _, shown in sorted(found, key=lambda pair: -pair[0])[:_MOST]]
