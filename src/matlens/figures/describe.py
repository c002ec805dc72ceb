"""What a figure shows, in words: for those who cannot see it."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["described"]

_MOST = 4  # panels and names in words; a listener cannot go back


def described(figure: Figure) -> str:
    """Describe the panels of a figure by their titles, axes, ranges of data and legends.

    Parameters
    ----------
    figure : Figure
        The figure.

    Returns
    -------
    str
        Sentences.

    Examples
    --------
    >>> figure = Figure()
    >>> axes = figure.subplots()
    >>> _ = axes.plot([0, 2], [1, 5], label="result"), axes.set(xlabel="distance (px)", ylabel="S2", title="pores")
    >>> described(figure)
    'pores: S2 from 1 to 5 against distance (px) from 0 to 2; shown are result.'
    """
    panels = [axes for axes in figure.axes if axes.get_visible() and axes.has_data() and not _is_colour_bar(axes)]
    said = [_panel(axes) for axes in panels[:_MOST]]
    if len(panels) > _MOST:
        said.append(f"{len(panels) - _MOST} more panels of this kind.")
    count = f"{len(panels)} panels. " if len(panels) > 1 else ""
    return count + " ".join(said)


def _is_colour_bar(axes: Axes) -> bool:
    return axes.get_label() == "<colorbar>"


def _panel(axes: Axes) -> str:
    title = axes.get_title() or axes.get_title(loc="left")
    if axes.images:
        sides = " × ".join(str(side) for side in axes.images[0].get_array().shape[:2])  # type: ignore[union-attr]
        return f"{title or 'Picture'}: an image of {sides} pixels."
    down, along = _axis(axes.get_ylabel(), axes, "y"), _axis(axes.get_xlabel(), axes, "x")
    head = f"{title}: " if title else ""
    names = [name for name in axes.get_legend_handles_labels()[1] if name]
    shown = f"; shown are {_listed(names)}" if names else ""
    return f"{head}{down} against {along}{shown}."


def _axis(label: str, axes: Axes, which: str) -> str:
    """Words on an axis: the names of its ticks where these are texts, else the range of the data."""
    ticks = [text.get_text() for text in (axes.get_xticklabels() if which == "x" else axes.get_yticklabels())]
    named = [text for text in ticks if text and text.lstrip("−-0123456789.⁻×⁰¹²³⁴⁵⁶⁷⁸⁹ ") != ""]
    if named:
        return f"{label} {_listed(named)}".strip()
    low, high = (axes.dataLim.x0, axes.dataLim.x1) if which == "x" else (axes.dataLim.y0, axes.dataLim.y1)
    return f"{label or which} from {low:.3g} to {high:.3g}".replace("-", "−")


def _listed(names: list[str]) -> str:
    more = [f"{len(names) - _MOST} more"] if len(names) > _MOST else []
    return ", ".join([*names[:_MOST], *more])
