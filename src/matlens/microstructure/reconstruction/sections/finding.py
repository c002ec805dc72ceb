"""What a check of sections found: one sentence, the numbers behind it, and whether the work should stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """The answer of one check.

    Parameters
    ----------
    check : str
        Name of the check.
    sentence : str
        The answer, as a sentence that stands alone.
    numbers : mapping of str to float
        The numbers that the answer rests on, without units unless their name gives one.
    clear : bool
        Whether nothing was found that speaks against a volume.
    stops : bool
        Whether a volume should not be made from these sections unless the user insists.

    Examples
    --------
    >>> Finding("isotropy", "The section is isotropic.", {"p": 0.4}).stops
    False
    """

    check: str
    sentence: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    clear: bool = True
    stops: bool = False
