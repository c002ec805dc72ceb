"""The files of a batch: out of names, folders and tables, each with its sample, group and settings."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from matlens._version import __version__
from matlens.core.guard import reading
from matlens.core.settings import declared, read_options, to_settings
from matlens.errors import InputError
from matlens.microstructure.commands.batch.options import Batch, inner_options
from matlens.microstructure.io import can_read
from matlens.runs.provenance import sha256

__all__ = ["Item", "items_of"]

_OWN = ("file", "sample", "group")
_TABLES = (".csv", ".tsv")


@dataclass(frozen=True)
class Item:
    """A file of a batch.

    Attributes
    ----------
    file : str
        Path of the file.
    sample, group : str
        What it is a picture of, and what it is compared with; the group may be empty, and so may the sample of a file
        that is alone.
    settings : dict of str to str
        Options of its own, as texts.
    where : str
        Where it is named, for sentences on it.
    """

    file: str
    sample: str
    group: str
    settings: Mapping[str, str] = field(default_factory=dict)
    where: str = ""


def items_of(spec: Batch, environment: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """List the files of a batch, with the options that each is worked on with.

    Parameters
    ----------
    spec : Batch
        Options of the batch.
    environment : mapping
        Versions, device and threads, which results depend on too.

    Returns
    -------
    list of dict
        For settings.toml: ``key``, ``file``, ``sha256``, ``sample``, ``group`` and ``options``. The key is a function
        of the file's content, the options and the environment, so that a key stands for one result.
    list of str
        Files of folders that are left out, in sentences.

    Raises
    ------
    InputError
        If there is no file, a table cannot be used, or a row repeats another one.
    """
    found: list[dict[str, Any]] = []
    notes: list[str] = []
    common, places = inner_options(spec), dict[str, str]()
    several = sum(Path(source).is_dir() for source in spec.sources) > 1
    items = [item for source in spec.sources for item in _items(Path(source), spec, several, notes)]
    for item in _with_samples(items):
        options = _options(spec, common, item)
        content = _content(item)
        key = _key(spec, item, content, options, environment)
        if key in places:
            raise InputError(
                f"{item.where} repeats {places[key]}: the same file with the same settings; leave one of them out."
            )
        places[key] = item.where
        named = {"key": key, "file": item.file, "sha256": content, "sample": item.sample, "group": item.group}
        found.append({**named, "options": options})
    if not found:
        where = f" in {', '.join(spec.sources)}" if spec.sources else ""
        raise InputError(f"found no files to work on{where}; name files, folders or a CSV table.")
    return found, notes


def _with_samples(items: Sequence[Item]) -> list[Item]:
    """Take each file for a sample of its own where none is named: equal names in two folders are two samples."""
    stems = Counter((item.group, Path(item.file).stem) for item in items)
    named = []
    for item in items:
        file = Path(item.file)
        alone = stems[item.group, file.stem] == 1
        named.append(replace(item, sample=item.sample or (file.stem if alone else f"{file.parent.name}/{file.name}")))
    return named


def _items(place: Path, spec: Batch, several: bool, notes: list[str]) -> Iterator[Item]:
    if place.suffix.lower() in _TABLES and place.is_file():
        yield from _rows(place, spec)
    elif place.is_dir():
        files = sorted(entry for entry in place.iterdir() if entry.is_file() and not entry.name.startswith("."))
        for file in files:
            if can_read(file):
                yield Item(str(file), "", place.name if several else "", where=str(file))
        others = [file.name for file in files if not can_read(file)]
        if others:
            more = f" and {len(others) - 3} more" if len(others) > 3 else ""
            notes.append(f"{place.name}: {', '.join(others[:3])}{more} left out, which are no pictures")
    else:
        yield Item(str(place), "", "", where=str(place))


def _rows(table: Path, spec: Batch) -> Iterator[Item]:
    """Rows of a table; names of files are relative to its folder."""
    with reading(table, "a table of files", "write CSV with a column 'file'"):
        with table.open(encoding="utf-8-sig", newline="") as stream:
            head = stream.readline()
            stream.seek(0)
            delimiter = max(",;\t", key=head.count)
            rows = list(csv.DictReader(stream, delimiter=delimiter, strict=True))
        names = [name.strip() for name in (rows[0] if rows else {}) if name is not None]
        if "file" not in names:
            raise InputError(f"{table} has no column 'file' with rows below it; found {', '.join(names) or 'nothing'}.")
        known = {made.name for made in declared(spec.INNER.spec)} - {spec.INPUT}
        if unknown := [name for name in names if name not in known and name not in _OWN]:
            raise InputError(
                f"{table} has a column {unknown[0]!r}, which is no option of 'matlens {spec.INNER.name}'; name it as "
                f"the option with _ for -, or leave it out (there are: {', '.join(sorted(known))})."
            )
    for number, row in enumerate(rows, start=2):
        cells = {str(name).strip(): (value or "").strip() for name, value in row.items() if name is not None}
        where = f"line {number} of {table.name}"
        if not cells["file"]:
            raise InputError(f"{where} names no file; fill in the column 'file', or remove the line.")
        file = Path(os.path.abspath(table.parent / cells["file"]))
        settings = {name: value for name, value in cells.items() if value and name not in _OWN}
        yield Item(str(file), cells.get("sample", ""), cells.get("group", ""), settings, where)


def _options(spec: Batch, common: Mapping[str, Any], item: Item) -> dict[str, Any]:
    """The options of the command for one file, as settings.toml holds them."""
    many = {made.name: made.many for made in declared(spec.INNER.spec)}[spec.INPUT]
    values = {**common, **item.settings, spec.INPUT: (item.file,) if many else item.file}
    try:
        settings = to_settings(read_options(spec.INNER.spec, values))
    except InputError as error:
        raise InputError(f"{item.where}: {error}") from None
    return {name: value for name, value in settings.items() if value is not None}


def _content(item: Item) -> str:
    try:
        return sha256(item.file)
    except InputError:  # a file that is not there fails by itself when its turn comes
        return f"nothing at {item.file}"


def _key(spec: Batch, item: Item, content: str, options: Mapping[str, Any], environment: Mapping[str, Any]) -> str:
    named = {name: value for name, value in options.items() if name != spec.INPUT}
    text = json.dumps([spec.INNER.name, __version__, content, named, dict(environment)], sort_keys=True, default=str)
    # Names of samples are in the key for readers; two files of equal content are two items.
    digest = hashlib.sha256(f"{Path(item.file).name} {item.sample} {item.group} {text}".encode()).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', Path(item.file).stem)[:40].strip('.')}-{digest[:10]}"
