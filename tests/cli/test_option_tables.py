"""docs/options.md holds the options of all commands; ``MATLENS_UPDATE_GOLDEN=1 pytest`` of this file writes it."""

import os
from pathlib import Path

from matlens.cli.app import OTHERS
from matlens.cli.options import Destination, Verbosity
from matlens.cli.registry import commands
from matlens.core.settings import option_table

PAGE = Path(__file__).parents[2] / "docs" / "options.md"
HEAD = """# Options of the commands

Written from the declarations of the commands, as `matlens COMMAND --help` is; a test holds it equal to them.
"""


def page() -> str:
    parts = [HEAD]
    for command in commands():
        parts += [
            f"## matlens {command.name}",
            command.spec.__doc__,
            f"`{command.example}`",
            option_table(command.spec),
        ]
    parts += ["## Every command that fills a run directory", _rows(Destination, Verbosity)]
    for other in OTHERS:
        parts += [
            f"## matlens {other.function.__name__}",
            other.spec.__doc__,
            f"`{other.example}`",
            option_table(other.spec),
        ]
    return "\n\n".join("\n".join(line.strip() for line in part.strip().splitlines()) for part in parts) + "\n"


def _rows(*specs) -> str:
    first, *others = (option_table(spec).splitlines() for spec in specs)
    return "\n".join([*first, *(row for table in others for row in table[2:])])


def test_the_page_of_options_is_that_of_the_declarations():
    if os.environ.get("MATLENS_UPDATE_GOLDEN") == "1":
        PAGE.write_text(page(), encoding="utf-8", newline="\n")
    assert PAGE.read_text(encoding="utf-8") == page(), "write it with MATLENS_UPDATE_GOLDEN=1"
