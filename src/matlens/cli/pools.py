"""From the options of a pool to the pool; its module, and Dask, are loaded only where they are asked for."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from matlens.cli.options import Spreading
from matlens.errors import InputError
from matlens.runs.command import Command

if TYPE_CHECKING:
    from matlens.runs.pool import Pool

__all__ = ["with_pool"]

T = TypeVar("T")


def with_pool(command: Command, options: T, spreading: Spreading | None) -> tuple[T, Pool | None]:
    """Make the pool that is asked for, and fix the threads of its workers.

    Parameters
    ----------
    command : Command
        The command.
    options : object
        Its options, or None where they are those of a run.
    spreading : Spreading or None
        Who is to share the work; None for a command whose work is not shared.

    Returns
    -------
    object
        The options. If they leave the number of threads open, it is now what the workers of one machine can have
        without sharing cores; results can depend on it in their last digits.
    Pool or None
        The pool; None for this process alone.

    Raises
    ------
    InputError
        If the command's work is not shared.
    ResourceError
        If Dask is asked for and not installed.
    """
    if spreading is None:
        return options, None
    if spreading == Spreading() and (command.workers or 1) > 1:
        spreading = Spreading(workers=command.workers)
    if spreading.kind == "serial":
        return options, None
    if command.workers is None:
        raise InputError(
            f"the work of 'matlens {command.name}' is one piece; leave out --pool, --workers and --scheduler."
        )
    cores = _cores()
    workers = spreading.workers or cores
    if options is not None and getattr(options, "threads", 1) is None:
        here = spreading.kind == "processes" or (spreading.kind == "dask" and spreading.scheduler is None)
        changed: Any = replace(options, threads=max(1, cores // workers) if here else 1)  # type: ignore[type-var]
        options = changed
    return options, _pool(spreading, workers)


def _pool(spreading: Spreading, workers: int) -> Pool:
    if spreading.kind == "processes":
        from matlens.runs.processes import Processes

        return Processes(workers)
    if spreading.kind == "dask":
        from matlens.runs.dask_pool import DaskPool

        return DaskPool(workers, spreading.scheduler)
    from matlens.runs.slurm_array import SlurmArray

    return SlurmArray(spreading.workers)


def _cores() -> int:
    """Cores that this process may use: a batch system gives it fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux tells
        return os.cpu_count() or 1
