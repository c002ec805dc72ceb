"""The answer of a comparison with micrographs, and the sections with its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from matlens.core.numbers import percent, shown
from matlens.microstructure import figures
from matlens.microstructure.commands import sections
from matlens.microstructure.commands.inputs import stored_inputs
from matlens.microstructure.statistics.equivalence.sentences import CRITERION, NAMES, SHOWN, is_warning, telling
from matlens.microstructure.statistics.equivalence.variability import MARGIN, MIN_WINDOWS
from matlens.report.numbers import interval
from matlens.report.parts import Answer, Drawing, Folded, Item, Section, Tile, table
from matlens.runs.codecs import JSON, read_file
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["answer", "copying", "evidence", "headlines", "judged_properties", "named", "verdict_in"]

_ERRORS = {"fraction_error": "volume fraction", "realisation": "realisation", "plane": "plane", "source": "source"}
_OF_STATISTIC = ": R = "  # in sentences on a single statistic, which repeat the table


def named(statistic: str) -> str:
    """Name a statistic of a comparison as a reader knows it.

    Parameters
    ----------
    statistic : str
        Name of a column or row of the tables.

    Returns
    -------
    str
        The name.

    Examples
    --------
    >>> named("s2_error"), named("fraction_error")
    ('two-point correlation', 'volume fraction')
    """
    return (NAMES | _ERRORS).get(statistic, statistic)


def verdict_in(folder: Path) -> dict[str, Any]:
    """Read the verdict of a comparison.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    dict
        Content of verdict.json; empty if nothing was compared.
    """
    file = folder / "verdict.json"
    return dict(read_file(file, JSON)) if file.is_file() else {}


def headlines(run: RunDirectory) -> list[str]:
    """Return the verdict, then what was found besides; sentences that the tables repeat and warnings are left out.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    list of str
        Sentences; none if nothing was compared.
    """
    first, *others = verdict_in(run.path).get("sentences") or [""]
    kept = [text for text in others if _OF_STATISTIC not in text and not is_warning(text)]
    return [first, *kept] if first else []


def answer(run: RunDirectory) -> Answer | None:
    """Show the verdict in numbers, micrograph and results, and what speaks against trusting it.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before anything was compared.
    """
    words, exemplars, results = verdict_in(run.path), stored_inputs(run), sections.results_of(run)
    if not (words and exemplars and results):
        return None
    warnings = [text for text in words["sentences"][1:] if is_warning(text)]
    return Answer(
        [*_of_ratios(run), *sections.fraction_tiles(results[0], exemplars[0])[:1], *_of_copies(run)],
        sections.pictures(run),
        [*run.provenance.get("resolved", {}).get("warnings", []), *warnings, *sections.threshold_warnings(run)],
        words["joint"],
        words.get("word", words["joint"].capitalize()),  # runs of earlier versions have none
    )


def _deciding(ratios: pd.DataFrame) -> str:
    """Size of the windows that decide: the first, and so largest, of which there are enough; else the most frequent."""
    counts = ratios[ratios["source"] == "result"].groupby("window", sort=False)["n_windows"].min()
    enough = counts[counts >= MIN_WINDOWS]
    return str(enough.index[0] if len(enough) else counts.idxmax())


def _of_ratios(run: RunDirectory) -> list[Tile]:
    ratios = read_table(run, "ratios")
    if ratios is None:
        return []
    window = _deciding(ratios)
    rows = ratios[(ratios["window"] == window) & (ratios["source"] == "result")]
    tells = telling(ratios, window)
    own = rows[rows["statistic"].isin(tells)] if tells else rows
    worst = rows.iloc[int(rows["R"].argmax())]
    same = f"{int((own['verdict'] == 'equivalent').sum())} of {len(own)}"
    size = " × ".join(window.split("x"))
    return [
        Tile("equivalent statistics", same, "", "that recognise blurred noise" if tells else ""),
        Tile(
            f"largest R: {named(worst['statistic'])}",
            shown(float(worst["R"])),
            "",
            interval(worst["low"], worst["high"]),
        ),
        Tile("windows of the micrograph", str(int(rows["n_windows"].min())), "", f"of {size} px"),
    ]


def _of_copies(run: RunDirectory) -> list[Tile]:
    found = read_table(run, "copy_test")
    if found is None or not len(found):
        return []
    own = found[found["source"].str.startswith("result")]
    worst = own.iloc[int((own["copy_share"] - own["limit"]).argmax())]
    return [Tile("copied patches", shown(100 * float(worst["copy_share"])), "%", f"allowed: {percent(worst['limit'])}")]


def evidence(run: RunDirectory) -> Section | None:
    """Show R with intervals, controls and errors.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    ratios, errors = read_table(run, "ratios"), read_table(run, "errors")
    items: list[Item] = []
    said: list[str] = []
    if ratios is not None:
        said.append(
            "R compares two distances: that of the result from windows of the material, and that between such windows. "
            f"{CRITERION} The checks, white noise and blurred noise of the same volume fraction, show how much the "
            "statistics can recognise."
        )
        deciding = _deciding(ratios)
        ratios = ratios.assign(statistic=ratios["statistic"].map(named))
        for window, rows in ratios.groupby("window", sort=False):
            count = rows["n_windows"].iloc[0]
            caption = f"R of each statistic with its 90 % interval; {count} windows of {window} px."
            name = f"verdicts_{str(window).replace(' ', '')}"
            figure = figures.verdict_forest(rows, margin=MARGIN)
            parts: list[Item] = [
                Drawing(name, figure, rows, caption, _in_words(rows)),
                table(_side_by_side(rows), f"R by windows of {window} px"),
            ]
            if window == deciding:
                items = [*parts, *items]
            else:
                items.append(Folded(f"The same by {count} windows of {window} px", parts))
    if errors is not None:
        caption = (
            "Errors against the whole micrograph, relative to it (conductivity: natural logarithm of the ratio; volume "
            "fraction: difference); white noise scores about 1 in the two-point correlation"
        )
        if "plane" in errors:
            errors["plane"] = errors["plane"].str.replace(" ", "\u00a0")  # a place stays on one line
        wide = _with_thresholds(errors, read_table(run, "sensitivity"))
        items.append(table(wide, caption, {str(name): named(str(name)) for name in wide}))
    return Section("Evidence", items, said) if items else None


