"""How results show themselves: the one place that leads from a type to the function that draws it."""

from __future__ import annotations

import base64
import io
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from matlens.core.late import imported
from matlens.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "Shown", "drawn", "picture"]

FIGURES = {
    "Alternatives": "matlens.microstructure.figures.results:draw_alternatives",
    "Comparison": "matlens.microstructure.figures.results:draw_comparison",
    "Homogenization": "matlens.microstructure.figures.results:draw_homogenization",
    "LibraryGradients": "matlens.library.figures.results:draw_gradients",
    "MaterialsLibrary": "matlens.library.figures.results:draw_library",
    "Microstructure": "matlens.microstructure.figures.results:draw_microstructure",
    "PruningStudy": "matlens.microstructure.figures.results:draw_pruning",
    "Reconstruction": "matlens.microstructure.figures.results:draw_reconstruction",
    "SensitivityStudy": "matlens.microstructure.figures.results:draw_sensitivity",
    "Statistics": "matlens.microstructure.figures.results:draw_statistics",
    "StructureSet": "matlens.microstructure.figures.results:draw_structures",
    "Suggestions": "matlens.library.figures.results:draw_suggestions",
}
"""The function that draws each result, by name: figures stand above results, and load matplotlib."""

_DPI = 110


class Shown:
    """A result that draws itself, also where a notebook shows it.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> m = Microstructure([[0, 1], [1, 1]])
    >>> len(m.plot().axes)
    1
    >>> m._repr_html_()[:24]
    '<img alt="Microstructure'
    """

    __slots__ = ()

    def plot(self, **options: Any) -> Figure:
        """Draw the result.

        Parameters
        ----------
        **options
            Options of the function that draws; `FIGURES` in `matlens.core.display` names it.

        Returns
        -------
        Figure
            A figure of matplotlib: notebooks show it, and ``savefig("name.png")`` writes it.

        Raises
        ------
        InputError
            If the result holds nothing that could be drawn.
        """
        return drawn(self, **options)

    def _repr_html_(self) -> str:
        """The picture, and the result in words, for notebooks."""
        words = repr(self)
        return f'{picture(self, words)}<pre style="white-space: pre-wrap">{escape(words)}</pre>'


def drawn(result: object, **options: Any) -> Figure:
    """Draw a result by the function that `FIGURES` names.

    Parameters
    ----------
    result : object
        A result, of a type in `FIGURES`.
    **options
        Options of that function.

    Returns
    -------
    Figure
        The figure.

    Raises
    ------
    InputError
        If the result holds nothing that could be drawn.
    """
    figure: Figure = imported(FIGURES[type(result).__name__])(result, **options)
    # Notebooks know how to show figures only once pyplot is loaded, which would open windows in scripts.
    vars(figure)["_repr_png_"] = partial(_png, figure)
    return figure


def picture(result: object, words: str) -> str:
    """Draw a result as an image element of HTML.

    Parameters
    ----------
    result : object
        A result, of a type in `FIGURES`.
    words : str
        What the picture shows, for those who do not see it.

    Returns
    -------
    str
        The element; empty if the result holds nothing that could be drawn.
    """
    try:
        content = base64.b64encode(_png(drawn(result))).decode("ascii")
    except InputError:
        return ""
    return f'<img alt="{escape(words)}" style="max-width: 100%" src="data:image/png;base64,{content}">'


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DPI)
    return stream.getvalue()
