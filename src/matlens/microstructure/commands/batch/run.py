"""The steps of a batch in a run directory; files that are finished are never worked on again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

import pandas as pd

from matlens.core.settings import read_options
from matlens.errors import InputError, SomeFailed
from matlens.hooks import Progress, Silent
from matlens.microstructure.commands.batch.items import items_of
from matlens.microstructure.commands.batch.options import Batch
from matlens.microstructure.commands.batch.quantities import COLUMNS, quantities_of
from matlens.runs.codecs import TABLE
from matlens.runs.command import Command, Prepared
from matlens.runs.directory import SETTINGS, RunDirectory
from matlens.runs.lifecycle import working
from matlens.runs.provenance import sha256
from matlens.runs.resumable import each
from matlens.runs.tables import write_table
from matlens.runs.workbooks import write_workbook

__all__ = ["means_of_groups", "prepare", "work"]

ITEMS = "items"
_PLACE = ["quantity", "phase", "axis", "unit"]
_TEXTS = ["file", "sample", "group", *_PLACE]


def prepare(spec: Batch, environment: Mapping[str, Any]) -> Prepared:
    """List the files, and check the options of each; no picture is read yet.

    Parameters
    ----------
    spec : Batch
        Options of the batch.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options, and the files with their options for settings.toml.

    Raises
    ------
    InputError
        If there are no files, or a table or an option cannot be used.
    """
    items, notes = items_of(spec, environment)
    groups = sorted({item["group"] for item in items} - {""})
    samples = len({(item["group"], item["sample"]) for item in items})
    said = f"{spec.INNER.name} of {_counted(len(items), 'file')}"
    said += f" of {_counted(samples, 'sample')}" if samples < len(items) else ""
    said += f" in {_counted(len(groups), 'group')}: {', '.join(groups)}" if groups else ""
    return Prepared(spec, said, {"items": items}, understood=tuple(notes))


def work(run: RunDirectory, progress: Progress, found: None = None) -> None:
    """Work on every file, and write ``values.csv``, ``groups.csv`` and both as sheets of ``batch.xlsx``.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Called with files done and total.
    found : None
        Files are read when their turn comes.

    Raises
    ------
    SomeFailed
        If no file could be worked on.
    KeyboardInterrupt, Interrupted
        On an interrupt; files that are finished, and the state of the others, are kept.
    """
    items = {str(item["key"]): item for item in run.settings["items"]}
    inner = _inner(run)
    results = each(
        run, "file", items, partial(_values, run, inner), TABLE, progress=progress, label="files", independent=True
    )
    failed = results.failed
    run.mark("running", failed={str(items[key]["file"]): reason for key, reason in failed.items()})
    if not results:
        first = next(iter(failed.values()), "")
        raise SomeFailed(f"none of {len(items)} files could be worked on; the first: {first}")
    tables = [
        table.assign(**{name: items[key][name] for name in ("file", "sample", "group")})
        for key, table in results.items()
    ]
    values = pd.concat(tables, ignore_index=True)[["file", "sample", "group", *COLUMNS]]
    values = values.fillna(dict.fromkeys(_TEXTS, ""))  # a table has no empty texts, only empty cells
    groups = means_of_groups(values)
    write_table(run, "values", values)
    write_table(run, "groups", groups)
    broken = pd.DataFrame({"file": [items[key]["file"] for key in failed], "reason": list(failed.values())})
    sheets = {"values": values, "groups": groups} | ({"failed": broken} if failed else {})
    write_workbook(run, "batch", sheets)
    run.mark("running", sentences=[_sentence(len(results), len(items), values)])
    if not failed:  # else a resumed run tries these again
        run.spend("file")


def means_of_groups(values: pd.DataFrame) -> pd.DataFrame:
    """Compute means and standard deviations of the samples of each group.

    Pictures of one sample are averaged first: several fields of view of it are no more samples.

    Parameters
    ----------
    values : DataFrame
        Columns ``sample``, ``group``, ``quantity``, ``phase``, ``axis``, ``unit`` and ``value``.

    Returns
    -------
    DataFrame
        A row for each group and quantity: ``mean``, ``standard_deviation`` (empty for one sample), ``least``,
        ``greatest``, and the numbers of ``samples`` and ``files``.

    Examples
    --------
    >>> rows = [("a", 1.0), ("a", 3.0), ("b", 4.0)]
    >>> table = pd.DataFrame(rows, columns=["sample", "value"]).assign(quantity="k", unit="1")
    >>> found = means_of_groups(table.assign(group="", phase="", axis="")).iloc[0]
    >>> float(found["mean"]), int(found["samples"]), int(found["files"])
    (3.0, 2, 3)
    """
    known = values.dropna(subset="value")
    place = ["group", *_PLACE]
    samples = known.groupby([*place, "sample"], sort=False)["value"].agg(["mean", "size"]).reset_index()
    found = samples.groupby(place, sort=False).agg(
        mean=("mean", "mean"),
        standard_deviation=("mean", "std"),
        least=("mean", "min"),
        greatest=("mean", "max"),
        samples=("mean", "size"),
        files=("size", "sum"),
    )
    return found.reset_index()


def _values(run: RunDirectory, inner: Command, item: Mapping[str, Any]) -> pd.DataFrame:
    """Run the command on a file, in a folder of its own, or go on with what is there; its quantities."""
    place = run.path / ITEMS / str(item["key"])
    environment = run.settings["environment"]
    found, fresh = None, not (place / SETTINGS).is_file()
    if fresh:
        if sha256(item["file"]) != item["sha256"]:  # its key would stand for another result
            raise InputError(f"{item['file']} has changed since the batch began; give the batch again, with --update.")
        asked = read_options(inner.spec, item["options"])
        prepared = inner.prepare(asked, environment)
        plan = inner.forecast(prepared)
        if plan is not None:
            plan.check()
        found = prepared.found
        one = RunDirectory.create(place, inner.name, inner.settings(asked, prepared, environment))
    else:
        one = RunDirectory(place)
    if one.status == "finished":
        with one:
            return quantities_of(one)
    with working(one, fresh=fresh):
        # The line of progress is that of all files.
        inner.work(one, Silent(), found)
        return quantities_of(one)


def _inner(run: RunDirectory) -> Command:
    name = str(run.settings["command"]).removeprefix("batch ")
    command: Command = import_module(f"matlens.microstructure.commands.{name}.spec").COMMAND
    return command


def _counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def _sentence(done: int, total: int, values: pd.DataFrame) -> str:
    kinds = values[_PLACE].drop_duplicates()
    files = _counted(done, "file") if done == total else f"{done} of {total} files"
    return f"{len(kinds)} quantities of {files}: values.csv, means of groups in groups.csv, both in batch.xlsx."