def _in_words(rows: pd.DataFrame) -> str:
    """What the figure of R shows, for those who cannot see it."""
    result = rows[rows["source"] == "result"].sort_values("R", ascending=False)
    below = int((result["R"] < MARGIN).sum())
    worst = ", ".join(f"{name} at {shown(float(value))}" for name, value in zip(result["statistic"], result["R"][:3]))
    return f"R of {len(result)} statistics: {below} lie below {MARGIN:g}; the largest are {worst}."


def _with_thresholds(errors: pd.DataFrame, sensitivity: pd.DataFrame | None) -> pd.DataFrame:
    """Add a row with what moved thresholds alone make of the exemplar, the most that each error then is."""
    if sensitivity is None or "lineal_path_error" not in sensitivity:
        return errors
    most = sensitivity.groupby("input")[["s2_error", "lineal_path_error"]].max().mean()
    most["fraction_error"] = sensitivity["fraction_change"].abs().max()
    row = {name: most.get(name, None) for name in errors.columns} | {errors.columns[0]: "micrograph, thresholds moved"}
    return pd.concat([errors.astype(object), pd.DataFrame([row])], ignore_index=True)


def _side_by_side(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a statistic: R of the result with interval and verdict, then R of each control."""
    result = rows[rows["source"] == "result"].set_index("statistic")
    found = pd.DataFrame(
        {
            "R": result["R"],
            "90 % interval": [f"{low:.2f} to {high:.2f}" for low, high in zip(result["low"], result["high"])],
            "verdict": result["verdict"].map(SHOWN),
        }
    )
    for source in dict.fromkeys(rows["source"]):
        if source != "result":
            found[f"R of {source}"] = rows[rows["source"] == source].set_index("statistic")["R"]
    return found.reset_index()


def copying(run: RunDirectory) -> Section | None:
    """Show whether results repeat parts of the exemplar.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "copy_test")
    if found is None or not len(found):
        return None
    results = found[found["source"].str.startswith("result")]
    copies = bool(results["copies"].any())
    conclusive = bool(found.loc[found["source"] == "pasted blocks", "copies"].any())
    said = (
        "No verdict: in this material the test does not even notice an image pasted from blocks of the micrograph."
        if not conclusive
        else "The result repeats pieces of the micrograph: the copy test failed."
        if copies
        else "No realisation repeats more of the micrograph than windows of the material share by chance: the copy "
        "test is passed."
    )
    control = "An image pasted from blocks of the micrograph is shown as the control; it should fail."
    caption = (
        "Share of patches whose best match in the micrograph, over all shifts and symmetries, is closer than chance."
    )
    columns = {
        "source": "image",
        "patch": "patch (px)",
        "copy_share": "copied patches",
        "limit": "allowed",
        "median_match": "median match (correlation)",
        "threshold": "match by chance (correlation)",
        "largest_block": "largest block (px)",
        "largest_block_expected": "by chance (px)",
        "copies": "copies",
    }
    shown_table = table(found, "The copy test", columns, ["copy_share", "limit"])
    return Section("Copy test", [Drawing("copy_test", figures.copy_shares(found), found, caption), shown_table],
                   [said, control])  # fmt: skip


def judged_properties(run: RunDirectory) -> Section | None:
    """Show the apparent properties of windows of the exemplar, results and controls.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "properties")
    if found is None:
        return None
    found = found.assign(value=[_range(*row) for row in zip(found["median"], found["low"], found["high"])])
    keys = ["window", "property", "phase", "component"]
    wide = found.pivot(index=keys, columns="source", values="value")[list(dict.fromkeys(found["source"]))]
    wide = wide.loc[list(dict.fromkeys(map(tuple, found[keys].to_numpy().tolist())))].reset_index()
    names = {
        "window": "window (px)",
        "property": "property",
        "phase": "conductor or stiff phase",
        "component": "component",
    }
    caption = (
        "Apparent properties, relative to the other phases: median and, in brackets, 5 % to 95 % of several windows"
    )
    said = (
        "The reconstruction was not fitted to these values. Each phase in turn is made 50 times as conductive (or 100 "
        "times as stiff) as the others; windows of micrograph and result are taken between two faces alike, with the "
        "other sides insulated (stiffness: mirrored)."
    )
    sources = {name: "micrograph" if name == "windows" else name for name in map(str, wide.columns[len(keys) :])}
    names |= {name: f"{source} (relative)" for name, source in sources.items()}
    return Section("Effective properties", [table(wide, caption, names)], [said])


def _range(median: float, low: float, high: float) -> str:
    """A value with its range, which a single window does not have."""
    return shown(median) if low == high else f"{shown(median)} ({shown(low)} to {shown(high)})"


def said_of(names: Sequence[str], folder: Path) -> list[str]:
    """Return the verdict on each of several runs below a folder.

    Parameters
    ----------
    names : sequence of str
        Folders of the runs.
    folder : Path
        Where they lie.

    Returns
    -------
    list of str
        A sentence for each that compared something.
    """
    return [f"{name}: {text}" for name in names for text in verdict_in(folder / name).get("sentences", [])[:1]]
