import re
import subprocess
import sys

import pytest

from matlens.cli.app import main


def test_importing_matlens_loads_nothing_heavy():
    code = "import sys, matlens; print([m for m in ('torch', 'numpy', 'pandas', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize("command", [[], ["reconstruct"], ["characterize"], ["fetch"]])
def test_help_loads_nothing_heavy(command):
    code = (
        "import sys\nfrom matlens.cli.app import main\n"
        f"try:\n    main({[*command, '--help']})\nexcept SystemExit as end:\n    assert not end.code\n"
        "print([m for m in ('torch', 'numpy', 'pandas', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.strip().endswith("[]"), ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuchcommand"],
        ["reconstruct"],
        ["reconstruct", "x.npy", "--nosuchoption"],
        ["compare", "only-one"],
        ["library", "nosuchcommand"],
    ],
)
def test_wrong_usage_is_one_sentence(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    error = capsys.readouterr().err
    assert end.value.code == 2
    assert error.count("\n") == 1
    assert "--help" in error


@pytest.mark.parametrize(("option", "value"), [("-n", "0"), ("--threads", "0"), ("--seed", "-1"), ("--seed", "x")])
def test_a_number_out_of_range_is_named(option, value, capsys):
    with pytest.raises(SystemExit) as end:
        main(["reconstruct", "x.npy", option, value])
    error = capsys.readouterr().err
    assert end.value.code == 2
    assert error.count("\n") == 1
    assert repr(value) in error


def test_a_command_that_has_moved_to_a_group_is_named(capsys):
    with pytest.raises(SystemExit) as end:
        main(["suggest", "model"])
    assert end.value.code == 2
    assert "use 'matlens library suggest'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["library"], ["characterize"], ["library", "learn"]])
def test_the_help_shows_no_types_of_python(words, capsys):
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    shown = capsys.readouterr().out
    assert not re.search(r"<(bool|str|int|float|list)", shown), shown


@pytest.mark.parametrize("words", [[], ["library"]])
def test_without_a_command_the_help_is_shown(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    shown = capsys.readouterr()
    assert end.value.code == 0
    assert "Usage:" in shown.out
    assert shown.err == ""


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out[0].isdigit()
