"""The size of a reconstruction where none is asked for, in Python as on the command line."""

import pytest

from matlens.errors import InputError
from matlens.microstructure.commands.reconstruct.spec import ReconstructSpec
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.reconstruction import plan
from matlens.microstructure.statistics import covariance_reach


@pytest.mark.parametrize(
    ("length", "shape", "expected"),
    [
        (3.0, (300, 400), (128, 128)),  # fine: no less than 128
        (14.0, (300, 400), None),  # twelve times the reach of the covariance
        (60.0, (300, 400), (256, 256)),  # coarse: no more than 256
        (3.0, (64, 400), (64, 128)),  # no more than the file
    ],
)
def test_the_material_decides_within_bounds(length, shape, expected):
    material = gaussian_field(shape, length, 0.4, seed=0)
    found = plan(material, method="gaussian-field").shape
    if expected is None:
        wanted = 12 * covariance_reach(material).max()
        assert 128 < found[0] < 256
        assert found == (found[0], found[0])
        assert wanted <= found[0] < wanted + 32
    else:
        assert found == expected


def test_full_takes_all_of_the_first_micrograph():
    material = gaussian_field((140, 150), 3.0, 0.4, seed=0)
    assert plan(material, "full", method="gaussian-field").shape == (140, 150)
    assert ReconstructSpec(files=("m.png",), shape="full").shape == "full"
    with pytest.raises(InputError, match="'64x64'; give height and width"):
        plan(material, "64x64", method="gaussian-field")
