"""JCAMP-DX: spectra of evenly spaced or paired points, plain or compressed (PAC, SQZ, DIF, DUP)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from matlens.errors import InputError
from matlens.library.io.encoding import decoded
from matlens.library.io.layout import DEFAULT, Layout
from matlens.library.io.names import normal_axis_unit
from matlens.library.io.spectra import Spectra

__all__ = ["is_jcamp", "read_jcamp"]

_MOST = 1_000_000  # repetitions of a point; more are a damaged file
_TOKEN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]\d+|(?<=\.\d)[eE]\d+)?|[@A-Ia-i%J-Rj-rS-Zs][\d.]*|\?")
_FIRST = {  # the first digit of a number in the compressed forms
    **{letter: (str(k), "value") for k, letter in enumerate("@ABCDEFGHI")},
    **{letter: (f"-{k}", "value") for k, letter in enumerate("abcdefghi", 1)},
    **{letter: (str(k), "step") for k, letter in enumerate("%JKLMNOPQR")},
    **{letter: (f"-{k}", "step") for k, letter in enumerate("jklmnopqr", 1)},
    **{letter: (str(k), "repeat") for k, letter in enumerate("STUVWXYZs", 1)},
}


def is_jcamp(path: Path, layout: Layout = DEFAULT) -> bool:
    """Return whether a file begins as JCAMP-DX.

    Parameters
    ----------
    path : Path
        The file.
    layout : Layout
        How the file is written, where it does not say.

    Returns
    -------
    bool
        Whether it does.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.jdx"
    >>> _ = path.write_text("##TITLE= a\\n##JCAMP-DX= 4.24\\n")
    >>> is_jcamp(path)
    True
    """
    with path.open("rb") as file:
        return b"##" in file.read(256)


def read_jcamp(path: Path, layout: Layout = DEFAULT) -> Spectra:
    """Read the spectrum of a JCAMP-DX file.

    Parameters
    ----------
    path : Path
        The file.
    layout : Layout
        How the file is written, where it does not say.

    Returns
    -------
    Spectra
        One spectrum.

    Raises
    ------
    InputError
        If the file holds no spectrum or several, a peak table, or another number of points than it says.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.jdx"
    >>> head = "##TITLE= a\\n##XUNITS= 1/CM\\n##FIRSTX= 100\\n##LASTX= 103\\n##NPOINTS= 4\\n##YFACTOR= 0.5\\n"
    >>> _ = path.write_text(head + "##XYDATA= (X++(Y..Y))\\n100 A0JU\\n##END=\\n")
    >>> read_jcamp(path).axis.tolist(), read_jcamp(path).intensities.tolist()
    ([100.0, 101.0, 102.0, 103.0], [[5.0, 5.5, 6.0, 6.5]])
    """
    text = decoded(path.read_bytes(), path.name, layout.encoding or "latin-1")  # letters stand in the head only
    blocks = [(block, data) for block in _blocks(text) if (data := _data(block)) is not None]
    if len(blocks) != 1:
        raise InputError(
            f"{path.name} holds {len(blocks)} spectra of evenly spaced or paired points, where one is expected; export "
            "the spectrum again, as text or by itself."
        )
    block, (key, (form, *lines)) = blocks[0]
    unit = normal_axis_unit(block.get("XUNITS", [""])[0])
    try:
        factors = [_number(block, name, 1.0) for name in ("XFACTOR", "YFACTOR")]
        if key == "XYDATA" and "++" in form:
            values = np.array(_decompressed(lines)) * factors[1]
            first, last = _number(block, "FIRSTX"), _number(block, "LASTX")
            axis = np.linspace(first, last, len(values))
        else:
            pairs = np.array(re.findall(r"[+-]?[\d.]+(?:[eE][+-]?\d+)?", " ".join(lines)), dtype=float).reshape(-1, 2)
            axis, values = pairs[:, 0] * factors[0], pairs[:, 1] * factors[1]
        points = int(_number(block, "NPOINTS", float(len(values))))
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise InputError(f"{path.name} is no whole JCAMP-DX file ({error}); export it again.") from error
    if points != len(values):
        raise InputError(f"{path.name} has {len(values)} points, and says {points}; export it again.")
    return Spectra(values[None], axis, unit)


def _blocks(text: str) -> list[dict[str, list[str]]]:
    """Split a file into blocks of labelled records: the value behind the label, then its further lines."""
    found: list[dict[str, list[str]]] = [{}]
    key = ""
    for line in text.splitlines():
        plain = line.split("$$")[0].rstrip()
        match = re.match(r"\s*##(.*?)=(.*)", plain)
        if match is None:
            if key and plain.strip():
                found[-1][key].append(plain)
            continue
        key = re.sub(r"[\s/_-]", "", match[1]).upper()
        if key in ("TITLE", "END"):
            found.append({})
        found[-1][key] = [match[2].strip()]
    return found


def _data(block: dict[str, list[str]]) -> tuple[str, list[str]] | None:
    return next(((key, block[key]) for key in ("XYDATA", "XYPOINTS") if len(block.get(key, ())) > 1), None)


def _number(block: dict[str, list[str]], name: str, default: float | None = None) -> float:
    if name not in block and default is not None:
        return default
    return float(block[name][0].replace(",", "."))


def _decompressed(lines: list[str]) -> list[float]:
    """Decode lines of X and intensities; after a line that ends in a step, the next one repeats its last value."""
    values: list[float] = []
    stepped = False
    for line in lines:
        tokens = _TOKEN.findall(line)[1:]  # the first is the position
        last_step: float | None = None
        for k, token in enumerate(tokens):
            digit, kind = _FIRST.get(token[0], ("", "value"))
            text = digit + token[1:] if digit else token.replace("?", "nan")
            value = float(text)
            if kind == "repeat":
                count = int(value) - 1
                if count > _MOST:
                    raise ValueError(f"{count} repetitions")
                values += [values[-1] + (last_step or 0) * j for j in range(1, count + 1)]
            elif kind == "step":
                last_step = value
                values.append(values[-1] + value)
            else:
                last_step = None
                if not (k == 0 and stepped):
                    values.append(value)
        stepped = last_step is not None
    return values
