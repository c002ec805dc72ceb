"""All checks together."""

import numpy as np
import pytest

from matlens.errors import InputError
from matlens.microstructure.problems import anisotropic_field, bicontinuous, gaussian_field
from matlens.microstructure.reconstruction.sections import ISOTROPIC, checked_sections
from matlens.microstructure.structure import Microstructure


def test_an_isotropic_section_without_a_volume_stops() -> None:
    checks = checked_sections({ISOTROPIC: [bicontinuous((256, 256), wavelength=16, periodic=False)]})
    assert [finding.check for finding in checks.findings] == ["realisable", "isotropy", "fraction"]
    assert len(checks.stops) == 1
    assert checks.nearest is not None
    assert checks.nearest.nearest.min() > -0.2173


def test_planes_that_are_alike_make_the_third_isotropic() -> None:
    flat = anisotropic_field((160, 160), aspect=2, periodic=False)
    checks = checked_sections({"xy": [flat], "xz,yz": [gaussian_field((160, 160), 8, 0.5, periodic=False)]})
    names = [(finding.check, finding.clear) for finding in checks.findings]
    assert ("isotropy", False) in names
    assert [sentence[:10] for sentence in checks.sentences if "isotropic" in sentence] == ["Section xy"]
    assert checks.nearest is None


def test_sections_of_three_planes_are_not_taken_as_isotropic() -> None:
    volume = gaussian_field((128, 128, 128), (5, 5, 10), 0.4)
    sections = {"xy": [volume[60]], "xz": [volume[:, 60]], "yz": [volume[:, :, 60]]}
    checks = checked_sections(sections)
    assert [finding.check for finding in checks.findings] == ["agreement", "fraction"]
    assert checks.stops == []
    turned = checked_sections(sections | {"xz": [Microstructure(volume.labels[:, 60].T)]})
    assert turned.swaps == (frozenset({"xz"}),)
    assert len(turned.stops) == 1


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({}, "no section"),
        ({"xy": [gaussian_field((16, 16, 16), 4)]}, "two-dimensional"),
        ({"xy": [gaussian_field((16, 16), 4), Microstructure(np.arange(9).reshape(3, 3) % 3)]}, "same phases"),
        ({"front": [gaussian_field((16, 16), 4)]}, "is not understood"),
    ],
)
def test_bad_sections_are_refused(sections: dict[str, list[Microstructure]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        checked_sections(sections)
