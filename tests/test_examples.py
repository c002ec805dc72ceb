"""Examples to begin with: made without a network, the same each time, and readable as the files that hold them."""

import re
import socket

import numpy as np
import pytest

import matlens as ml
from matlens.core.late import imported
from matlens.examples.listed import EXAMPLES, write_example
from matlens.library.problems import example_photoanode
from matlens.microstructure.commands.inputs import Inputs, read_inputs
from matlens.microstructure.problems import EXAMPLES as STRUCTURES


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.slow
def test_there_are_three_micrographs_a_volume_and_two_libraries():
    made = {name: getattr(ml.examples, name)() for name in EXAMPLES}
    structures = [one for one in made.values() if isinstance(one, ml.Microstructure)]
    assert [one.ndim for one in structures] == [2, 2, 2, 3]
    assert all(one.n_phases == 2 for one in structures)
    assert sum(isinstance(one, ml.MaterialsLibrary) for one in made.values()) == 2
    assert set(dir(ml.examples)) == set(EXAMPLES)
    with pytest.raises(AttributeError, match="choose one of gravel, "):
        _ = ml.examples.nonsense


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_written_example_is_read_as_it_was_made(name, tmp_path):
    made, path = imported(EXAMPLES[name].where)(), write_example(name, tmp_path)
    assert path == tmp_path / EXAMPLES[name].file
    number, unit = re.fullmatch(r"([\d.]+) (kB|MB)", EXAMPLES[name].size).groups()
    assert path.stat().st_size == pytest.approx(float(number) * {"kB": 1e3, "MB": 1e6}[unit], rel=0.1)
    if isinstance(made, ml.Microstructure):
        found = ml.read_microstructure(path)
        assert np.array_equal(found.labels, made.labels)
        assert (found.spacing, found.unit, found.phase_names) == (made.spacing, made.unit, made.phase_names)
        assert str(made.shape).strip("()").replace(", ", " x ") in EXAMPLES[name].description
    else:
        found = ml.read_library(path)
        assert found.components == made.components
        assert found.merits.equals(made.merits)
        assert f"of {len(made)} " in EXAMPLES[name].description
    before = path.stat().st_mtime_ns
    assert write_example(name, tmp_path) == path
    assert path.stat().st_mtime_ns == before


def test_another_file_of_that_name_is_kept(tmp_path):
    (tmp_path / "blend.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(ml.InputError, match="is there already and is not the example"):
        write_example("blend", tmp_path)
    assert (tmp_path / "blend.csv").read_text(encoding="utf-8") == "mine"
    with pytest.raises(ml.InputError, match="found no example 'nonsense'"):
        write_example("nonsense", tmp_path)


def test_runs_take_the_structures_by_name():
    (found,) = read_inputs(Inputs(("problem:particles",)))
    assert np.array_equal(found.microstructure.labels, STRUCTURES["particles"]().labels)
    with pytest.raises(ml.InputError, match="choose one of gravel, bicontinuous, particles, porous"):
        read_inputs(Inputs(("problem:nothing",)))


def test_the_truth_about_the_photoanodes_is_that_of_the_example():
    assert example_photoanode().library.merits.equals(ml.examples.photoanode().merits)
