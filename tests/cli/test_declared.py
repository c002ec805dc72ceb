"""Options and commands are declared once: what is derived from them agrees, and deriving it loads nothing heavy."""

import inspect
import json
import subprocess
import sys
from dataclasses import MISSING
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import matlens as ml
from matlens.cli.registry import FOLDERS, commands
from matlens.core.settings import declared, json_schema, option_table, read_options, to_settings
from matlens.errors import InputError
from matlens.runs.command import Command
from matlens.runs.directory import RunDirectory

GOLDEN = Path(__file__).parents[1] / "golden" / "new_runs"
COMMANDS = {command.name: command for command in commands()}
HEAVY = ("torch", "scipy", "pandas", "matplotlib", "skimage", "sklearn", "xarray")

# The public functions that a command does the work of. Values: function; the Spec's name -> Python's name, where they
# differ on purpose; and fields that are no parameter of Python's: files, how they are read, what is tried beside.
HERE = {"threads", "files", "file", "structures", "library", "model"}
MIRRORS = {
    ("reconstruct", ml.reconstruct): ({}, {"set", "target", "plane", "target_resamples"}),
    ("characterize", ml.characterize): ({}, {"seed", "device", "memory", "blocks", "reach"}),
    ("prune", ml.prune): ({}, set()),
    ("homogenize", ml.homogenize): ({"precision": "dtype"}, {"memory", "window"}),
    # A command without contrasts would have nothing to learn from: it makes stiffnesses too.
    ("generate", ml.Recipe): ({}, {"n", "test", "workers", "stiffness_contrasts"}),
    ("learn", ml.StructurePropertyModel): ({}, {"weights", "target", "labels", "test", "curve", "draws"}),
    ("library learn", ml.LibraryModel): (
        {},
        {"target", "held_out", "folds", "repeats", "systems", "baselines", "scoring_models", "preprocessing"},
    ),
    ("library suggest", ml.Campaign): (
        {},
        {"n", "insight", "tested", "increment", "bounds", "forbidden", "most", "device"},
    ),
    ("library suggest", ml.Limits): (
        {},
        {"n", "insight", "minimise", "least_support", "tested", "moves", "apart", "seed", "device", "bounds"},
    ),
}


def of_reading(name):
    from matlens.library.commands.options import Table
    from matlens.microstructure.commands.options import Micrographs

    return name in {made.name for cls in (Micrographs, Table) for made in declared(cls)}


@pytest.mark.parametrize(("name", "function"), MIRRORS)
def test_python_repeats_the_declared_options(name, function):
    renamed, own = MIRRORS[name, function]
    parameters = inspect.signature(function).parameters
    for made in declared(COMMANDS[name].spec):
        if made.name in own | HERE or of_reading(made.name):
            continue
        parameter = parameters[renamed.get(made.name, made.name)]
        expected = inspect.Parameter.empty if made.default is MISSING else made.default
        assert parameter.default == expected, made.name


