"""What the page asks of libraries: what the columns of a table are, and what charts are drawn from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.core.settings import read_options
from matlens.errors import InputError
from matlens.library.commands import Table, reading
from matlens.library.gradients import SCHEMES, average_regions
from matlens.library.io import (
    LibraryOptions,
    lines_of_truth,
    map_axes,
    options_for_roles,
    read_library,
    table_columns,
)
from matlens.library.model import LearnedLibrary, read_learned_library
from matlens.library.table import MaterialsLibrary
from matlens.runs.codecs import DATASET, TABLE, read_file

__all__ = ["Libraries", "table_asked"]

INTERVAL = 1.645
"""Standard errors on either side of a value that make a 90 % interval."""

_OF_COLUMNS = ("sample", "components", "formula", "axis_columns", "merits", "covariates")
_KINDS = ("total", "partial")
_PLACES = 6  # significant digits that are sent

Found = dict[str, Any]


class Libraries:
    """Answers requests on tables and on runs that learned from them; what was read last is kept.

    Examples
    --------
    >>> Libraries().answer({"what": "columns", "file": "nowhere.csv", "root": "."})["problem"]
    'nowhere.csv cannot be read as a table (No such file or directory); it may be truncated or damaged: copy or save it
    again.'
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, Any]] = {}

    @property
    def makers(self) -> dict[str, Callable[[Mapping[str, Any]], Found]]:
        """The requests that are answered."""
        return {
            "columns": self._columns,
            "roles": _roles,
            "samples": self._samples,
            "gradients": self._gradients,
            "spectrum": self._spectrum,
            "channel": self._channel,
            "plate": self._plate,
        }

    def answer(self, asked: Mapping[str, Any]) -> Found:
        """Answer one request.

        Parameters
        ----------
        asked : mapping
            ``what``, see `makers`; ``root``, the folder that all files lie in; and either ``file``, a table, with
            ``options`` and ``target`` of the form, or ``run``, a run directory, with ``command`` and the folder of
            its ``model``.

        Returns
        -------
        dict
            What JSON can represent.

        Raises
        ------
        InputError
            If a file or an option cannot be used.
        """
        what = str(asked.get("what"))
        if what not in self.makers:
            raise InputError(f"found the request {what[:20]!r}; expected one of {', '.join(self.makers)}.")
        return self.makers[what](asked)

    def _columns(self, asked: Mapping[str, Any]) -> Found:
        found: Found = {"columns": [], "problem": "", "parts": [], "notes": [], "merits": [], "target": ""}
        try:
            file, options, target = table_asked(asked)
            columns = table_columns(file, options=options, target=target)
            found["columns"] = [
                {"name": name, "role": role, "cells": list(cells)}
                for name, role, cells in zip(columns.names, columns.roles, columns.cells)
            ]
            library = self._library(asked)
            first, *notes = lines_of_truth(library, os.path.basename(file))
            found["parts"] = first.partition(": ")[2].split("; ")
            found["notes"] = [note.strip() for note in notes]
            found["merits"] = [
                {
                    "name": str(name),
                    "unit": library.merit_units[str(name)],
                    "measured": int(library.merits[name].notna().sum()),
                }
                for name in library.merits
            ]
            if target is not None or library.merits.shape[1] == 1:
                found["target"] = library.merit_name(target)
        except InputError as error:
            found["problem"] = str(error)
        return found

    def _library(self, asked: Mapping[str, Any]) -> MaterialsLibrary:
        file, options, target = table_asked(asked)

        def make() -> MaterialsLibrary:
            return read_library(file, options=options, target=target, varied=False)

        stamps = [_stamp(place) for place in (file, options.spectra) if place]
        found: MaterialsLibrary = self._once("library", (file, options, target, stamps), make)
        return found

    def _learned(self, asked: Mapping[str, Any]) -> LearnedLibrary | None:
        """The library of a model; None where the model is not in the folder or not there any more."""
        named = asked.get("model")
        folder = _inside(asked, named) if isinstance(named, str) and named else None
        if folder is None or not (folder / "model.json").is_file():
            return None
        for name in ("model.json", "arrays.safetensors"):
            _file(asked, folder, name)
        found: LearnedLibrary = self._once(
            "learned", (folder, _stamp(folder / "model.json")), lambda: read_learned_library(folder)
        )
        return found

    def _insight(self, asked: Mapping[str, Any]) -> xr.Dataset:
        file = _file(asked, _run(asked), "gradients.nc")
        found: xr.Dataset = self._once("insight", (file, _stamp(file)), lambda: read_file(file, DATASET))
        return found

    def _once(self, what: str, key: Any, make: Callable[[], Any]) -> Any:
        if what not in self._kept or self._kept[what][0] != key:
            self._kept.pop(what, None)
            self._kept[what] = (key, make())
        return self._kept[what][1]

    def _samples(self, asked: Mapping[str, Any]) -> Found:
        """Compositions, positions, values and the axis: what every chart needs of the samples."""
        if "file" in asked:
            library = self._library(asked)
            values = [
                _value(f"{name}, measured", library.merit_units[str(name)], library.merit(str(name)))
                for name in library.merits
            ]
            return {**_of_library(library), "values": values, "explained": False}
        if asked.get("command") == "library explain":
            return self._explained(asked)
        learned = self._learned({**asked, "model": asked.get("run")})
        if learned is None:
            raise InputError("the run has no model yet; wait until it is finished, or resume it.")
        library, name, unit = learned.library, learned.target, learned.unit
        measured = library.merit(name)
        measured = np.log10(measured) if unit.startswith("log10") else measured
        predicted = _held_out(asked, library.samples)
        values = [_value(f"{name}, measured", unit, measured)]
        if predicted is not None:
            values += [_value(f"{name}, predicted without the sample", unit, predicted)]
            values += [_value(f"{name}, measured less predicted", unit, measured - predicted, signed=True)]
        return {**_of_library(library), "values": values, "explained": False, **_said(asked)}

    def _explained(self, asked: Mapping[str, Any]) -> Found:
        insight, learned = self._insight(asked), self._learned(asked)
        name, unit = str(insight.attrs.get("target", "")), str(insight.attrs.get("unit", ""))
        samples = [str(sample) for sample in insight["sample"].values]
        found: Found = {
            "samples": samples,
            "components": [str(component) for component in insight["component"].values],
            "sites": [str(site) for site in insight["site"].values] if "site" in insight else [],
            "fraction_name": str(insight.attrs.get("fraction_name", "at%")),
            "compositions": _numbers(insight["composition"].to_numpy()),
            "positions": None,
            "axis": None,
            "values": [
                _value(f"{name}, measured", unit, insight["merit"].to_numpy()),
                _value(f"{name}, predicted", unit, insight["predicted"].to_numpy()),
            ],
            "explained": True,
            "schemes": [str(scheme) for scheme in SCHEMES],
            "kinds": list(_KINDS if "axis" in insight.coords else _KINDS[:1]),
            "hosts": [str(host) for host in insight["exchange_host"].values] if "exchange_host" in insight else [],
            **_said(asked),
        }
        if learned is not None and list(learned.library.samples) == samples:
            whole = _of_library(learned.library)
            found |= {"positions": whole["positions"], "axis": whole["axis"]}
        elif "axis" in insight.coords:
            found["axis"] = _axis(insight["axis"].to_numpy(), "channel", "", "intensity", "")
        return found

    def _gradients(self, asked: Mapping[str, Any]) -> Found:
        """Gradients of one scheme and kind: of every sample with its error and support, and their means."""
        insight = self._insight(asked)
        scheme = _choice(asked, "scheme", tuple(map(str, SCHEMES)))
        kind = _choice(asked, "kind", _KINDS)
        values = insight["composition_gradient"].sel(scheme=scheme, kind=kind).to_numpy()
        errors = _error(insight, "composition_gradient").sel(scheme=scheme, kind=kind).to_numpy()
        support = _support(insight, kind)
        supported = (support > 0) & np.isfinite(values)
        rows = [
            {
                "value": _number(values[at, k].mean() if at.any() else np.nan),
                "half": _number(INTERVAL * errors[at, k].mean() if at.any() else np.nan),
                "samples": int(at.sum()),
                "full": int((at & (support[:, k] == 2)).sum()),
            }
            for k, at in enumerate(supported.T)
        ]
        return {
            "unit": str(insight["composition_gradient"].attrs.get("units", "")),
            "values": _numbers(values),
            "halves": _numbers(INTERVAL * errors),
            "support": support.tolist(),
            "means": rows,
        }

    def _spectrum(self, asked: Mapping[str, Any]) -> Found:
        """The spectrum of a sample, or the mean of all, with its gradient where the run has one."""
        index = asked.get("index")
        if asked.get("command") != "library explain":
            spectra = self._spectra(asked)
            return {"intensity": _numbers(spectra.mean(axis=0) if index is None else spectra[_row(index, spectra)])}
        insight = self._insight(asked)
        if "spectral_gradient" not in insight:
            return {"intensity": _numbers(self._mean_or_row(asked, index))}
        error, support = _error(insight, "spectral_gradient"), insight["spectral_support"].to_numpy().astype(int)
        if index is None:
            mean = average_regions(insight, {"all": np.ones(len(support), bool)}).isel(region=0)
            # At least half of the samples: as in the report's figure.
            levels = sum((np.mean(support >= least, axis=0) >= 0.5).astype(int) for least in (1, 2))
            gradient, errors = mean["spectral_gradient"].to_numpy(), error.mean("sample").to_numpy()
            return _with_gradient(insight, insight["spectrum"].to_numpy().mean(axis=0), gradient, errors, levels)
        row = _row(index, support)
        gradient = insight["spectral_gradient"].to_numpy()[row]
        return _with_gradient(
            insight, insight["spectrum"].to_numpy()[row], gradient, error.to_numpy()[row], support[row]
        )

    def _mean_or_row(self, asked: Mapping[str, Any], index: Any) -> NDArray[np.float64]:
        spectra = self._spectra(asked)
        found: NDArray[np.float64] = spectra.mean(axis=0) if index is None else spectra[_row(index, spectra)]
        return found

    def _channel(self, asked: Mapping[str, Any]) -> Found:
        """The intensities of all samples at one channel, and the gradients there."""
        spectra = self._spectra(asked)
        channel = _row(asked.get("index"), spectra.T)
        found = {"intensity": _numbers(spectra[:, channel])}
        if asked.get("command") == "library explain":
            insight = self._insight(asked)
            if "spectral_gradient" in insight:
                found["gradient"] = _numbers(insight["spectral_gradient"].to_numpy()[:, channel])
        return found

    def _spectra(self, asked: Mapping[str, Any]) -> NDArray[np.float64]:
        if asked.get("command") == "library explain" and "spectrum" in self._insight(asked):
            explained: NDArray[np.float64] = self._insight(asked)["spectrum"].to_numpy()
            return explained
        if "file" in asked:
            library: MaterialsLibrary | None = self._library(asked)
        else:
            named = asked.get("model") if asked.get("command") == "library explain" else asked.get("run")
            learned = self._learned({**asked, "model": named})
            library = None if learned is None else learned.library
        if library is None or library.spectra is None:
            raise InputError("these samples have no spectra.")
        return library.spectra

    def _plate(self, asked: Mapping[str, Any]) -> Found:
        """The suggestions of a run, each with the amounts to make and what is expected of it."""
        run = _run(asked)
        plate, found = (
            read_file(_file(asked, run, f"{name}.csv"), TABLE).astype(object) for name in ("plate", "suggestions")
        )
        components = [str(name) for name in plate.columns if name not in ("rank", "well", "move")]
        told = [name for name in ("expected", "low", "high", "gain", "chance", "support", "reason") if name in found]
        rows = [
            {
                "well": str(well),
                "move": str(move),
                "amounts": [_number(value) for value in amounts],
                **{name: _plain(value) for name, value in zip(told, facts)},
            }
            for well, move, amounts, facts in zip(
                plate["well"], plate["move"], plate[components].to_numpy(), found[told].to_numpy()
            )
        ]
        learned = self._learned(asked)
        known = learned is not None and list(learned.library.components) == components
        return {
            "components": components,
            "rows": rows,
            "sites": list(learned.library.sites) if learned is not None and known else [],
            "fraction_name": learned.library.fraction_name if learned is not None and known else "",
        }


