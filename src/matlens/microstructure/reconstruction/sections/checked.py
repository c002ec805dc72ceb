"""All checks that apply to the sections from which a volume is to be made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.axes import AXES_OF_PLANES
from matlens.microstructure.reconstruction.plane_names import plane_names
from matlens.microstructure.reconstruction.sections.agreement import check_agreement
from matlens.microstructure.reconstruction.sections.finding import Finding
from matlens.microstructure.reconstruction.sections.isotropy import check_fraction, check_isotropy
from matlens.microstructure.reconstruction.sections.limits import check_limits
from matlens.microstructure.reconstruction.sections.realisable import Realisability, check_realisable
from matlens.microstructure.structure import Microstructure

__all__ = ["ISOTROPIC", "SectionChecks", "checked_sections"]

ISOTROPIC = ",".join(AXES_OF_PLANES)
"""The name of sections that stand for every plane of a volume."""


@dataclass(frozen=True)
class SectionChecks:
    """What was found about sections.

    Parameters
    ----------
    findings : tuple of Finding
        One for each check that applied, in the order in which a report should give them.
    nearest : Realisability or None
        The two-point target that an isotropic volume can have; None where the volume is not isotropic.
    swaps : tuple of frozenset of str
        Names of the sections whose rows and columns must be exchanged so that all agree, in each possible way; one
        empty set where they agree as they are, nothing where no exchange helps.

    Examples
    --------
    >>> checks = SectionChecks((Finding("realisable", "It cannot be.", clear=False, stops=True),), None, (frozenset(),))
    >>> checks.sentences, checks.stops
    (['It cannot be.'], ['It cannot be.'])
    """

    findings: tuple[Finding, ...]
    nearest: Realisability | None
    swaps: tuple[frozenset[str], ...]

    @property
    def sentences(self) -> list[str]:
        """The sentences of all findings."""
        return [finding.sentence for finding in self.findings]

    @property
    def stops(self) -> list[str]:
        """The sentences of findings for which no volume should be made unless the user insists."""
        return [finding.sentence for finding in self.findings if finding.stops]

    def to_settings(self) -> dict[str, Any]:
        """Return the checks as plain values, so that a file can hold them.

        Returns
        -------
        dict
            Plain values.
        """
        nearest = self.nearest
        curves = (
            None
            if nearest is None
            else {name: getattr(nearest, name).tolist() for name in ("distances", "covariance", "nearest")}
        )
        return {
            "findings": [{**asdict(finding), "numbers": dict(finding.numbers)} for finding in self.findings],
            "nearest": curves,
            "swaps": [sorted(names) for names in self.swaps],
        }

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> SectionChecks:
        """Make the checks from plain values, the inverse of `to_settings`.

        Parameters
        ----------
        settings : mapping
            What `to_settings` returned.

        Returns
        -------
        SectionChecks
            The checks.
        """
        findings = tuple(Finding(**one) for one in settings["findings"])
        curves = settings["nearest"]
        nearest = None
        if curves is not None:  # its finding comes first
            nearest = Realisability(findings[0], **{name: np.array(values) for name, values in curves.items()})
        return cls(findings, nearest, tuple(frozenset(names) for names in settings["swaps"]))


def checked_sections(sections: Mapping[str, Sequence[Microstructure]]) -> SectionChecks:
    """Check sections before a volume is made from them.

    Parameters
    ----------
    sections : mapping of str to sequence of Microstructure
        Two-dimensional sections by the name of their plane, the axis of the columns' index first: in ``xz`` x grows
        with the column and z with the row, and ``zx`` is its transpose. Sections of planes that look alike have all
        their names, as in ``"xz,yz"``; those of an isotropic material have `ISOTROPIC`. The phases are the same in all,
        and the unit of the spacing too; pixels may differ in size.

    Returns
    -------
    SectionChecks
        Whether an isotropic volume can have the two-point function (for isotropic material), whether sections agree
        along the axes that they share (for several names), whether planes are isotropic that are taken as such, the
        standard errors of the fractions, and what is not to be believed of the volume.

    Raises
    ------
    InputError
        If there is no section, one is not two-dimensional, the phases differ, or a name is not that of a plane.

    Examples
    --------
    >>> from matlens.microstructure.problems import discs
    >>> checks = checked_sections({ISOTROPIC: [discs((160, 160), radius=5, seed=1)]})
    >>> [finding.check for finding in checks.findings], checks.stops
    (['realisable', 'isotropy', 'fraction', 'particles'], [])
    """
    groups = {name: list(group) for name, group in sections.items()}
    every = [m for group in groups.values() for m in group]
    _check(groups, every)
    findings: list[Finding] = []
    nearest: Realisability | None = None
    swaps: tuple[frozenset[str], ...] = (frozenset(),)
    if len(groups) == 1 and len(plane_names(next(iter(groups)))) == 3:
        nearest = check_realisable(every)
        findings.append(nearest.finding)
    if len(groups) > 1:
        agreed = check_agreement(groups)
        findings.append(agreed.finding)
        swaps = agreed.swaps
    alike = set(_taken_as_isotropic(groups))
    for name, group in groups.items():
        if any(frozenset(plane) in alike for plane in plane_names(name)):
            findings.append(_about(name, check_isotropy(group), groups))
    findings.append(check_fraction(every))
    for name, group in groups.items():
        findings += [_about(name, finding, groups) for finding in check_limits(group)]
    return SectionChecks(tuple(findings), nearest, swaps)


def _check(groups: Mapping[str, Sequence[Microstructure]], every: Sequence[Microstructure]) -> None:
    if not every:
        raise InputError("no section was given; give at least one, for planes such as xy.")
    for m in every:
        if m.ndim != 2:
            raise InputError(f"found {m!r} where a section was expected; give a two-dimensional one.")
    if len({m.n_phases for m in every}) > 1:
        raise InputError(
            f"the sections have {', '.join(str(m.n_phases) for m in every)} phases; give sections of one material with "
            "the same phases."
        )
    for name in groups:
        plane_names(name)


def _taken_as_isotropic(names: Mapping[str, object]) -> Iterator[frozenset[str]]:
    """Planes in which two axes are exchangeable, because the planes of either with a third are named alike."""
    for name in names:
        for one, other in permutations(plane_names(name), 2):
            for place in (0, 1):
                if one[place] == other[place]:
                    yield frozenset((one[1 - place], other[1 - place]))
        if len(plane_names(name)) == 3:  # also where the names are written so that no axis stands in one place twice
            yield from (frozenset(plane) for plane in plane_names(name))


def _about(name: str, finding: Finding, groups: Mapping[str, object]) -> Finding:
    """Add the section's name to the sentence where there are several."""
    return finding if len(groups) == 1 else replace(finding, sentence=f"Section {name}: {finding.sentence}")
