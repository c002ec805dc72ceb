"""Whether sections agree along the axes that their planes share."""

import numpy as np
import pytest

from matlens.errors import InputError
from matlens.microstructure.problems import discs, gaussian_field
from matlens.microstructure.reconstruction.sections import check_agreement
from matlens.microstructure.statistics import two_point_axes
from matlens.microstructure.structure import Microstructure
from section_agreement import ellipsoid_sections, turned


@pytest.mark.slow
def test_ellipsoids_agree_as_cut_and_disagree_when_one_is_turned() -> None:
    """At most 5 % of false alarms and at least 90 % power: of 20 each, at most 2 and at least 17."""
    false, seen = 0, 0
    for seed in range(20):
        cut = ellipsoid_sections(seed)
        false += check_agreement({"xy": [cut["xy"]], "xz": [cut["xz"]]}).finding.stops
        seen += check_agreement({"xy": [cut["xy"]], "xz": [turned(cut["xz"])]}).finding.stops
    assert false <= 2
    assert seen >= 17


def test_the_turned_one_of_three_is_named() -> None:
    found = []
    for seed in range(6):
        cut = ellipsoid_sections(seed)
        found.append(check_agreement({"xy": [cut["xy"]], "xz": [turned(cut["xz"])], "yz": [cut["yz"]]}).swaps)
    assert found.count((frozenset({"xz"}),)) >= 5


def test_two_sections_leave_open_which_is_turned() -> None:
    cut = ellipsoid_sections(0)
    found = check_agreement({"xy": [cut["xy"]], "xz": [turned(cut["xz"])]})
    assert set(found.swaps) == {frozenset({"xy"}), frozenset({"xz"})}
    assert "exchanged of xy, or of xz" in found.finding.sentence


def test_zx_is_the_transpose_of_xz() -> None:
    cut = ellipsoid_sections(0)
    as_xz = check_agreement({"xy": [cut["xy"]], "xz": [cut["xz"]]})
    as_zx = check_agreement({"xy": [cut["xy"]], "zx": [turned(cut["xz"])]})
    assert as_zx.finding.numbers == as_xz.finding.numbers


def test_one_section_for_two_planes_is_compared_along_both() -> None:
    cut = ellipsoid_sections(0)
    found = check_agreement({"yz": [cut["yz"]], "xy,xz": [cut["xy"]]})
    assert not found.finding.stops
    assert found.finding.numbers["comparisons"] == 8  # four lengths along y, with xy, and along z, with xz


def test_a_mirrored_section_has_the_same_curves() -> None:
    cut = ellipsoid_sections(0)["xz"]
    mirrored = cut.with_labels(cut.labels[:, ::-1])
    assert two_point_axes(mirrored) == pytest.approx(two_point_axes(cut))


def test_lengths_are_those_of_the_spacing() -> None:
    """A section with pixels of half the size, drawn twice as large, agrees; with pixels of one size, it does not."""
    coarse = gaussian_field((128, 128), 6, 0.4, seed=1, periodic=False)
    fine = gaussian_field((256, 256), 12, 0.4, seed=2, periodic=False)
    scaled = Microstructure(fine.labels, spacing=0.5)
    assert not check_agreement({"xy": [coarse], "xz": [scaled]}).finding.stops
    found = check_agreement({"xy": [coarse], "xz": [fine]})
    assert found.finding.stops
    assert found.swaps == ()
    assert found.finding.numbers["ratio"] == pytest.approx(0.5, rel=0.2)


def test_small_sections_are_not_compared() -> None:
    small = [discs((24, 24), radius=6, seed=seed) for seed in (0, 1)]
    found = check_agreement({"xy": [small[0]], "xz": [small[1]]}).finding
    assert found.numbers["comparisons"] == 0
    assert "too small" in found.sentence


def test_names_of_no_plane_are_refused() -> None:
    with pytest.raises(InputError, match="is not understood"):
        check_agreement({"xx": [discs((32, 32))], "xy": [discs((32, 32))]})


@pytest.mark.slow
def test_perpendicular_sections_of_berea_agree(berea: Microstructure) -> None:
    labels = berea.labels
    places = np.random.default_rng(0).integers(144, size=(30, 6))
    false = 0
    for z, y, *corner in places:
        top = labels[2 * z, corner[0] : corner[0] + 256, corner[1] : corner[1] + 256]
        side = labels[corner[2] : corner[2] + 256, 2 * y, corner[3] : corner[3] + 256]
        false += check_agreement({"xy": [Microstructure(top)], "xz": [Microstructure(side)]}).finding.stops
    assert false <= 3  # of 30 at 5 %, with a chance of 94 %
