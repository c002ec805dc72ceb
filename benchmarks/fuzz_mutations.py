"""Damage to files: of bytes, of texts, of JSON and TOML, of the members of archives, and of what HDF5 files hold."""

from __future__ import annotations

import io
import json
import zipfile
from copy import deepcopy
from typing import Any

import h5py
import numpy as np

__all__ = ["damaged"]

_WORDS = (
    "", "nan", "inf", "-inf", "-1", "0", "1e400", "9" * 400, "999999999999", "1,5", "None", "NA", "True", "'", '"',
    "$x_{", "%s", "{}", "=1+1", "\x1b[31m", "\u202e", "\u00e4", "../../etc", "\x00", "a" * 3000, "[]", "1e5", "001",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 1e308, 10**30, "", "x", [], {}, [[]], {"a": 1}, float("nan"), float("inf"), [1, "a"],
)  # fmt: skip
_BYTES = (b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"\x7f\xff\xff\xff", b"\n", b'"', b"PK\x03\x04")
_TEXTS = (".csv", ".tsv", ".txt", ".json", ".toml", ".ang", ".ctf", ".ras", ".jdx", ".dx", ".jcm", ".xrdml", ".xy")
_ARCHIVES = (".npz", ".zip", ".xlsx", ".xlsm", ".rasx", ".brml")
_HDF5 = (".nc", ".h5", ".hdf5", ".dream3d", ".h5ebsd", ".h5oina")

Random = np.random.Generator


def damaged(content: bytes, suffix: str, random: Random) -> bytes:
    """Return a damaged copy of a file's content, by a kind of damage that fits its suffix or by one of plain bytes."""
    choice = random.random()
    if suffix == ".json" and choice < 0.6:
        return _json(content, random)
    if suffix in _ARCHIVES and choice < 0.6:
        return _archive(content, random)
    if suffix in _HDF5 and choice < 0.6:
        return _hdf5(content, random)
    if suffix in _TEXTS and choice < 0.7:
        return _text(content, random)
    return _plain(content, random)


def _plain(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 4))):
        place, size = _part(len(changed), random)
        match int(random.integers(0, 7)):
            case 0:
                for _ in range(int(random.integers(1, 12))):
                    if changed:
                        changed[int(random.integers(0, len(changed)))] ^= 1 << int(random.integers(0, 8))
            case 1:
                changed = changed[:place]
            case 2:
                del changed[place : place + size]
            case 3:
                changed[place:place] = changed[place : place + size]
            case 4:
                word = _BYTES[int(random.integers(0, len(_BYTES)))]
                changed[place : place + len(word)] = word
            case 5:
                changed[place : place + size] = random.bytes(size)
            case _:
                head = int(random.integers(0, min(len(changed), 400) + 1))  # heads say sizes, types and places
                changed[head : head + 4] = random.bytes(4)
    return bytes(changed)


def _part(length: int, random: Random) -> tuple[int, int]:
    return int(random.integers(0, length + 1)), int(random.integers(1, 65))


def _text(content: bytes, random: Random) -> bytes:
    text = content.decode("latin-1")
    for _ in range(int(random.integers(1, 4))):
        lines = text.split("\n")
        k, kind = int(random.integers(0, len(lines))), int(random.integers(0, 6))
        if kind == 0:
            del lines[k]
        elif kind == 1:
            lines.insert(k, lines[int(random.integers(0, len(lines)))])
        elif kind == 2:
            lines[k] = _word(random)
        elif kind == 3:
            lines[k] += _word(random)
        else:
            mark = next((one for one in ("\t", ";", ",", "=", " ") if one in lines[k]), ",")
            cells = lines[k].split(mark)
            cells[int(random.integers(0, len(cells)))] = _word(random)
            lines[k] = mark.join(cells)
        text = "\n".join(lines)
    return text.encode("utf-8" if random.random() < 0.5 else "latin-1", errors="replace")


def _word(random: Random) -> str:
    return _WORDS[int(random.integers(0, len(_WORDS)))]


def _json(content: bytes, random: Random) -> bytes:
    try:
        value = json.loads(content)
    except ValueError:
        return _plain(content, random)
    for _ in range(int(random.integers(1, 3))):
        places = list(_places(value))
        if not places:
            break
        holder, key = places[int(random.integers(0, len(places)))]
        kind = int(random.integers(0, 4))
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder[key], list) and holder[key]:
            holder[key] = holder[key][: len(holder[key]) // 2] if random.random() < 0.5 else holder[key] * 2
        elif kind == 1 and isinstance(holder, dict):
            holder["unknown"] = deepcopy(holder[key])
        else:
            holder[key] = deepcopy(_VALUES[int(random.integers(0, len(_VALUES)))])  # or the next damage changes them
    return json.dumps(value, indent=1).encode()


def _places(value: Any) -> Any:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def _archive(content: bytes, random: Random) -> bytes:
    """Damage one member and pack the archive again, so that its checksums fit."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile:
        return _plain(content, random)
    name = list(members)[int(random.integers(0, len(members)))]
    kind = int(random.integers(0, 8))
    if kind == 0:
        del members[name]
    elif kind == 1:
        members[_word(random).replace("\x00", "") or "x"] = members.pop(name)
    else:
        change = _text if name.endswith((".xml", ".rels", ".txt")) and random.random() < 0.7 else _plain
        members[name] = change(members[name], random)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return packed.getvalue()


def _hdf5(content: bytes, random: Random) -> bytes:
    """Change a data set or an attribute of a sound HDF5 file."""
    held = io.BytesIO(content)
    try:
        with h5py.File(held, "r+") as file:
            names: list[str] = []
            file.visit(names.append)
            name = names[int(random.integers(0, len(names)))]
            item, kind = file[name], int(random.integers(0, 5))
            if kind == 0:
                del file[name]
            elif kind == 1 and len(item.attrs):
                key = list(item.attrs)[int(random.integers(0, len(item.attrs)))]
                del item.attrs[key]
            elif kind == 2:
                keys = [*item.attrs, *file.attrs, "spacing"]
                owner = item if random.random() < 0.5 else file
                value = ("x", -1, np.nan, np.zeros(0), np.array([b"\xff"]))[int(random.integers(0, 5))]
                owner.attrs[str(keys[int(random.integers(0, len(keys)))])] = value
            elif isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf" and item.size:
                values = np.array(item[()])
                if kind == 3:
                    values.flat[int(random.integers(0, values.size))] = (0, 1, 100)[int(random.integers(0, 3))]
                    item[...] = values
                else:
                    attributes = {k: v for k, v in item.attrs.items() if k not in ("DIMENSION_LIST", "REFERENCE_LIST")}
                    del file[name]
                    file[name] = values.ravel()[: values.size // 2]
                    for key, value in attributes.items():
                        file[name].attrs[key] = value
    except Exception:  # a kind of damage that HDF5 itself refuses
        return _plain(content, random)
    return held.getvalue()
