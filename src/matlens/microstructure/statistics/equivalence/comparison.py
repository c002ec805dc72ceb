"""Is a result the same material as its exemplar? Errors, R, verdicts, controls and the copy test in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from matlens.core.arguments import checked_arguments
from matlens.core.display import Shown
from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.microstructure.problems import blurred_noise, white_noise
from matlens.microstructure.segmentation import StructuresLike, as_structures
from matlens.microstructure.statistics.equivalence.bands import curve_bands
from matlens.microstructure.statistics.equivalence.copying import CopyTest, coarseness, pasted_blocks, patch_sides
from matlens.microstructure.statistics.equivalence.curves import Curves, errors
from matlens.microstructure.statistics.equivalence.planes import PLANES, planes_of
from matlens.microstructure.statistics.equivalence.sentences import describe, verdict_word
from matlens.microstructure.statistics.equivalence.variability import MIN_WINDOWS, Variability, joint_verdict
from matlens.microstructure.statistics.equivalence.windows import MOST, count_windows, cut_windows, smaller_window
from matlens.microstructure.statistics.transport.properties import property_table, too_large
from matlens.microstructure.structure import Microstructure

__all__ = ["Comparison", "compare", "comparison_work"]

CONTROL_REALISATIONS = 5
# Measured on pictures of 512 x 512 and 746 x 1760 px: what takes as long as to measure so many pixels of windows.
_JUDGING = 100  # for each pair of windows
_SEARCHING = 4  # for each pixel, or block of them, in which copies are looked for
_NARROWEST = 4  # pixels; no statistic has an offset to be compared at below
Several = Microstructure | Sequence[Microstructure]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Shown):
    """Result of `compare`.

    Attributes
    ----------
    errors : DataFrame
        One row a realisation, or a plane of a volume: every error against the exemplar (mean over exemplars).
    ratios : DataFrame
        One row a window size and statistic: ``source`` ("result"), ``window``, ``statistic``, ``d_result``,
        ``d_windows``, ``R``, ``low``, ``high``, ``low_joint``, ``verdict``, ``too_close``, ``n_windows``. First the
        result's own size, then the smaller one; empty where fewer than two windows fit.
    joint : str
        "equivalent", "different" or "undecided", at the largest size of which 8 windows fit. Where blurred noise is
        equivalent as well, it is "undecided".
    joints : dict
        The joint verdict by window size, whatever the controls.
    controls : DataFrame
        The same for "white noise" and "blurred noise" (column ``source``), with their ``joint`` verdict.
    properties : DataFrame
        Apparent properties of the exemplar's windows, of the result and of the controls: columns ``source`` and
        ``window``, then those of `property_table`; empty where none were asked.
    copying : DataFrame
        The copy test (`CopyTest`) of every realisation and of an image of pasted exemplar blocks; column ``source``:
        "result 0", ..., "pasted blocks"; planes of a volume are "result at z = 5" and so on.
    curves : Dataset
        S2, lineal-path and cluster curves of results, exemplar and windows (`curve_bands`).
    notes : tuple of str
        What was done differently from the plain rule, and why.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> material = gaussian_field((64, 64), 3.0, 0.4, seed=0)
    >>> found = compare(gaussian_field((32, 32), 3.0, 0.4, seed=1), material, properties=())
    >>> found.joint, found.errors.shape[0]
    ('undecided', 1)
    >>> found
    Comparison(Not decided: 4 windows of 32x32 px and 16 windows of 16x16 px)
    """

    errors: pd.DataFrame
    ratios: pd.DataFrame
    joint: str
    joints: dict[str, str]
    controls: pd.DataFrame
    properties: pd.DataFrame
    copying: pd.DataFrame
    curves: xr.Dataset
    notes: tuple[str, ...] = field(default=())

    @property
    def word(self) -> str:
        """The verdict in a few words."""
        return verdict_word(self.ratios, self.joints, self.joint, self.controls)

    def __repr__(self) -> str:
        own = self.ratios[self.ratios["source"] == "result"] if len(self.ratios) else self.ratios
        sizes = dict(zip(own["window"], own["n_windows"])) if len(own) else {}
        windows = " and ".join(f"{count} windows of {size} px" for size, count in sizes.items())
        return f"Comparison({self.word}: {windows or 'no windows'})"

    def sentences(self) -> list[str]:
        """Put the verdict into words.

        Returns
        -------
        list of str
            The verdict first, then a sentence for each statistic, the controls and the copy test.
        """
        return describe(self.ratios, self.joints, self.joint, self.controls, self.copying, self.notes)


@checked_arguments
def compare(
    result: StructuresLike,
    exemplar: StructuresLike,
    *,
    window: int | Sequence[int] | None = None,
    seed: int = 0,
    controls: bool = True,
    copying: bool = True,
    properties: Sequence[str] = ("conductivity",),
    progress: Progress | None = None,
) -> Comparison:
    """Compare realisations with the material they are meant to be.

    Parameters
    ----------
    result : Microstructure, array_like or path-like, or sequence of them
        Realisations of one size. Arrays and files may hold labels or grey values. Volumes are compared with images by
        their planes: three along each axis, all cropped to one size.
    exemplar : Microstructure, array_like or path-like, or sequence of them
        One or more fields of one material; sizes are free. Windows of the result's size are cut out of them, where they
        hold no masked pixels; all else counts what is known.
    window : int or sequence of int, optional
        Size of the smaller windows in pixels; by default the result's size is halved until 8 or more fit.
    seed : int
        Seed of the bootstrap and the controls.
    controls, copying : bool
        Whether to judge the negative controls, and to test for copying.
    properties : sequence of {"conductivity", "stiffness"}
        Effective properties to judge by too: statistics that no reconstruction is fitted to. Windows are taken between
        two faces, both sides alike, each phase in turn 50 times as conductive (100 times as stiff) as the rest; windows
        of more than 65536 cells are judged without.
    progress : Progress, optional
        Shows which part of the comparison is under way, and the verdict as soon as it is known.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If dimensions or numbers of phases differ, realisations differ in size or have masked pixels, the window does
        not fit, or a property is unknown.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field, white_noise
    >>> material = gaussian_field((128, 128), 4.0, 0.4, seed=0)
    >>> compare(white_noise((32, 32), (0.6, 0.4)), material, controls=False, copying=False).joint
    'different'
    """
    results, exemplars, places, cut = _checked(as_structures(result, progress), as_structures(exemplar, progress))
    shown = progress or Silent()
    sizes = _sizes([one.shape for one in results], exemplars, window)
    steps = _Steps(shown, results, exemplars, sizes)
    try:
        found = _compared(results, exemplars, places, sizes, steps, seed, controls, copying, properties)
        return replace(found, notes=(*cut, *found.notes))
    finally:
        shown.end()


def _compared(
    results: list[Microstructure],
    exemplars: list[Microstructure],
    places: list[str],
    sizes: list[tuple[int, ...]],
    steps: _Steps,
    seed: int,
    controls: bool,
    copying: bool,
    properties: Sequence[str],
) -> Comparison:
    curves, targets = [Curves(m) for m in results], [Curves(m) for m in exemplars]
    judged: dict[tuple[int, ...], Variability] = {}
    for size in sizes:
        steps.next(f"windows of {_name(size)} px of the micrograph")
        judged[size] = Variability(cut_windows(exemplars, size), properties=properties)
    steps.next("the result")
    found = _judged("result", results, judged, seed)
    steps.next("white and blurred noise, as checks")
    noises = _controls(results[0], exemplars, targets, judged, seed) if controls else []
    checks = _joined([noise.ratios for noise in noises])
    joint = _headline(found.ratios, found.joints, checks)
    steps.say(describe(found.ratios, found.joints, joint, checks, pd.DataFrame())[0])
    steps.next("search for copied parts")
    numbers = places or [str(number) for number in range(len(results))]
    copies = _copying(dict(zip(numbers, results)), exemplars, seed) if copying else pd.DataFrame()
    steps.next("curves of the whole micrograph")
    rows = [pd.DataFrame([errors(c, target) for target in targets]).mean() for c in curves]
    band = next(iter(judged.values())).windows if judged else []
    drawn = curve_bands(curves, targets, band, exemplars[0])
    compared = pd.DataFrame(rows).rename_axis("realisation")
    if places:
        drawn = drawn.assign_coords(realisation=places)
        compared = compared.set_axis(places).rename_axis("plane")
    return Comparison(
        errors=compared,
        ratios=found.ratios.drop(columns="joint", errors="ignore"),
        joint=joint,
        joints=found.joints,
        controls=checks,
        properties=_named(
            _joined([_of_windows(judged), found.properties, *(noise.properties for noise in noises)]), exemplars[0]
        ),
        copying=copies,
        curves=drawn,
        notes=_notes(results, exemplars, sizes, properties),
    )


def _checked(
    result: Several, exemplar: Several
) -> tuple[list[Microstructure], list[Microstructure], list[str], tuple[str, ...]]:
    """Return results and exemplars of one dimension; if planes were cut from volumes, also where and how."""
    results = [result] if isinstance(result, Microstructure) else list(result)
    exemplars = [exemplar] if isinstance(exemplar, Microstructure) else list(exemplar)
    if not results or not exemplars:
        raise InputError("nothing to compare: at least one result and one exemplar are needed.")
    first = exemplars[0]
    places: list[str] = []
    cut: tuple[str, ...] = ()
    if first.ndim == 2 and all(m.ndim == 3 for m in results):
        results, places, cut = planes_of(results)
    for m in (*results, *exemplars):
        if m.ndim != first.ndim or m.n_phases != first.n_phases:
            raise InputError(f"cannot compare {m!r} with {first!r}: dimension and number of phases must agree.")
        if min(m.shape) < _NARROWEST:
            raise InputError(f"cannot compare {m!r}: at least {_NARROWEST} pixels along each axis are needed.")
    results = [m.whole("a result to be compared") for m in results]
    if len({m.shape for m in results}) > 1:
        raise InputError(f"realisations of one size are needed, found {sorted({m.shape for m in results})}.")
    return results, exemplars, places, cut


def _sizes(
    made: Sequence[tuple[int, ...]], exemplars: Sequence[Microstructure], window: int | Sequence[int] | None
) -> list[tuple[int, ...]]:
    """Sizes of windows to judge at: the results' own, and a smaller one where that has too few windows or is asked."""
    own = made[0]
    smaller: tuple[int, ...] | None
    if window is None:
        smaller = smaller_window(own, exemplars, MIN_WINDOWS)
    else:
        smaller = (window,) * len(own) if isinstance(window, int) else tuple(window)
        if len(smaller) != len(own) or min(smaller) < 2 or any(part > side for part, side in zip(smaller, own)):
            raise InputError(f"window={window!r} does not fit into a result of {own}; give a smaller size.")
    sizes = [own] if smaller in (None, own) else [own, smaller]
    return [size for size in sizes if size is not None and count_windows(exemplars, size) >= 2]


