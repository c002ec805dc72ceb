"""``matlens run``: do again what a settings file says, which every run leaves in its folder."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from matlens.cli.options import Destination, Spreading, Verbosity
from matlens.cli.registry import commands
from matlens.cli.work import carry_out
from matlens.core.guard import reading
from matlens.core.settings import check_paths, option, options, read_options
from matlens.errors import InputError
from matlens.runs.former import in_present_layout

__all__ = ["RunSpec", "run"]


@options
class RunSpec:
    """Carry out the command of a settings file with its options: that of an earlier run, copied or changed by hand.

    Only the entry 'command' and the table 'options' are read, and options that are left out take their defaults.
    """

    settings: Annotated[
        Path,
        option("A settings.toml, as every run writes it.", argument=True, metavar="SETTINGS.TOML", exists="file"),
    ]


def run(spec: RunSpec, destination: Destination, verbosity: Verbosity, spreading: Spreading) -> None:
    """Start a run with the options of a settings file.

    Parameters
    ----------
    spec : RunSpec
        Options of the command.
    destination : Destination
        Where results go.
    verbosity : Verbosity
        How much is printed.
    spreading : Spreading
        Who shares the work.

    Raises
    ------
    InputError
        If the file is no such file, names an unknown command, or an option does not fit.
    """
    check_paths(spec)
    content = _read(spec.settings)
    known = {command.name: command for command in commands()}
    name = str(content["command"])
    if name not in known:
        raise InputError(
            f"{spec.settings} has the command {name!r}, which does not exist; write one of {', '.join(known)}."
        )
    command = known[name]
    carry_out(command, read_options(command.spec, content.get("options", {})), destination, verbosity, spreading)


def _read(path: Path) -> dict[str, Any]:
    with reading(path, "settings of a run", "name a settings.toml of a run"):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    if "command" not in content or not isinstance(content.get("options", {}), dict):
        raise InputError(
            f"{path} has no entry 'command' with a table 'options' beside it; name a settings.toml of a run."
        )
    # Files of early versions hold the options in a table of the command's name, together with their version.
    return in_present_layout(content) if "version" in content else content
