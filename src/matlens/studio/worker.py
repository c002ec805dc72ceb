"""A process that reads pictures, tables and results for the page; it stays warm and loads no PyTorch.

Run as ``python -m matlens.studio.worker``: a line of JSON asks, a line of JSON answers, with ``bytes`` bytes after it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.settings import read_options
from matlens.errors import InputError, MatlensError
from matlens.studio.libraries import Libraries
from matlens.studio.painted import drawn, runs_of, write_mask
from matlens.studio.voxels import voxels
from matlens.studio.watching import Watching

__all__ = ["Pictures", "main", "run_worker"]

_LONGEST = 2048  # pixels of a side that are sent
_BINS = 256
_S2_SIDE = 512  # pixels of the window in which S2 is measured while one looks, so that it keeps up with the hand
_REACH = 100  # pixels
_MOVED = 0.05  # by which a threshold is moved to see what depends on it
_HIDDEN = 255  # what is sent for a pixel that is masked; phases stay far below

Answer = tuple[dict[str, Any], bytes]


class Pictures:
    """Answers requests on pictures; the picture that was read last is kept.

    Examples
    --------
    >>> Pictures().answer({"what": "dance"})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    matlens.errors.InputError: found the request 'dance'; expected look, cut, painted, ...
    """

    def __init__(self) -> None:
        self._watching = Watching()
        self._key: tuple[Any, ...] = ()
        self._image: Any = None
        self._mask_key: tuple[Any, ...] = ()
        self._mask: NDArray[Any] | None = None

    def answer(self, asked: Mapping[str, Any]) -> Answer:
        """Answer one request.

        Parameters
        ----------
        asked : mapping
            ``what`` is ``"look"`` (the picture and its histogram), ``"cut"`` (its phases by ``options``),
            ``"painted"`` (a mask, as runs of pixels), ``"paint"`` (writes runs as a mask), ``"demo"``
            (writes a volume), ``"voxels"`` (see `matlens.studio.voxels.voxels`) or ``"watch"`` (see
            `matlens.studio.watching.Watching`); ``file`` is a path, and ``slice`` the number of a slice of a volume
            along z.

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
            "painted": self._painted,
            "paint": self._paint,
            "demo": _demo,
            "voxels": voxels,
            "watch": self._watching.answer,
        }
        what = str(asked.get("what"))
        if what not in makers:
            raise InputError(
                f"found the request {what[:20]!r}; expected look, cut, painted, paint, demo, voxels or watch."
            )
        return makers[what](asked)

    def _read(self, asked: Mapping[str, Any]) -> Any:
        from matlens.microstructure.io import read_image

        file = str(asked.get("file"))
        dataset = asked.get("dataset") or None
        key = (file, os.stat(file).st_mtime_ns, dataset)
        if key != self._key:
            self._image, self._key = read_image(file, dataset=dataset), key
        return self._image

    def _known(self, given: Mapping[str, Any]) -> NDArray[Any] | None:
        """The values of a mask's file: zero where the picture is not to be used; None without a mask."""
        from matlens.microstructure.io import read_image

        file = given.get("mask")
        if file is None:
            return None
        key = (file, os.stat(str(file)).st_mtime_ns)
        if key != self._mask_key:
            image = read_image(str(file))
            self._mask, self._mask_key = _grey(image), key
        return self._mask

    def _painted(self, asked: Mapping[str, Any]) -> Answer:
        """What a mask leaves out, as the page paints it: runs of every n-th pixel of a slice."""
        space = self._read(asked).space
        mask = self._known(asked)
        if mask is None or mask.shape != tuple(space):
            raise InputError("found no mask of the size of the picture; paint it again.")
        plane, step = _reduced(np.asarray(_of_slice(mask, int(asked.get("slice") or 0))) == 0)
        return {"runs": runs_of(plane), "rows": plane.shape[0], "columns": plane.shape[1], "step": step}, b""

    def _paint(self, asked: Mapping[str, Any]) -> Answer:
        space = self._read(asked).space
        painted = drawn(asked.get("runs"), *(_whole(asked, name) for name in ("rows", "columns")))
        return {"mask": str(write_mask(Path(str(asked["file"])), painted, space, _whole(asked, "step")))}, b""

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
        mask = self._known(given)
        if len(image.space) == 3 and "slice" not in given:
            # A whole volume would not keep up with the hand; the command segments all of it in the same way.
            image, mask = _plane(image, mask, int(asked.get("slice", image.space[0] // 2)))
            if str(given.get("crop", "")).count(",") == 2:
                given["crop"] = str(given["crop"]).rpartition(",")[0]
        options: CleaningOptions = read_options(CleaningOptions, given)
        made = segment(image, options, mask=mask, name=os.path.basename(str(asked["file"])), propose=True)
        structure = made.microstructure
        shown = structure.labels if structure.mask is None else np.where(structure.mask, structure.labels, _HIDDEN)
        labels, step = _reduced(shown)
        applied = made.options.settings() if made.options else {}
        if "crop" in applied:
            applied["crop"] = dict(asked["options"])["crop"]
        known, moved = made.understood, _moved(made)
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
                    _shares(structure, moved),
                )
            ],
            "s2": _s2(structure, moved),
            "masked": float(structure.masked_share),
            "kind": known.kind if known else "",
            "steps": list(made.steps),
            "spacing": [float(size) for size in structure.spacing],
            "unit": structure.unit,
        }
        return found, np.ascontiguousarray(labels, dtype=np.uint8).tobytes()


