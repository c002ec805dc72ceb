"""Which two-point functions an isotropic volume can have."""

import numpy as np
import pytest

import matlens as ml
from matlens.errors import InputError
from matlens.microstructure.problems import bicontinuous, discs, gaussian_field
from matlens.microstructure.reconstruction.sections import chance_of_sections, check_realisable
from matlens.microstructure.structure import Microstructure


@pytest.mark.parametrize("seed", range(3))
def test_stripes_in_all_directions_of_a_plane_have_no_volume(seed: int) -> None:
    found = check_realisable([bicontinuous((256, 256), wavelength=16, seed=seed, periodic=False)]).finding
    assert found.stops
    assert not found.clear
    assert found.numbers["irreducible_error"] > 3 * found.numbers["chance"]


@pytest.mark.parametrize("seed", range(3))
def test_sections_of_volumes_are_not_contradicted(seed: int) -> None:
    volumes = [
        bicontinuous((40, 160, 160), wavelength=10, seed=seed),
        discs((24, 160, 160), radius=6, fraction=0.3, seed=seed),
        gaussian_field((40, 160, 160), 8, 0.3, seed=seed),
    ]
    assert all(check_realisable([volume[4]]).finding.clear for volume in volumes)


def test_the_nearest_target_is_a_mixture_of_waves_in_space() -> None:
    """Every such mixture is at least -0.2173, the least of sin(x) / x, and c(0) is 1."""
    found = check_realisable([bicontinuous((256, 256), wavelength=16, periodic=False)])
    assert found.covariance.min() < -0.22
    assert found.nearest.min() > -0.2173
    assert found.nearest[:, 0] == pytest.approx(1, abs=1e-3)
    assert found.distances[:2] == pytest.approx([0, (1 + np.sqrt(2)) / 2])


def test_a_valid_covariance_is_its_own_nearest() -> None:
    found = check_realisable([discs((256, 256), radius=6, seed=1)])
    assert found.nearest == pytest.approx(found.covariance, abs=0.02)


def test_several_sections_count_by_their_area() -> None:
    one, other = (gaussian_field((128, 128), 8, 0.3, seed=seed) for seed in (1, 2))
    mean = check_realisable([one, other])
    single = [check_realisable([m]) for m in (one, other)]
    size = min(mean.distances.size, *(s.distances.size for s in single))
    assert mean.covariance[:, :size] == pytest.approx(sum(s.covariance[:, :size] for s in single) / 2)


def test_chance_is_smaller_in_larger_sections() -> None:
    values = [chance_of_sections(n, 0.3) for n in (2, 8, 16, 32, 200)]
    assert values == sorted(values, reverse=True)
    assert values[0] == 1


def test_one_phase_has_no_two_point_function() -> None:
    with pytest.raises(InputError, match="one phase only"):
        check_realisable([Microstructure(np.zeros((32, 32), dtype=int))])


def test_copolymer_stops_and_the_other_materials_do_not(data_dir) -> None:
    files = sorted((data_dir / "micrographs").glob("li2018_*.npy"))
    if len(files) != 7:
        pytest.skip("the seven micrographs of Li et al. (2018) are not there")
    found = {file.stem: check_realisable([ml.read_microstructure(file)]).finding for file in files}
    assert [name for name, finding in found.items() if finding.stops] == ["li2018_copolymer"]
    assert all(finding.clear for name, finding in found.items() if name != "li2018_copolymer")


@pytest.mark.slow
def test_sections_of_berea_do_not_stop(berea: Microstructure) -> None:
    sections = [Microstructure(berea.labels[z]) for z in (0, 60, 200, 340)]
    sections += [Microstructure(berea.labels[:256, y, :256]) for y in (0, 100, 300)]
    assert not any(check_realisable([m]).finding.stops for m in sections)
