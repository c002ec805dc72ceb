"""Figure of the copy test: the share of each result found in the exemplar, beside a control of pasted blocks."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from matlens.figures.style import COLOURS, SINGLE, styled

__all__ = ["copy_shares"]


@styled
def copy_shares(table: pd.DataFrame) -> Figure:
    """Draw the copy share of results and controls, one panel for each patch size.

    A line marks the limit above which a result is a copy.

    Parameters
    ----------
    table : DataFrame
        Columns ``source`` (``result I``, or the name of a control), ``patch`` (pixels), ``copy_share`` and
        ``limit`` (0 to 1).

    Returns
    -------
    Figure
        89 mm wide.

    Examples
    --------
    >>> table = pd.DataFrame({"source": ["result 0", "pasted blocks"], "patch": 8, "copy_share": [0.01, 0.9],
    ...                       "limit": 0.05})
    >>> len(copy_shares(table).axes)
    1
    """
    patches = list(dict.fromkeys(table["patch"]))
    sources = list(dict.fromkeys(table["source"]))
    figure = Figure(figsize=(SINGLE, 0.4 + len(patches) * (0.35 + 0.16 * len(sources))), layout="constrained")
    grid = figure.subplots(len(patches), 1, sharex=True, squeeze=False)[:, 0]
    for axes, patch in zip(grid, patches):
        rows = table[table["patch"] == patch]
        places = [sources.index(source) for source in rows["source"]]
        colours = [COLOURS["result" if str(source).startswith("result") else "different"] for source in rows["source"]]
        axes.barh(places, 100 * rows["copy_share"], color=colours, height=0.5)
        axes.axvline(100 * rows["limit"].iloc[0], color=COLOURS["exemplar"], linewidth=0.7, dashes=(3, 2))
        axes.set_xlim(0, 100)
        axes.set_title(f"patches of {patch} px")
        axes.tick_params(axis="y", length=0)
        axes.set_yticks(range(len(sources)), sources)
        axes.set_ylim(len(sources) - 0.4, -0.6)
    grid[-1].set_xlabel("share found in the exemplar (%)")
    return figure
