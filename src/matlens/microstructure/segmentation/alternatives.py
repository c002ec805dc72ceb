"""A grey picture segmented in several ways, side by side."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from numpy.typing import ArrayLike

from matlens.core.display import Shown
from matlens.errors import InputError
from matlens.microstructure.segmentation.chain import Segmentation
from matlens.microstructure.segmentation.loading import load
from matlens.microstructure.segmentation.options import CleaningOptions

__all__ = ["Alternative", "Alternatives", "alternatives"]


@dataclass(frozen=True)
class Alternative:
    """One way to segment a picture.

    Parameters
    ----------
    name : str
        What is done, in words.
    found : Segmentation
        The result, with its options.

    Examples
    --------
    >>> Alternative("Otsu", None).name
    'Otsu'
    """

    name: str
    found: Segmentation


class Alternatives(Shown, list[Alternative]):
    """Ways to segment one picture, what was asked or proposed first.

    Parameters
    ----------
    members : iterable of Alternative
        The ways.

    Examples
    --------
    >>> Alternatives([Alternative("Otsu", None)])
    Alternatives(Otsu)
    """

    def __repr__(self) -> str:
        return f"Alternatives({', '.join(one.name for one in self)})"


def alternatives(
    path: str | os.PathLike[str] | ArrayLike, options: CleaningOptions | None = None, *, dataset: str | None = None
) -> Alternatives:
    """Segment a file as asked or proposed, and grey pictures in other ways that differ from it.

    Parameters
    ----------
    path : path-like, or array_like of shape (y, x) or (z, y, x)
        The file, or its values.
    options : CleaningOptions, optional
        What is asked for; by default a grey picture is segmented as proposed.
    dataset : str, optional
        Name of the array, in files that hold several.

    Returns
    -------
    Alternatives
        What was asked or proposed comes first; a file of labels has no others.

    Raises
    ------
    InputError
        If the file cannot be read or segmented.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> path = f"{tempfile.mkdtemp()}/m.npy"
    >>> grey = np.random.default_rng(0).normal(100, 5, (64, 64)); grey[16:48, 16:48] += 60
    >>> np.save(path, grey)
    >>> [other.name for other in alternatives(path)]
    ['proposed', 'three phases', 'evened out']
    """
    given = options or CleaningOptions()
    first = load(path, given, dataset=dataset, propose=True)
    found = Alternatives([Alternative("proposed" if given.threshold is None else "as asked", first)])
    used = first.options
    if not first.thresholds or used is None:
        return found
    for name, changes in (
        ("Otsu", {"threshold": "otsu", "flatten": given.flatten, "median": given.median}),
        ("three phases", {"threshold": "multiotsu:3", "phases": None}),
        ("evened out", {"threshold": "otsu", "flatten": "polynomial"}),
    ):
        wanted = replace(used, **changes)
        if any(wanted == other.found.options for other in found):
            continue
        try:
            found.append(Alternative(name, load(path, wanted, dataset=dataset)))
        except InputError:  # a picture of two grey values has no three phases
            continue
    return found
