"""How much the statistics of a segmented image depend on where its thresholds were put."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from matlens.errors import InputError
from matlens.microstructure.statistics.equivalence.curves import Curves, s2_error
from matlens.microstructure.structure import Microstructure

__all__ = ["threshold_sensitivity"]


def threshold_sensitivity(variants: Mapping[float, Microstructure]) -> pd.DataFrame:
    """Compare segmentations of one image with shifted thresholds.

    Parameters
    ----------
    variants : mapping of float to Microstructure
        Relative shift of all thresholds -> result; 0.0 is the segmentation in use, e.g. keys -0.05, 0.0, 0.05.

    Returns
    -------
    DataFrame
        One row a shift and phase: ``threshold_shift``, ``phase``, ``volume_fraction``, ``fraction_change``,
        ``correlation_length`` and ``correlation_length_change`` (pixels), ``s2_error`` (against shift 0, all phases
        together).

    Raises
    ------
    InputError
        If there is no shift 0.0.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> thick, thin = (gaussian_field((64, 64), 4.0, f, seed=0) for f in (0.5, 0.45))
    >>> threshold_sensitivity({0.0: thick, 0.05: thin})["fraction_change"].round(2).tolist()
    [0.0, 0.0, 0.05, -0.05]
    """
    if 0.0 not in variants:
        raise InputError(f"found threshold shifts {sorted(variants)}, expected 0.0 (the one in use) among them.")
    reference = Curves(variants[0.0])
    rows = []
    for shift in sorted(variants):
        curves = Curves(variants[shift])
        error = s2_error(curves, reference)
        for phase, name in enumerate(variants[shift].phase_names):
            rows.append(
                {
                    "threshold_shift": shift,
                    "phase": name,
                    "volume_fraction": curves.fractions[phase],
                    "fraction_change": curves.fractions[phase] - reference.fractions[phase],
                    "correlation_length": curves.correlation_length[phase],
                    "correlation_length_change": curves.correlation_length[phase] - reference.correlation_length[phase],
                    "s2_error": error,
                }
            )
    return pd.DataFrame(rows)
