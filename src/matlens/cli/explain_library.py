"""What ``matlens explain`` does with a model of a library: what may be asked, and the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from typer import Option

from matlens.cli.options import Place, Talk
from matlens.cli.work import complete, say
from matlens.errors import InputError

__all__ = ["LibraryExplained", "explain_library", "parse_hosts"]

_PANEL = "Libraries"


@dataclass(frozen=True, kw_only=True)
class LibraryExplained:
    """How the model of a library is explained."""

    host: Annotated[
        str | None,
        Option(
            metavar="HOST",
            help="What components replace in the scheme exchange: V, or W=V,Mo=V,Dy=Bi; default: the component of the "
            "largest mean fraction.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    members: Annotated[bool, Option("--members", help="Keep the gradients of every model.", rich_help_panel=_PANEL)] = (
        False
    )
    region: Annotated[
        list[str] | None,
        Option(
            metavar="REGION",
            help="Where to average too, may be repeated: W=1:5,Mo=0:2 (in at%), clusters:4, merit:0.5:1 (quantiles).",
            rich_help_panel=_PANEL,
        ),
    ] = None
    permutations: Annotated[
        int, Option(min=0, help="Ensembles trained on permuted labels, the null; 0: none.", rich_help_panel=_PANEL)
    ] = 19
    permuted_models: Annotated[int, Option(min=2, help="Members of each of them.", rich_help_panel=_PANEL)] = 5
    steps: Annotated[int, Option(min=0, help="Of integrated gradients; 0: none.", rich_help_panel=_PANEL)] = 32


def explain_library(model: str, asked: LibraryExplained, settings: dict[str, Any], place: Place, talk: Talk) -> None:
    """Read the gradients of a model of a library; ``settings`` holds seed and environment."""
    from matlens.library.commands.explain.run import ExplainLibraryOrder, explain_library_in
    from matlens.runs.directory import RunDirectory

    order = ExplainLibraryOrder(
        model,
        parse_hosts(asked.host),
        asked.members,
        tuple(asked.region or ()),
        asked.permutations,
        asked.permuted_models,
        asked.steps,
        settings["seed"],
        settings["environment"]["device"],
    ).resolved()
    found = order.checked()
    run = RunDirectory.create(place.output, "explain-library", {**order.settings(), **settings}, force=place.force)
    say(talk, f"{found.target_} of {len(found.library_)} samples, {found.members_} models")
    complete(run, talk, step=lambda run, progress: explain_library_in(run, progress, found))


def parse_hosts(text: str | None) -> dict[str, str]:
    """Read ``V``, or ``W=V,Mo=V``; the host of all components stands under the empty name.

    Examples
    --------
    >>> parse_hosts("V"), parse_hosts("W=V,Dy=Bi"), parse_hosts(None)
    ({'': 'V'}, {'W': 'V', 'Dy': 'Bi'}, {})
    """
    found: dict[str, str] = {}
    for part in (text or "").split(",") if text else ():
        name, equals, host = (word.strip() for word in part.rpartition("="))
        if not host or (equals and not name) or name in found:
            raise InputError(f"the hosts {text!r} are not understood; write V, or W=V,Mo=V,Dy=Bi.")
        found[name] = host
    return found
