"""A new option is a field, and a new command a folder and a line; both run from the command line to the report."""

import tomllib
from importlib import import_module

import pytest
from recipes import code, files_in, line_in

from matlens.cli.app import main
from matlens.cli.registry import commands
from matlens.core.settings import json_schema, option_table
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import bicontinuous
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each

pytestmark = pytest.mark.end_to_end

HOME = "matlens.microstructure.commands"
SPEC, RUN, REPORT, LINE = code("A command")
(FIELD,) = code("An option of a command")
PATIENT = {
    "patient/__init__.py": "",
    "patient/spec.py": f'''
from typing import Annotated

from matlens.core.settings import option, options
from matlens.microstructure.commands.reconstruct.spec import ReconstructSpec
from matlens.runs.command import Command

@options
class PatientSpec(ReconstructSpec):
    """Reconstruct, with one more option."""

{FIELD}

COMMAND = Command("patient", PatientSpec, __package__, example="matlens patient a.tif")
''',
    "patient/run.py": """
from matlens.runs.command import Prepared

def prepare(spec, environment):
    return Prepared(spec, "")

def work(run, progress, found=None):
    pass
""",
    "patient/report.py": """
from matlens.report.parts import Page

PAGE = Page("Patience", lambda run: "", (), lambda run: ("li2018transfer",))
""",
}


@pytest.fixture
def patient(tmp_path):
    with files_in(HOME, tmp_path / "package", PATIENT), line_in("matlens.cli.registry", "FOLDERS", f'"{HOME}.patient"'):
        yield {command.name: command for command in commands()}["patient"]


@pytest.fixture
def windows(tmp_path):
    files = {"__init__.py": "", "spec.py": SPEC, "run.py": RUN, "report.py": REPORT}
    files = {f"windows/{name}": text for name, text in files.items()}
    with files_in(HOME, tmp_path / "package", files), line_in("matlens.cli.registry", "FOLDERS", LINE):
        for seed in (1, 2):
            write_microstructure(bicontinuous((32, 32), wavelength=8, seed=seed), tmp_path / f"{seed}.npz")
        yield ["windows", *(str(tmp_path / f"{seed}.npz") for seed in (1, 2)), "--side", "16"]


def outcome(*arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


def test_a_field_is_an_option_wherever_options_are(patient, tmp_path, capsys):
    assert json_schema(patient.spec)["properties"]["patience"]["minimum"] == 1
    assert "| `--patience` | 50 | Evaluations without progress after which to stop. [evaluations] |" in option_table(
        patient.spec
    )
    assert outcome("patient", "--help") == 0
    assert "--patience" in capsys.readouterr().out
    assert outcome("patient", "--patience", "0") == 2
    assert "found '0' for --patience; it must be at least 1." in capsys.readouterr().err
    assert outcome("patient", "--patience", "7", "-o", tmp_path / "run") == 0
    assert tomllib.loads((tmp_path / "run" / "settings.toml").read_text())["options"]["patience"] == 7


def test_a_folder_is_a_command(windows, tmp_path, capsys):
    assert outcome("windows", "--help") == 0
    shown = capsys.readouterr().out
    assert "how volume fractions scatter" in shown
    assert "--side" in shown
    assert outcome(*windows, "-o", tmp_path / "run") == 0
    shown = capsys.readouterr().out
    assert "2 micrographs in windows of 16 px; about 1 s" in shown
    assert (tmp_path / "run" / "windows.csv").read_text().count("\n") == 1 + 2 * 4
    assert tomllib.loads((tmp_path / "run" / "settings.toml").read_text())["options"]["side"] == 16
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Volume fractions in windows." in report
    assert "Random Heterogeneous Materials" in report
    (tmp_path / "run" / "report.html").unlink()
    assert outcome("report", tmp_path / "run") == 0
    assert (tmp_path / "run" / "report.html").is_file()


def test_it_resumes_to_the_same_bytes(windows, tmp_path, monkeypatch):
    assert outcome(*windows, "-o", tmp_path / "whole") == 0
    home = import_module(f"{HOME}.windows.run")
    measure, measured = home.measure, []

    def stopping(item):
        if len(measured) == 1:
            raise KeyboardInterrupt
        measured.append(item)
        return measure(item)

    monkeypatch.setattr(home, "measure", stopping)
    assert outcome(*windows, "-o", tmp_path / "run") == 130
    assert [file.name for file in (tmp_path / "run/.state/windows").iterdir()] == ["file_0.csv"]
    again = []
    monkeypatch.setattr(home, "measure", lambda item: again.append(item) or measure(item))
    assert outcome("resume", tmp_path / "run") == 0
    assert len(again) == 1
    for name in ("windows.csv", "exemplar_0.npz"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_the_example_of_work_that_resumes_runs(tmp_path):
    (example,) = code("Work that resumes")
    names = {"folder": tmp_path / "run"}
    exec(example, names)
    assert names["total"] == 13
    with RunDirectory(tmp_path / "run") as run:
        assert (run.path / "total.json").is_file()
        assert not list((run.path / ".state").glob("square/*"))
        assert names["each"] is each
