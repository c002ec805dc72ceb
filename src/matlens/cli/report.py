"""``matlens report``: write the report of a run directory again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from matlens.cli.options import Verbosity
from matlens.cli.registry import commands
from matlens.cli.terminal import echo
from matlens.cli.work import open_in_browser, reading_run, set_up_logging
from matlens.core.settings import option, options
from matlens.runs.command import command_of

__all__ = ["ReportSpec", "report"]


@options
class ReportSpec:
    """Write the report and the figures of a run again, from the tables in its folder."""

    run: Annotated[Path, option("Folder of the run (run directory).", argument=True, metavar="RUN")]
    pdf: Annotated[bool, option("Write each figure as PDF too.", "--pdf")] = False
    open: Annotated[bool, option("Open the report in the web browser.", "--open")] = False


def report(spec: ReportSpec, verbosity: Verbosity) -> None:
    """Build the report of a run, also of one that an earlier version made.

    Parameters
    ----------
    spec : ReportSpec
        Options of the command.
    verbosity : Verbosity
        How much is printed.
    """
    from matlens.report.build import build_report
    from matlens.runs.directory import RunDirectory

    set_up_logging(verbosity)
    with RunDirectory(spec.run) as run, reading_run(run):
        made = build_report(run, command_of(run, commands()).page(run), pdf=spec.pdf)
    echo(str(made))
    if spec.open:
        open_in_browser(made)
