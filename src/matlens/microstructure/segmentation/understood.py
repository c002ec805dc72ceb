"""What was understood of a file, in one object: printed, kept in runs and shown in reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["PhaseFound", "Understood"]


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
