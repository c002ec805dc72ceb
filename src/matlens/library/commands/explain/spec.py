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
    """Parse ``V``, or ``W=V,Mo=V``; the host of all components stands under the empty name.

    Parameters
    ----------
    value : Any
        Value from the command line, a settings file or Python.

    Returns
    -------
    dict of str to str
        Host by component; a mapping is returned unchanged.

    Raises
    ------
    InputError
        If the text is not of this form, or names a component twice.

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
    """Explain a model by its gradients: what raises or lowers the figure of merit, and how well the data support it."""

    model: ModelFolder
    hosts: Annotated[
        dict[str, str] | None,
        BeforeValidator(parse_hosts),
        option(
            "Component that is replaced when another one is added: V for all, or W=V,Mo=V,Dy=Bi; by default the "
            "component with the largest mean fraction. Besides this exchange, dilution of all others is computed.",
            "--host",
            "--hosts",
            metavar="HOST",
        ),
    ] = None
    regions: Annotated[
        tuple[str, ...],
        option(
            "Part of the library over which gradients are averaged, too: fractions in at%, as W=1:5,Mo=0:2; "
            "clusters:4 for four clusters of similar composition; merit:0.5:1 for the better half (quantiles of the "
            "figure of merit). May be given several times.",
            "--region",
            metavar="REGION",
            many=True,
        ),
    ] = ()
    permutations: Annotated[
        int,
        option(
            "Number of models trained on a shuffled figure of merit, for the permutation test of each statement; 0 "
            "for no test.",
            ge=0,
        ),
    ] = 19
    permuted_models: Annotated[int, option("Number of networks in each model of the permutation test.", ge=2)] = 5
    integration_steps: Annotated[
        int,
        option(
            "Number of steps of integrated gradients, which attribute each prediction to the inputs; 0 for none.",
            "--steps",
            "--integration-steps",
            ge=0,
        ),
    ] = 32
    members: Annotated[
        bool,
        option(
            "Store the gradients of every single model of the ensemble, not their mean and standard deviation alone."
        ),
    ] = False

    def __post_init__(self) -> None:
        if self.permutations == 1:  # the least p-value is one over one more than there are
            raise InputError("one model of permuted labels tells nothing; ask for 19 permutations (5 %), or for 0.")


COMMAND = Command(
    "library explain",
    ExplainSpec,
    __package__,
    example="matlens library explain model --host W=V,Mo=V -o insight",
    results=("gradients.nc", "statements.csv"),
    workers=1,
)
