"""The catalogue of statistics: which there are, and where each is declared.

A new statistic is a declaration in its own module and a line in `STATISTICS` (docs/extending.md). Listing the names
loads nothing heavy; what computes a statistic is loaded when it is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import get_args

from matlens.core.late import imported
from matlens.errors import InputError
from matlens.microstructure.statistics.statistic import CurveSection, Display, Section, Statistic, Variable

__all__ = ["STATISTICS", "STATISTIC_NAMES", "cost", "display_of", "displayed", "find_statistics", "sources_of"]

_HERE = "matlens.microstructure.statistics"

STATISTICS: dict[str, str] = {
    "volume_fraction": f"{_HERE}.size_shape.volume_fraction:VOLUME_FRACTION",
    "two_point": f"{_HERE}.correlation.two_point:TWO_POINT",
    "two_point_cross": f"{_HERE}.correlation.two_point:TWO_POINT_CROSS",
    "correlation_length": f"{_HERE}.correlation.correlation_length:CORRELATION_LENGTH",
    "lineal_path": f"{_HERE}.lines.lineal_path:LINEAL_PATH",
    "chord_length": f"{_HERE}.lines.chord_length:CHORD_LENGTH",
    "cluster": f"{_HERE}.correlation.cluster:CLUSTER",
    "euler_number": f"{_HERE}.size_shape.euler:EULER_NUMBER",
    "euler_density": f"{_HERE}.size_shape.euler:EULER_DENSITY",
    "specific_surface": f"{_HERE}.size_shape.specific_surface:SPECIFIC_SURFACE",
    "mean_curvature": f"{_HERE}.size_shape.mean_curvature:MEAN_CURVATURE",
    "surface_surface": f"{_HERE}.correlation.surface_surface:SURFACE_SURFACE",
    "triple_phase_boundary": f"{_HERE}.size_shape.triple_lines:TRIPLE_PHASE_BOUNDARY",
    "local_thickness": f"{_HERE}.size_shape.local_thickness:LOCAL_THICKNESS",
    "particle_size": f"{_HERE}.size_shape.particle_sizes:PARTICLE_SIZE",
    "percolation": f"{_HERE}.transport.connectivity:PERCOLATION",
    "tortuosity": f"{_HERE}.transport.diffusion:TORTUOSITY",
}
"""Where each statistic is declared, ``module:NAME``, in the order of the data set."""

STATISTIC_NAMES: tuple[str, ...] = tuple(STATISTICS)


def find_statistics(names: Sequence[str] | None = None) -> list[Statistic]:
    """Look statistics up by name.

    Parameters
    ----------
    names : sequence of str, optional
        Keys of `STATISTICS`, in any order; by default all.

    Returns
    -------
    list of Statistic
        In the order of the catalogue, each once.

    Raises
    ------
    InputError
        If a name is unknown, or none is given.

    Examples
    --------
    >>> [statistic.name for statistic in find_statistics(["lineal_path", "volume_fraction"])]
    ['volume_fraction', 'lineal_path']
    >>> find_statistics(["porosity"])
    Traceback (most recent call last):
    matlens.errors.InputError: there is no statistic 'porosity'; choose from volume_fraction, two_point, ...
    """
    chosen = list(STATISTICS) if names is None else list(names)
    if not chosen:
        raise InputError(f"no statistic was chosen; name at least one of {', '.join(STATISTICS)}.")
    for name in chosen:
        if name not in STATISTICS:
            raise InputError(f"there is no statistic {name!r}; choose from {', '.join(STATISTICS)}.")
    return [_load(place) for name, place in STATISTICS.items() if name in chosen]


def displayed(section: Section) -> list[tuple[Statistic, Variable]]:
    """List the variables that a section of a report shows, in its order, each with its statistic.

    Parameters
    ----------
    section : {"curves", "sizes", "shape", "connection"}
        Section of the report.

    Returns
    -------
    list of (Statistic, Variable)
        By `Display.place`, then in the order of the catalogue.

    Examples
    --------
    >>> [(statistic.name, variable.name) for statistic, variable in displayed("curves")]
    [('two_point', 'two_point_radial'), ('lineal_path', 'lineal_path'), ('cluster', 'cluster_radial')]
    """
    shown = [
        (variable.display.place, statistic, variable)
        for statistic in find_statistics()
        for variable in statistic.variables
        if variable.display is not None and variable.display.section == section
    ]
    return [(statistic, variable) for _, statistic, variable in sorted(shown, key=itemgetter(0))]


def display_of(name: str) -> Display:
    """Look up how the curve of a statistic is drawn; curves that are not in the catalogue go by their own name.

    Parameters
    ----------
    name : str
        Name of the statistic, as tables of curves hold it.

    Returns
    -------
    Display
        Title, label and first offset of the panel.

    Examples
    --------
    >>> display_of("two_point").title, display_of("mass_transfer").title
    ('Two-point probability', 'Mass transfer')
    """
    for section in get_args(CurveSection):
        for statistic, variable in displayed(section):
            if statistic.name == name and variable.display is not None:
                return variable.display
    return Display(section="sizes", title=name.replace("_", " ").capitalize())


def cost(statistics: Sequence[str] | None, shape: Sequence[int], phases: int) -> tuple[float, float]:
    """Forecast roughly what statistics of one structure cost, on one core.

    Parameters
    ----------
    statistics : sequence of str or None
        Names in the catalogue; None for all.
    shape : sequence of int
        Pixels along each axis.
    phases : int
        Number of phases.

    Returns
    -------
    seconds : float
        Time of all together.
    bytes : float
        Peak memory: that of the one that needs most, because one follows the other.

    Raises
    ------
    InputError
        If a name is unknown.

    Examples
    --------
    >>> seconds, bytes = cost(["two_point"], (2048, 2048), 2)
    >>> cost(["two_point", "lineal_path"], (2048, 2048), 2)[0] > seconds
    True
    """
    costs = [statistic.cost.estimate(tuple(shape), phases) for statistic in find_statistics(statistics)]
    return sum(seconds for seconds, _ in costs), max(memory for _, memory in costs)


def sources_of(statistics: Sequence[str] | None = None) -> tuple[str, ...]:
    """List the BibTeX keys of the papers that statistics stand on, each once.

    Parameters
    ----------
    statistics : sequence of str, optional
        Names in the catalogue; by default all.

    Returns
    -------
    tuple of str
        Keys in ``runs/citations.bib``.

    Raises
    ------
    InputError
        If a name is unknown.

    Examples
    --------
    >>> sources_of(["lineal_path"])
    ('lu1992lineal',)
    """
    return tuple(dict.fromkeys(key for statistic in find_statistics(statistics) for key in statistic.cites))


def _load(place: str) -> Statistic:
    found: Statistic = imported(place)
    return found
