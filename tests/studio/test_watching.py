"""What is seen of a run while it works: its files as they are now, and nothing where there are none."""

import numpy as np
import pytest

from matlens.microstructure.commands.inputs import store_structures
from matlens.microstructure.commands.realisation_store import LOOK, PREVIEW, RealisationStore
from matlens.microstructure.problems import bicontinuous
from matlens.microstructure.statistics import Curves
from matlens.microstructure.structure import Microstructure
from matlens.runs.directory import RunDirectory
from matlens.studio.watching import Watching


@pytest.fixture
def exemplar():
    return Microstructure(bicontinuous((128, 128), seed=0).labels, spacing=0.5, unit="um", phase_names=("a", "b"))


def run_of(place, exemplar, shape):
    run = RunDirectory.create(place, "reconstruct", {"resolved": {"shape": list(shape)}})
    store_structures(run, "exemplar", [exemplar])
    return run


def test_curves_are_those_of_the_look_and_lie_in_the_band_of_windows_where_it_is_one(tmp_path, exemplar):
    window = exemplar.labels[32:64, 64:96]
    with run_of(tmp_path / "run", exemplar, (32, 32)) as run:
        store = RealisationStore(run, exemplar, interval=0, say=lambda text: None)
        store.show("realisation_0", lambda: window)
        found, labels = Watching().answer({"file": str(run.path)})
    assert np.array_equal(np.frombuffer(labels, np.uint8).reshape(32, 32), window)
    look = found["look"]
    assert (look["key"], look["step"], look["spacing"], look["unit"]) == ("realisation_0", 1, [0.5, 0.5], "um")
    assert [phase["name"] for phase in look["phases"]] == ["a", "b"]
    assert look["phases"][1]["share"] == window.mean()
    curves = {(each["statistic"], each["phase"]): each for each in found["curves"]}
    own = curves["two-point correlation", "b"]
    assert own["result"] == np.round(Curves(exemplar.with_labels(window)).two_point_radial[1], 5).tolist()
    assert own["distance"][:3] == [0, 0.5, 1.0]
    tiles = [Curves(tile).two_point_radial[1] for tile in exemplar.tiles((32, 32))]
    assert own["low"] == np.round(np.quantile(tiles, 0.05, axis=0), 5).tolist()
    assert own["high"] == np.round(np.quantile(tiles, 0.95, axis=0), 5).tolist()
    assert set(curves) == {(name, phase) for name in ("two-point correlation", "lineal path") for phase in "ab"}


def test_a_coarse_look_is_measured_at_the_size_of_the_result_and_a_volume_by_its_planes(tmp_path, exemplar):
    coarse = exemplar.labels[:64:2, :64:2]
    with run_of(tmp_path / "plane", exemplar, (64, 64)) as run:
        RealisationStore(run, exemplar, interval=0, say=print).show("realisation_1", lambda: coarse)
        found, _ = Watching().answer({"file": str(run.path)})
    assert (found["look"]["step"], found["look"]["spacing"]) == (2, [1.0, 1.0])
    large = exemplar.with_labels(coarse.repeat(2, 0).repeat(2, 1))
    assert found["curves"][1]["result"] == np.round(Curves(large).two_point_radial[1], 5).tolist()
    volume = bicontinuous((40, 40, 40), seed=1).labels
    with run_of(tmp_path / "volume", exemplar, (40, 40, 40)) as run:
        RealisationStore(run, exemplar, interval=0, say=print).show("realisation_0", lambda: volume)
        found, labels = Watching().answer({"file": str(run.path)})
    assert labels == volume.astype(np.uint8).tobytes()
    planes = [volume[20], volume[:, 20], volume[:, :, 20]]
    mean = np.mean([Curves(exemplar.with_labels(plane)).two_point_radial[0] for plane in planes], axis=0)
    assert found["curves"][0]["result"] == np.round(mean, 5).tolist()


def test_the_loss_is_that_of_the_last_saved_state_by_term(tmp_path, exemplar):
    table = np.array([[0, 1, 3.0, 2.0, np.nan], [0, 2, 1.5, 1.0, 0.5]])
    with run_of(tmp_path / "run", exemplar, (32, 32)) as run:
        store = RealisationStore(run, exemplar, interval=0, say=print)
        store.show("realisation_0", lambda: exemplar.labels[:32, :32])
        watching = Watching()
        assert watching.answer({"file": str(run.path)})[0]["loss"] is None
        store.save("realisation_0", lambda: {"history": table, "terms": np.array(["gram", "sharpness"])}, force=True)
        loss = watching.answer({"file": str(run.path)})[0]["loss"]
    assert loss["evaluations"] == [1, 2]
    assert loss["terms"] == {"all terms": [3.0, 1.5], "gram": [2.0, 1.0], "sharpness": [None, 0.5]}


def test_damaged_and_missing_files_are_nothing_to_see(tmp_path, exemplar):
    nothing = ({"look": None, "loss": None, "curves": []}, b"")
    with run_of(tmp_path / "run", exemplar, (32, 32)) as run:
        assert Watching().answer({"file": str(run.path)}) == nothing
        (run.path / ".state" / LOOK).write_bytes(b"PK\x03\x04 half a file")
        assert Watching().answer({"file": str(run.path)}) == nothing


def test_a_look_is_written_now_and_then_and_is_gone_when_the_realisation_is_there(tmp_path, exemplar):
    asked = []

    def labels():
        asked.append(1)
        return exemplar.labels[:32, :32]

    with run_of(tmp_path / "run", exemplar, (32, 32)) as run:
        store = RealisationStore(run, exemplar, interval=60, say=print)
        for _ in range(5):
            store.show("realisation_0", labels)
        assert asked == []
        store.show("realisation_0", labels, force=True)
        store.show("realisation_0", labels)
        assert asked == [1]
        assert (run.path / ".state" / LOOK).is_file()
        assert (run.path / PREVIEW).is_file()
        store.finish("realisation_0", {"labels": labels(), "loss": np.ones(1)})
        assert not (run.path / ".state" / LOOK).exists()
