"""Public names, signatures, helps, settings and reports are what the golden files beside this one say.

See conftest.py for how to write them anew.
"""

import inspect
import re
from importlib.metadata import version

import pytest

import matlens as package


def test_public_names(golden):
    golden.holds("names.txt", "".join(f"{name}\n" for name in sorted(package.__all__)))


def test_signatures_of_public_callables(golden):
    lines = []
    for name in sorted(package.__all__):
        public = getattr(package, name)
        if not callable(public):
            continue
        lines.append(f"{name}{signature(public)}")
        if isinstance(public, type):
            lines += [f"    .{member}{signature(getattr(public, member))}" for member in members(public)]
    golden.holds("signatures.txt", "".join(f"{line}\n" for line in lines))


def members(public):
    """Public methods and properties that this package defines, without what scikit-learn adds (set_..._request)."""
    defined = (vars(base) for base in public.__mro__ if base.__module__.split(".")[0] == "matlens")
    names = {name for content in defined for name in content if not re.match("_|set_[a-z_]+_request$", name)}
    return sorted(name for name in names if hasattr(public, name))


def signature(public):
    """Names, kinds and defaults of the parameters, without annotations; nothing for what is not called."""
    if not callable(public):
        return ""
    if isinstance(public, type) and issubclass(public, Exception) and "__init__" not in vars(public):
        return "(...)"  # Python's own, and told differently by its versions
    parameters = inspect.signature(public).parameters.values()
    bare = [one.replace(annotation=inspect.Parameter.empty, default=shown(one.default)) for one in parameters]
    return str(inspect.Signature(bare))


class Shown:
    """Prints as it is told to."""

    def __init__(self, text):
        self._text = text

    def __repr__(self):
        return self._text


def shown(default):
    if default is inspect.Parameter.empty:
        return default
    if inspect.isclass(default) or inspect.isroutine(default):
        return Shown(default.__qualname__)
    return Shown(re.sub(r" at 0x[0-9a-f]+", "", repr(default)))


def test_help(command, matlens, golden):
    made_with = (golden.folder / "help_made_with.txt").read_text(encoding="utf-8") if not golden.update else ""
    if not golden.update and made_with != versions():
        pytest.skip(f"the helps were made with {made_with.strip()}, and others lay them out in another way")
    golden.holds("help_made_with.txt", versions())
    code, out, err = matlens(*command, "--help")
    assert (code, err) == (0, "")
    text = re.sub(r"\x1b\[[0-9;]*m", "", out)
    golden.holds(f"help/{help_file(command)}", "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines()))


def versions():
    return f"typer {version('typer')}, rich {version('rich')}\n"


def help_file(command):
    return "-".join(("matlens", *command)) + ".txt"


def test_every_help_is_of_a_command(golden, all_commands):
    golden.has_no_other("help", [help_file(words) for words in all_commands])
