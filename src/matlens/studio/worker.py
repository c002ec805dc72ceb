"""A process that reads and segments pictures for the page; it stays warm between requests and loads no PyTorch.

Run as ``python -m matlens.studio.worker``: a line of JSON asks, a line of JSON answers, with ``bytes`` bytes after it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.settings import read_options
from matlens.errors import InputError, MatlensError

__all__ = ["Pictures", "main"]

_LONGEST = 2048  # pixels of a side that are sent
_BINS = 256
_S2_SIDE = 512  # pixels of the window in which S2 is measured while one looks, so that it keeps up with the hand
_REACH = 100  # pixels
_MOVED = 0.05  # by which a threshold is moved to see what depends on it

Answer = tuple[dict[str, Any], bytes]


class Pictures:
    """Answers requests on pictures and tables; the picture that was read last is kept.

    Examples
    --------
    >>> Pictures().answer({"what": "dance"})
    Traceback (most recent call last):
    matlens.errors.InputError: found the request 'dance'; expected look, cut or table.
    """

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._image: Any = None

    def answer(self, asked: Mapping[str, Any]) -> Answer:
        """Answer one request.

        Parameters
        ----------
        asked : mapping
            ``what`` is ``"look"`` (the picture and its histogram), ``"cut"`` (its phases by ``options``) or
            ``"table"``; ``file`` is a path, and ``slice`` the number of a slice of a volume along z.

        Returns
        -------
        dict
            What was found.
        bytes
            A byte for each pixel: grey values or phases, row by row.

        Raises
        ------
        InputError
            If the file or an option cannot be used.
        """
        makers: dict[str, Callable[[Mapping[str, Any]], Answer]] = {
            "look": self._look,
            "cut": self._cut,
            "table": _table,
        }
        what = str(asked.get("what"))
        if what not in makers:
            raise InputError(f"found the request {what[:20]!r}; expected look, cut or table.")
        return makers[what](asked)

    def _read(self, asked: Mapping[str, Any]) -> Any:
        from matlens.microstructure.io import read_image

        file = str(asked.get("file"))
        dataset = asked.get("dataset") or None
        key = (file, os.stat(file).st_mtime_ns, dataset)
        if key != self._key:
            self._image, self._key = read_image(file, dataset=dataset), key
        return self._image

    def _look(self, asked: Mapping[str, Any]) -> Answer:
        image = self._read(asked)
        depth = image.space[0] if len(image.space) == 3 else 0
        chosen = min(max(int(asked.get("slice", depth // 2)), 0), max(depth - 1, 0))
        grey = _grey(image)
        grey = grey[chosen] if depth else grey
        low, high = _range(grey)
        counts, edges = np.histogram(grey[np.isfinite(grey)], bins=_BINS, range=(low, high))
        shown, step = _reduced(grey)
        pixels = np.round((np.nan_to_num(shown) - low) * (255 / (high - low))).clip(0, 255).astype(np.uint8)
        found = {
            "shape": list(image.space),
            "slice": chosen if depth else None,
            "rows": shown.shape[0],
            "columns": shown.shape[1],
            "step": step,
            "colour": bool(image.colour),
            "spacing": list(image.spacing) if image.spacing else None,
            "unit": image.unit,
            "scale": image.scale,
            "histogram": {"low": float(edges[0]), "high": float(edges[-1]), "counts": counts.tolist()},
            "otsu": _lines(grey),
        }
        return found, pixels.tobytes()

    def _cut(self, asked: Mapping[str, Any]) -> Answer:
        from matlens.microstructure.segmentation import CleaningOptions, segment

        image = self._read(asked)
        given = {name: value for name, value in dict(asked.get("options") or {}).items() if value not in ("", False)}
        given.pop("segmentation", None)
        given.pop("dataset", None)
        if len(image.space) == 3 and "slice" not in given:
            # A whole volume would not keep up with the hand; the command segments all of it in the same way.
            given["slice"] = f"z={int(asked.get('slice', image.space[0] // 2))}"
        options: CleaningOptions = read_options(CleaningOptions, given)
        made = segment(image, options, name=os.path.basename(str(asked["file"])), propose=True)
        structure = made.microstructure
        labels, step = _reduced(structure.labels)
        applied = made.options.settings() if made.options else {}
        if "slice" not in dict(asked.get("options") or {}):
            applied.pop("slice", None)
        known = made.understood
        found = {
            "rows": labels.shape[0],
            "columns": labels.shape[1],
            "pixel": step * options.downsample,
            "origin": list(made.origin),
            "thresholds": list(made.thresholds),
            "settings": applied,
            "phases": [
                {"name": name, "meaning": phase.meaning if phase else "", "share": float(share), "moved": moved}
                for name, share, phase, moved in zip(
                    structure.phase_names,
                    structure.volume_fractions,
                    known.phases if known else [None] * structure.n_phases,
                    _moved(made),
                )
            ],
            "s2": _s2(structure),
            "kind": known.kind if known else "",
            "steps": list(made.steps),
            "spacing": [float(size) for size in structure.spacing],
            "unit": structure.unit,
        }
        return found, np.ascontiguousarray(labels, dtype=np.uint8).tobytes()


def _grey(image: Any) -> NDArray[np.float32]:
    values = np.asarray(image.values, dtype=np.float32)
    return values @ np.array([0.2125, 0.7154, 0.0721], dtype=np.float32) if image.colour else values


def _range(grey: NDArray[np.float32]) -> tuple[float, float]:
    """The range that is shown: that of bytes for bytes, else without hot and dead pixels."""
    part = grey.ravel()[:: max(1, grey.size // 200_000)]
    part = part[np.isfinite(part)]
    low, high = (float(value) for value in np.percentile(part, (0.1, 99.9))) if part.size else (0.0, 1.0)
    if low >= 0 and 1 < high <= 255 and np.array_equal(part, np.round(part)):
        return 0.0, 255.0
    return (low, high) if high > low else (low, low + 1)


def _reduced(plane: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Every n-th pixel of a plane that is larger than what is sent, and n."""
    step = max(1, -(-max(plane.shape) // _LONGEST))
    return plane[::step, ::step], step


def _lines(grey: NDArray[np.float32]) -> dict[str, list[float]]:
    """Otsu's thresholds for two and for three phases; none where the grey values do not allow them."""
    from skimage.filters import threshold_multiotsu

    part = grey.ravel()[:: max(1, grey.size // 200_000)]
    part = part[np.isfinite(part)]
    found = {}
    for classes in (2, 3):
        try:
            found[str(classes)] = [float(level) for level in threshold_multiotsu(part, classes)]
        except ValueError:  # fewer grey values than classes
            found[str(classes)] = []
    return found


def _moved(made: Any) -> list[list[float] | None]:
    """Volume fractions by thresholds that are 5 % lower and higher, before small parts are cleaned."""
    count = made.microstructure.n_phases
    if not made.thresholds or made.grey is None:
        return [None] * count
    shares = []
    for factor in (1 - _MOVED, 1 + _MOVED):
        labels = np.digitize(made.grey, [level * factor for level in made.thresholds], right=True)
        each = np.bincount(labels.ravel(), minlength=count) / labels.size
        shares.append(each[::-1] if made.inverted else each)
    return [[float(low), float(high)] for low, high in zip(*shares)]


def _s2(structure: Any) -> dict[str, Any]:
    from matlens.microstructure.statistics import two_point_radial

    sides = structure.labels.shape
    part = tuple(slice((n - min(n, _S2_SIDE)) // 2, (n + min(n, _S2_SIDE)) // 2) for n in sides)
    window = structure.crop(*part) if max(sides) > _S2_SIDE else structure
    curves = np.asarray(two_point_radial(window))[:, :_REACH]
    return {"curves": np.round(curves, 5).tolist(), "window": list(window.labels.shape)}


def _table(asked: Mapping[str, Any]) -> Answer:
    from matlens.library.io import lines_of_truth, read_library

    file = str(asked.get("file"))
    library = read_library(file, varied=False)
    first, *notes = lines_of_truth(library, os.path.basename(file))
    return {"parts": first.partition(": ")[2].split("; "), "notes": [note.strip() for note in notes]}, b""


def main(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until there are no more.

    Parameters
    ----------
    requests : binary file
        A JSON object a line.
    answers : binary file
        Where answers are written.
    """
    pictures = Pictures()
    for line in requests:
        content = b""
        try:
            found, content = pictures.answer(json.loads(line))
        except MatlensError as error:
            found = {"error": str(error)}
        except OSError as error:
            found = {"error": f"the file cannot be read ({error.strerror or error}); check path and rights."}
        except MemoryError:
            found = {"error": "the memory is not enough for this file; crop it, or ask for one slice."}
        answers.write(json.dumps({**found, "bytes": len(content)}).encode() + b"\n" + content)
        answers.flush()


if __name__ == "__main__":
    # What libraries print must not stand among the answers.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    main(sys.stdin.buffer, output)