def test_deriving_everything_loads_nothing_heavy():
    code = f"""
import sys, json
from matlens.cli.registry import commands
from matlens.core.settings import declared, json_schema, option_table
from matlens.cli.app import application
for command in commands():
    json.dumps(json_schema(command.spec)); option_table(command.spec); declared(command.spec)
print([name for name in {HEAVY} if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.strip() == "[]", ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["characterize", "nowhere.tif"],
        ["reconstruct", "nowhere.tif", "--preset", "default"],
        ["reconstruct", "nowhere.tif", "--preset", "best"],
        ["compare", "nowhere.tif", "nowhere.tif"],
    ],
)
def test_a_missing_file_or_a_wrong_choice_is_found_before_anything_heavy_loads(arguments, tmp_path):
    code = (
        f"import sys\nfrom matlens.cli.app import main\n"
        f"try:\n    main({arguments})\nexcept SystemExit as end:\n    print(end.code)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert ran.stdout.split("\n")[:2] == ["2", "[]"], ran.stdout + ran.stderr
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is(name):
    found = declared(COMMANDS[name].spec)
    # How a file is read is a part of the help by itself.
    assert len([one for one in found if not of_reading(one.name)]) <= 20
    for made in found:
        assert len(made.help.split()) >= 2, made.name
        assert made.help[0].isupper() or made.help.split()[0].rstrip(",") in ("otsu", "snv"), made.help
        assert made.help.endswith("."), made.help
    flags = [flag for made in found for flag in made.flags]
    assert len(flags) == len(set(flags))


@pytest.mark.parametrize("name", COMMANDS)
def test_schema_and_table_hold_every_option(name):
    spec = COMMANDS[name].spec
    schema = json.loads(json.dumps(json_schema(spec)))
    assert schema["additionalProperties"] is False
    names = [made.name for made in declared(spec)]
    assert sorted(schema["properties"]) == sorted(names)
    assert all(properties["description"] for properties in schema["properties"].values())
    assert option_table(spec).count("\n") == len(names) + 1


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_a_folder_and_a_line(name):
    command = COMMANDS[name]
    assert isinstance(command, Command)
    # Batches share run and report: each has a line of its own, and a folder with its options.
    assert any(folder == command.folder or folder.startswith(f"{command.folder}.") for folder in FOLDERS)
    report = import_module(f"{command.folder}.report")
    assert hasattr(report, "PAGE") or hasattr(report, "page_of")
    assert command.example.startswith(f"matlens {name}")


ALTERNATIVES = {"homogenize": {"conductivity": "0=1,1=50"}}  # commands that need one of several options


@pytest.mark.parametrize("name", COMMANDS)
def test_options_survive_a_settings_file(name):
    spec = COMMANDS[name].spec
    needed = {made.name: ("a", "b") if made.many else "a" for made in declared(spec) if made.default is MISSING}
    made = read_options(spec, needed | ALTERNATIVES.get(name, {}))
    assert read_options(spec, json.loads(json.dumps(to_settings(made)))) == made


def test_sentences_for_bad_values_name_option_value_and_choices():
    spec = COMMANDS["reconstruct"].spec
    for values, parts in (
        ({"preset": "best"}, ("'best'", "--preset", "default, fast or li2018")),
        ({"n": "many"}, ("'many'", "--number", "a whole number")),
        ({"n": "0"}, ("'0'", "--number", "at least 1")),
        ({"sed": "3"}, ("'sed'", "'seed'")),
        ({"method": "magic"}, ("'magic'", "--method", "annealing")),
    ):
        with pytest.raises(InputError) as error:
            read_options(spec, values)
        assert all(part in str(error.value) for part in parts), str(error.value)


def test_shares_are_fractions_or_decimals_from_0_to_1():
    spec, files = COMMANDS["prune"].spec, {"files": ["a.npy"]}
    assert read_options(spec, {**files, "widths": "1,1/2, .25,0"}).widths == (1.0, 0.5, 0.25, 0.0)
    for wrong in ("2", "1,-1/2", "1/0", "half", "nan"):
        with pytest.raises(InputError, match="is not understood; write a list such as 1,1/2"):
            read_options(spec, {**files, "widths": wrong})


def test_in_python_the_same_sentence_names_the_field():
    with pytest.raises(InputError, match="found 'best' for preset; choose default, fast or li2018"):
        COMMANDS["reconstruct"].spec(preset="best")


@pytest.mark.parametrize(
    "name", [name for name in COMMANDS if not name.endswith("demo") and not name.startswith("batch")]
)
def test_results_that_a_command_declares_are_files_of_its_golden_run(name):
    group, _, word = name.rpartition(" ")
    golden = word if not group or word == "suggest" else f"{word}_{group}"
    made = (GOLDEN / f"{golden}.files.txt").read_text(encoding="utf-8").splitlines()
    assert COMMANDS[name].results
    assert set(COMMANDS[name].results) <= set(made)


@pytest.mark.parametrize("command", ["inspect", "segment"])
def test_commands_without_pytorch_do_not_load_it(command, tmp_path):
    """Loading it takes longer than such a command works. The run of one says nothing about its threads."""
    np.save(tmp_path / "grey.npy", np.random.default_rng(0).normal(100, 30, (48, 48)))
    more = ["-o", "run"] if command == "segment" else []
    code = (
        f"import sys\nfrom matlens.cli.app import main\n"
        f"try:\n    main({[command, 'grey.npy', *more]})\nexcept SystemExit as end:\n    print(end.code)\n"
        "print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert ran.stdout.split("\n")[-3:-1] == ["0", "False"], ran.stdout + ran.stderr
    if more:
        kept = RunDirectory(tmp_path / "run").settings["environment"]
        assert kept["device"] == "cpu"
        assert not {"threads", "processor"} & kept.keys()
