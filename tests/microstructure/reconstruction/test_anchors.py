"""Known planes of a volume: kept exactly, continued without a seam, refused where they cannot be."""

import numpy as np
import pytest
import torch

from matlens.errors import InputError
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.reconstruction import PhaseCode, find_method, plan, reconstruct
from matlens.microstructure.reconstruction.anchors import FREE, check_room, known_voxels
from matlens.microstructure.reconstruction.matching.held import held_at, side_shifts
from matlens.microstructure.reconstruction.matching.levels import reduce, refine
from matlens.microstructure.structure import Microstructure


@pytest.fixture(scope="module")
def material():
    return gaussian_field((64, 64, 64), 4.0, 0.3, seed=3)


@pytest.fixture(scope="module")
def section(material):
    return material[32]


@pytest.fixture(scope="module")
def made(material, section):
    known = {"z=7": material[0, :32, :32], "x=20": material[:32, 5, 5:37]}
    known["x=20"] = Microstructure(np.vstack([known["x=20"].labels[:7], known["z=7"].labels[:, 20:21].T,
                                              known["x=20"].labels[8:]]))  # fmt: skip
    found = reconstruct(section, (32, 32, 32), preset="fast", anchor=known)
    return known, found


@pytest.mark.slow
def test_known_planes_are_kept_bit_for_bit_and_the_whole_has_its_fractions(made, section):
    known, found = made
    labels = found.microstructure.labels
    assert np.array_equal(labels[7], known["z=7"].labels)
    assert np.array_equal(labels[:, :, 20], known["x=20"].labels)
    assert abs(labels.mean() - section.volume_fractions[1]) < 1 / labels.size
    assert "plane z=7 is kept as it was given: x grows with the column, y with the row" in found.notes
    assert found.settings["anchors"] == ["z=7", "x=20"]


@pytest.mark.slow
def test_the_volume_continues_a_known_plane_without_a_seam(made):
    labels = made[1].microstructure.labels
    apart = np.array([(labels[i] != np.roll(labels, -1, axis=0)[i]).mean() for i in range(32)])
    others = np.delete(apart, [6, 7])
    # White noise instead of a neighbour would differ in 42 % of the pixels, a copy in none.
    assert np.all(np.abs(apart[[6, 7]] - others.mean()) < 3 * others.std()), (
        apart[[6, 7]],
        others.mean(),
        others.std(),
    )
    assert others.mean() - 3 * others.std() > 0.03
    assert others.mean() + 3 * others.std() < 0.3


def test_a_coarse_level_holds_the_mean_of_each_block_of_a_plane(material):
    plane = material[0, :32, :32]
    known, _ = known_voxels({"z=5": plane}, (32, 32, 32), plane)
    held = held_at(known, 4, PhaseCode(2), torch.zeros(1))
    field = held.put(torch.zeros(1, 1, 8, 8, 8))
    wanted = PhaseCode(2).field(reduce(torch.from_numpy(plane.indicators()).float()[None], 4))
    assert torch.allclose(field[:, :, 1], wanted, atol=1e-6)
    assert field[:, :, [0, *range(2, 8)]].abs().max() == 0


def test_a_refined_field_has_the_known_plane_in_its_place():
    known = np.full((16, 16, 16), FREE, dtype=np.int16)
    known[5] = 1
    coarse = torch.zeros(1, 1, 8, 8, 8)
    coarse[:, :, 2] = 1.0
    shifts = [side_shifts(known, axis, 2, 1) for axis in range(3)]
    profile = refine(coarse, 2, 0.0, torch.Generator(), shifts)[0, 0, :, 3, 3]
    assert int(profile.argmax()) == 5
    assert profile[4] == profile[6]
    plain = refine(coarse, 2, 0.0, torch.Generator())[0, 0, :, 3, 3]
    assert plain[4] == plain[5]


def test_planes_that_cross_must_agree_where_they_do(section):
    one = section[:32, :32]
    with pytest.raises(InputError, match=r"z=3 differs from one that crosses it in \d+ of the voxels"):
        known_voxels({"y=0": one, "z=3": Microstructure(1 - one.labels)}, (32, 32, 32), one)


def test_masked_pixels_of_a_known_plane_are_free():
    mask = np.ones((2, 2), dtype=bool)
    mask[0, 0] = False
    plane = Microstructure([[1, 0], [0, 1]], mask=mask)
    known, _ = known_voxels({"z=0": plane}, (2, 2, 2), plane)
    assert known[0].tolist() == [[FREE, 0], [0, 1]]


WRONG = {
    "outside": ("z=32", (32, 32), "lies outside the volume, which ends at z=31"),
    "size": ("z=0", (32, 30), "has 32 x 30 px, but the volume has 32 x 32 px there"),
    "place": ("q=0", (32, 32), "such as z=0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_plane_that_does_not_fit_is_refused(case, section):
    place, (height, width), words = WRONG[case]
    with pytest.raises(InputError, match=words):
        plan(section, (32, 32, 32), encoder="filterbank", anchor={place: section[:height, :width]})


def test_other_phases_and_other_pixels_are_refused(section):
    with pytest.raises(InputError, match="has 3 phases and the volume 2"):
        known_voxels({"z=0": Microstructure(np.arange(4).reshape(2, 2) % 3)}, (2, 2, 2), section)
    fine = Microstructure([[0, 1]] * 2, spacing=0.5, unit="um")
    with pytest.raises(InputError, match=r"pixels of 0\.5 um and the volume of 1 um"):
        known_voxels({"z=0": fine}, (2, 2, 2), Microstructure([[0, 1]] * 2, spacing=1, unit="um"))


def test_more_of_a_phase_than_the_volume_has_is_refused():
    known = np.full((2, 4, 4), FREE, dtype=np.int16)
    known[0] = 1
    with pytest.raises(InputError, match=r"hold 16 voxels of phase 1, but at a volume fraction of 0\.25 the whole"):
        check_room(known, np.array([0.75, 0.25]))


def test_what_cannot_hold_planes_says_so(section):
    with pytest.raises(InputError, match="known planes belong to a volume"):
        plan(section, (32, 32), encoder="filterbank", anchor={"z=0": section[:32, :32]})
    with pytest.raises(InputError, match="keeps no known planes"):
        plan(section, (32, 32, 32), method=find_method("gaussian-field"), anchor={"z=0": section[:32, :32]})
