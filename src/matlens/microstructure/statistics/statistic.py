"""What is declared of a statistic: how it is computed, its variables with units and names, its cost and its sources.

A declaration stands beside the function that computes the statistic, and
:mod:`matlens.microstructure.statistics.catalogue` lists where. The labelled data set, its tables, captions of reports,
citations, forecasts of time and memory, and the common tester are derived from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, log, nan, prod
from typing import TYPE_CHECKING, Any, Literal

from matlens.core.late import imported
from matlens.errors import InputError

if TYPE_CHECKING:  # names and choices are listed without loading numpy
    from numpy.typing import ArrayLike

    from matlens.microstructure.large import LargeMicrostructure
    from matlens.microstructure.statistics.blocks.block import Block
    from matlens.microstructure.structure import Microstructure

__all__ = [
    "N_LOG_N",
    "Blockwise",
    "Cost",
    "CurveSection",
    "Display",
    "Facts",
    "Section",
    "Statistic",
    "Variable",
    "rectangle_of",
    "rectangle_said",
]

N_LOG_N = 1 + 1 / log(1 << 20)  # slope of n log n in logarithms, where costs are measured
_MEASURED_AT = 1 << 20  # pixels

CurveSection = Literal["curves", "sizes"]
Section = Literal[CurveSection, "shape", "connection"]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts that hold for the values of a variable, whatever the structure; the common tester checks them.

    How values scale with the pixel size, which axis runs over phases and which over directions follows from the
    variable's units and dimensions.

    Parameters
    ----------
    least, most : float
        Bounds of every known value.
    absent : float
        Value of a phase that does not occur.
    ndim : tuple of int
        Dimensions in which the variable is known; it is NaN in others.
    shift : bool
        Whether a cyclic shift of a periodic structure leaves the values as they are.
    turns : bool
        Whether reversing the order of the array axes only reverses the order of the directions.
    layers : bool
        Whether a periodic volume of equal layers has the values of one layer.
    laminate : callable, optional
        Exact values of phase 1 in a periodic two-dimensional laminate of unit pixels, whose layers are ``w`` pixels
        wide and follow each other along x: called with ``w``, which is even; directions are y, x, and offsets 0, 1,
        ..., w.
    tolerance : float
        Absolute tolerance of all comparisons.

    Examples
    --------
    >>> Facts(least=0, laminate=lambda w: 0.5).laminate(4)
    0.5
    """

    least: float = -inf
    most: float = inf
    absent: float = nan
    ndim: tuple[int, ...] = (2, 3)
    shift: bool = True
    turns: bool = True
    layers: bool = False
    laminate: Callable[[int], ArrayLike] | None = None
    tolerance: float = 1e-9


@dataclass(frozen=True, kw_only=True)
class Display:
    """Place and words with which a report shows a variable.

    Parameters
    ----------
    section : {"curves", "sizes", "shape", "connection"}
        Section of the report. Variables over offsets belong into the first two, single numbers into the others.
    place : int
        Variables with a smaller number come first in the section; those with the same, in the catalogue's order.
    caption : str
        What the variable is, as a phrase of the figure's caption.
    title : str
        Title of a curve's panel.
    label : str
        Label of a curve's vertical axis.
    against : {"size", "distance"}
        What a curve runs against.
    listed_from, drawn_from : int
        First offset in tables, and in figures, of a curve.

    Examples
    --------
    >>> Display(section="shape", caption="share of the volume").listed_from
    0
    """

    section: Section
    place: int = 99
    caption: str = ""
    title: str = ""
    label: str = "value"
    against: Literal["size", "distance"] = "size"
    listed_from: int = 0
    drawn_from: int = 0


