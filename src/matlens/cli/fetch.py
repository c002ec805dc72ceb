"""``matlens fetch``: bring registered data and weights to this machine."""

from __future__ import annotations

from typing import Annotated

from matlens.cli.options import Verbosity
from matlens.cli.terminal import echo
from matlens.cli.work import set_up_logging
from matlens.core.settings import option, options
from matlens.errors import ResourceError

__all__ = ["FetchSpec", "fetch"]


@options
class FetchSpec:
    """Download published data or network weights, and verify them by their SHA-256; without a name, list them."""

    name: Annotated[
        str | None, option("Name of the data or weights to download; without it, list all names.", argument=True)
    ] = None


def fetch(spec: FetchSpec, verbosity: Verbosity) -> None:
    """Download an entry of the registry and print its files, or list all entries.

    Parameters
    ----------
    spec : FetchSpec
        Options of the command.
    verbosity : Verbosity
        How much is printed.

    Raises
    ------
    ResourceError
        If the name is unknown, or a file cannot be brought or is not the published one.
    """
    from matlens.core import registry

    set_up_logging(verbosity)
    if spec.name is not None:
        for file in registry.fetch(spec.name):
            echo(str(file))
        return
    for entry in registry.entries().values():
        echo(f"{entry.name:20} {entry.licence:14} {_place(entry.name)}")
        if not verbosity.quiet:
            echo(f"{'':20} {entry.description}")


def _place(name: str) -> str:
    from matlens.core import registry

    try:
        return str(registry.locate(name) or "not at hand")
    except ResourceError as error:  # a file of that name that is another one: worth knowing, no reason to stop
        return str(error)
