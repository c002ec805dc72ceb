"""Classical methods in space: volumes from sections of one kind, and of named planes."""

import numpy as np
import pytest

from matlens.errors import InputError, Interrupted
from matlens.hooks import NoStore, Silent
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.reconstruction import Annealing, find_method, plan
from matlens.microstructure.statistics import two_point_map
from matlens.microstructure.structure import Microstructure


@pytest.fixture(scope="module")
def layered():
    """A medium that is three times as long along y and x as along z."""
    field = gaussian_field((96, 96, 96), 6.0, 0.35, seed=2)
    return Microstructure(field.labels[::3, :, :])


def sections(volume):
    return {"xz": volume[:, 40, :], "xy": volume[16]}


def along(volume, axis, reach=6):
    """Normalised covariance of phase 1 along an axis."""
    pairs, phi = two_point_map(volume)[1], volume.volume_fractions[1]
    middle = [side // 2 for side in pairs.shape]
    line = np.moveaxis(pairs, axis, 0)[(slice(middle[axis], middle[axis] + reach + 1), *np.delete(middle, axis))]
    return (line - phi**2) / (phi * (1 - phi))


def made(method, volume, shape=(32, 32, 32)):
    work = plan(sections(volume), shape, method=method, force_sections=True)
    return work.run(Silent(), NoStore()).microstructure


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gaussian-field", Annealing(moves=60)], ids=["level cut", "annealing"])
def test_a_layered_medium_comes_out_layered(method, layered, compiled):
    found = made(method, layered)
    fractions = np.mean([section.volume_fractions for section in sections(layered).values()], axis=0)
    assert found.volume_fractions == pytest.approx(fractions, abs=0.02)
    wanted = [along(layered, axis) for axis in range(3)]
    got = [along(found, axis) for axis in range(3)]
    for mine, theirs in zip(got, wanted):
        assert np.abs(mine - theirs).max() < 0.2, (got, wanted)
    assert got[0][3] < 0.5 * min(got[1][3], got[2][3])  # along z the covariance decays faster


def test_a_volume_is_annealed_to_the_counts_that_are_kept_up_to_date(layered, compiled):
    from matlens.microstructure.reconstruction.classical.swaps_in_space import Lines, pairs_along_axes, swap_voxels

    random = np.random.default_rng(0)
    labels = random.integers(3, size=(8, 9, 10)).astype(np.uint8)
    pairs = np.stack([pairs_along_axes(labels, phase, 3) for phase in range(3)])
    before = np.bincount(labels.ravel())
    lines = Lines(labels, np.ones(1, np.uint64), np.arange(3), pairs, pairs * 1.3, np.ones(pairs.shape))
    for power in (-1.0, 0.0, 2.0):
        assert swap_voxels(lines, power, 1e4, 300) > 0
    assert np.array_equal(lines.pairs, np.stack([pairs_along_axes(labels, phase, 3) for phase in range(3)]))
    assert np.array_equal(np.bincount(labels.ravel()), before)


def test_annealing_a_volume_resumes_to_the_same_bytes(memory, compiled):
    section, kept = gaussian_field((48, 48), 4.0, 0.4, seed=1), memory()

    class Stopping(Silent):
        def update(self, done, text="", /):
            if done > 2000:
                raise KeyboardInterrupt

    def work():
        return plan(section, (16, 16, 16), method=Annealing(moves=4), force_sections=True)

    whole = work().run(Silent(), NoStore()).microstructure
    with pytest.raises(Interrupted):
        work().run(Stopping(), kept)
    assert work().run(Silent(), kept).microstructure == whole


def test_what_the_methods_cannot_do_in_space_is_said(layered):
    section = sections(layered)["xy"]
    with pytest.raises(InputError, match="two-point probabilities alone"):
        plan(section, (32, 32, 32), method=find_method("annealing", {"terms": "two-point,lineal-path"}))
