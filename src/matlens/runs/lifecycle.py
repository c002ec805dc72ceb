"""The status of a run while its command works, and after an interrupt or an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from matlens.errors import InputError, Interrupted, MatlensError, ResourceError
from matlens.runs.directory import PREVIOUS, RunDirectory
from matlens.runs.signals import stoppable

__all__ = ["working"]


@contextmanager
def working(run: RunDirectory, *, fresh: bool = False) -> Iterator[RunDirectory]:
    """Mark the run as running, then as finished, interrupted or failed; SIGTERM is handled as Ctrl-C.

    Parameters
    ----------
    run : RunDirectory
        An open run; it is closed at the end.
    fresh : bool
        Whether the run was created just now. Before there is a result, it is removed if its input proves invalid, or if
        it fails or is interrupted while an earlier run waits, which comes back.

    Yields
    ------
    RunDirectory
        The run.

    Raises
    ------
    Interrupted
        In place of KeyboardInterrupt; the message says how to resume.
    MatlensError
        Any other error of the block is raised again after the run was marked as failed.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "compare", {})
    >>> with working(run):
    ...     run.status
    'running'
    >>> run.status
    'finished'
    """
    with run, stoppable():
        try:
            # In settings.toml too, but provenance.json is what others read on its own.
            run.mark(
                "running", **{name: run.settings[name] for name in ("environment", "inputs") if name in run.settings}
            )
            yield run
            run.finish()
        except (KeyboardInterrupt, Interrupted) as stop:
            if fresh and run.replaces and not run.has_results:
                run.discard()
                raise Interrupted(f"interrupted before there was a result; {run.path} is again as it was.") from stop
            with suppress(MatlensError):  # the disk may be full
                run.mark("interrupted")
            waiting = f" (the run that it replaces waits in {run.path / PREVIOUS})" if run.replaces else ""
            raise Interrupted(
                f"interrupted; what was done so far is in {run.path}, go on with 'matlens resume {run.path}'{waiting}.",
                getattr(stop, "result", None),
            ) from stop
        except MatlensError as error:
            if fresh and not run.has_results and (run.replaces or isinstance(error, InputError | ResourceError)):
                run.discard()
                raise
            with suppress(MatlensError):  # the disk may be full
                run.mark("failed", reason=str(error))
            raise
