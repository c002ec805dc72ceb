"""What stands out in a library before any model is trained: values far from the rest, spikes, other causes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from matlens.library.model.targets import Target
from matlens.library.spectra import Despike
from matlens.library.table import MaterialsLibrary, named

__all__ = ["confounded", "far_values", "odd_spectra", "odd_values"]

Array = NDArray[np.float64]
_FEW = 0.2  # share of the values that may be outliers
_LOG = 0.5  # gap on a logarithmic scale, relative to the range of the rest
_SAME = 0.95  # correlation from which the effects of a column and a component are inseparable
_LEAST = 8  # samples from which a correlation counts
_TALL = 20.0  # height of a spike that is worth an alarm; the step that removes them takes lower ones
_POWER = 0.1  # deviation of a ratio from a power of ten, in decades, that looks like another unit


def far_values(values: ArrayLike) -> NDArray[np.intp]:
    """Find values that are separated from all others by more than the range of the others.

    Positive values must also be far on a logarithmic scale, as those of many quantities cover decades.

    Parameters
    ----------
    values : array_like, shape (n,)
        Values; those that are not finite are passed over.

    Returns
    -------
    ndarray of int
        Their rows; at most a fifth of all values.

    Examples
    --------
    >>> far_values([1.0, 1.2, 0.8, 1.1, 0.9, 1.3, -9999, -9999, 1.0, 1.1])
    array([6, 7])
    >>> far_values(np.logspace(0, 6, 20)).size
    0
    """
    value = np.asarray(values, np.float64)
    rows = np.flatnonzero(np.isfinite(value))
    order = rows[np.argsort(value[rows], kind="stable")]
    most = int(_FEW * len(order))
    found: list[int] = []
    for side in (1, -1):
        kept = np.array([row for row in order if row not in found], np.intp)[::side]
        count = _outside(side * value[kept], most - len(found), log=bool((value[rows] > 0).all()))
        found += kept[len(kept) - count :].tolist()
    return np.sort(np.array(found, np.intp))


def _outside(rising: Array, most: int, *, log: bool) -> int:
    """Count the values at the upper end of sorted ones that lie apart from the rest."""
    for count in range(max(most, 0), 0, -1):
        rest, others = rising[:-count], rising[-count:]
        gap, width = others[0] - rest[-1], rest[-1] - rest[0]
        if not gap > max(width, 1e-12 * np.abs(rest).max()):
            continue
        if log:
            ends = np.log10(np.abs([rest[0], rest[-1], others[0]]))
            if abs(ends[2] - ends[1]) <= _LOG * abs(ends[1] - ends[0]):
                continue
        return count
    return 0


def odd_values(library: MaterialsLibrary, target: Target) -> str:
    """Say which values of a figure of merit lie far from the rest.

    Parameters
    ----------
    library : MaterialsLibrary
        The samples.
    target : Target
        Figure of merit on its scale.

    Returns
    -------
    str
        A sentence; empty if there are none.

    Examples
    --------
    >>> from matlens.library.model.targets import target_of
    >>> library = MaterialsLibrary([[1.0]] * 10, ("A",), {"P": [1.0, 1.2, 0.8, 1.1, 0.9, 1.3, -9999, -9999, 1.0, 1.1]})
    >>> odd_values(library, target_of(library, None))
    '2 values of P, all -9999, lie far from the rest (0.8 to 1.3): missing?'
    """
    value = target.values(library)
    rows = far_values(value)
    if not rows.size:
        return ""
    rest = np.delete(value, rows)
    rest = rest[np.isfinite(rest)]
    span = f"({rest.min():.4g} to {rest.max():.4g})"
    own = value[rows]
    many = "1 value" if len(rows) == 1 else f"{len(rows)} values"
    if len(rows) > 1 and np.ptp(own) == 0:
        return f"{many} of {target.name}, all {own[0]:.6g}, lie far from the rest {span}: missing?"
    each = named([f"{sample}: {one:.4g}" for sample, one in zip(np.array(library.samples)[rows], own)], 5)
    said = f"{many} of {target.name} {'lies' if len(rows) == 1 else 'lie'} far from the rest {span}: {each}"
    ratio = float(np.median(own) / np.median(rest)) if np.median(rest) else 0.0
    power = np.log10(ratio) if ratio > 0 else 0.0
    if round(power) and abs(power - round(power)) <= _POWER:
        said += f"; about {10.0 ** round(power):g} times the others: another unit?"
    return f"{said}; check them before you trust any effect." if not said.endswith("?") else said


def odd_spectra(library: MaterialsLibrary) -> list[str]:
    """Say which spectra hold spikes, and which are constant.

    Parameters
    ----------
    library : MaterialsLibrary
        The samples.

    Returns
    -------
    list of str
        Sentences; none where spectra are sound, or there are none.

    Examples
    --------
    >>> axis, bands = np.arange(60.0), np.sin(np.arange(60) / 8) + np.zeros((6, 1))
    >>> bands[[1, 4], [20, 30]] += 50
    >>> odd_spectra(MaterialsLibrary([[1.0]] * 6, ("A",), {}, {}, bands, axis))
    ['2 channels in 2 of 6 spectra stand out as spikes; --prepare despike removes them.']
    """
    spectra = library.spectra
    if spectra is None:
        return []
    said = []
    flat = np.ptp(spectra, axis=1) == 0
    if flat.any():
        which = "all" if flat.all() else named(np.array(library.samples)[flat], 5)
        said.append(f"The spectra of {int(flat.sum())} samples are constant ({which}); they show nothing.")
    if library.axis is not None and spectra.shape[1] > Despike().width:
        changed = Despike(_TALL)(torch.tensor(spectra), library.axis)[0].numpy() != spectra
        if changed.any():
            count, many = int(changed.sum()), int(changed.any(1).sum())
            said.append(
                f"{count} channel{'s' if count > 1 else ''} in {many} of {len(spectra)} spectra stand out as spikes; "
                "--prepare despike removes them."
            )
    return said


def confounded(library: MaterialsLibrary, columns: dict[str, Array]) -> list[str]:
    """Say which columns follow a component, so that their effects are inseparable.

    Parameters
    ----------
    library : MaterialsLibrary
        The samples.
    columns : dict of str to ndarray, shape (n, 1)
        Numbers by the name of their column.

    Returns
    -------
    list of str
        Sentences.

    Examples
    --------
    >>> a = np.linspace(0, 1, 20)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("Fe", "Co"), {})
    >>> confounded(library, {"T": 300 + 200 * a[:, None]})
    ['T follows the fraction of Fe (r = 1.00): their effects are inseparable.']
    """
    said = []
    for name, column in columns.items():
        value = column[:, 0]
        if len(value) < _LEAST or value.std() == 0:
            continue
        found = []
        for k in np.flatnonzero(library.compositions.std(0) > 0):
            found.append((float(np.corrcoef(value, library.compositions[:, k])[0, 1]), library.components[k]))
        r, component = max(found, key=lambda pair: abs(pair[0]), default=(0.0, ""))
        if abs(r) >= _SAME:
            said.append(f"{name} follows the fraction of {component} (r = {r:.2f}): their effects are inseparable.")
    return said
