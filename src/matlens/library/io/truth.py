"""What was understood of a library, in one line and notes under it, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from matlens.library.io.names import map_positions
from matlens.library.table import MaterialsLibrary, named

__all__ = ["lines_of_truth"]

_MOST = 12  # names that are written out


def lines_of_truth(library: MaterialsLibrary, name: str) -> list[str]:
    """Say what was understood of a library: samples, components, figures of merit, spectrum and further columns.

    Parameters
    ----------
    library : MaterialsLibrary
        The library as read.
    name : str
        Name of its file or folder.

    Returns
    -------
    list of str
        The line of truth, and a line for each note of the reader.

    Examples
    --------
    >>> library = MaterialsLibrary([[0.5, 0.5], [0.4, 0.6]], ("Fe", "Co"), {"P": [1, 2]}, {"P": "T"})
    >>> lines_of_truth(library, "t.csv")[0].split("; ")[:3]
    ['t.csv: 2 samples of 2 compositions', 'components Fe, Co (at%)', 'figure of merit P (T)']
    """
    size = f"{len(library)} samples of {len(set(library.replicates().tolist()))} compositions"
    components = f"components {_components(library)} ({library.fraction_name})"
    merits = [_merit(library, str(merit)) for merit in library.merits]
    many = "figure" if len(merits) == 1 else "figures"
    columns = [str(name) for name in library.covariates]
    places = [columns[k] for k in map_positions(columns)]
    others = [name for name in columns if name not in places]
    further = f"further columns: {_listed(others)}" if others else "no further columns"
    parts = (
        size,
        components,
        f"{many} of merit {_listed(merits)}" if merits else "no figure of merit",
        f"spectrum: {_spectrum(library)}",
        *([f"positions {_listed(places)}"] if places else []),
        further,
    )
    return [f"{name}: {'; '.join(parts)}", *(f"  {note}" for note in library.notes)]


def _components(library: MaterialsLibrary) -> str:
    if not library.sites:
        return _listed(library.components)
    pairs = list(zip(library.components, library.sites, strict=True))
    parts = {site: [name for name, own in pairs if own == site] for site in library.sites}
    return "; ".join(f"{_listed(names)} on site {site}" for site, names in parts.items())


def _listed(names: Iterable[object]) -> str:
    return named(names, _MOST)


def _merit(library: MaterialsLibrary, name: str) -> str:
    missing = int(library.merits[name].isna().sum())
    unit = library.merit_units[name] or "no unit"
    return f"{name} ({unit}{f', {missing} not measured' if missing else ''})"


def _spectrum(library: MaterialsLibrary) -> str:
    if library.axis is None:
        return "none"
    unit = f" {library.axis_unit}" if library.axis_unit else " (no unit)"
    ends = f"{library.axis.min():g} to {library.axis.max():g}{unit}"
    return f"{library.axis.size} channels, {library.axis_name} {ends}"