def _work(
    made: Sequence[tuple[int, ...]], exemplars: Sequence[Microstructure], sizes: Sequence[tuple[int, ...]]
) -> list[float]:
    """Work of each part of a comparison; the unit is that of measuring one pixel of a window."""
    whole = float(sum(np.prod(exemplar.shape) for exemplar in exemplars))
    results = float(sum(np.prod(shape) for shape in made))
    noise = 2.0 * CONTROL_REALISATIONS * float(np.prod(made[0]))
    counts = [min(count_windows(exemplars, size), MOST) for size in sizes]
    windows = [float(np.prod(size)) * count for size, count in zip(sizes, counts)]
    judging = _JUDGING * float(sum(count**2 for count in counts))  # R of every pair of windows, drawn again and again
    shape = exemplars[0].shape
    blocks = sum(1 / coarseness(side, shape) ** len(shape) for side in patch_sides(exemplars))
    searching = _SEARCHING * blocks * (whole + results)
    return [*windows, results + judging, noise + 2 * judging, searching, whole / 10]


def comparison_work(shape: Sequence[int], n: int, exemplars: Sequence[Microstructure]) -> float:
    """Estimate the work of `compare`, by which its time can be foreseen.

    Parameters
    ----------
    shape : sequence of int
        Shape of a realisation.
    n : int
        Number of realisations.
    exemplars : sequence of Microstructure
        The micrographs, of which windows are cut.

    Returns
    -------
    float
        Work in pixels: as many pixels of windows could be measured in the same time.

    Examples
    --------
    >>> exemplar = Microstructure(np.eye(256, dtype=int))
    >>> [round(comparison_work((side, side), 1, [exemplar]) / 256**2) for side in (256, 64)]
    [29, 11]
    """
    if len(shape) > exemplars[0].ndim:  # planes of volumes
        shape, n = sorted(shape)[:2], n * PLANES * len(shape)
    made = [tuple(shape)] * n
    return sum(_work(made, exemplars, _sizes(made, exemplars, None)))


