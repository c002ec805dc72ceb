"""Every file that a user can name is read, or refused in one sentence that names it; arguments of Python too."""

import json
import re
import shutil
import typing
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from scipy.io import savemat
from typer.testing import CliRunner

import fuzz
import matlens as ml
from matlens.cli.app import application
from matlens.core.arguments import fits
from matlens.core.atomic import writing_into
from matlens.core.guard import reading
from matlens.core.model_files import read_model_files, write_model_files
from matlens.core.registry import sha256_of
from matlens.errors import InputError, MatlensError, ResourceError, RunError

GOLDEN = Path(__file__).parents[1] / "golden" / "runs_0"
READERS = ("pictures", "tables", "spectra", "statistics", "settings", "structure models", "library models")
SHARE = {
    "pictures": 80, "tables": 50, "spectra": 50, "statistics": 20, "settings": 70, "structure models": 15,
    "library models": 15,
}  # fmt: skip


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    return {name: fuzz.TARGETS[name].sources(folder / name) for name in READERS}


@pytest.mark.filterwarnings("ignore")  # of libraries, on the damage that they find
@pytest.mark.parametrize("target", READERS)
def test_damaged_files_are_read_or_refused(sources, target):
    """300 cases of `benchmarks/fuzz.py`, with a seed that its counts in docs/results.md do not have."""
    found = [
        fuzz.attempt(target, sources[target][case % len(sources[target])], 1, case) for case in range(SHARE[target])
    ]
    assert not [one for one in found if one["outcome"] not in ("read", "refused")]
    assert {one["outcome"] for one in found} == {"read", "refused"}


@pytest.mark.end_to_end
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", ["report", "resume"])
def test_damaged_runs_are_reported_and_resumed_or_refused(target, tmp_path):
    """18 cases each: a report of each run that is kept, and three of each state of two quick runs."""
    quick = partial(fuzz.stopped_runs, names=("compare", "segment"))
    runs = (fuzz.TARGETS[target].sources if target == "report" else quick)(tmp_path)
    found = [fuzz.attempt(target, runs[case % len(runs)], 1, case) for case in range(18)]
    assert not [one for one in found if one["outcome"] not in ("read", "refused")]
    assert {one["outcome"] for one in found} == {"read", "refused"}


@pytest.mark.parametrize("target", ["pictures", "tables", "spectra", "statistics"])
def test_the_files_are_sound_before_they_are_damaged(sources, target):
    for source in sources[target]:
        fuzz.TARGETS[target].attempt(source, 1)


def test_there_are_300_cases():
    assert sum(SHARE.values()) == 300


def test_every_reader_of_the_registries_is_damaged(sources):
    from matlens.library.io import SPECTRUM_FORMATS, TABLE_FORMATS
    from matlens.microstructure.io import FORMATS

    names = {kind: " ".join(path.name.lower() + " " for path in paths) for kind, paths in sources.items()}
    for found in FORMATS:
        assert (
            found.read is None or found.folder or any(f"{suffix} " in names["pictures"] for suffix in found.suffixes)
        ), found.name
    for found in SPECTRUM_FORMATS:
        assert any(f"{suffix} " in names["spectra"] for suffix in found.suffixes), found.name
    for found in TABLE_FORMATS:
        assert "refuse" in found.read or any(f"{suffix} " in names["tables"] for suffix in found.suffixes), found.name


class Odd(Exception):
    pass


def _fail_after_reading(name):
    with reading(name, "a table"):
        pass
    raise Odd("odd")


def test_a_guard_names_the_file_and_keeps_the_cause(tmp_path):
    said = r"^a\.h5 cannot be read as a set \(line one line two\); copy it\.$"
    with pytest.raises(InputError, match=said) as error, reading("a.h5", "a set", "copy it"):
        raise Odd("line one\n line two")
    assert isinstance(error.value.__cause__, Odd)
    with pytest.raises(RunError, match=r"^a\.h5: it is closed\.$"), reading("a.h5", "a set"):
        raise RunError("it is closed.")
    said = r"^run cannot be read as a run \(odd; read last: a\.csv\); x\.$"
    with pytest.raises(RunError, match=said), reading("run", "a run", "x", RunError):
        _fail_after_reading("run/a.csv")
    with pytest.raises(KeyboardInterrupt), reading("a.h5", "a set"):
        raise KeyboardInterrupt
    with (
        pytest.raises(ResourceError, match=r"^a\.h5 cannot be read as a set"),
        reading("a.h5", "a set", "", ResourceError),
    ):
        next(iter(()))  # contextlib treats StopIteration in its own way


