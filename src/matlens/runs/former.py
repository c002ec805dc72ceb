"""Conversion of the settings of runs of earlier versions, so that their reports and models remain readable.

Layout 1 (before 0.1) had ``seed`` and ``device`` at the top, the options of the command in a table of its name, and the
cleaning of micrographs below ``inputs``. Layout 2 has all options in one table, ``options``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["LAYOUT", "in_present_layout"]

LAYOUT = 2
_COMMANDS = {
    "rebuild": "reconstruct",
    "learn-library": "library learn",
    "predict-library": "library predict",
    "explain-library": "library explain",
    "suggest": "library suggest",
}
_GROUPS = ("model", "scoring", "wishes", "reading", "cleaning")  # tables of options that stand side by side now
_RENAMED: Mapping[str, Mapping[str, str]] = {  # by the command's former name; to nothing: no option
    "reconstruct": {"options": "set"},
    "generate": {"workers": ""},
    "predict": {"sources": "structures"},
    "explain": {"sources": "structures"},
    "learn-library": {"prepare": "preprocessing", "members": "scoring_models", "digest": ""},
    "predict-library": {"digest": "", "model_digest": ""},
    "explain-library": {
        "permuted_members": "permuted_models",
        "steps": "integration_steps",
        "digest": "",
    },
    "suggest": {"step": "increment", "forbid": "forbidden", "support": "least_support", "digest": ""},
}


_GONE = {"generate": ("workers",)}  # options that changed no result, and say now how a run is shared


def _without_gone(settings: Mapping[str, Any]) -> dict[str, Any]:
    options, gone = settings.get("options"), _GONE.get(str(settings["command"]), ())
    if not isinstance(options, Mapping):
        return dict(settings)
    return {**settings, "options": {name: value for name, value in options.items() if name not in gone}}


def in_present_layout(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Convert settings to the present layout; those in this layout are returned unchanged.

    Parameters
    ----------
    settings : mapping
        Content of settings.toml.

    Returns
    -------
    dict of str to object
        Settings in the present layout; ``layout`` is the one they were stored in.

    Examples
    --------
    >>> old = {"command": "learn-library", "version": "0", "seed": 3, "learn-library": {"model": {"inputs": "both"}}}
    >>> new = in_present_layout(old)
    >>> new["command"], new["options"], new["layout"]
    ('library learn', {'seed': 3, 'inputs': 'both'}, 1)
    """
    settings = _without_gone(settings)
    if "layout" in settings:
        return settings
    former = str(settings["command"])
    inputs = settings.get("inputs", {})
    options: dict[str, Any] = {name: settings[name] for name in ("seed", "device") if name in settings}
    options |= {name: inputs[old] for name, old in (("files", "sources"), ("dataset", "dataset")) if old in inputs}
    options |= inputs.get("cleaning", {})
    names = _RENAMED.get(former, {})
    for name, value in settings.get(former, {}).items():
        # The model of a prediction is a path.
        part = value if name in _GROUPS and isinstance(value, Mapping) else {name: value}
        options |= {names.get(key, key): item for key, item in part.items() if names.get(key, key)}
    kept = {name: value for name, value in settings.items() if name not in (former, "seed", "device")}
    return {**kept, "command": _COMMANDS.get(former, former), "options": options, "layout": 1}
