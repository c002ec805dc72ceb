"""The nearest two-point target that an isotropic volume can have, where the section's own is none that a volume has."""

import numpy as np
import pytest
import torch

from matlens.errors import InputError
from matlens.microstructure.encoders import load_encoder
from matlens.microstructure.problems import bicontinuous, gaussian_field
from matlens.microstructure.reconstruction import PRESETS, plan
from matlens.microstructure.reconstruction.matching.volume import match_volume
from matlens.microstructure.reconstruction.sections import SectionChecks, check_realisable, checked_sections
from matlens.microstructure.reconstruction.sections.finding import Finding
from matlens.microstructure.reconstruction.sections.realisable import Realisability

# Stripes of one width in all directions of the plane: as a copolymer's, they are no section of an isotropic volume.
STRIPES = bicontinuous((128, 128), wavelength=8, seed=1)


def test_a_coarse_level_changes_by_the_mean_over_pairs_of_pixels_of_two_blocks():
    distances = np.arange(30.0)
    curve = np.exp(-((distances / 6) ** 2))
    near = Realisability(Finding("realisable", "It is near."), distances, np.zeros((1, 30)), curve[None])
    rows, columns = (axis.ravel() for axis in np.indices((3, 3)))
    for blocks in (0, 1, 4):
        apart = np.hypot(rows[:, None] - rows - 3 * blocks, columns[:, None] - columns)
        wanted = np.interp(apart, distances, curve).mean()
        assert near.change(3)[0, blocks] == pytest.approx(wanted, abs=1e-12)


def test_the_target_is_the_nearest_covariance_and_the_note_says_how_far_it_is():
    work = plan(STRIPES, (32, 32, 32), nearest=True)
    found = check_realisable([STRIPES])
    error = found.finding.numbers["irreducible_error"]
    assert error > 0.15
    said = [note for note in work.notes if "irreducible error)" in note and "target of the two-point term" in note]
    assert len(said) == 1
    assert f"{error:.2g} away from" in said[0]
    image = torch.from_numpy(STRIPES.indicators()).float()[None]
    half = torch.tensor([0.5, 0.5])
    arguments = (load_encoder("matlens"), [[image]] * 3, (32, 32, 32), half, PRESETS["default"], 3.0)
    own, nearest = (match_volume(*arguments, change).whole[0].target[0, 0] for change in (None, found.change(1)))
    middle = own.shape[0] // 2
    changed = ((nearest - own)[middle, middle, middle:] / 0.25).numpy()
    wanted = np.zeros(changed.size)
    stop = min(found.change(1).shape[1], changed.size)
    wanted[:stop] = found.change(1)[1, :stop]
    assert changed == pytest.approx(wanted, abs=1e-5)
    # Distances of shells are not quite whole numbers, so that there is a little between the curves and this.
    assert wanted[:stop] == pytest.approx((found.nearest - found.covariance)[1, :stop], abs=0.01)
    assert np.abs(wanted).max() > 0.05


def test_without_it_such_a_section_stops_and_the_sentence_offers_it():
    with pytest.raises(
        InputError, match=r"No isotropic volume .* --nearest .* takes the nearest that a volume can have"
    ):
        plan(STRIPES, (32, 32, 32))
    with pytest.raises(InputError, match="the nearest target is about a volume"):
        plan(STRIPES, (32, 32), nearest=True)
    with pytest.raises(InputError, match="method 'annealing' aims at the section's own two-point function"):
        plan(STRIPES, (32, 32, 32), method="annealing", nearest=True)
    assert plan(STRIPES, (32, 32, 32), method="gaussian-field", nearest=True).shape == (32, 32, 32)
    with pytest.raises(InputError, match="the sections have named planes"):
        plan({"xy": STRIPES, "xz,yz": STRIPES}, (32, 32, 32), nearest=True, force_sections=True)


def test_checks_are_kept_and_not_made_again(monkeypatch):
    section = gaussian_field((16, 96, 96), 4.0, 0.4, seed=0)[8]
    checks = plan(section, (32, 32, 32)).checks
    assert checks is not None
    kept = SectionChecks.from_settings(checks.to_settings())
    assert kept.sentences == checks.sentences
    assert kept.swaps == checks.swaps
    assert np.array_equal(kept.nearest.change(2), checks.nearest.change(2))
    monkeypatch.setattr("matlens.microstructure.reconstruction.planning.checked_sections", None)
    assert plan(section, (32, 32, 32), checks=kept).notes == plan(section, (32, 32, 32), checks=checks).notes
    assert checked_sections({"xy": [section]}).nearest is None
