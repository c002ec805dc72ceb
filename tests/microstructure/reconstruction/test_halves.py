"""Halves of sections: how targets from them scatter."""

import numpy as np
import pytest

from matlens.errors import InputError
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.reconstruction.halves import half_sections
from matlens.microstructure.structure import Microstructure


def test_fractions_of_halves_scatter_about_the_whole_as_wholes_do_about_the_material():
    wholes = [gaussian_field((192, 192), 4.0, 0.4, seed=seed)[:96, :96] for seed in range(60)]  # fractions vary
    among = np.var([m.volume_fractions[1] for m in wholes])
    within = np.mean([
        (half_sections([m], 0, number)[0].volume_fractions[1] - m.volume_fractions[1]) ** 2
        for m in wholes
        for number in range(4)
    ])  # fmt: skip
    assert 0.6 < within / among < 1.5


def test_halves_differ_repeat_and_learn_nothing_of_masked_pixels():
    mask = np.ones((64, 64), dtype=bool)
    mask[:8] = False
    field = gaussian_field((64, 64), 3.0, 0.4, seed=0, periodic=False)
    section = Microstructure(field.labels, mask=mask)
    found = [half_sections([section], 1, number)[0] for number in range(6)]
    assert len({half.mask.tobytes() for half in found}) > 3
    assert all(not (half.mask & ~mask).any() for half in found)
    assert all(half.mask.sum() <= 64 * 32 for half in found)
    assert half_sections([section], 1, 2)[0] == found[2]


def test_a_phase_that_no_half_can_share_is_an_error():
    labels = np.zeros((32, 32), dtype=int)
    labels[0, 0] = labels[31, 31] = 1
    labels[0, 31] = 2
    labels[31, 0] = 3
    with pytest.raises(InputError, match="all of its 4 phases"):
        half_sections([Microstructure(labels)], 0, 0)
