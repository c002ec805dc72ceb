"""What the golden tests share. Nothing here knows where in the package a thing lies: they outlast a rearrangement.

``MATLENS_UPDATE_GOLDEN=1 pytest tests/golden`` writes the golden files anew instead of comparing; look at ``git diff``
then. The runs in ``runs_0`` are never written anew: an older version made them (see make_runs_0.py).
"""

import os
import re
import shutil
import sys
import tomllib
from html import unescape
from pathlib import Path

import pytest
import typer
from matplotlib.figure import Figure
from pages import faults

from matlens.cli.app import application, main

GOLDEN = Path(__file__).parent
OLD = GOLDEN / "runs_0"
UPDATE = os.environ.get("MATLENS_UPDATE_GOLDEN") == "1"

collect_ignore = ["make_runs_0.py"]  # imports from places of the version before


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds; leave out with -m 'not slow'")


def commands(group=None, before=()):
    """Every command of the console script in words, groups included: (), ("learn",), ("library", "learn"), ..."""
    group = group or typer.main.get_command(application())
    found = [before]
    for name, command in getattr(group, "commands", {}).items():
        found += commands(command, (*before, name))
    return found


def pytest_generate_tests(metafunc):
    if "command" in metafunc.fixturenames:
        found = commands()
        metafunc.parametrize("command", found, ids=[" ".join(("matlens", *words)) for words in found])


class Golden:
    """Compares texts with the files beside the tests, or writes them."""

    folder, update = GOLDEN, UPDATE

    def holds(self, name, text):
        file, text = GOLDEN / name, text.rstrip("\n") + "\n"  # as all text files of the project end
        if UPDATE:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        assert file.is_file(), f"{name} is not there; write it with MATLENS_UPDATE_GOLDEN=1"
        assert text.splitlines() == file.read_text(encoding="utf-8").splitlines()

    def has_no_other(self, folder, names):
        """No file of the folder belongs to something that is no more."""
        stale = {file.name for file in (GOLDEN / folder).iterdir()} - set(names)
        if UPDATE:
            for name in stale:
                (GOLDEN / folder / name).unlink()
        assert UPDATE or not stale


@pytest.fixture
def golden():
    return Golden()


@pytest.fixture
def matlens(monkeypatch, capsys, tmp_path):
    """Run a command line as the console script does: gives exit code, output and errors."""
    for name, value in {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1", "XDG_CACHE_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["matlens"])
    monkeypatch.setattr(sys.modules["__main__"], "__package__", None, raising=False)  # or usage names pytest

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return end.value.code or 0, printed.out, printed.err

    return run


@pytest.fixture
def all_commands():
    return commands()


@pytest.fixture
def of_library(all_commands):
    """The words of a command on libraries: in the group ``library`` where there is one."""
    return lambda name: ("library", name) if ("library", name) in all_commands else (name,)


@pytest.fixture
def undrawn(monkeypatch):
    """Figures are made and not drawn: drawing takes most of the time of a small run."""
    monkeypatch.setattr(Figure, "savefig", lambda self, file, **options: file.write(b"drawn"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, and the present one."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def old(folder):
    """Copy old runs, or their inputs, into the present folder: ``old("learn", "new.csv")``; gives the first's path."""

    def copied(*names):
        for name in names:
            if (OLD / name).is_dir():
                shutil.copytree(OLD / name, folder / name)
                for listing in (folder / name).rglob(".state/files.txt"):  # figures were left out of what is kept
                    for file in listing.read_text(encoding="utf-8").splitlines():
                        (listing.parents[1] / file).parent.mkdir(parents=True, exist_ok=True)
            else:
                shutil.copy(OLD / name, folder / name)
        return folder / names[0]

    return copied


@pytest.fixture
def headings():
    """The headings of a run's report, indented by their level."""

    def listed(run):
        html = (Path(run) / "report.html").read_text(encoding="utf-8")
        found = re.findall(r"<h([123])[^>]*>(.*?)</h\1>", html, flags=re.DOTALL)
        texts = ((int(level), " ".join(unescape(re.sub(r"<[^>]+>", "", text)).split())) for level, text in found)
        return "".join(f"{'  ' * (level - 1)}{text}\n" for level, text in texts)

    return listed


@pytest.fixture
def sound():
    """Fail where the report of a finished run is no sound page, or contradicts itself or its tables."""

    def checked(run):
        assert not list(faults(Path(run) / "report.html"))

    return checked


@pytest.fixture
def settings_tree():
    """The keys of a run's settings.toml with the types of their values, not the values."""

    def typed(run):
        return "".join(tree(tomllib.loads((Path(run) / "settings.toml").read_text(encoding="utf-8"))))

    return typed


@pytest.fixture
def same_machine():
    """Whether two runs had the same versions and the same processor, so that their bytes are the same."""

    def compared(*folders):
        found = [tomllib.loads((Path(run) / "settings.toml").read_text("utf-8"))["environment"] for run in folders]
        return all(one | {"matlens": ""} == found[0] | {"matlens": ""} for one in found)

    return compared


def tree(table, indent=""):
    for key in sorted(table):
        value = table[key]
        if isinstance(value, dict):
            yield f"{indent}{key}:\n"
            yield from tree(value, indent + "  ")
        else:
            yield f"{indent}{key}: {kind(value)}\n"


def kind(value):
    if isinstance(value, list):
        return f"list of {' or '.join(sorted({kind(item) for item in value})) or 'nothing'}"
    return type(value).__name__
