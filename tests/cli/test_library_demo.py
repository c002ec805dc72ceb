"""The demonstration on a library: members in directories of their own, resumed one by one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

from matlens.cli.app import main
from matlens.hooks import Silent
from matlens.library.commands.demo import run as demo
from matlens.library.commands.demo.report import PAGE
from matlens.library.commands.suggest import run as suggesting
from matlens.library.gradients.simplex import along, directions
from matlens.library.problems import example_photoanode, photoanode
from matlens.runs.codecs import DATASET, write_value
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

pytestmark = pytest.mark.end_to_end


def ended(*arguments):
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code


def test_the_demo_goes_from_table_to_plate_list_and_is_resumed(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "example_photoanode", lambda seed: photoanode(30, seed=seed))
    monkeypatch.setattr(demo, "_MODELS", 4)
    monkeypatch.setattr(Figure, "savefig", lambda self, file, **options: file.write(b"drawn"))
    suggested, calls = suggesting.work, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return suggested(*arguments)

    monkeypatch.setattr(suggesting, "work", interrupted)
    assert ended("library", "demo", "-o", "run") == 130
    learned = Path("run/photoanode/model.json").stat().st_mtime_ns
    assert ended("resume", "run") == 0
    assert Path("run/photoanode/model.json").stat().st_mtime_ns == learned  # what was finished is left alone
    out = capsys.readouterr().out
    assert out.count("photoanode: A model of composition and spectrum predicts P ") == 1
    assert len(pd.read_csv("run/photoanode-plan/plate.csv")) == 5
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    for name in ("photoanode", "photoanode-insight", "photoanode-plan"):
        assert f'href="{name}/report.html"' in html
    assert "umehara2019analyzing" in html


def test_what_was_found_is_set_beside_the_law(tmp_path):
    known = example_photoanode(2)
    truth = along(known.truth.total, directions("dilution", known.library.compositions)) / 100
    found = truth.copy()
    found[:, 0] *= -1  # one component with the wrong sign
    dims = ("scheme", "kind", "sample", "component")
    gradients = xr.Dataset(
        {
            "composition_gradient": (dims, found[None, None]),
            "composition_gradient_spread": (dims, np.full_like(found, 1e-9)[None, None]),
            "support": (dims[2:], np.full(found.shape, 2)),
        },
        coords={"scheme": ["dilution"], "kind": ["total"], "component": list(known.library.components)},
    )
    with RunDirectory.create(tmp_path / "run", "library demo", {"members": []}) as run:
        write_value(run, f"{demo.INSIGHT}/gradients.nc", gradients, DATASET)
        demo.found_beside_truth(run, 2, Silent())
        table = read_table(run, demo.TRUTH)
        headlines = PAGE.headlines(run)
    assert table["component"].tolist() == list(known.library.components)
    assert np.allclose(table["truth"], truth.mean(axis=0))
    assert np.allclose(table["found"][1:], table["truth"][1:])
    n = len(table)
    expected = f"right for {n - 1} of {n} components, and the 90 % interval holds the true effect for {n - 1} of {n}."
    assert demo.sentence_of_truth(table).endswith(expected)
    assert headlines == [demo.sentence_of_truth(table)]
