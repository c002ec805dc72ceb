"""The command line as a newcomer meets it: groups, examples, completion, wildcards, settings files, the browser."""

import os
import subprocess
import sys
import webbrowser

import pytest
import typer

from matlens.cli import app, work
from matlens.cli.app import OTHERS, application, main
from matlens.cli.options import Destination, Spreading, Verbosity
from matlens.cli.registry import commands
from matlens.cli.run import RunSpec
from matlens.cli.run import run as run_again
from matlens.errors import InputError


def ended(*arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


def test_no_word_prints_the_help_and_no_error(capsys):
    assert not ended()
    printed = capsys.readouterr()
    assert "Microstructures" in printed.out
    assert printed.err == ""


def test_every_command_stands_in_a_named_panel_and_shows_an_example():
    group = typer.main.get_command(application())
    for name, command in group.commands.items():
        assert command.rich_help_panel in app._PANELS, name
        if name not in app._GROUPS:
            assert "Example: matlens " in command.help, name
    examples = [command.example for command in commands()] + [other.example for other in OTHERS]
    assert all(example.startswith("matlens ") for example in examples)


def test_the_shell_completes_commands_options_and_choices():
    def completed(words):
        code = "import sys; sys.argv[0] = 'matlens'; from matlens.cli.app import main; main()"
        asked = {"_MATLENS_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **asked})
        return ran.stdout.split()

    assert completed("matlens rec") == ["reconstruct"]
    assert "quilting" in completed("matlens reconstruct --method q")


def test_a_pattern_stands_for_its_files_where_the_shell_leaves_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text("x\n1\n")
    asked = []
    monkeypatch.setattr(app, "OTHERS", (app.Other(OTHERS[0].spec, lambda spec, _: asked.append(spec), "matlens x"),))
    monkeypatch.setitem(app._PANELS, "Start", ("<lambda>",))
    assert not ended("<lambda>", "*.csv")
    assert [os.path.basename(file) for file in asked[0].files] == ["a.csv", "b.csv"]
    assert not ended("<lambda>", "*.tif")  # nothing fits: the pattern itself is what is not found
    assert asked[1].files[0].endswith("*.tif")


def test_a_settings_file_runs_again(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("matlens.cli.run.carry_out", lambda command, options, *_: asked.append((command.name, options)))
    file = tmp_path / "settings.toml"
    file.write_text('command = "reconstruct"\n[options]\nfiles = ["/data/m.png"]\nshape = [64, 96]\nseed = 3\n')
    assert not ended("run", file)
    name, options = asked[0]
    assert (name, options.files, options.shape, options.seed) == ("reconstruct", ("/data/m.png",), (64, 96), 3)
    for text, said in (
        ('command = "paint"\n', "'paint', which does not exist"),
        ("seed = 3\n", "no entry 'command'"),
        ("command = \n", "cannot be read"),
        ('command = "reconstruct"\n[options]\nseeds = 3\n', "there is no option 'seeds'"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=said):
            run_again(RunSpec(settings=file), Destination(), Verbosity(), Spreading())


def test_the_report_is_opened_or_the_lack_of_a_browser_is_said(tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or len(opened) == 1)
    work.open_in_browser(tmp_path / "report.html")
    assert opened == [(tmp_path / "report.html").as_uri()]
    assert capsys.readouterr().err == ""
    work.open_in_browser(tmp_path / "report.html")
    assert "no web browser was found" in capsys.readouterr().err


def test_messages_bear_no_names_of_modules(capsys):
    code = (
        "import logging\nfrom matlens.cli.options import Verbosity\nfrom matlens.cli.work import set_up_logging\n"
        "set_up_logging(Verbosity())\n"
        "logging.getLogger('matlens.runs.predict').warning('1 structure is unlike these.')\n"
        "logging.getLogger('tifffile').error('<tifffile.TiffPage 3> has an odd tag')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stderr == "note: 1 structure is unlike these.\n"