class _Steps:
    """Parts of a comparison one after another, each weighed by the pixels that it looks at."""

    def __init__(
        self,
        progress: Progress,
        results: Sequence[Microstructure],
        exemplars: Sequence[Microstructure],
        sizes: Sequence[tuple[int, ...]],
    ) -> None:
        self._work = _work([result.shape for result in results], exemplars, sizes)
        self._done, self._progress = -1, progress
        progress.begin(sum(self._work), "comparing with the micrograph")

    def next(self, text: str) -> None:
        """Begin the next part."""
        self._done += 1
        self._progress.update(sum(self._work[: self._done]), text)

    def say(self, text: str) -> None:
        """Show a finding."""
        self._progress.say(text)


class _Judgement(NamedTuple):
    ratios: pd.DataFrame
    joints: dict[str, str]
    properties: pd.DataFrame


def _judged(
    source: str, results: Sequence[Microstructure], judged: dict[tuple[int, ...], Variability], seed: int
) -> _Judgement:
    """Judge results at every size of windows."""
    tables, properties, joints = [], [], {}
    for size, variability in judged.items():
        windows, name = cut_windows(results, size), _name(size)
        table = variability.ratios(windows, seed=seed)
        joints[name] = joint_verdict(table)
        table.insert(0, "window", name)
        table.insert(0, "source", source)
        tables.append(table.assign(joint=joints[name]))
        properties.append(_labelled(property_table(windows), source, name))
    return _Judgement(_joined(tables), joints, _joined(properties))


