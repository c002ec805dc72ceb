"""What is done with values for which the user gave no threshold: labels, a blurred mask, grains or grey values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.io import Image
from matlens.microstructure.io.kinds import kind_of
from matlens.microstructure.segmentation.options import CleaningOptions, parse_threshold
from matlens.microstructure.structure import MAX_PHASES

__all__ = ["PROPOSED", "decided"]

_MISSED = 0.01  # of a volume fraction, by which the best cut of a blurred mask may miss its mean

PROPOSED = "No threshold was given, so this proposal was taken:"
"""Beginning of the note on a proposal."""


def decided(image: Image, options: CleaningOptions, name: str, *, propose: bool) -> tuple[CleaningOptions, str, str]:
    """Complete the options by what the kind of the values asks for.

    Parameters
    ----------
    image : Image
        An image without a colour axis.
    options : CleaningOptions
        What the user gave; a threshold decides alone.
    name : str
        File name, for messages.
    propose : bool
        Whether a grey picture is to be segmented as proposed.

    Returns
    -------
    options : CleaningOptions
        The options, with the cut of a blurred mask and the search for a data bar of a grey picture.
    kind : str
        The kind of the values, in words.
    note : str
        A sentence on what was assumed; `PROPOSED` where `proposed` is to complete the options of a framed picture.

    Raises
    ------
    InputError
        If the values are numbers of grains, or a blurred mask of three levels or more, or one that no cut keeps.

    Examples
    --------
    >>> decided(Image(np.eye(4)), CleaningOptions(), "m.npy", propose=False)[1:]
    ('labels', '')
    """
    if options.threshold is not None:
        labelled = parse_threshold(options.threshold) == ()
        return options, "labels" if labelled else "grey", ""
    kind = kind_of(image)
    if kind.name == "instances":
        raise InputError(
            f"{name}: these look like instance labels, {np.unique(image.values).size} grains or particles of one "
            f"region each (phases: {MAX_PHASES} at most); merge them, separate them from a background with --threshold "
            "0.5, or name the array of the phases with --dataset."
        )
    if kind.name == "blended" and len(kind.levels) > 2:
        listed = ", ".join(f"{level:.4g}" for level in kind.levels)
        raise InputError(
            f"{name} holds a mask of the levels {listed} that JPEG, anti-aliasing or averaging has blurred, so that "
            "borders between outer levels pass over those between; save it without loss and with nearest neighbours, "
            "or set the thresholds by --threshold v1,v2."
        )
    if kind.name == "blended":
        low, high = kind.levels
        level, kept, got = _valley(image.values, low, high)
        undecided = float((np.abs(image.values.astype(np.float64) - (low + high) / 2) < (high - low) / 4).mean())
        if min(abs(got - kept), undecided) > _MISSED:  # JPEG that clips moves the mean, and leaves nothing undecided
            raise InputError(
                f"{name} holds a mask that averaging or anti-aliasing has blurred, and no cut keeps its mean: the "
                f"upper level {high:.4g} has a share of {kept:.3f} by the mean and {got:.3f} by the best cut; take the "
                f"mask at its full resolution, or set the thresholds by --threshold {(low + high) / 2:.4g}."
            )
        return (
            replace(options, threshold=f"{level:.9g}"),
            "a blurred mask",
            (
                f"{np.unique(image.values).size} values around two levels, {low:.4g} and {high:.4g}: a mask that JPEG, "
                f"anti-aliasing or averaging has blurred, cut at {level:.4g}, which keeps its mean (--threshold labels "
                "makes every value a phase)."
            ),
        )
    if kind.name == "grey" and propose:
        bar = "auto" if options.data_bar is None and image.values.ndim == 2 else options.data_bar
        return replace(options, data_bar=bar), "grey", PROPOSED
    return options, "labels", ""


def _valley(values: NDArray[Any], low: float, high: float) -> tuple[float, float, float]:
    """The cut in the middle half between two levels whose upper share is the mean of the mask, which blurring keeps.

    Returned with the mean, as a share of the upper level, and the share above the cut.
    """
    part = (values.astype(np.float64) - low) / (high - low)
    kept = float(part.clip(0, 1).mean())
    steps = np.unique(part[(part > 0.25) & (part < 0.75)])
    cuts = np.concatenate([(steps[1:] + steps[:-1]) / 2, [0.5, 0.25, 0.75]])
    if cuts.size > 64:  # as good as continuous
        cuts = np.linspace(0.25, 0.75, 51)
    shares = np.array([(part > cut).mean() for cut in cuts])
    best = np.lexsort((np.abs(cuts - 0.5), np.abs(shares - kept).round(6)))[0]
    return low + float(cuts[best]) * (high - low), kept, float(shares[best])