def table_asked(asked: Mapping[str, Any]) -> tuple[str, LibraryOptions, str | None]:
    """Read which table is asked for, and how it is read.

    Parameters
    ----------
    asked : mapping
        ``root``, ``file``, and, of the form, ``options`` of reading and ``target``.

    Returns
    -------
    tuple of (str, LibraryOptions, str or None)
        Path, options and figure of merit.

    Raises
    ------
    InputError
        If an option is not understood, or names a file outside ``root``.

    Examples
    --------
    >>> table_asked({"root": "/", "file": "/t.csv", "options": {"merit_units": "T"}, "target": "P"})[1].settings()
    {'merit_units': ['P=T']}
    """
    given = asked.get("options")
    given = {name: value for name, value in (given if isinstance(given, dict) else {}).items() if value}
    target = str(asked.get("target") or "") or None
    options = reading(read_options(Table, given), target)
    if options.spectra is not None:
        _inside(asked, options.spectra)
    return str(asked.get("file")), options, target


def _roles(asked: Mapping[str, Any]) -> Found:
    """The options with which columns are taken for what the page says, as values of the form."""
    file, options, target = table_asked(asked)
    wanted = asked.get("wanted")
    if not isinstance(wanted, dict):
        raise InputError("the request does not say which column is what.")
    chosen = options_for_roles(file, {str(k): str(v) for k, v in wanted.items()}, options=options, target=target)
    said = chosen.settings()
    values = {name: said.get(name, "") for name in _OF_COLUMNS}
    return {"options": {name: ",".join(v) if isinstance(v, list) else v for name, v in values.items()}}


