"""The data set of `characterize` and its schema, and the threshold table."""

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from matlens import InputError, Microstructure, characterize
from matlens.microstructure.problems import gaussian_field, white_noise
from matlens.microstructure.statistics import (
    SCHEMA_VERSION,
    STATISTIC_NAMES,
    cluster_radial,
    find_statistics,
    lineal_path,
    threshold_sensitivity,
    two_point_radial,
)

SCHEMA = Path(__file__).parents[3] / "docs" / "statistics_schema.md"


def example(shape=(24, 20), **keep):
    return Microstructure(np.random.default_rng(0).integers(0, 3, shape), spacing=0.5, unit="um", **keep)


def test_each_statistic_has_a_page():
    pages = {path.stem for path in (SCHEMA.parent / "statistics").glob("*.md")}
    assert set(STATISTIC_NAMES) <= pages
    assert pages - set(STATISTIC_NAMES) == {"README", "conductivity", "directions", "representative_size"}


def test_variables_dimensions_and_units_are_those_documented():
    dataset = characterize(example())
    documented = dict(re.findall(r"^\| `(\w+)` \| \(([\w, ]*)\)", SCHEMA.read_text(encoding="utf-8"), re.MULTILINE))
    assert {name: ", ".join(map(str, v.dims)) for name, v in dataset.data_vars.items()} == documented
    named = dict(re.findall(r"^\| `(\w+)` \|.*\| `(\w+)` \|$", SCHEMA.read_text(encoding="utf-8"), re.MULTILINE))
    assert named == {variable.name: one.name for one in find_statistics() for variable in one.variables}
    assert dataset.attrs["schema_version"] == SCHEMA_VERSION
    assert all("units" in v.attrs for v in dataset.data_vars.values())
    assert dataset["specific_surface"].attrs["units"] == "um^-1"
    assert dataset["distance"].dims == ("axis", "r")
    assert dataset["distance"].sel(axis="y", r=3).item() == 1.5


def test_values_are_those_of_the_single_functions():
    m = example(periodic=True)
    dataset = characterize(m)
    np.testing.assert_array_equal(dataset["lineal_path"], lineal_path(m))
    np.testing.assert_array_equal(dataset["two_point_radial"][:, :11], two_point_radial(m))
    np.testing.assert_array_equal(dataset["cluster_radial_full"][:, :11], cluster_radial(m, connectivity="full"))
    assert np.isnan(dataset["two_point_radial"][:, 11:]).all()
    assert dataset["euler_number"].dtype.kind == "i"


@pytest.mark.slow
def test_several_files_share_a_dimension_and_survive_netcdf(tmp_path):
    one, other = example(), example((16, 30))
    dataset = characterize([one, other], names=["a.tif", "b.tif"])
    assert dataset["lineal_path"].dims == ("file", "phase", "axis", "r")
    assert dataset.sizes["r"] == 16
    np.testing.assert_array_equal(dataset["lineal_path"].sel(file="b.tif"), lineal_path(other))
    dataset.to_netcdf(tmp_path / "statistics.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "statistics.nc", engine="h5netcdf") as stored:
        assert stored.load().drop_attrs().identical(dataset.drop_attrs())
    assert characterize([one])["volume_fraction"].dims == ("file", "phase")


def test_volumes():
    dataset = characterize(example((8, 10, 6)))
    assert dataset["axis"].values.tolist() == ["z", "y", "x"]
    assert dataset["euler_density"].attrs["units"] == "um^-3"


def test_files_that_do_not_agree_are_named():
    with pytest.raises(InputError, match="must agree"):
        characterize([example(), white_noise((24, 20), (0.5, 0.3, 0.2))])
    with pytest.raises(InputError, match="at least one"):
        characterize([])
    with pytest.raises(InputError, match="names"):
        characterize([example()], names=["a", "b"])


def test_threshold_sensitivity():
    variants = {s: gaussian_field((64, 64), 4.0, 0.4 - s, seed=0) for s in (0.05, -0.05, 0.0)}
    table = threshold_sensitivity(variants)
    assert table["threshold_shift"].tolist() == [-0.05, -0.05, 0, 0, 0.05, 0.05]
    rows = table[table["phase"] == variants[0.0].phase_names[1]].set_index("threshold_shift")
    np.testing.assert_allclose(rows["fraction_change"], [0.05, 0, -0.05], atol=1e-3)
    assert rows.loc[0.0, "s2_error"] == 0
    assert (rows["s2_error"].drop(0.0) > 0).all()
    with pytest.raises(InputError, match=r"0\.0"):
        threshold_sensitivity({0.05: variants[0.05]})


def test_anisotropy_is_physical_and_has_the_spread_of_windows():
    bricks = np.kron([[0, 1], [1, 0]] * 4, np.ones((4, 12), dtype=int))
    tiled = Microstructure(np.tile(bricks, (1, 3)), periodic=True)
    assert characterize(tiled)["anisotropy"].values.tolist() == [3, 3]
    pressed = Microstructure(tiled.labels, spacing=(3, 1), periodic=True)
    assert characterize(pressed)["anisotropy"].values.tolist() == [1, 1]
    found = characterize(gaussian_field((96, 96), 4.0, 0.4, seed=0))
    assert (found["anisotropy_low"] >= 1).all()
    assert (found["anisotropy_low"] <= found["anisotropy_high"]).all()
