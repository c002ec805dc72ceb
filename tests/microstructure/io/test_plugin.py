"""A new format of micrographs is one file and one line: every command reads it, and what it cannot hold is refused."""

import zipfile

import numpy as np
import pytest
from recipes import code, files_in, line_in

import matlens as ml
from matlens.cli.app import main
from matlens.errors import InputError
from matlens.microstructure.io import FORMATS
from matlens.microstructure.problems import bicontinuous
from matlens.microstructure.structure import Microstructure

FILE, LINE = code("A format of micrographs")
FIELD = Microstructure(bicontinuous((24, 32), wavelength=8, seed=1).labels, 0.5, "um", ("pore", "solid"))


@pytest.fixture
def letters(tmp_path):
    home = "matlens.microstructure.io"
    with files_in(home, tmp_path / "package", {"letters.py": FILE}), line_in(f"{home}.formats", "FORMATS", LINE):
        yield ml.write_microstructure(FIELD, tmp_path / "field.letters")


def test_it_is_read_as_it_was_written(letters):
    assert letters.read_text().splitlines()[0] == "0.5:um"
    read = ml.read_microstructure(letters)
    assert (read.spacing, read.unit, read.phase_names) == ((0.5, 0.5), "um", ("p", "s"))
    assert np.array_equal(read.labels, FIELD.labels)


def test_archives_and_messages_know_it(letters, tmp_path):
    with zipfile.ZipFile(tmp_path / "field.zip", "w") as archive:
        archive.write(letters, "field.letters")
    assert np.array_equal(ml.read_microstructure(tmp_path / "field.zip").labels, FIELD.labels)
    with pytest.raises(InputError, match=r"\.xyz.*\.letters"):
        ml.write_microstructure(FIELD, tmp_path / "field.xyz")


def test_damage_and_volumes_are_refused_in_a_sentence(letters, tmp_path):
    letters.write_text("0.5:um\nppss\npp\n")
    with pytest.raises(InputError, match=r"field\.letters cannot be read.*damaged"):
        ml.read_microstructure(letters)
    cube = Microstructure(np.arange(8).reshape(2, 2, 2) % 2)
    with pytest.raises(InputError, match="a letters file holds a plane only"):
        ml.write_microstructure(cube, tmp_path / "cube.letters")


@pytest.mark.end_to_end
def test_commands_take_it(letters, tmp_path):
    with pytest.raises(SystemExit) as end:
        main(["characterize", str(letters), "-o", str(tmp_path / "run"), "--quiet"])
    assert end.value.code == 0
    assert (tmp_path / "run" / "statistics.nc").is_file()
    assert "0.5" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [found for found in FORMATS if found.read and found.write], ids=lambda kind: kind.name)
def test_a_format_carries_what_it_says_and_no_more(kind, tmp_path):
    plane = Microstructure([[0, 1, 1], [1, 0, 1]], (0.5, 0.25), "um", ("pore", "solid"), periodic=True)
    read = ml.read_microstructure(ml.write_microstructure(plane, tmp_path / f"plane{kind.suffixes[0]}"))
    carried = {
        "spacing": (read.spacing, read.unit) == (plane.spacing, plane.unit),
        "names": read.phase_names == plane.phase_names,
        "periodicity": read.periodic,
    }
    masked = Microstructure(plane.labels, phase_names=plane.phase_names, mask=[[1, 1, 0], [1, 1, 1]])
    place = tmp_path / f"masked{kind.suffixes[0]}"
    if "masks" in kind.carries:
        again = ml.read_microstructure(ml.write_microstructure(masked, place))
        assert np.array_equal(again.mask, masked.mask)
        assert np.array_equal(again.labels, masked.labels)
    else:
        with pytest.raises(InputError, match=r"masked pixels, which a .* file cannot mark; choose one of \.npz"):
            ml.write_microstructure(masked, place)
    assert {name for name, holds in carried.items() if holds} == set(kind.carries) - {"volumes", "masks"}
