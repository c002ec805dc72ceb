"""Forms hold every option of every command, and say the same thing as the command line and Python."""

import inspect
import subprocess
import sys

import pytest

import matlens as ml
from matlens.cli.registry import commands
from matlens.core.settings import declared, read_options, to_settings
from matlens.studio import forms
from matlens.studio.folder import Folder

COMMANDS = {command.name: command for command in commands()}
EXAMPLES = {
    "reconstruct": {"files": ["a.png", "b c.png"], "shape": "64x96", "n": "2", "threshold": "multiotsu:3", "seed": "7"},
    "segment": {"file": "a.png", "median": "3", "invert": True, "crop": "0:50,10:60"},
    "library learn": {"library": "t.csv", "target": "P", "held_out": "grouped,regions"},
    "homogenize": {"file": "a.png", "conductivity": "0=1.0,1=50.0"},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_form_holds_every_option(name):
    form = forms.form_of(COMMANDS[name])
    assert sorted(form["order"]) == sorted(made.name for made in declared(COMMANDS[name].spec))
    assert set(form["first"]) <= set(form["order"])
    assert form["order"][: len(form["first"])] == form["first"]
    assert all(form["schema"]["properties"][option]["description"] for option in form["order"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_values_mean_the_same_in_the_form_on_the_command_line_and_when_repeated(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command, values = COMMANDS[name], EXAMPLES[name]
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    wanted = read_options(command.spec, given)
    again = forms.values_of(command, to_settings(wanted))
    assert (
        read_options(command.spec, {key: tuple(v) if isinstance(v, list) else v for key, v in again.items()}) == wanted
    )
    relative = forms.with_own_paths(again, Folder(tmp_path))
    assert forms.command_line(command, relative)[-1] == forms.command_line(command, values)[-1]
    words = forms.command_line(command, values)
    code = f"""
import sys
from matlens.cli import app
found = []
app.carry_out = lambda command, options, *more: found.append(options)
app.application()({words!r}, standalone_mode=False)
from matlens.core.settings import to_settings
print(to_settings(found[0]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(to_settings(wanted))


@pytest.mark.parametrize("name", forms._FUNCTIONS)
def test_python_names_parameters_that_there_are(name):
    function, argument, parameters = forms._FUNCTIONS[name]
    assert {argument, *parameters} <= {made.name for made in declared(COMMANDS[name].spec)}
    assert set(parameters) <= set(inspect.signature(getattr(ml, function)).parameters)


def test_python_is_whole_and_does_all_that_was_asked_for():
    made = forms.python_of(COMMANDS["reconstruct"], EXAMPLES["reconstruct"])
    compile(made, "page", "exec")
    assert "read_microstructure('b c.png', threshold='multiotsu:3')" in made
    assert "shape=(64, 96), n=2, seed=7" in made
    made = forms.python_of(COMMANDS["segment"], EXAMPLES["segment"])
    compile(made, "page", "exec")
    assert "ml.CleaningOptions(median=3, invert=True, crop='0:50,10:60')" in made
    # What the function cannot take is left to the command line, and not left out.
    made = forms.python_of(COMMANDS["reconstruct"], {"files": ["a.png"], "set": ["reach=12"]})
    compile(made, "page", "exec")
    assert "'--set', 'reach=12'" in made


def test_each_sentence_stands_at_the_option_that_caused_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Folder(tmp_path)
    (tmp_path / "a.png").write_bytes(b"x")

    def errors(**values):
        return forms.checked(COMMANDS["reconstruct"], {"files": ["a.png"], **values}, folder)[1]

    assert errors() == {}
    assert errors(n="0", preset="slow") == {
        "n": "found '0' for --number; it must be at least 1.",
        "preset": "found 'slow' for --preset; choose default, fast or li2018.",
    }
    assert list(errors(threshold="much")) == ["threshold"]
    assert list(errors(crop="all")) == ["crop"]
    assert errors(files=["b.png"]) == {"files": "there is no file or folder b.png (FILE); check the path."}
    for path in ("/etc/passwd", "../a.png"):
        assert "is not in the folder of the studio" in errors(files=[path])["files"]
        assert "is not in the folder of the studio" in errors(mask=path)["mask"]
    (tmp_path / "link.png").symlink_to("/etc/passwd")
    assert "is not in the folder" in errors(files=["link.png"])["files"]
