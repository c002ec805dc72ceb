"""The options of ``matlens library explain``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from matlens.core.settings import OnDevice, Seeded, option, options
from matlens.errors import InputError
from matlens.library.commands.options import ModelFolder
from matlens.runs.command import Command

__all__ = ["COMMAND", "ExplainSpec", "parse_hosts"]


def parse_hosts(value: Any) -> Any:
    """Read ``V``, or ``W=V,Mo=V``; the host of all components stands under the empty name.

    Examples
    --------
    >>> parse_hosts("V"), parse_hosts("W=V,Dy=Bi"), parse_hosts(None)
    ({'': 'V'}, {'W': 'V', 'Dy': 'Bi'}, {})
    """
    if isinstance(value, Mapping) or not value:
        return value or {}
    found: dict[str, str] = {}
    for part in str(value).split(","):
        name, equals, host = (word.strip() for word in part.rpartition("="))
        if not host or (equals and not name) or name in found:
            raise InputError(f"the hosts {value!r} are not understood; write V, or W=V,Mo=V,Dy=Bi.")
        found[name] = host
    return found


@options
class ExplainSpec(Seeded, OnDevice):
    """Read a model's gradients: what raises or lowers the figure of merit, and how far the data support it."""

    model: ModelFolder
    hosts: Annotated[
        dict[str, str] | None,
        BeforeValidator(parse_hosts),
        option(
            "What components replace in the scheme exchange: V for all, or W=V,Mo=V,Dy=Bi; by default the component of "
            "the largest mean fraction.",
            "--host",
            "--hosts",
            metavar="HOST",
        ),
    ] = None
    regions: Annotated[
        tuple[str, ...],
        option(
            "Where to average, too; may be given again: W=1:5,Mo=0:2 (in at%), clusters:4, or merit:0.5:1 (quantiles).",
            "--region",
            metavar="REGION",
            many=True,
        ),
    ] = ()
    permutations: Annotated[int, option("Ensembles trained on permuted labels, as a null; 0 for none.", ge=0)] = 19
    permuted_models: Annotated[int, option("Models of each of them.", ge=2)] = 5
    integration_steps: Annotated[
        int, option("Steps of integrated gradients; 0 for none.", "--steps", "--integration-steps", ge=0)
    ] = 32
    members: Annotated[bool, option("Keep the gradients of every model of the ensemble.")] = False

    def __post_init__(self) -> None:
        if self.permutations == 1:  # the least p-value is one over one more than there are
            raise InputError("one ensemble of permuted labels tells nothing; ask for 19 permutations (5 %), or for 0.")


COMMAND = Command(
    "library explain",
    ExplainSpec,
    __package__,
    example="matlens library explain model --host W=V,Mo=V -o insight",
    results=("gradients.nc", "statements.csv"),
    former=("explain-library",),
)
