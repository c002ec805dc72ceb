"""A study killed at any moment ends, after resuming, with the same structures, tables and recommendation."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from matlens.cli.app import main
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.pruning import read_recommendation
from matlens.microstructure.structure import Microstructure
from matlens.runs import state_store
from matlens.runs.directory import RunDirectory

pytestmark = pytest.mark.end_to_end

OPTIONS = ["--shape", "32x32", "-n", "1", "--encoder", "filterbank", "--preset", "fast", "--depths", "scale1,none",
           "--threads", "1"]  # fmt: skip
SAME = [
    "ratios.csv",
    "scales.csv",
    "recommendation.json",
    "field/none/realisation_0.npy",
    "three/scale1/realisation_0.npy",
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(state_store, "INTERVAL", 0.0)
    two = gaussian_field((64, 64), 3.0, 0.4, seed=0)
    write_microstructure(two, "field.npy")
    write_microstructure(Microstructure(two.labels + gaussian_field((64, 64), 4.0, 0.4, seed=1).labels), "three.npy")
    return ["field.npy", "three.npy"]


def code_of(*arguments):
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code


def test_a_study_of_unlike_materials_with_its_report_survives_an_interrupt(files, tmp_path, monkeypatch, capsys):
    assert code_of("prune", *files, *OPTIONS, "-o", "whole") == 0
    out = capsys.readouterr().out
    assert "2 material(s) x 2 depths" in out
    assert re.search(r"^field: .*depth", out, re.MULTILINE)

    calls = []
    saved = state_store.RunStateStore.save

    def stopping(*args, **options):
        calls.append(1)
        if len(calls) == 150:
            raise KeyboardInterrupt
        saved(*args, **options)

    monkeypatch.setattr(state_store.RunStateStore, "save", stopping)
    assert code_of("prune", *files, *OPTIONS, "-o", "run") == 130
    assert (tmp_path / "run/field/none/realisation_0.npy").is_file()
    assert RunDirectory("run").status == "interrupted"
    with pytest.raises(SystemExit):
        main(["report", "run"])  # what is there so far
    assert code_of("resume", "run") == 0
    for name in SAME:
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    times = ["seconds", "seconds_per_evaluation"]
    one, other = (pd.read_csv(f"{run}/pruning.csv").drop(columns=times) for run in ("run", "whole"))
    pd.testing.assert_frame_equal(one, other)
    check_outcome(tmp_path / "whole")


def check_outcome(run):
    assert np.unique(np.load(run / "three/scale1/realisation_0.npy")).tolist() == [0, 1, 2]
    found = json.loads((run / "recommendation.json").read_text(encoding="utf-8"))
    assert read_recommendation(run) == "scale1"
    html = (run / "report.html").read_text(encoding="utf-8")
    assert "Depth of the network for field, three" in html
    for facts in found["materials"].values():
        assert facts["sentences"][0].split(":")[0] in html
    for name in ("depths", "depth_ratios", "depth_scales"):
        assert (run / "figures" / f"{name}.png").is_file()


def test_a_study_of_widths_survives_an_interrupt_with_the_channels_it_began_with(files, tmp_path, monkeypatch, capsys):
    options = ["--widths", "1/4", "--depths", "conv1_1", "--encoder", "matlens", "--shape", "32x32", "-n", "1",
               "--preset", "fast", "--threads", "1"]  # fmt: skip
    assert code_of("prune", "field.npy", *options, "-o", "whole") == 0
    assert "1 material(s) x 3 widths" in capsys.readouterr().out

    saved, calls = state_store.RunStateStore.save, []

    def stopping(*args, **options):
        calls.append(1)
        if len(calls) == 60:
            raise KeyboardInterrupt
        saved(*args, **options)

    monkeypatch.setattr(state_store.RunStateStore, "save", stopping)
    assert code_of("prune", "field.npy", *options, "-o", "run") == 130
    made = [path.parent.name for path in sorted((tmp_path / "run").glob("field/*/realisation_0.npy"))]
    assert 0 < len(made) < 3
    before = (tmp_path / "run/channels.csv").read_bytes()
    assert code_of("resume", "run") == 0
    assert (tmp_path / "run/channels.csv").read_bytes() == before
    same = ["channels.csv", "activations_0.nc", "ratios.csv", "scales.csv", "breaks.csv", "recommendation.json"]
    same += [f"field/{width}/realisation_0.npy" for width in ("1_of_4", "1_of_4_random", "1_of_4_reversed")]
    for name in same:
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    html = (tmp_path / "run/report.html").read_text(encoding="utf-8")
    assert "Width of the network for field" in html
    assert "Channels" in html
    for name in ("widths", "width_ratios", "width_scales", "removal_orders", "channels_0"):
        assert (tmp_path / "run/figures" / f"{name}.png").is_file()
    channels = pd.read_csv(tmp_path / "run/channels.csv")
    assert channels.groupby("layer")["channel"].apply(sorted).to_dict() == {"conv1_1": list(range(16))}


def test_bad_orders_end_with_a_sentence_and_nothing_written(files, tmp_path, capsys):
    bad = ["--depths conv1_1", "--shape 8x8", "--encoder resnet", "--preset best", "--widths 1,1/2", "--widths 2"]
    for wrong in (words.split() for words in bad):
        assert code_of("prune", files[0], *OPTIONS, *wrong, "-o", "bad") == 2
        assert capsys.readouterr().err.startswith("matlens: ")
        assert not (tmp_path / "bad").exists()
