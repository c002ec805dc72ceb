"""Forms of the commands: what the page shows of the declared options, and what their values mean elsewhere."""

from __future__ import annotations

import inspect
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import MISSING
from typing import Any

from matlens.core.settings import check_paths, declared, json_schema, read_options, read_problems, to_settings
from matlens.errors import InputError
from matlens.runs.command import Command
from matlens.studio.folder import Folder

__all__ = ["FIRST", "checked", "command_line", "form_of", "python_of", "shown_line", "values_of", "with_own_paths"]

Values = Mapping[str, Any]

FIRST = {
    "segment": ("file", "threshold", "median", "min_object", "spacing"),
    "characterize": ("files", "threshold"),
    "reconstruct": ("files", "shape", "n", "preset", "method"),
    "compare": ("result", "exemplars"),
    "homogenize": ("file", "conductivity", "boundary"),
    "library learn": ("library", "target", "inputs", "transform"),
}
"""Options that a form shows at once, where they are others than the arguments and the first options of the command."""

_AT_ONCE = 4  # options besides the arguments
_FUNCTIONS = {
    "segment": ("segment", "file", ()),
    "reconstruct": ("reconstruct", "files", ("shape", "n", "preset", "fraction", "method", "seed", "encoder")),
    "characterize": ("characterize", "files", ()),
    "prune": ("prune", "files", ("seed", "preset", "encoder")),
}
"""Function of Python that does the work of a command, its argument, and options that are its parameters."""


def form_of(command: Command) -> dict[str, Any]:
    """Describe the form of a command.

    Parameters
    ----------
    command : Command
        The command.

    Returns
    -------
    dict
        ``name``, ``title`` and ``help``; ``schema``, the JSON Schema of its options; ``order``, their names; and
        ``first``, the names of those that are shown at once.

    Examples
    --------
    >>> from matlens.core.settings import Seeded
    >>> form_of(Command("demo", Seeded, "", "matlens demo"))["order"]
    ['seed']
    """
    found = declared(command.spec)
    plain = [made.name for made in found if made.flags and not made.group]
    first = FIRST.get(command.name) or [*(made.name for made in found if not made.flags), *plain[:_AT_ONCE]]
    title, _, rest = inspect.cleandoc(command.spec.__doc__ or "").partition("\n\n")
    schema = json_schema(command.spec)
    shown = {made.name: {"label": made.label, "choices": made.choices, "kind": made.kind} for made in found}
    for name, facts in shown.items():
        schema["properties"][name] |= facts
    order = sorted((made.name for made in found), key=lambda name: first.index(name) if name in first else len(first))
    return {
        "name": command.name,
        "title": " ".join(title.split()),
        "help": " ".join(rest.split()),
        "schema": schema,
        "order": order,
        "first": list(first),
    }


def checked(command: Command, values: Values, folder: Folder) -> tuple[Any, dict[str, str]]:
    """Read the values of a form as the command line reads its words.

    Parameters
    ----------
    command : Command
        The command.
    values : mapping
        Text, list of texts or yes (True) by name of the option.
    folder : Folder
        Files have to lie inside.

    Returns
    -------
    object or None
        The options; None if a value does not fit.
    dict of str to str
        The sentence for each value that does not fit, by name of its option; "" is the name where it is not one's.
    """
    given = {name: _plain(value) for name, value in values.items() if value not in ("", None, False, [])}
    # A page can send what a command line cannot.
    if broken := [name for name, value in given.items() if not isinstance(value, bool) and "\0" in "".join(value)]:
        return None, dict.fromkeys(broken, "the value holds a null character, which no option can; remove it.")
    problems = read_problems(command.spec, given)
    if problems:
        return None, {name or _cause(command, given, said): said for name, said in problems}
    options = read_options(command.spec, given)
    try:
        for name, path in _paths(options):
            if not os.path.realpath(path).startswith(f"{folder.root}{os.sep}"):
                return None, {name: f"{path} is not in the folder of the studio; copy it there."}
        check_paths(options)
    except InputError as error:
        named = (made.name for made in declared(command.spec) if f"({made.label})" in str(error))
        return None, {next(named, ""): str(error)}
    return options, {}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(str(part) for part in value)
    return value if isinstance(value, bool) else str(value)


def _cause(command: Command, given: Values, said: str) -> str:
    """The option without which a sentence on several goes away."""
    for name in given:
        rest = {other: value for other, value in given.items() if other != name}
        if said not in dict.fromkeys(text for _, text in read_problems(command.spec, rest)):
            return name
    return ""


def _paths(options: Any) -> list[tuple[str, str]]:
    """Every absolute path among the options, wherever it stands: those of files are absolute."""
    found = []
    for name, value in to_settings(options).items():
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        found += [(name, part) for part in parts if isinstance(part, str) and os.path.isabs(part)]
    return found