@dataclass(frozen=True, kw_only=True)
class Variable:
    """Array that a statistic gives, as the data set labels it.

    Parameters
    ----------
    name : str
        Name in the data set.
    dims : tuple of str
        Names of dimensions: ``phase``, ``other`` (second phase of a pair), ``axis`` and, last, ``r`` (offset in
        pixels). Curves over ``r`` may end early; the data set continues them with NaN.
    long_name : str
        What it is, in a few words.
    units : str
        A template with ``{unit}``, the structure's unit of length, and ``{ndim}``: ``"{unit}^-{ndim}"``.
    missing : str or callable
        What NaN means; a callable says it of the given structure.
    display : Display, optional
        Where reports draw it. Every variable is in the files of a run, and every single number in their tables, also
        without.
    facts : Facts
        What the common tester checks.
    whole : bool
        Whether it has a meaning only in a rectangle without masked pixels, as what leads from face to face has. Of a
        structure with a mask it is then measured in the largest of them.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> density = Variable(name="d", dims=("phase",), long_name="number per volume", units="{unit}^-{ndim}")
    >>> density.attributes(Microstructure([[0, 1]], unit="um"))
    {'long_name': 'number per volume', 'units': 'um^-2'}
    """

    name: str
    dims: tuple[str, ...]
    long_name: str
    units: str = "1"
    missing: str | Callable[[Microstructure | LargeMicrostructure], str] = ""
    display: Display | None = None
    facts: Facts = field(default_factory=Facts)
    whole: bool = False

    def attributes(self, m: Microstructure | LargeMicrostructure) -> dict[str, str]:
        """Return the attributes of the variable in the data set.

        Parameters
        ----------
        m : Microstructure
            Structure that gives the unit of length.

        Returns
        -------
        dict of str to str
            ``long_name``, ``units``, where values may be missing ``missing``, and where they were measured in a
            rectangle only ``measured_in``.
        """
        found = {"long_name": self.long_name, "units": self.units.format(unit=m.unit, ndim=m.ndim)}
        missing = self.missing if isinstance(self.missing, str) else self.missing(m)
        if self.whole and m.mask is not None:  # never of a large structure, which has no mask
            rectangle = rectangle_of(m)
            found["measured_in"] = rectangle_said(m)
            missing = missing if rectangle is not None else found["measured_in"]
        return found | ({"missing": missing} if missing else {})


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Rough cost of a statistic on one core, measured once by ``benchmarks/statistics_cost.py``.

    Parameters
    ----------
    seconds : tuple of two floats
        Time for a structure of 2**20 pixels in two and in three dimensions, for each phase (or pair of phases).
    bytes : tuple of two floats
        Peak memory for each pixel of a two-phase structure, in two and in three dimensions.
    exponent : float
        Time grows with the number of pixels to this power.
    each : {"phase", "pair", "structure"}
        What time and memory are proportional to beside the pixels.
    largest : float
        Number of pixels above which the statistic is not computed, and costs nothing.

    Examples
    --------
    >>> Cost(seconds=(1.0, 2.0), bytes=(16, 24)).estimate((1024, 1024), 2)
    (2.0, 16777216.0)
    """

    seconds: tuple[float, float]
    bytes: tuple[float, float]
    exponent: float = 1.0
    each: Literal["phase", "pair", "structure"] = "phase"
    largest: float = inf

    def estimate(self, shape: tuple[int, ...], phases: int) -> tuple[float, float]:
        """Estimate time and memory for a structure.

        Parameters
        ----------
        shape : tuple of int
            Pixels along each axis.
        phases : int
            Number of phases.

        Returns
        -------
        seconds : float
            Time on one core.
        bytes : float
            Peak memory.
        """
        pixels, deep = prod(shape), len(shape) - 2
        if pixels > self.largest:
            return 0.0, 0.0
        number = {"phase": phases, "pair": phases * (phases + 1) / 2, "structure": 1}
        of_two = {"phase": 2, "pair": 3, "structure": 1}
        seconds = self.seconds[deep] * (pixels / _MEASURED_AT) ** self.exponent * number[self.each]
        return seconds, self.bytes[deep] * pixels * number[self.each] / of_two[self.each]


@dataclass(frozen=True, kw_only=True)
class Blockwise:
    """Functions that compute a statistic block by block, for structures that do not fit into memory.

    A state is a dictionary of arrays, so that it can be a file. States may be merged in any order.

    Parameters
    ----------
    update : callable
        Takes a state (None at first) and a `Block`; returns the state with the block taken in. Statistics with the same
        function share their states.
    merge : callable
        Takes two states of different blocks; returns the state of both together.
    compute : callable
        Takes the state of all blocks, and the `LargeMicrostructure`; returns what `Statistic.compute` returns for the
        whole, with correlations up to the asked reach.
    halo : callable
        Takes the structure and the reach of correlations; returns how many pixels beyond a block ``update`` looks at.

    Examples
    --------
    >>> import numpy as np
    >>> from matlens.microstructure.large import LargeMicrostructure
    >>> from matlens.microstructure.statistics.blocks.block import divided
    >>> pixels = Blockwise(
    ...     update=lambda state, block: {"pixels": (state or {"pixels": 0})["pixels"] + block.labels.size},
    ...     merge=lambda a, b: {"pixels": a["pixels"] + b["pixels"]},
    ...     compute=lambda state, whole: float(state["pixels"]),
    ... )
    >>> whole = LargeMicrostructure(np.zeros((3, 4), dtype=np.uint8), (1.0, 1.0), "px", ("a",))
    >>> first, second = divided(whole, [[0, 3], [0, 1, 4]], reach=1, room=1e6)
    >>> pixels.compute(pixels.merge(pixels.update(None, first), pixels.update(None, second)), whole)
    12.0
    """

    update: Callable[[dict[str, Any] | None, Block], dict[str, Any]]
    merge: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]
    compute: Callable[[dict[str, Any], LargeMicrostructure], Any]
    halo: Callable[[LargeMicrostructure, int], int] = lambda whole, reach: 0


@dataclass(frozen=True, kw_only=True)
class Statistic:
    """Measurement of a microstructure that gives one or several labelled arrays.

    Parameters
    ----------
    name : str
        Name in the catalogue; users choose by it.
    long_name : str
        Name in running text, as progress shows it.
    compute : callable
        Takes a `Microstructure`; returns the array of the only variable, or a tuple of arrays in the order of
        ``variables``.
    variables : tuple of Variable
        What it returns.
    cost : Cost
        Rough time and memory.
    cites : tuple of str
        Keys of the papers it stands on, in ``runs/citations.bib``.
    blocks : str
        Where its `Blockwise` is declared, ``module:NAME``, if it can be taken block by block; empty if it cannot.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> sides = Variable(name="longest_side", dims=(), long_name="longest side", units="{unit}")
    >>> longest = Statistic(
    ...     name="longest_side", long_name="longest side", variables=(sides,), cost=Cost(seconds=(0, 0), bytes=(0, 0)),
    ...     compute=lambda m: max(side * step for side, step in zip(m.shape, m.spacing)),
    ... )
    >>> longest.measure(Microstructure([[0, 1, 1]], spacing=0.5))
    (1.5,)
    """

    name: str
    long_name: str
    compute: Callable[[Microstructure], Any]
    variables: tuple[Variable, ...]
    cost: Cost
    cites: tuple[str, ...] = ()
    blocks: str = ""

    def measure(self, m: Microstructure) -> tuple[ArrayLike, ...]:
        """Compute the arrays of a structure, in the order of ``variables``.

        Parameters
        ----------
        m : Microstructure
            Structure to measure.

        Returns
        -------
        tuple of array_like
            One array for each variable; of a structure with a mask, `Variable.whole` tells where it was measured.
        """
        if m.mask is None or not any(variable.whole for variable in self.variables):
            return self._computed(m)
        outside: Sequence[Any] = [None] * len(self.variables)
        if not all(variable.whole for variable in self.variables):
            outside = self._computed(m)
        rectangle = rectangle_of(m)
        inside = [_unknown(v, m) for v in self.variables] if rectangle is None else self._computed(rectangle)
        return tuple(b if v.whole else a for v, a, b in zip(self.variables, outside, inside, strict=True))

    def blockwise(self) -> Blockwise:
        """Import how the statistic is taken block by block.

        Returns
        -------
        Blockwise
            What ``blocks`` names.
        """
        way: Blockwise = imported(self.blocks)
        return way

    def _computed(self, m: Microstructure) -> tuple[Any, ...]:
        found = self.compute(m)
        return found if isinstance(found, tuple) else (found,)


def rectangle_of(m: Microstructure) -> Microstructure | None:
    """Return the largest rectangle without masked pixels, if it is large enough to measure in.

    Parameters
    ----------
    m : Microstructure
        The structure.

    Returns
    -------
    Microstructure or None
        The structure itself if nothing is masked; None where the rectangle has a side below 16 pixels.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> rectangle_of(Microstructure([[0, 1, 1]], mask=[[True, False, True]])) is None
    True
    """
    from matlens.microstructure.rectangle import NARROWEST  # loads numpy, which the catalogue does without

    if m.mask is None:
        return m
    try:
        found = m.unmasked()
    except InputError:
        return None
    return found if min(found.shape) >= NARROWEST else None


def rectangle_said(m: Microstructure) -> str:
    """Say where a statistic that needs a rectangle without masked pixels was measured.

    Parameters
    ----------
    m : Microstructure
        A structure with a mask.

    Returns
    -------
    str
        A phrase.

    Examples
    --------
    >>> import numpy as np
    >>> from matlens.microstructure.structure import Microstructure
    >>> mask = np.ones((20, 30), dtype=bool); mask[0, 0] = False
    >>> rectangle_said(Microstructure(np.zeros((20, 30), dtype=int), mask=mask))
    'the largest rectangle without masked pixels, 20 x 29 px'
    """
    from matlens.microstructure.rectangle import NARROWEST

    found = rectangle_of(m)
    if found is None:
        return f"no rectangle of {NARROWEST} pixels a side is free of masked pixels"
    return f"the largest rectangle without masked pixels, {' x '.join(map(str, found.shape))} px"


def _unknown(variable: Variable, m: Microstructure) -> Any:
    import numpy as np

    sides = {"phase": m.n_phases, "other": m.n_phases, "axis": m.ndim, "r": max(m.shape) // 2 + 1}
    return np.full([sides[dim] for dim in variable.dims], np.nan)
