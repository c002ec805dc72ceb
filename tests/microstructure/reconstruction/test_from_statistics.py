"""Microstructures from statistics alone: how near they come, what may be missing, and what wrong files get."""

import numpy as np
import pytest
import xarray as xr

from matlens import InputError, Microstructure, characterize
from matlens.microstructure.problems import discs, gaussian_field, white_noise
from matlens.microstructure.reconstruction import CurveTargets, reconstruct_from_statistics
from matlens.microstructure.statistics import errors, lineal_path_error, s2_error, two_point_map

pytest.importorskip("numba", reason="annealing needs numba")
pytestmark = [pytest.mark.usefixtures("compiled"), pytest.mark.slow]


@pytest.fixture(scope="module")
def source():
    return discs((160, 160), radius=4, fraction=0.35, seed=0, periodic=False)


@pytest.fixture(scope="module")
def statistics(source):
    return characterize(source)[["volume_fraction", "two_point_radial", "two_point_axes", "lineal_path"]]


@pytest.fixture(scope="module")
def rebuilt(statistics):
    return reconstruct_from_statistics(statistics, (72, 64), moves=40, seed=1)


@pytest.mark.slow
def test_it_has_the_statistics_and_noise_has_not(source, statistics, rebuilt):
    m = rebuilt.microstructure
    assert m.shape == (72, 64)
    np.testing.assert_allclose(m.volume_fractions, source.volume_fractions, atol=1e-3)
    assert s2_error(m, source) < 0.08
    assert lineal_path_error(m, source) < 0.08
    targets = CurveTargets.from_dataset(statistics)
    noise = targets.errors(white_noise(m.shape, source.volume_fractions, 0))
    assert noise["s2_error"] == pytest.approx(1, abs=0.1)
    assert noise["lineal_path_error"] > 0.5


def test_errors_against_curves_are_those_against_the_source(source, statistics, rebuilt):
    square = rebuilt.microstructure.crop(slice(0, 64), slice(0, 64))  # one reach for all curves
    for name, value in CurveTargets.from_dataset(statistics).errors(square).items():
        assert value == pytest.approx(errors(square, source)[name], abs=1e-9)


@pytest.mark.slow
def test_seeds_decide(statistics, rebuilt):
    again = reconstruct_from_statistics(CurveTargets.from_dataset(statistics), (72, 64), moves=40, seed=1)
    np.testing.assert_array_equal(again.microstructure.labels, rebuilt.microstructure.labels)
    other = reconstruct_from_statistics(statistics, (32, 32), moves=5, seed=2, n=2)
    assert len(other.microstructures) == 2
    assert (other.microstructures[0].labels != other.microstructures[1].labels).any()


@pytest.mark.slow
def test_map_has_the_curves_of_an_anisotropic_material():
    m = gaussian_field((256, 256), (5.0, 11.0), 0.4, seed=0)
    targets = CurveTargets.from_dataset(characterize(m))
    made, full = targets.two_point_map(16), two_point_map(m)[:, 112:145, 112:145]
    np.testing.assert_allclose(made[:, 16, 16:], full[:, 16, 16:], atol=1e-12)
    np.testing.assert_allclose(made[:, 16:, 16], full[:, 16:, 16], atol=1e-12)
    near = np.hypot(*np.ogrid[-16:17, -16:17]) <= 16
    assert np.abs(made - full)[:, near].max() < 0.03
    rebuilt = reconstruct_from_statistics(targets, (64, 64), moves=20).microstructure
    assert rebuilt.periodic
    assert targets.errors(rebuilt)["s2_error"] < 0.1


def test_radial_two_point_alone_is_enough(statistics):
    radial = statistics[["two_point_radial"]].drop_vars(["axis", "distance"], errors="ignore")
    radial.attrs = {}
    result = reconstruct_from_statistics(radial, (48, 48), moves=20)
    assert any("isotropic" in note for note in result.notes)
    assert any("lineal path" in note for note in result.notes)
    assert CurveTargets.from_dataset(radial).errors(result.microstructure)["s2_error"] < 0.1


def test_three_phases_several_files_and_other_fractions(tmp_path):
    labels = [np.random.default_rng(s).integers(0, 3, (12, 12)).repeat(4, 0).repeat(4, 1) for s in range(2)]
    several = [Microstructure(one, spacing=0.5, unit="um") for one in labels]
    file = tmp_path / "statistics.nc"
    characterize(several).to_netcdf(file, engine="h5netcdf")
    result = reconstruct_from_statistics(file, fraction=(0.5, 0.3, 0.2), moves=5)
    np.testing.assert_allclose(result.microstructure.volume_fractions, (0.5, 0.3, 0.2), atol=1e-3)
    assert (result.microstructure.shape, result.microstructure.unit) == ((48, 48), "um")


def changed(statistics, **variables):
    return statistics.assign({name: (statistics[name].dims, value) for name, value in variables.items()})


def test_what_cannot_be_used_is_named(statistics, tmp_path):
    with pytest.raises(InputError, match="neither"):
        CurveTargets.from_dataset(statistics[["lineal_path"]])
    with pytest.raises(InputError, match="neither"):
        CurveTargets.from_dataset(xr.Dataset())
    with pytest.raises(InputError, match="phase"):
        CurveTargets.from_dataset(statistics.isel(phase=[0]))
    with pytest.raises(InputError, match="must agree"):
        CurveTargets.from_dataset(changed(statistics, two_point_radial=statistics["two_point_radial"].values / 2))
    with pytest.raises(InputError, match="probabilities"):
        CurveTargets.from_dataset(changed(statistics, lineal_path=statistics["lineal_path"].values * 5))
    with pytest.raises(InputError, match="dimensions"):
        CurveTargets.from_dataset(statistics.rename(r="lag"))
    with pytest.raises(InputError, match="sum to 1"):
        CurveTargets.from_dataset(changed(statistics, volume_fraction=[0.6, 0.6]))
    with pytest.raises(InputError, match="offsets"):
        CurveTargets.from_dataset(statistics.isel(r=slice(0, 2)))
    with pytest.raises(InputError, match="two dimensions"):
        CurveTargets.from_dataset(characterize(Microstructure(np.arange(512).reshape(8, 8, 8) % 2)))
    with pytest.raises(InputError, match="shape"):
        reconstruct_from_statistics(statistics, (8, 64))
    with pytest.raises(InputError, match="fraction"):
        reconstruct_from_statistics(statistics, fraction="sampled")
    with pytest.raises(InputError, match="not a file"):
        reconstruct_from_statistics(tmp_path / "none.nc")
    (tmp_path / "wrong.nc").write_text("no netCDF")
    with pytest.raises(InputError, match="netCDF"):
        reconstruct_from_statistics(tmp_path / "wrong.nc")
