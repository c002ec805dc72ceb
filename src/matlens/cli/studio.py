"""``matlens studio``: the page in the browser, for a folder of this machine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from matlens.cli.options import Verbosity
from matlens.cli.registry import commands
from matlens.cli.terminal import echo
from matlens.cli.work import say, set_up_logging
from matlens.core.settings import option, options
from matlens.errors import ResourceError

__all__ = ["StudioSpec", "studio"]


@options
class StudioSpec:
    """Open the studio: a page in the browser in which micrographs are segmented, runs are started and reports are read.

    It works on one folder of this machine, without the internet; nobody else can open it. Runs go on when it is closed.
    """

    folder: Annotated[
        Path,
        option("Folder with your files; runs are written to its folder runs.", argument=True, metavar="FOLDER"),
    ] = Path()
    port: Annotated[
        int | None,
        option("Port to listen on; by default that of the folder's last session, or a free one.", ge=1, le=65535),
    ] = None
    no_browser: Annotated[bool, option("Print the link and open no browser.", "--no-browser")] = False


def studio(spec: StudioSpec, verbosity: Verbosity) -> None:
    """Serve the page until Ctrl-C.

    Parameters
    ----------
    spec : StudioSpec
        Options of the command.
    verbosity : Verbosity
        Quiet prints the link alone.

    Raises
    ------
    ResourceError
        If the packages of the studio are not installed.
    InputError
        If the folder cannot be written to, or the port is in use.
    """
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise ResourceError(
            f"the studio needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed; "
            "install them with 'pip install matlens[studio]'."
        )
    from matlens.studio.server import serve

    set_up_logging(verbosity)

    def ready(link: str) -> None:
        say(verbosity, f"The studio of {Path.cwd()} is open; Ctrl-C closes it, and runs go on.")
        echo(link)
        if not spec.no_browser:
            import webbrowser

            webbrowser.open(link)

    try:
        serve(str(spec.folder), commands(), port=spec.port, ready=ready)
    except KeyboardInterrupt:  # how a studio is closed
        say(verbosity, "The studio is closed.")
