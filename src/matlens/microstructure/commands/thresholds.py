"""What a run keeps of the thresholds of its grey inputs, so that their uncertainty is carried on to its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from matlens.microstructure.segmentation import Segmentation, Variants
from matlens.microstructure.structure import Microstructure
from matlens.runs.codecs import ARRAYS, read_file
from matlens.runs.directory import RunDirectory

__all__ = ["extent", "keep_variants", "kept_variants"]


def keep_variants(run: RunDirectory, found: Sequence[Segmentation]) -> None:
    """Write the structures by the thresholds of the plateau to ``.state/thresholds_I.npz``.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    found : sequence of Segmentation
        The segmented inputs; those that held labels have no thresholds.
    """
    for index, segmentation in enumerate(found):
        variants = segmentation.variants
        if isinstance(variants, Variants):
            places = sorted(variants)
            labels = {f"labels_{k}": variants[place].labels for k, place in enumerate(places) if place != 0}
            levels = [variants.levels[place] for place in places]
            with run.writing(_file(index)) as file:
                np.savez_compressed(file, places=places, levels=levels, **labels)  # type: ignore[arg-type]


def kept_variants(run: RunDirectory, exemplars: Sequence[Microstructure]) -> list[Mapping[float, Microstructure]]:
    """Read the structures by the thresholds of the plateau.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    exemplars : sequence of Microstructure
        The exemplars that the run keeps.

    Returns
    -------
    list of mapping of float to Microstructure
        What `Segmentation.variants` was of each input; empty for those that held labels.
    """
    return [_read(run, index, exemplar) for index, exemplar in enumerate(exemplars)]


def extent(variants: Mapping[float, Microstructure]) -> str:
    """Name the lowest and the highest thresholds, as a sentence holds them.

    Parameters
    ----------
    variants : mapping of float to Microstructure
        What `kept_variants` gave of an input.

    Returns
    -------
    str
        Both, with four digits.

    Examples
    --------
    >>> board = Microstructure([[0, 1]])
    >>> extent(Variants({-1.0: (71.23,), 0.0: (75.0,), 1.0: (80.0,)}, lambda levels: board, board))
    '71.23 and 80'
    """
    levels = variants.levels if isinstance(variants, Variants) else {}
    ends = (", ".join(f"{level:.4g}" for level in levels[place]) for place in (min(levels), max(levels)))
    return " and ".join(ends)


def _read(run: RunDirectory, index: int, exemplar: Microstructure) -> Mapping[float, Microstructure]:
    file = run.path / _file(index)
    if not file.is_file():
        return {}
    content = read_file(file, ARRAYS)
    places = [float(place) for place in content["places"]]
    levels = {place: tuple(map(float, at)) for place, at in zip(places, content["levels"])}
    labels = {levels[place]: content[f"labels_{k}"].astype(np.uint8) for k, place in enumerate(places) if place != 0}

    def cut(at: tuple[float, ...]) -> Microstructure:
        return replace(exemplar, labels=labels[at])

    return Variants(levels, cut, exemplar)


def _file(index: int) -> str:
    return f".state/thresholds_{index}.npz"