@pytest.mark.parametrize("name", ["learn", "learn_library"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_models_with_numbers_that_are_none_are_refused(tmp_path, name, value):
    folder = Path(shutil.copytree(GOLDEN / name, tmp_path / name))
    arrays = load_file(folder / "arrays.safetensors")
    weights = next(key for key in arrays if key.startswith(("network.", "rows")) and arrays[key].dtype.kind == "f")
    arrays[weights] = arrays[weights].copy()
    arrays[weights].flat[0] = value
    save_file(arrays, folder / "arrays.safetensors")
    content = json.loads((folder / "model.json").read_text())
    content["arrays_sha256"] = sha256_of(folder / "arrays.safetensors")
    (folder / "model.json").write_text(json.dumps(content))
    with pytest.raises(ResourceError, match=r"arrays\.safetensors holds .* where finite numbers are expected; copy"):
        (ml.LibraryModel if "library" in name else ml.StructurePropertyModel).load(folder)


@pytest.mark.parametrize(
    "change",
    [{"sizes": {}}, {"low": [1, 2]}, {"high": {}}, {"bend": "x"}, {"unit": 3}, {"target": None}, {"chains_tried": "a"}],
    ids=str,
)
def test_settings_of_a_model_of_another_type_are_refused(tmp_path, change):
    folder = Path(shutil.copytree(GOLDEN / "learn_library", tmp_path / "model"))
    content = json.loads((folder / "model.json").read_text())
    content["warp"] |= {name: value for name, value in change.items() if name in content["warp"]}
    content |= {name: value for name, value in change.items() if name not in content["warp"]}
    (folder / "model.json").write_text(json.dumps(content))
    with pytest.raises(ResourceError, match=r"model\.json cannot be read as a part of a model \(.*\); copy the model"):
        ml.LibraryModel.load(folder)


def test_arrays_that_are_no_safetensors_are_refused_behind_their_hash(tmp_path):
    write_model_files(writing_into(tmp_path), "a model 1", {"x": np.arange(3)}, {}, [])
    (tmp_path / "arrays.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(ResourceError, match="not the file written with the model"):
        read_model_files(tmp_path, "a model 1")
    content = json.loads((tmp_path / "model.json").read_text())
    content["arrays_sha256"] = sha256_of(tmp_path / "arrays.safetensors")
    (tmp_path / "model.json").write_text(json.dumps(content))
    with pytest.raises(ResourceError, match=r"arrays\.safetensors cannot be read as a part of a model"):
        read_model_files(tmp_path, "a model 1")


DAMAGED = {  # file of a run, what is in it
    "cleaning.json": "[{}]",
    "verdict.json": "[1, 2]",
    "curves.csv": "a,b\n1\n",
    "errors.csv": "\xff\xfe",
    "exemplar_0.npz": "PK\x03\x04",
    "provenance.json": "{",
}


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", DAMAGED)
def test_a_report_of_damaged_files_is_refused_or_written(tmp_path, name):
    folder = Path(shutil.copytree(GOLDEN / "compare", tmp_path / "compare"))
    (folder / name).write_text(DAMAGED[name], encoding="latin-1")
    found = CliRunner().invoke(application(), ["report", str(folder)])
    if name == "provenance.json":  # what it holds is shown in the report, which can do without
        assert found.exit_code == 0
        return
    assert isinstance(found.exception, MatlensError), repr(found.exception)
    assert name in str(found.exception)
    assert "\n" not in str(found.exception)


def test_a_set_of_structures_with_a_part_of_another_type_is_refused(tmp_path):
    shutil.copy(GOLDEN / "generate" / "test.h5", tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["names"]
        file["names"] = 3
    with pytest.raises(InputError, match=r"a\.h5 cannot be read as a set of structures"):
        ml.read_structures(tmp_path / "a.h5")


STRUCTURE = ml.Microstructure(np.eye(8, dtype=int))
CALLS = {
    "homogenize": lambda: ml.homogenize(STRUCTURE, conductivity=[1, 10]),
    "characterize": lambda: ml.characterize(STRUCTURE, statistics="two_point"),
    "reconstruct": lambda: ml.reconstruct(STRUCTURE, 64),
    "Microstructure": lambda: ml.Microstructure([[0, 1]], spacing="a"),
    "compare": lambda: ml.compare(STRUCTURE, STRUCTURE, seed="a"),
    "read_library": lambda: ml.read_library(3),
    "read_microstructure": lambda: ml.read_microstructure("a.png", segmentation={"threshold": "otsu"}),
    "write_library": lambda: ml.write_library(STRUCTURE, "a.csv"),
    "prune": lambda: ml.prune(STRUCTURE, n=1.5),
    "read_structures": lambda: ml.read_structures(None),
}


@pytest.mark.parametrize("name", CALLS)
def test_arguments_of_a_wrong_type_get_a_sentence(name):
    sentence = rf"^found .* for the argument \w+ of {name}, expected .*; pass such a value\.$"
    with pytest.raises(InputError, match=sentence):
        CALLS[name]()


def test_the_annotations_of_public_functions_can_be_checked():
    functions = [getattr(ml, name) for name in ml.__all__ if hasattr(getattr(ml, name), "__wrapped__")]
    assert len(functions) >= 16
    for function in functions:
        assert typing.get_type_hints(function.__wrapped__)


def test_what_fits_an_annotation():
    assert fits(np.float64(1), float)
    assert fits(np.array([1, 2]), typing.Sequence[int])
    assert not fits(np.array([1.5]), typing.Sequence[int])
    assert fits({0: 1, "a": 2.5}, typing.Mapping[int | str, float])
    assert not fits({0: "1"}, typing.Mapping[int, float])
    assert fits(Path("a"), str | typing.Any)
    assert fits("auto", typing.Literal["auto"])
    assert not fits(1, typing.Literal[True])
    assert fits(re.match, typing.Callable[..., object])


@pytest.mark.parametrize(
    ("place", "value"),
    [(145, 0x08), (168, 0x50), (176, 0x50)],
    ids=["complex without a part", "type of the name", "type of the values"],
)
def test_arrays_of_matlab_that_would_crash_their_reader_are_refused(tmp_path, place, value):
    savemat(tmp_path / "a.mat", {"m": np.eye(8, dtype=np.uint8)})
    content = bytearray((tmp_path / "a.mat").read_bytes())
    content[place] = value
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(InputError, match=r"^\S*a\.mat cannot be read as .* \(an (array|element) of .* at byte \d+\)"):
        ml.read_microstructure(tmp_path / "a.mat")
