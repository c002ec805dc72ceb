"""What is seen of a reconstruction while it works: the structure so far, its loss by term, and its curves."""

from __future__ import annotations

import os
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Watching"]

_LOOK = ".state/look.npz"
_POINTS = 400  # rows of the history of a loss that are sent
_MOST_EXEMPLARS = 8
_LARGEST = 512  # pixels of a side of what is measured while one looks

Answer = tuple[dict[str, Any], bytes]


class Watching:
    """Answers what a run looks like now; the curves of its exemplars are kept for the next question.

    Examples
    --------
    >>> Watching().answer({"file": "nowhere"})
    ({'look': None, 'loss': None, 'curves': []}, b'')
    """

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._windows: dict[str, Any] = {}

    def answer(self, asked: Mapping[str, Any]) -> Answer:
        """Describe the state of a reconstruction.

        Parameters
        ----------
        asked : mapping
            ``file``, the run directory.

        Returns
        -------
        dict
            ``look``, the realisation under work (``key``, ``shape`` of what is sent, ``step`` in pixels of the result,
            ``spacing``, ``unit`` and ``phases``), or None; ``loss``, its history (``evaluations``, and ``terms``, the
            values by name), or None; ``curves``, one for each statistic and phase: ``statistic``, ``phase``, ``unit``,
            ``distance``, ``low`` and ``high`` of the exemplar's windows (5 % and 95 %; None where there are too few),
            ``exemplar`` and ``result``.
        bytes
            The labels of the look.
        """
        place = Path(str(asked["file"]))
        look = _arrays(place / _LOOK, "labels", "key")
        if look is None:
            return {"look": None, "loss": None, "curves": []}, b""
        labels, key = np.asarray(look["labels"], dtype=np.uint8), str(look["key"])
        shape = _shape(place) or labels.shape
        exemplars = self._exemplars(place)
        step = shape[0] / labels.shape[0]
        spacing = list(exemplars[0].spacing[-1:]) * labels.ndim if exemplars else [1.0] * labels.ndim
        names = exemplars[0].phase_names if exemplars else [f"phase {k}" for k in range(int(labels.max()) + 1)]
        shares = np.bincount(labels.ravel(), minlength=len(names)) / labels.size
        found = {
            "look": {
                "key": key,
                "shape": list(labels.shape),
                "step": step,
                "spacing": [float(size) * step for size in spacing],
                "unit": exemplars[0].unit if exemplars else "px",
                "phases": [{"name": name, "share": float(share)} for name, share in zip(names, shares)],
            },
            "loss": _loss(place, key),
            "curves": self._curves(labels, shape, exemplars) if exemplars else [],
        }
        return found, np.ascontiguousarray(labels).tobytes()

    def _exemplars(self, place: Path) -> list[Any]:
        from matlens.microstructure.segmentation import read_microstructure

        files = sorted(place.glob("exemplar_*.npz"))[:_MOST_EXEMPLARS]
        key = tuple((str(file), os.stat(file).st_mtime_ns) for file in files)
        if key != self._key:
            self._windows = {"exemplars": [_part(read_microstructure(file)) for file in files]}
            self._key = key
        found: list[Any] = self._windows["exemplars"]
        return found

    def _curves(self, labels: NDArray[np.uint8], shape: tuple[int, ...], exemplars: list[Any]) -> list[dict[str, Any]]:
        """S2 and lineal path of the look and of windows of the exemplars that are as large."""
        like = exemplars[0]
        planes = [_enlarged(labels, shape)] if labels.ndim == like.ndim else _middle_planes(labels, shape)
        results = [like.with_labels(plane[tuple(slice(0, _LARGEST) for _ in plane.shape)]) for plane in planes]
        window = tuple(min(sides) for sides in zip(*(one.labels.shape for one in results)))
        if self._windows.get("shape") != window:
            self._windows |= {"shape": window, "bands": _bands(exemplars, window)}
        own = [_measured(result) for result in results]
        step = float(np.prod(like.spacing) ** (1 / like.ndim))
        found = []
        for statistic, (low, high, mean) in self._windows["bands"].items():
            reach = min(mean.shape[-1], *(one[statistic].shape[-1] for one in own))
            values = np.mean([one[statistic][:, :reach] for one in own], axis=0)
            for phase, name in enumerate(like.phase_names):
                found.append({
                    "statistic": statistic,
                    "phase": name,
                    "unit": like.unit,
                    "distance": (np.arange(reach) * step).tolist(),
                    "low": None if low is None else np.round(low[phase, :reach], 5).tolist(),
                    "high": None if high is None else np.round(high[phase, :reach], 5).tolist(),
                    "exemplar": np.round(mean[phase, :reach], 5).tolist(),
                    "result": np.round(values[phase], 5).tolist(),
                })  # fmt: skip
        return found