def _whole(asked: Mapping[str, Any], name: str) -> int:
    value = asked.get(name)
    if type(value) is not int:
        raise InputError(f"found {str(value)[:20]!r} for {name}; send a whole number.")
    return value


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


def _plane(image: Any, mask: NDArray[Any] | None, number: int) -> tuple[Any, NDArray[Any] | None]:
    """A slice of a volume along z, and of its mask, as a picture."""
    number = min(max(number, 0), image.space[0] - 1)
    spacing = image.spacing and image.spacing[1:]
    valid = None if image.valid is None else image.valid[number]
    return replace(image, values=image.values[number], spacing=spacing, valid=valid), _of_slice(mask, number)


def _of_slice(mask: NDArray[Any] | None, number: int) -> NDArray[Any] | None:
    return mask[min(number, len(mask) - 1)] if mask is not None and mask.ndim == 3 else mask


def _moved(made: Any) -> list[NDArray[np.uint8]]:
    """Phases by thresholds that are 5 % lower and higher, before small parts are cleaned; none without thresholds."""
    if not made.thresholds or made.grey is None:
        return []
    last = made.microstructure.n_phases - 1
    moved = []
    for factor in (1 - _MOVED, 1 + _MOVED):
        labels = np.digitize(made.grey, [level * factor for level in made.thresholds], right=True).astype(np.uint8)
        moved.append(last - labels if made.inverted else labels)
    return moved


def _shares(structure: Any, moved: list[NDArray[np.uint8]]) -> list[list[float] | None]:
    """Volume fractions of each phase by the moved thresholds, in what is known."""
    known = np.ones(structure.shape, dtype=bool) if structure.mask is None else structure.mask
    each = [np.bincount(labels[known], minlength=structure.n_phases) / known.sum() for labels in moved]
    return [[float(share[phase]) for share in each] or None for phase in range(structure.n_phases)]


def _s2(structure: Any, moved: list[NDArray[np.uint8]]) -> dict[str, Any]:
    """S2 of each phase in the middle of the picture, and of the last phase by the moved thresholds."""
    from matlens.microstructure.structure import Microstructure

    sides = structure.labels.shape
    part = tuple(slice((n - min(n, _S2_SIDE)) // 2, (n + min(n, _S2_SIDE)) // 2) for n in sides)
    last = structure.n_phases - 1
    window = structure.crop(*part)
    known = None if structure.mask is None else structure.mask[part]
    shifted = []
    for labels in moved:
        inside = (labels[part] == last).astype(np.uint8)
        if 0 < inside.mean() < 1:
            shifted.append(_curves(Microstructure(inside, structure.spacing, structure.unit, mask=known))[1].tolist())
    return {"curves": _curves(window).tolist(), "moved": shifted, "window": list(window.labels.shape)}


def _curves(structure: Any) -> NDArray[np.float64]:
    from matlens.microstructure.statistics import two_point_radial

    return np.round(np.asarray(two_point_radial(structure))[:, :_REACH], 5)


def _demo(asked: Mapping[str, Any]) -> Answer:
    """Write the example of a volume."""
    from matlens.microstructure.io import write_microstructure
    from matlens.microstructure.problems import EXAMPLES

    write_microstructure(EXAMPLES["porous"](), str(asked["file"]))
    return {}, b""


def main(requests: IO[bytes], answers: IO[bytes], answer: Callable[[Mapping[str, Any]], Answer] | None = None) -> None:
    """Answer requests until there are no more.

    Parameters
    ----------
    requests : binary file
        A JSON object a line.
    answers : binary file
        Where answers are written.
    answer : callable, optional
        Answers one request. By default, requests whose ``of`` is ``"library"`` are about libraries, and others about
        pictures.
    """
    answer = answer or _answering()
    for line in requests:
        content = b""
        try:
            found, content = answer(json.loads(line))
        except MatlensError as error:
            found = {"error": str(error)}
        except OSError as error:
            found = {"error": f"the file cannot be read ({error.strerror or error}); check path and rights."}
        except MemoryError:
            found = {"error": "the memory is not enough for this file; crop it, or ask for one slice."}
        answers.write(json.dumps({**found, "bytes": len(content)}).encode() + b"\n" + content)
        answers.flush()


def _answering() -> Callable[[Mapping[str, Any]], Answer]:
    pictures, libraries = Pictures(), Libraries()

    def answer(asked: Mapping[str, Any]) -> Answer:
        return (libraries.answer(asked), b"") if asked.get("of") == "library" else pictures.answer(asked)

    return answer


def run_worker(answer: Callable[[Mapping[str, Any]], Answer] | None = None) -> None:
    """Answer requests of the standard input on the standard output.

    Parameters
    ----------
    answer : callable, optional
        As in `main`.
    """
    # What libraries print must not stand among the answers.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    main(sys.stdin.buffer, output, answer)


if __name__ == "__main__":
    run_worker()