def _of_library(library: MaterialsLibrary) -> Found:
    return {
        "samples": list(library.samples),
        "components": list(library.components),
        "sites": list(library.sites),
        "fraction_name": library.fraction_name,
        "compositions": _numbers(library.compositions),
        "positions": _positions(library),
        "axis": None
        if library.axis is None
        else _axis(library.axis, library.axis_name, library.axis_unit, library.spectrum_name, library.spectrum_unit),
    }


def _axis(positions: NDArray[np.float64], name: str, unit: str, spectrum: str, spectrum_unit: str) -> Found:
    return {
        "positions": _numbers(positions),
        "name": name,
        "unit": unit,
        "spectrum": spectrum,
        "spectrum_unit": spectrum_unit,
    }


def _positions(library: MaterialsLibrary) -> Found | None:
    """Where samples lie; of several wafers, on which."""
    names = [str(name) for name in library.covariates]
    axes = map_axes(names)
    if not axes or not all(library.covariates[names[k]].dtype.kind in "fiu" for k in axes.values()):
        return None
    x, y = (library.covariates[names[axes[axis]]] for axis in "xy")
    plates = [name for name in names if name.lower() in ("plate", "wafer")]
    plate = [str(value) for value in library.covariates[plates[0]]] if plates else None
    return {
        "x": _numbers(x.to_numpy(np.float64)),
        "y": _numbers(y.to_numpy(np.float64)),
        "names": [str(x.name), str(y.name)],
        "plate": plate,
    }