def _bands(exemplars: list[Any], window: tuple[int, ...]) -> dict[str, tuple[Any, Any, Any]]:
    """Of each statistic: 5 % and 95 % of the windows, and the mean of the exemplars."""
    windows = [tile for exemplar in exemplars for tile in exemplar.tiles(window)]
    chosen = [windows[k] for k in np.linspace(0, len(windows) - 1, min(len(windows), 24)).astype(int)]
    whole, cut = [_measured(one) for one in exemplars], [_measured(one) for one in chosen]
    bands = {}
    for statistic in whole[0]:
        reach = min(one[statistic].shape[-1] for one in [*whole, *cut])
        mean = np.mean([one[statistic][:, :reach] for one in whole], axis=0)
        ends = [np.quantile([one[statistic][:, :reach] for one in cut], level, axis=0) for level in (0.05, 0.95)]
        low, high = ends if len(cut) > 1 else (None, None)
        bands[statistic] = (low, high, mean)
    return bands


def _measured(structure: Any) -> dict[str, NDArray[np.float64]]:
    from matlens.microstructure.statistics import Curves

    curves = Curves(structure)  # as windows of something larger, as in the verdict
    return {"two-point correlation": curves.two_point_radial, "lineal path": np.nanmean(curves.lineal_path, axis=1)}


def _part(structure: Any) -> Any:
    """The first pixels of a structure that is too large to be measured while one looks."""
    return structure.crop(*(slice(0, 2 * _LARGEST // (structure.ndim - 1)) for _ in range(structure.ndim)))


def _middle_planes(labels: NDArray[np.uint8], shape: tuple[int, ...]) -> list[NDArray[np.uint8]]:
    planes = [labels.take(side // 2, axis=axis) for axis, side in enumerate(labels.shape)]
    return [_enlarged(plane, shape[:axis] + shape[axis + 1 :]) for axis, plane in enumerate(planes)]


def _enlarged(labels: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Labels at the size of the result, each repeated."""
    places = [np.arange(side) * have // side for side, have in zip(shape, labels.shape)]
    return labels[np.ix_(*places)]


def _shape(place: Path) -> tuple[int, ...] | None:
    try:
        with open(place / "settings.toml", "rb") as file:
            sides = tomllib.load(file)["resolved"]["shape"]
        return tuple(int(side) for side in sides)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _loss(place: Path, key: str) -> dict[str, Any] | None:
    kept = _arrays(place / ".state" / f"{os.path.basename(key)}.state.npz", "history", "terms")
    if kept is None or kept["history"].ndim != 2:
        return None
    rows = kept["history"][:: max(1, -(-len(kept["history"]) // _POINTS))]
    names = ["all terms", *map(str, kept["terms"])]
    values = {name: [None if np.isnan(v) else float(v) for v in rows[:, 2 + k]] for k, name in enumerate(names)}
    return {"evaluations": rows[:, 1].tolist(), "terms": values}


def _arrays(file: Path, *names: str) -> dict[str, NDArray[Any]] | None:
    """Arrays of a file that a run writes anew all the time; None where it is gone or has others."""
    try:
        with open(file, "rb") as opened, np.load(opened, allow_pickle=False) as found:
            return {name: found[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
