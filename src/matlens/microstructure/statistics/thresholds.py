"""How much the statistics of a segmented image depend on where its thresholds were put."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from matlens.errors import InputError
from matlens.hooks import Labelled, Progress, Silent
from matlens.microstructure.statistics.catalogue import cost, find_statistics
from matlens.microstructure.statistics.dataset import characterize
from matlens.microstructure.statistics.equivalence.curves import Curves, lineal_path_error, s2_error
from matlens.microstructure.structure import Microstructure

__all__ = ["threshold_ranges", "threshold_sensitivity"]

_LIGHT = 2.0  # seconds that a statistic may take to be measured at every threshold
_HEAVY = 20.0  # seconds above which it is not measured again


def threshold_sensitivity(variants: Mapping[float, Microstructure]) -> pd.DataFrame:
    """Compare segmentations of one image with shifted thresholds.

    Parameters
    ----------
    variants : mapping of float to Microstructure
        Shift of the thresholds, in any measure -> result; 0.0 is the segmentation in use. Those of a `Segmentation` go
        from -1, the lower end of the plateau, to 1, its upper end.

    Returns
    -------
    DataFrame
        One row a shift and phase: ``threshold_shift``, ``phase``, ``volume_fraction``, ``fraction_change``,
        ``correlation_length`` and ``correlation_length_change`` (pixels), ``s2_error`` and ``lineal_path_error``
        (against shift 0, all phases together).

    Raises
    ------
    InputError
        If there is no shift 0.0.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> thick, thin = (gaussian_field((64, 64), 4.0, f, seed=0) for f in (0.5, 0.45))
    >>> threshold_sensitivity({0.0: thick, 1.0: thin})["fraction_change"].round(2).tolist()
    [0.0, 0.0, 0.05, -0.05]
    """
    reference = Curves(_used(variants))
    rows = []
    for shift in sorted(variants):
        curves = Curves(variants[shift])
        found = {"s2_error": s2_error(curves, reference), "lineal_path_error": lineal_path_error(curves, reference)}
        for phase, name in enumerate(curves.microstructure.phase_names):
            rows.append(
                {
                    "threshold_shift": shift,
                    "phase": name,
                    "volume_fraction": curves.fractions[phase],
                    "fraction_change": curves.fractions[phase] - reference.fractions[phase],
                    "correlation_length": curves.correlation_length[phase],
                    "correlation_length_change": curves.correlation_length[phase] - reference.correlation_length[phase],
                    **found,
                }
            )
    return pd.DataFrame(rows)


def threshold_ranges(
    variants: Mapping[float, Microstructure],
    *,
    statistics: Sequence[str] | None = None,
    known: xr.Dataset | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute between which values the statistics of a segmented image lie when its thresholds move.

    Parameters
    ----------
    variants : mapping of float to Microstructure
        Shift of the thresholds -> result; 0.0 is the segmentation in use. `matlens.segment` gives them for each way to
        segment a picture, as ``way.found.variants``.
    statistics : sequence of str, optional
        Names in the catalogue; by default all.
    known : Dataset, optional
        The same statistics of the segmentation in use, where they have been computed.
    progress : Progress, optional
        Called after each statistic of each segmentation.

    Returns
    -------
    Dataset
        The variables of `characterize` that are single numbers or curves, over a further last dimension ``end``
        ("low", "high"): the least and the most of the known values. A statistic that is forecast to take more than 2 s
        is measured at the first and last threshold only, and one of more than 20 s is left out: the attribute
        ``left_out`` names these.

    Raises
    ------
    InputError
        If there is no shift 0.0, or a statistic is unknown.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> variants = {shift: gaussian_field((64, 64), 4.0, 0.5 - 0.05 * shift, seed=0) for shift in (-1.0, 0.0, 1.0)}
    >>> threshold_ranges(variants, statistics=["volume_fraction"])["volume_fraction"].values.round(2).tolist()
    [[0.45, 0.55], [0.45, 0.55]]
    """
    used, progress = _used(variants), Silent() if progress is None else progress
    seconds = {
        statistic.name: cost([statistic.name], used.shape, used.n_phases)[0]
        for statistic in find_statistics(statistics)
    }
    ends = {min(variants), max(variants)}
    parts = [] if known is None else [known]
    for shift in sorted(variants):
        most = _HEAVY if shift in ends else _LIGHT
        wanted = [name for name, needed in seconds.items() if needed <= most]
        if wanted and (shift != 0 or known is None):
            shown = Labelled(progress, f"threshold {len(parts) + 1} of {len(variants)}")
            parts.append(characterize(variants[shift], statistics=wanted, progress=shown))
    found = {}
    for name in [name for name in parts[0] if "other" not in parts[0][name].dims] if parts else []:
        values = [part[name].astype(np.float64) for part in parts if name in part]
        if len(values) > 1:
            moved = xr.concat(values, dim="end", combine_attrs="override")
            both = xr.concat([moved.min("end"), moved.max("end")], dim="end").transpose(..., "end")
            found[name] = both.assign_coords(end=["low", "high"]).assign_attrs(parts[0][name].attrs)
    return xr.Dataset(found, attrs={"left_out": ",".join(name for name, s in seconds.items() if s > _HEAVY)})


def _used(variants: Mapping[float, Microstructure]) -> Microstructure:
    if 0.0 not in variants:
        raise InputError(f"found threshold shifts {sorted(variants)}, expected 0.0 (the one in use) among them.")
    return variants[0.0]
