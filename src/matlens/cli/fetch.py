"""``matlens fetch``: bring registered data and weights to this machine, and write examples to files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from matlens.cli.options import Verbosity
from matlens.cli.terminal import echo
from matlens.cli.work import set_up_logging
from matlens.core.settings import option, options
from matlens.errors import ResourceError

if TYPE_CHECKING:
    from matlens.core.registry import Entry
    from matlens.examples.listed import Example

__all__ = ["FetchSpec", "fetch"]

_ALL = "examples"


@options
class FetchSpec:
    """Download published data or network weights, or write examples; without a name, list what there is.

    What is published is checked by its SHA-256, and examples are written to the current folder.
    """

    name: Annotated[
        str | None,
        option(
            "Name of data or weights to download, or of an example to write; examples: all of these; without it, list "
            "all names.",
            argument=True,
        ),
    ] = None


def fetch(spec: FetchSpec, verbosity: Verbosity) -> None:
    """Download an entry of the registry or write an example, and print its files; or list everything there is.

    Parameters
    ----------
    spec : FetchSpec
        Options of the command.
    verbosity : Verbosity
        How much is printed.

    Raises
    ------
    InputError
        If the name is unknown, or another file has the name of an example's.
    ResourceError
        If a file cannot be brought or is not the published one.
    """
    from matlens.core import registry
    from matlens.examples.listed import EXAMPLES, write_example

    set_up_logging(verbosity)
    if written := [name for name in EXAMPLES if spec.name in (name, _ALL)]:
        for name in written:
            echo(str(write_example(name)))
    elif spec.name is not None:
        for file in registry.fetch(spec.name):
            echo(str(file))
    else:
        for entry in registry.entries().values():
            _show(entry.name, entry, _place(entry.name), verbosity)
        for name, example in EXAMPLES.items():
            _show(name, example, f"makes {example.file} without a network", verbosity)
        if not verbosity.quiet:
            echo(f"'matlens fetch {_ALL}' writes all files that need no network to the current folder.")


def _show(name: str, found: Entry | Example, place: str, verbosity: Verbosity) -> None:
    """Print what is known of an entry or of an example in three lines, or in one."""
    echo(f"{name:18} {found.size:>7}  {found.licence:14}  {place}")
    if not verbosity.quiet:
        echo(f"{'':18} {found.description}.")
        echo(f"{'':18} Source: {found.source}.")


def _place(name: str) -> str:
    from matlens.core import registry

    try:
        return str(registry.locate(name) or "not at hand")
    except ResourceError as error:  # a file of that name that is another one: worth knowing, no reason to stop
        return str(error)
