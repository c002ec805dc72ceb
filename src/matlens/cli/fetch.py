"""``matlens fetch``: bring registered data and weights to this machine."""

from __future__ import annotations

from typing import Annotated

import typer
from typer import Argument

from matlens.cli.options import Talk
from matlens.cli.work import start_talking
from matlens.errors import ResourceError

__all__ = ["fetch"]


def fetch(
    name: Annotated[
        str | None, Argument(metavar="[NAME]", help="What to fetch; without it, list what there is.")
    ] = None,
    *,
    talk: Talk,
) -> None:
    """Fetch published data or weights, checked by their SHA-256; without a name, list them."""
    from matlens.core import registry

    start_talking(talk)
    if name is not None:
        for file in registry.fetch(name):
            typer.echo(str(file))
        return
    for entry in registry.entries().values():
        typer.echo(f"{entry.name:20} {entry.licence:14} {_place(entry.name)}")
        if not talk.quiet:
            typer.echo(f"{'':20} {entry.description}")


def _place(name: str) -> str:
    from matlens.core import registry

    try:
        return str(registry.locate(name) or "not at hand")
    except ResourceError as error:  # a file of that name that is another one: worth knowing, no reason to stop
        return str(error)