def command_line(command: Command, values: Values) -> list[str]:
    """Write the values of a form as words of the command line.

    Parameters
    ----------
    command : Command
        The command.
    values : mapping
        As in `checked`.

    Returns
    -------
    list of str
        The words after ``matlens``.

    Examples
    --------
    >>> from matlens.core.settings import Seeded
    >>> command_line(Command("demo", Seeded, "", "matlens demo"), {"seed": "3"})
    ['demo', '--seed', '3']
    """
    words, arguments = command.name.split(), []
    for made in declared(command.spec):
        value = values.get(made.name)
        if value in ("", None, False, []):
            continue
        texts = [str(part) for part in value] if isinstance(value, list | tuple) else [str(value)]
        if not made.flags:
            arguments += texts
        elif made.kind == "flag":
            words.append(made.label)
        else:
            words += [word for text in texts for word in (made.label, text)]
    # A file whose name begins with a hyphen is no option.
    return [*words, *(["--"] if any(text.startswith("-") for text in arguments) else []), *arguments]


def python_of(command: Command, values: Values) -> str:
    """Write the values of a form as lines of Python.

    Parameters
    ----------
    command : Command
        The command.
    values : mapping
        As in `checked`.

    Returns
    -------
    str
        Calls of the public functions where they do all of it, and else of the command line.
    """
    given = {name: value for name, value in values.items() if value not in ("", None, False, [])}
    name, argument, parameters = _FUNCTIONS.get(command.name, ("", "", ()))
    files = given.pop(argument, None)
    own = {key: given[key] for key in given if key in parameters}
    cleaning = {key: given[key] for key in given if key not in parameters}
    if not name or not files or not set(cleaning) <= _reading():
        words = ", ".join(repr(word) for word in ["matlens", *command_line(command, values), "-o", "run"])
        return f"import subprocess\n\nsubprocess.run([{words}], check=True)\n"
    files = [files] if isinstance(files, str) else files
    spec: Any = read_options(
        command.spec, {key: _plain(value) for key, value in values.items() if value not in ("", [])}
    )
    read = "".join(f", {key}={getattr(spec, key)!r}" for key in cleaning)
    called = "".join(f", {key}={getattr(spec, key)!r}" for key in own)
    if command.name == "segment":
        made = f"ml.segment({files[0]!r}, ml.CleaningOptions({read[2:]}))" if read else f"ml.segment({files[0]!r})"
        return f"import matlens as ml\n\nways = {made}\nstructure = ways[0].found.microstructure\n"
    reads = [f"ml.read_microstructure({file!r}{read})" for file in files]
    given_files = reads[0] if len(reads) == 1 else "[\n    " + ",\n    ".join(reads) + ",\n]"
    return f"import matlens as ml\n\nmicrograph = {given_files}\nresult = ml.{name}(micrograph{called})\n"


def _reading() -> set[str]:
    """Options of reading that `matlens.read_microstructure` and `matlens.CleaningOptions` take by name."""
    from matlens.microstructure.segmentation.options import CleaningOptions

    return {made.name for made in declared(CleaningOptions)}


def values_of(command: Command, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Write the options of a run as values of a form, to repeat it with changes.

    Parameters
    ----------
    command : Command
        The command.
    settings : mapping
        Options as settings.toml holds them.

    Returns
    -------
    dict
        Values as in `checked`, without those that are the defaults.
    """
    found: dict[str, Any] = {}
    for made in declared(command.spec):
        if made.name not in settings:
            continue
        value = settings[made.name]
        if made.default is not MISSING and value == _as_stored(made.default):
            continue
        if isinstance(value, dict):
            pairs = [f"{key}={part}" for key, part in value.items()]
            found[made.name] = pairs if made.many else ",".join(pairs)
        elif isinstance(value, list):
            texts = [str(part) for part in value]
            sides = "ROWSx" in made.metavar
            found[made.name] = texts if made.many else ("x" if sides else ",").join(texts)
        else:
            found[made.name] = value if isinstance(value, bool) else str(value)
    return found


def with_own_paths(values: Values, folder: Folder) -> dict[str, Any]:
    """Write the paths of files inside the folder as relative ones, as the page shows them.

    Parameters
    ----------
    values : mapping
        As in `checked`.
    folder : Folder
        The studio's folder.

    Returns
    -------
    dict
        The values.
    """
    root = f"{folder.root}{os.sep}"
    return {
        name: [part.removeprefix(root) for part in value]
        if isinstance(value, list)
        else value.removeprefix(root)
        if isinstance(value, str)
        else value
        for name, value in values.items()
    }


def _as_stored(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def shown_line(words: Sequence[str]) -> str:
    """Write words as a line that a shell reads.

    Parameters
    ----------
    words : sequence of str
        The words after ``matlens``.

    Returns
    -------
    str
        The line.

    Examples
    --------
    >>> shown_line(["segment", "my file.tif"])
    "matlens segment 'my file.tif'"
    """
    return shlex.join(["matlens", *words])
