"""A process that checks a library before any model; it ends when it has answered, for the checks load PyTorch.

Run as ``python -m matlens.studio.library_checks``; it speaks as `matlens.studio.worker` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matlens.errors import InputError
from matlens.library.io import read_library
from matlens.library.validation import check_library
from matlens.studio.libraries import table_asked
from matlens.studio.worker import run_worker

__all__ = ["checks"]


def checks(asked: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Check a table as ``library learn`` does before it learns.

    Parameters
    ----------
    asked : mapping
        As for `matlens.studio.libraries.table_asked`, and ``transform``, the scale to learn on.

    Returns
    -------
    dict
        ``alarms``, ``notes`` and ``sentences``; the ``components`` with their numbers of samples; the ``systems``.
    bytes
        Nothing.

    Raises
    ------
    InputError
        If the table cannot be used.
    """
    file, options, target = table_asked(asked)
    library = read_library(file, options=options, target=target)
    transform = str(asked.get("transform") or "none")
    if transform not in ("none", "log10"):
        raise InputError(f"found the transform {transform[:20]!r}; choose none or log10.")
    found = check_library(library, target, transform=transform)
    return {
        "alarms": list(found.alarms),
        "notes": list(library.notes),
        "sentences": list(found.sentences),
        "components": [
            {
                "name": str(row["component"]),
                "samples": int(row["samples"]),
                "low": float(row["low"]),
                "high": float(row["high"]),
            }
            for row in found.components.to_dict("records")
        ],
        "systems": [
            {"name": str(row["system"]), "samples": int(row["samples"])} for row in found.systems.to_dict("records")
        ],
        "fraction_name": library.fraction_name,
    }, b""


if __name__ == "__main__":
    run_worker(checks)
