"""What was understood of a file, in one object: printed, kept in runs and shown in reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PhaseFound", "Understood", "colour_text", "extent_text", "grey_text", "meanings_of", "shape_text"]


@dataclass(frozen=True)
class PhaseFound:
    """A phase, and what stands for it in the file.

    Parameters
    ----------
    name : str
        Name of the phase.
    meaning : str
        What it is in the file: a value, a colour, or a range of grey.
    share : float
        Its volume fraction.

    Examples
    --------
    >>> PhaseFound("pore", "value 0", 0.2).name
    'pore'
    """

    name: str
    meaning: str
    share: float


@dataclass(frozen=True)
class Understood:
    """What was understood of a file.

    Parameters
    ----------
    name : str
        File name.
    format : str
        Name of its format.
    kind : str
        What its values are: labels, grey values, and so on.
    shape : tuple of int
        Shape of the microstructure, (y, x) or (z, y, x).
    spacing : tuple of float, optional
        Size of a pixel along each axis; None where it is unknown.
    unit : str
        Unit of the spacing.
    scale : str
        Where the spacing comes from, or why it is unknown.
    phases : tuple of PhaseFound
        The phases in the order of the labels.
    notes : tuple of str
        Assumptions and steps, one sentence each.
    masked : float
        Share of the pixels that are masked; shares of phases are of the others.

    Examples
    --------
    >>> phases = (PhaseFound("phase 0", "value 0", 0.7), PhaseFound("solid", "value 255", 0.3))
    >>> print(Understood("m.tif", "TIFF", "labels", (64, 96), (1.5, 1.5), "nm", "Zeiss metadata", phases))
    m.tif: TIFF, 2-D, 64 x 96 px (rows x columns), labels; pixel 1.5 nm (Zeiss metadata); phases: 0 = value 0 (0.700),
    1 = solid, value 255 (0.300)
    """

    name: str
    format: str
    kind: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...] | None
    unit: str
    scale: str
    phases: tuple[PhaseFound, ...]
    notes: tuple[str, ...] = ()
    masked: float = 0.0

    def __str__(self) -> str:
        axes = ("slices", "rows", "columns")[-len(self.shape) :]
        size = f"{' x '.join(map(str, self.shape))} px ({' x '.join(axes)})"
        phases = ", ".join(f"{number} = {_described(number, phase)}" for number, phase in enumerate(self.phases))
        masked = f"{self.masked:.1%} masked; " if self.masked else ""
        kind = f"{self.format}, {len(self.shape)}-D, {size}, {self.kind}"
        return f"{self.name}: {kind}; {self._pixel()}; {masked}phases: {phases}"

    def lines(self) -> list[str]:
        """Return the line of truth and the notes under it, for the terminal.

        Returns
        -------
        list of str
            One line a fact.
        """
        return [str(self), *(f"  {note}" for note in self.notes)]

    def to_settings(self) -> dict[str, Any]:
        """Return the facts as plain values, for a JSON file.

        Returns
        -------
        dict
            What `from_settings` takes.
        """
        return asdict(self)

    @classmethod
    def from_settings(cls, stored: Mapping[str, Any]) -> Understood:
        """Make the object from stored facts, the inverse of `to_settings`.

        Parameters
        ----------
        stored : mapping
            What `to_settings` returned.

        Returns
        -------
        Understood
            The facts.
        """
        spacing = stored["spacing"]
        found = {
            "shape": tuple(stored["shape"]),
            "spacing": None if spacing is None else tuple(spacing),
            "phases": tuple(PhaseFound(**phase) for phase in stored["phases"]),
            "notes": tuple(stored["notes"]),
        }
        return cls(**{**stored, **found})

    def _pixel(self) -> str:
        what = "pixel" if len(self.shape) == 2 else "voxel"
        if self.spacing is None:
            return f"{what} size unknown" + (f" ({self.scale})" if self.scale else "")
        steps = " x ".join(f"{step:.4g}" for step in self.spacing)
        size = steps if len(set(self.spacing)) > 1 else f"{self.spacing[0]:.4g}"
        return f"{what} {size} {self.unit}" + (f" ({self.scale})" if self.scale else "")


def _described(number: int, phase: PhaseFound) -> str:
    named = "" if phase.name == f"phase {number}" else f"{phase.name}, "
    return f"{named}{phase.meaning} ({phase.share:.3f})"


def meanings_of(
    count: int,
    thresholds: Sequence[float],
    mapping: Mapping[float, int],
    palette: NDArray[np.uint8] | None = None,
    *,
    inverted: bool = False,
) -> list[str]:
    """Word what stands for each phase in the file.

    Parameters
    ----------
    count : int
        Number of phases.
    thresholds : sequence of float
        Grey values between the phases; empty where the file holds labels.
    mapping : mapping of float to int
        Phase of each value of the file; empty where the values are the numbers of the phases.
    palette : ndarray of uint8, shape (n, 3), optional
        Colour of each value.
    inverted : bool
        Whether the order of the phases is from bright to dark.

    Returns
    -------
    list of str
        A phrase for each phase.

    Examples
    --------
    >>> meanings_of(2, (120.0,), {}), meanings_of(2, (), {0.0: 0, 255.0: 1})
    (['dark, grey up to 120', 'bright, grey above 120'], ['value 0', 'value 255'])
    """
    if thresholds:
        names = ["dark", *["between"] * (count - 2), "bright"] if count != 3 else ["dark", "middle", "bright"]
        ends = [f"up to {grey_text(thresholds[0])}"]
        ends += [f"{grey_text(low)} to {grey_text(high)}" for low, high in pairwise(thresholds)]
        ends += [f"above {grey_text(thresholds[-1])}"]
        listed = [f"{name}, grey {end}" for name, end in zip(names, ends)]
        return listed[::-1] if inverted else listed
    values = {phase: f"value {value:g}" for value, phase in mapping.items()}
    if palette is not None:
        order = mapping or {float(phase): phase for phase in range(count)}
        values = {phase: colour_text(palette, int(value)) for value, phase in order.items()}
    return [values.get(phase, f"value {phase}") for phase in range(count)]


def grey_text(level: float) -> str:
    """Write a grey value so that it can be given again.

    Parameters
    ----------
    level : float
        The value.

    Returns
    -------
    str
        The number.

    Examples
    --------
    >>> grey_text(22431.0), grey_text(0.51239)
    ('22431', '0.5124')
    """
    return f"{level:.0f}" if 1e4 <= abs(level) < 1e9 else f"{level:.4g}"


def colour_text(palette: NDArray[np.uint8], index: int) -> str:
    """Write a colour of a table as pages do.

    Parameters
    ----------
    palette : ndarray of uint8, shape (n, 3)
        The table.
    index : int
        Number of the colour.

    Returns
    -------
    str
        The colour in hexadecimal digits.

    Examples
    --------
    >>> colour_text(np.array([[255, 0, 16]], dtype=np.uint8), 0)
    '#ff0010'
    """
    return f"#{bytes(palette[index].tolist()).hex()}"


def shape_text(shape: Sequence[int]) -> str:
    """Write a shape.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis.

    Returns
    -------
    str
        The sides.

    Examples
    --------
    >>> shape_text((64, 96))
    '64 x 96'
    """
    return " x ".join(str(side) for side in shape)


def extent_text(slices: Sequence[slice], shape: Sequence[int]) -> str:
    """Write the extent of a part as a user writes it for --crop, x first.

    Parameters
    ----------
    slices : sequence of slice
        The part along each axis.
    shape : sequence of int
        Pixels along each axis.

    Returns
    -------
    str
        The extent.

    Examples
    --------
    >>> extent_text((slice(0, 8), slice(None, -2)), (16, 32))
    'x=0:30,y=0:8'
    """
    ends = [part.indices(side)[:2] for part, side in zip(slices, shape)]
    return ",".join(f"{axis}={low}:{high}" for axis, (low, high) in zip("xyz", reversed(ends)))
