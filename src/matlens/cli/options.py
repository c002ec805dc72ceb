"""The options that say where results go and how much is printed; they change no result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from matlens.core.settings import option, options
from matlens.errors import InputError

__all__ = ["Destination", "Spreading", "Verbosity"]

_RUN = "Run"
_POOL = "Pool"


@options
class Destination:
    """Options that say where results go."""

    output: Annotated[
        Path | None,
        option(
            "Folder for the results (run directory); by default runs/DATE-COMMAND.",
            "-o",
            "--output",
            metavar="RUN",
            group=_RUN,
        ),
    ] = None
    open: Annotated[bool, option("Open the report in the web browser when it is finished.", "--open", group=_RUN)] = (
        False
    )
    force: Annotated[
        bool,
        option(
            "Replace an earlier run in that folder; files that MatLens did not write, or that were changed, stay.",
            "--force",
            group=_RUN,
        ),
    ] = False


@options
class Verbosity:
    """Options that say how much is printed."""

    quiet: Annotated[bool, option("Print only the folder of the results.", "-q", "--quiet", group=_RUN)] = False
    verbose: Annotated[bool, option("Print messages on the steps of the work, too.", "-v", "--verbose", group=_RUN)] = (
        False
    )


@options
class Spreading:
    """Options that say which processes and machines share the work; they change no result."""

    pool: Annotated[
        Literal["serial", "processes", "dask", "slurm-array"] | None,
        option(
            "Who does the work: this process (serial), several processes of this machine (processes), workers of Dask "
            "(dask), or the tasks of an array of jobs that is submitted to Slurm (slurm-array). By default serial, or "
            "processes where --workers is given.",
            group=_POOL,
        ),
    ] = None
    workers: Annotated[
        int | None,
        option(
            "Number of processes, workers or jobs that work at the same time; the result does not depend on it. By "
            "default one for each core of this machine.",
            group=_POOL,
            ge=1,
        ),
    ] = None
    scheduler: Annotated[
        str | None,
        option(
            "Scheduler of Dask: the address of a running one, e.g. tcp://node7:8786, or the batch system to which its "
            "workers are submitted: slurm, pbs, lsf, sge or htcondor. By default one on this machine.",
            metavar="ADDRESS",
            group=_POOL,
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.scheduler is not None and self.pool not in (None, "dask"):
            raise InputError(f"found --scheduler with --pool {self.pool}; a scheduler is for --pool dask.")
        if self.pool == "serial" and (self.workers or 1) > 1:
            raise InputError(
                f"found --workers {self.workers} with --pool serial, which is one process; choose --pool processes."
            )

    @property
    def kind(self) -> str:
        """Name of the pool that is meant.

        Examples
        --------
        >>> Spreading(workers=4).kind, Spreading(scheduler="tcp://node7:8786").kind, Spreading().kind
        ('processes', 'dask', 'serial')
        """
        if self.pool is not None:
            return self.pool
        if self.scheduler is not None:
            return "dask"
        return "processes" if (self.workers or 1) > 1 else "serial"