def _held_out(asked: Mapping[str, Any], samples: tuple[str, ...]) -> NDArray[np.float64] | None:
    """Predictions of each sample without it, of the first way of holding samples out; the mean of repeats."""
    run = _run(asked)
    if not (run / "held_out.csv").is_file():
        return None
    table: pd.DataFrame = read_file(_file(asked, run, "held_out.csv"), TABLE)
    own = table[(table["model"] == table["model"].iloc[0]) & (table["partition"] == table["partition"].iloc[0])]
    means = own.groupby(own["sample"].astype(str))["predicted"].mean()
    found: NDArray[np.float64] = means.reindex(list(samples)).to_numpy(np.float64)
    return found


def _said(asked: Mapping[str, Any]) -> Found:
    """Conclusions of a run with how sure they are, where it has a table of them."""
    file = _run(asked) / "conclusions.csv"
    if not file.is_file():
        return {"conclusions": []}
    table: pd.DataFrame = read_file(_file(asked, _run(asked), "conclusions.csv"), TABLE).astype(object)
    kept = [name for name in ("about", "subject", "sentence", "status", "reason", "firm", "next") if name in table]
    return {"conclusions": [{name: _plain(row[name]) for name in kept} for _, row in table.iterrows()]}


def _with_gradient(
    insight: xr.Dataset,
    intensity: NDArray[np.float64],
    gradient: NDArray[np.float64],
    error: NDArray[np.float64],
    support: NDArray[np.int_],
) -> Found:
    return {
        "intensity": _numbers(intensity),
        "gradient": _numbers(gradient),
        "half": _numbers(INTERVAL * error),
        "support": support.tolist(),
        "unit": str(insight["spectral_gradient"].attrs.get("units", "")),
    }