def _of_windows(judged: dict[tuple[int, ...], Variability]) -> pd.DataFrame:
    return _joined([_labelled(property_table(v.windows), "windows", _name(size)) for size, v in judged.items()])


def _named(properties: pd.DataFrame, exemplar: Microstructure) -> pd.DataFrame:
    """Give all phases the names of the exemplar's: those of noise and of some results have only numbers."""
    if properties.empty:
        return properties
    order = properties.groupby("source", sort=False)["phase"].transform(lambda names: pd.factorize(names)[0])
    return properties.assign(phase=[exemplar.phase_names[number] for number in order.astype(int)])


def _labelled(table: pd.DataFrame, source: str, window: str) -> pd.DataFrame:
    table.insert(0, "window", window)
    table.insert(0, "source", source)
    return table


def _name(size: Sequence[int]) -> str:
    return "x".join(map(str, size))


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    found = [table for table in tables if not table.empty]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _headline(ratios: pd.DataFrame, joints: dict[str, str], controls: pd.DataFrame) -> str:
    for name, joint in joints.items():
        if int(ratios.loc[ratios["window"] == name, "n_windows"].min()) >= MIN_WINDOWS:
            return "undecided" if joint == "equivalent" and _blurred_passes(controls, name) else joint
    return "undecided"


def _blurred_passes(controls: pd.DataFrame, window: str) -> bool:
    """Whether blurred noise is equivalent as well, so that equivalence does not mean much."""
    if controls.empty:
        return False
    rows = controls[(controls["source"] == "blurred noise") & (controls["window"] == window)]
    return bool(len(rows)) and bool((rows["joint"] == "equivalent").all())


def _controls(
    like: Microstructure,
    exemplars: Sequence[Microstructure],
    targets: Sequence[Curves],
    judged: dict[tuple[int, ...], Variability],
    seed: int,
) -> list[_Judgement]:
    """Judge noise in the result's place."""
    fractions = np.mean([m.volume_fractions for m in exemplars], axis=0)
    lengths = np.concatenate([target.covariance_reach for target in targets])
    known = lengths[~np.isnan(lengths)]
    length = float(known.mean()) if known.size else min(like.shape) / 8
    seeds = range(seed, seed + CONTROL_REALISATIONS)
    noises = {
        "white noise": [white_noise(like.shape, fractions, s) for s in seeds],
        "blurred noise": [blurred_noise(like.shape, fractions, length, s) for s in seeds],
    }
    return [_judged(name, noise, judged, seed) for name, noise in noises.items()]


def _copying(results: dict[str, Microstructure], exemplars: Sequence[Microstructure], seed: int) -> pd.DataFrame:
    test = CopyTest(exemplars)
    source = exemplars[0].unmasked()
    shape = next(iter(results.values())).shape
    pasted = pasted_blocks(source, shape, max(1, min(2 * max(test.sides), min(source.shape) // 2)), seed)
    images = {f"result {name}": m for name, m in results.items()} | {"pasted blocks": pasted}
    tables = []
    for name, image in images.items():
        table = test(image)
        table.insert(0, "source", name)
        tables.append(table)
    return _joined(tables)


def _notes(
    results: Sequence[Microstructure],
    exemplars: Sequence[Microstructure],
    sizes: Sequence[tuple[int, ...]],
    properties: Sequence[str],
) -> tuple[str, ...]:
    notes = []
    own, fit = results[0].shape, count_windows(exemplars, results[0].shape)
    if fit < MIN_WINDOWS:
        smaller = [size for size in sizes if size != own]
        instead = f"windows of {_name(smaller[0])} are judged too" if smaller else "nothing is decided"
        holds = f"{fit} window{'' if fit == 1 else 's'}"
        notes.append(
            f"The micrograph holds {holds} of the result's size, and a verdict needs {MIN_WINDOWS}: {instead}."
        )
    result = results[0].in_unit(exemplars[0].unit)
    if not np.allclose(result.spacing, exemplars[0].spacing) or result.unit != exemplars[0].unit:
        notes.append("Result and micrograph state different pixel sizes; they are compared pixel by pixel.")
    unjudged = [_name(size) for size in sizes if too_large(size)]
    if properties and unjudged:
        notes.append(f"Windows of {', '.join(unjudged)} are too large for {' and '.join(properties)} as a statistic.")
    return tuple(notes)
