import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from matlens.cli.app import main
from matlens.microstructure.commands.explain import run as sensitivity
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.physics import effective_conductivity
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.properties import StructurePropertyModel, StructureSet, interface
from matlens.microstructure.structure import Microstructure
from matlens.runs.directory import RunDirectory

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    labels = np.stack([gaussian_field((16, 16), 3.0, fraction=0.3 + i / 60, seed=i).labels for i in range(14)])
    tensors = effective_conductivity(torch.from_numpy(1 + 49.0 * labels)).numpy()
    targets = pd.DataFrame({"k_00_c50": tensors[:, 0, 0], "hardness": labels.mean((1, 2))})
    found = StructureSet.from_arrays(labels, targets=targets, periodic=True)
    found.select(slice(0, 3)).write(folder / "test.h5")
    for target, values in (("k_00_c50", (1, 50)), ("hardness", None)):
        model = StructurePropertyModel(features="two-point", head="ridge", phase_values=values)
        model.fit(found, target).save(folder / target)
    return folder


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


def test_explain_writes_maps_scores_and_a_report(files, tmp_path):
    asked = ("explain", files / "k_00_c50", files / "test.h5", "-n", 2, "--flips", 8, "--threads", 1, "-q", "-o")
    assert run(*asked, tmp_path / "run") == 0
    flips, values = pd.read_csv(tmp_path / "run" / "flips.csv"), pd.read_csv(tmp_path / "run" / "properties.csv")
    assert flips.groupby("structure").size().tolist() == [12, 12]
    with xr.open_dataset(tmp_path / "run" / "map_0.nc", engine="h5netcdf") as dataset:
        assert set(dataset.data_vars) == {"phase", "gradient", "difference", "flip", "linearised"}
        labels, flip = dataset["phase"].to_numpy(), dataset["flip"].to_numpy()
    exact = effective_conductivity(torch.from_numpy(1 + 49.0 * labels[None]))[0, 0, 0]
    assert values["solved"][0] == pytest.approx(float(exact), rel=1e-6)
    single = flips[(flips["structure"] == flips["structure"][0]) & (flips["move"] != "swap")]
    np.testing.assert_allclose(np.abs(single["truth"]), flip.ravel()[single["place"]], rtol=1e-3)
    assert "Agreement with physics" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert run(*asked, tmp_path / "again") == 0
    assert (tmp_path / "run" / "flips.csv").read_bytes() == (tmp_path / "again" / "flips.csv").read_bytes()


def test_structures_unlike_those_learned_from_are_said(files, tmp_path, caplog):
    labels = gaussian_field((16, 16), 3.0, fraction=0.4, seed=50).labels
    file = write_microstructure(Microstructure(labels, 0.5, "um"), tmp_path / "picture.npz")
    assert run("explain", files / "k_00_c50", file, "--flips", 6, "-o", tmp_path / "run") == 0
    with RunDirectory(tmp_path / "run") as opened:
        size, kind, cell = opened.provenance["notes"]
    assert "have another pixel size than those the model was trained on (1 px): picture.npz" in size
    assert kind == "the model was trained on structures that are periodic; 1 of 1 are not so."
    assert cell.startswith("1 of 1 structures do not say that they are periodic and are solved as a periodic cell")
    assert cell in caplog.text
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert all(note[1:] in html for note in (size, kind, cell))


def test_conductivities_go_by_the_values_of_the_file(files, tmp_path, capsys):
    labels = gaussian_field((16, 16), 3.0, fraction=0.4, seed=50).labels
    np.save(tmp_path / "one_two.npy", labels + 1)
    np.save(tmp_path / "two_three.npy", labels + 2)
    asked = ("explain", files / "k_00_c50", tmp_path / "one_two.npy", "--flips", 6, "--conductivity", "2=50,1=1", "-q")
    assert run(*asked, "-o", tmp_path / "run") == 0
    exact = float(effective_conductivity(torch.from_numpy(1 + 49.0 * labels[None]))[0, 0, 0])
    assert pd.read_csv(tmp_path / "run" / "properties.csv")["solved"][0] == pytest.approx(exact, rel=1e-6)
    assert run(*asked[:3], tmp_path / "two_three.npy", *asked[3:], "-o", tmp_path / "both") == 2
    assert "names other phases in two_three.npy than in one_two.npy" in capsys.readouterr().err


@pytest.mark.parametrize("spare", [0, -1])
def test_all_flips_are_solved_where_there_are_few_interface_pixels(files, tmp_path, monkeypatch, spare):
    labels = gaussian_field((16, 16), 3.0, fraction=0.3, seed=0).labels  # the first of the test structures
    monkeypatch.setattr(sensitivity, "WHOLE", int(interface(labels).sum()) + spare)
    asked = ("explain", files / "k_00_c50", files / "test.h5", "-n", 1, "--flips", 6, "-q", "-o", tmp_path / "run")
    assert run(*asked) == 0
    with xr.open_dataset(tmp_path / "run" / "map_0.nc", engine="h5netcdf") as dataset:
        assert np.array_equal(dataset["phase"], labels)
        assert ("flip" in dataset.data_vars) == (spare == 0)
    with RunDirectory(tmp_path / "run") as opened:
        assert opened.provenance["notes"] == []


def test_of_another_property_the_model_alone_is_mapped(files, tmp_path):
    assert run("explain", files / "hardness", files / "test.h5", "-q", "-o", tmp_path / "run") == 0
    assert len(list((tmp_path / "run").glob("map_*.nc"))) == 3
    assert not (tmp_path / "run" / "flips.csv").exists()
    assert "components of conductivity" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_a_folder_without_a_model_is_named(files, tmp_path, capsys):
    assert run("explain", tmp_path, files / "test.h5", "-o", tmp_path / "run") == 2
    assert "holds no model" in capsys.readouterr().err
