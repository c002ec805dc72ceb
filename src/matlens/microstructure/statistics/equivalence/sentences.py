"""The verdict in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeGuard

import pandas as pd

from matlens.core.user_text import listed
from matlens.microstructure.statistics.equivalence.variability import MARGIN, MIN_WINDOWS

__all__ = ["CRITERION", "NAMES", "SHOWN", "describe", "describe_briefly", "is_warning", "telling", "verdict_word"]

# Words of the sentences below, and of the notes of a comparison, that warn.
_WARN = (
    "Check failed: ",
    "look at the copy test",
    "is not conclusive",
    "repeats parts of",
    "a verdict needs",
    "pixel sizes",
)
_MOST_TIMES = 50  # a number of windows that nobody has

NAMES = {
    "s2_error": "two-point correlation",
    "lineal_path_error": "lineal path",
    "cluster_error": "cluster function (face-connected)",
    "cluster_error_full": "cluster function (fully connected)",
    "euler_density_error": "Euler density",
    "specific_surface_error": "specific surface",
    "chord_length_error": "chord length",
    "conductivity_error": "effective conductivity (at equal fraction)",
    "stiffness_error": "effective stiffness (at equal fraction)",
}


SHOWN = {"equivalent": "equivalent", "different": "different", "undecided": "open"}
"""Verdicts on one statistic as reports word them."""

CRITERION = (
    f"A statistic is equivalent when the whole 90 % interval of R lies below {MARGIN:g}, different when it lies above, "
    "open otherwise or with fewer than eight windows."
)


def describe_briefly(name: str, joint: str, ratios: pd.DataFrame) -> str:
    """Put the verdict of windows of the material on one thing into one sentence.

    Parameters
    ----------
    name : str
        What was compared.
    joint : {"equivalent", "different", "undecided"}
        Joint verdict.
    ratios : DataFrame
        Columns ``statistic``, ``R`` and ``high``, the upper end of the interval of R; one row a statistic.

    Returns
    -------
    str
        The verdict, with the three statistics of largest R among those that are not shown equivalent.

    Examples
    --------
    >>> table = pd.DataFrame({"statistic": ["s2_error", "cluster_error"], "R": [1.0, 1.6], "high": [1.1, 1.9]})
    >>> describe_briefly("pool2", "undecided", table)
    'By windows of the material, pool2 is undecided; not shown equivalent: cluster function (face-connected) (R 1.60).'
    """
    if joint == "equivalent":
        return f"By windows of the material, {name} is equivalent to it in every statistic."
    rows = ratios[~(ratios["high"] < MARGIN)].nlargest(3, "R")
    worst = ", ".join(f"{NAMES[s]} (R {r:.2f})" for s, r in zip(rows["statistic"], rows["R"]))
    return f"By windows of the material, {name} is {joint}; not shown equivalent: {worst}."


def describe(
    ratios: pd.DataFrame,
    joints: Mapping[str, str],
    joint: str,
    controls: pd.DataFrame,
    copying: pd.DataFrame,
    notes: Sequence[str] = (),
) -> list[str]:
    """Put tables of a comparison into plain sentences.

    Parameters
    ----------
    ratios, controls, copying : DataFrame
        As in `Comparison`; the last two may be empty.
    joints : mapping
        Joint verdict by window size.
    joint : str
        The verdict that counts.
    notes : sequence of str
        Sentences to put after it.

    Returns
    -------
    list of str
        The verdict first, then a sentence for each statistic, the controls and the copy test.

    Examples
    --------
    >>> describe(pd.DataFrame(), {}, "undecided", pd.DataFrame(), pd.DataFrame())[0][:61]
    'Not decided: the micrograph is too small to cut windows from,'
    """
    sentences = [_headline(ratios, joints, joint, controls), *notes]
    for name, table in ratios.groupby("window", sort=False) if not ratios.empty else ():
        for row in table.itertuples():
            sentences.append(
                f"{_capital(NAMES[str(row.statistic)])}, {name} windows: R = {row.R:.2f} "
                f"({row.low:.2f} to {row.high:.2f}, {row.n_windows} windows): {SHOWN[str(row.verdict)]}."
            )
        close = [NAMES[s] for s in table.loc[table["too_close"], "statistic"]]
        if close:
            sentences.append(
                f"Closer to the {name} windows than these are to each other ({', '.join(close)}): "
                "look at the copy test."
            )
    return [*sentences, *_about_controls(controls), *_about_copying(copying)]


def telling(controls: pd.DataFrame, window: str) -> list[str]:
    """List the statistics that distinguish blurred noise from the material, so that agreement in them means something.

    Parameters
    ----------
    controls : DataFrame
        As in `Comparison`; may be empty.
    window : str
        Size of the windows by which it was judged, such as ``"64x64"``.

    Returns
    -------
    list of str
        Names of the statistics in which blurred noise is different; all others let it pass.

    Examples
    --------
    >>> rows = {"source": "blurred noise", "window": "8x8", "statistic": ["s2_error", "cluster_error"]}
    >>> telling(pd.DataFrame(rows | {"verdict": ["equivalent", "different"]}), "8x8")
    ['cluster_error']
    """
    if controls.empty:
        return []
    rows = controls[(controls["source"] == "blurred noise") & (controls["window"] == window)]
    return [str(name) for name in rows.loc[rows["verdict"] == "different", "statistic"]]


def is_warning(sentence: str) -> bool:
    """Whether a sentence of `describe` warns of using the result, or of trusting the verdict.

    Parameters
    ----------
    sentence : str
        The sentence.

    Returns
    -------
    bool
        Whether it does.

    Examples
    --------
    >>> is_warning("Check failed: even white noise is not recognised."), is_warning("Check passed: white noise is.")
    (True, False)
    """
    return any(word in sentence for word in _WARN)


def verdict_word(
    ratios: pd.DataFrame, joints: Mapping[str, str], joint: str, controls: pd.DataFrame | None = None
) -> str:
    """Put the verdict into a few words, for the heading above its sentence.

    Parameters
    ----------
    ratios : DataFrame
        As in `Comparison`.
    joints : mapping
        Joint verdict by window size.
    joint : str
        The verdict that counts.
    controls : DataFrame, optional
        As in `Comparison`. Where it holds blurred noise, only the statistics that distinguish it from the material are
        counted.

    Returns
    -------
    str
        ``"Equivalent"``, ``"Different"``, the number of statistics that are equivalent, or ``"Not decided"``.

    Examples
    --------
    >>> verdict_word(pd.DataFrame(), {}, "undecided")
    'Not decided'
    >>> rows = {"window": "8x8", "statistic": "s2_error", "verdict": ["equivalent", "undecided"], "n_windows": 9}
    >>> verdict_word(pd.DataFrame(rows), {"8x8": "undecided"}, "undecided")
    '1 of 2 equivalent'
    """
    if joint != "undecided":
        return joint.capitalize()
    table = _deciding(ratios, joints)
    if table.empty:
        return "Not decided"
    if _has_blurred(controls, table):
        table = table[table["statistic"].isin(telling(controls, str(table["window"].iloc[0])))]
    same = int((table["verdict"] == "equivalent").sum())
    return f"{same} of {len(table)} equivalent" if 0 < same < len(table) else "Not decided"


def _has_blurred(controls: pd.DataFrame | None, table: pd.DataFrame) -> TypeGuard[pd.DataFrame]:
    """Whether blurred noise was judged by the same windows."""
    if controls is None or controls.empty:
        return False
    window = str(table["window"].iloc[0])
    return bool(((controls["source"] == "blurred noise") & (controls["window"] == window)).any())


def _deciding(ratios: pd.DataFrame, joints: Mapping[str, str]) -> pd.DataFrame:
    """Rows of the largest windows of which there are enough for a verdict; none if there are no such windows."""
    for name in joints if not ratios.empty else ():
        table = ratios[ratios["window"] == name]
        if int(table["n_windows"].min()) >= MIN_WINDOWS:
            return table
    return ratios.iloc[:0]


def _headline(ratios: pd.DataFrame, joints: Mapping[str, str], joint: str, controls: pd.DataFrame) -> str:
    if ratios.empty:
        return (
            "Not decided: the micrograph is too small to cut windows from, so how far two windows of the material "
            "differ is not known; only the errors against the micrograph itself are given."
        )
    table = _deciding(ratios, joints)
    if table.empty:
        most = int(ratios.groupby("window", sort=False)["n_windows"].min().max())
        return (
            f"Not decided: the micrograph holds at most {most} windows to compare with, and a verdict needs "
            f"{MIN_WINDOWS}; a larger micrograph, several of them or a smaller result would give it."
        )
    windows, size = int(table["n_windows"].min()), str(table["window"].iloc[0])
    same = table["verdict"] == "equivalent"
    where = f"{windows} windows of {size} pixels"
    if same.all():
        if joint != "equivalent":  # blurred noise passes too
            return (
                f"Not decided: by these {len(table)} statistics and at this size ({where}) the material cannot be "
                "distinguished from blurred noise, so that the agreement of the result means little; larger windows "
                "may show a difference."
            )
        told = f", {_named(telling(controls, size))}" if _has_blurred(controls, table) else ""
        return (
            f"Equivalent in all {len(table)} statistics: in none of them the result differs from {where} of the "
            f"material more than {MARGIN:g} times as much as these differ from each other{told}."
        )
    off = table[table["low_joint"] > MARGIN]
    open_ones = table[~same & ~table.index.isin(off.index)]
    counted = _counted(table, controls)
    parts = [f"Equivalent in {counted}"]
    if len(off):
        parts = [f"Different from {where} of the material in {_with_ratios(off)}", f"equivalent in {counted}"]
    if len(open_ones):
        verb = "is" if len(open_ones) == 1 else "are"
        parts.append(f"{_with_ratios(open_ones)} {verb} open: {_needed(open_ones, where)}")
    return "; ".join(parts) + "."


def _counted(table: pd.DataFrame, controls: pd.DataFrame) -> str:
    """How many statistics are equivalent: first of those that can tell, then of those that blurred noise passes too."""
    same = table["verdict"] == "equivalent"
    if not _has_blurred(controls, table):
        return f"{int(same.sum())} of {len(table)} statistics"
    tells = table["statistic"].isin(telling(controls, str(table["window"].iloc[0])))
    if not tells.any():
        none = "but none of them distinguishes the material from blurred noise"
        return f"{int(same.sum())} of {len(table)} statistics, {none}"
    counted = (
        f"{int(same[tells].sum())} of the {int(tells.sum())} statistics that distinguish the material from blurred "
        f"noise ({listed([NAMES[name] for name in table.loc[tells, 'statistic']])})"
    )
    return counted if tells.all() else f"{counted} and in {int(same[~tells].sum())} of the {int((~tells).sum())} others"


def _named(names: Sequence[str]) -> str:
    """Which statistics make the agreement worth something."""
    if not names:
        return "but none of the statistics distinguishes the material from blurred noise"
    verb = "distinguishes" if len(names) == 1 else "distinguish"
    return f"and {listed([NAMES[name] for name in names])} {verb} the material from blurred noise"


def _with_ratios(table: pd.DataFrame) -> str:
    """Names of statistics, each with R and its interval; of many, the three with the largest R."""
    rows = table.nlargest(3, "R", keep="first")
    named = [
        f"{NAMES[str(row.statistic)]} (R {row.R:.2f}, 90 % interval {row.low:.2f} to {row.high:.2f})"
        for row in rows.itertuples()
    ]
    if len(table) > len(rows):
        named.append(f"{len(table) - len(rows)} more")
    return listed(named)


def _needed(table: pd.DataFrame, where: str) -> str:
    """How many windows would decide: the interval narrows with the square root of their number."""
    numbers: list[float] = []
    columns = (table[name].to_numpy(dtype=float) for name in ("R", "high", "low_joint", "n_windows"))
    for ratio, high, low, windows in zip(*columns):
        end = high if ratio < MARGIN else low
        if not (ratio > 0 and end > 0):  # unknown ones are not
            return f"{where} cannot tell"
        away = math.log(MARGIN / ratio)
        numbers.append(float("inf") if away == 0 else windows * (math.log(end / ratio) / away) ** 2)
    most = max(numbers)
    if most > _MOST_TIMES * int(table["n_windows"].max()):
        return f"{where} cannot tell, and where R lies close to {MARGIN:g} many times as many could not either"
    step = 5 if most < 50 else 10 if most < 200 else 100
    return f"{where} cannot tell, about {math.ceil(most / step) * step} would"


def _about_controls(controls: pd.DataFrame) -> list[str]:
    sentences = []
    for (control, window), table in controls.groupby(["source", "window"], sort=False) if not controls.empty else ():
        if table["n_windows"].min() < MIN_WINDOWS:
            continue
        joint = table["joint"].iloc[0]
        if joint == "different":
            sentences.append(f"Check passed: {control} is recognised as different by {window} windows.")
        elif control == "white noise":
            sentences.append(
                f"Check failed: even white noise is not recognised as different by {window} windows; trust no verdict "
                "here."
            )
        else:
            shown = "equivalent" if joint == "equivalent" else "not recognised as different"
            sentences.append(
                f"Check failed: blurred noise is {shown} by {window} windows, so that at this size the statistics "
                "hardly distinguish the material from it."
            )
    return sentences


def _about_copying(copying: pd.DataFrame) -> list[str]:
    if copying.empty:
        return []
    control = copying["source"] == "pasted blocks"
    if control.any() and not copying.loc[control, "copies"].any():
        return [
            "The copy test is not conclusive here: it does not even detect an image pasted from blocks of the "
            "micrograph."
        ]
    sentences = []
    for image, table in copying[~control].groupby("source", sort=False):
        row = int((table["copy_share"] - table["limit"]).to_numpy().argmax())
        worst = table.iloc[row]
        found = "repeats parts of the micrograph" if table["copies"].any() else "does not repeat the micrograph"
        sentences.append(
            f"{_capital(str(image))} {found}: {100 * worst['copy_share']:.0f} % of its {worst['patch']}-pixel patches "
            f"have a near copy there (allowed: {100 * worst['limit']:.0f} %); the largest identical block measures "
            f"{worst['largest_block']} px, and two halves of the micrograph share one of "
            f"{worst['largest_block_expected']} px."
        )
    if control.any():
        sentences.append("Check passed: an image pasted from blocks of the micrograph fails the copy test.")
    return sentences


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