def _error(insight: xr.Dataset, name: str) -> xr.DataArray:
    """The standard error of a gradient; where the model tells none, the deviation of its members."""
    return insight[f"{name}_error" if f"{name}_error" in insight else f"{name}_spread"]


def _support(insight: xr.Dataset, kind: str) -> NDArray[np.int_]:
    """Support of each direction, at most that of the kind of gradient."""
    found = insight["support"].to_numpy().astype(int)
    if "kind_support" not in insight:
        return found
    lowest: NDArray[np.int_] = np.minimum(found, int(insight["kind_support"].sel(kind=kind)))
    return lowest


def _value(name: str, unit: str, values: NDArray[np.float64], *, signed: bool = False) -> Found:
    return {"name": name, "unit": unit, "signed": signed, "values": _numbers(values)}


def _choice(asked: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = asked.get(name) or choices[0]
    if value not in choices:
        raise InputError(f"found the {name} {str(value)[:20]!r}; choose one of {', '.join(choices)}.")
    return str(value)


def _row(index: Any, table: NDArray[Any]) -> int:
    if not isinstance(index, int) or not 0 <= index < len(table):
        raise InputError(f"found the number {str(index)[:20]!r}; expected one from 0 to {len(table) - 1}.")
    return index


def _run(asked: Mapping[str, Any]) -> Path:
    return _inside(asked, str(asked.get("run")))


def _file(asked: Mapping[str, Any], folder: Path, name: str) -> Path:
    """A file of a run: a link that leads out of the studio's folder is not followed."""
    place = _inside(asked, folder / name)
    if not place.is_file():
        raise InputError(f"the run has no {name} yet; wait until it is finished, or resume it.")
    return place


def _inside(asked: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    root, place = Path(str(asked.get("root"))).resolve(), Path(path).resolve()
    if not place.is_relative_to(root):
        raise InputError(f"{path} is not in the folder of the studio; copy it there.")
    return place


def _stamp(path: str | os.PathLike[str]) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _number(value: Any) -> float | None:
    number = float(value)
    return float(f"{number:.{_PLACES}g}") if np.isfinite(number) else None


def _numbers(values: NDArray[Any]) -> list[Any]:
    return [_number(value) if np.ndim(value) == 0 else _numbers(value) for value in np.asarray(values)]


def _plain(value: Any) -> Any:
    """A cell of a table as JSON can hold it."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | float | np.integer | np.floating):
        return _number(value)
    return "" if value is None else str(value)
