"""A new method is one file and one line, with options, citations and resuming like any other."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from matlens.errors import InputError
from matlens.hooks import NoStore, Silent
from matlens.microstructure.encoders import EncoderEntry
from matlens.microstructure.problems import bicontinuous
from matlens.microstructure.pruning import prune
from matlens.microstructure.reconstruction import METHODS, MethodEntry, find_method, method_entry, plan, reconstruct

RECIPE = Path(__file__).parents[3] / "docs" / "extending.md"
PLUGIN = re.search(r"## A method\n.*?```python\n(.*?)```", RECIPE.read_text(encoding="utf-8"), re.DOTALL)[1]


@pytest.fixture
def scattered(tmp_path, monkeypatch):
    """The one file, and the one line."""
    (tmp_path / "scattered_method.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(METHODS, "scattered", MethodEntry("scattered", "scattered_method:Scattered"))
    yield "scattered"
    sys.modules.pop("scattered_method", None)


def test_it_reconstructs_resumes_and_is_cited(scattered, memory):
    exemplar = bicontinuous((32, 32), seed=1)
    work, kept = plan(exemplar, (24, 24), method=find_method(scattered, {"grain": "2"}), n=2, seed=3), memory()
    result = work.run(Silent(), kept)
    assert [m.shape for m in result.microstructures] == [(24, 24)] * 2
    assert (result.microstructure.volume_fractions == exemplar.volume_fractions).all()
    assert (work.settings["method"], work.settings["options"]) == (scattered, {"grain": 2})
    assert result.notes == ("grains of 2 px",)
    again = work.run(Silent(), kept)
    assert again.microstructure.labels.tobytes() == result.microstructure.labels.tobytes()
    assert method_entry(scattered).load_class().citations == ("torquato2002random",)


def test_what_it_has_no_option_for_is_refused(scattered):
    with pytest.raises(InputError, match="method 'scattered' has no encoder"):
        reconstruct(bicontinuous((32, 32), seed=1), method=scattered, encoder="filterbank")
    with pytest.raises(InputError, match="has no option 'speed'; it has: grain"):
        find_method(scattered, {"speed": 1})


def test_a_plan_loads_its_encoder_once(monkeypatch, tiny):
    loads = []
    build = EncoderEntry.load_class
    monkeypatch.setattr(EncoderEntry, "load_class", lambda entry: loads.append(entry.name) or build(entry))
    work = plan(bicontinuous((32, 32), seed=1), encoder="filterbank", preset=replace(tiny, coarse=1, fine=4), n=2)
    work.run(Silent(), NoStore())
    assert loads == ["filterbank"]


@pytest.mark.slow
def test_a_pruning_study_loads_its_encoder_once(monkeypatch, tiny):
    loads = []
    build = EncoderEntry.load_class
    monkeypatch.setattr(EncoderEntry, "load_class", lambda entry: loads.append(entry.name) or build(entry))
    preset = replace(tiny, coarse=1, fine=4, swaps=0, mend=False)
    exemplar = bicontinuous((64, 64), wavelength=12, seed=1)
    prune(exemplar, (32, 32), encoder="filterbank", preset=preset, depths=["none", "scale1"], n=1)
    assert loads == ["filterbank"]
