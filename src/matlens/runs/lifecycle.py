"""The frame around a command's work: its status, and what an interrupt or an error leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from matlens.errors import InputError, Interrupted, MatlensError, ResourceError
from matlens.runs.directory import RunDirectory
from matlens.runs.signals import stoppable

__all__ = ["working"]


@contextmanager
def working(run: RunDirectory, *, fresh: bool = False) -> Iterator[RunDirectory]:
    """Mark the run as running, then as finished, interrupted or failed; SIGTERM counts as Ctrl-C.

    Parameters
    ----------
    run : RunDirectory
        Open; is closed at the end.
    fresh : bool
        Whether the run was made just now: if its input turns out to be bad before there is a result, it is undone.

    Raises
    ------
    Interrupted
        In place of KeyboardInterrupt, saying how to go on.

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
            run.mark("finished")
        except (KeyboardInterrupt, Interrupted) as stop:
            with suppress(MatlensError):  # the disk may be full
                run.mark("interrupted")
            raise Interrupted(
                f"interrupted; what was done so far is in {run.path}, go on with 'matlens resume {run.path}'.",
                getattr(stop, "result", None),
            ) from stop
        except MatlensError as error:
            if fresh and isinstance(error, InputError | ResourceError) and not run.has_results:
                run.discard()
                raise
            with suppress(MatlensError):  # the disk may be full
                run.mark("failed", reason=str(error))
            raise
