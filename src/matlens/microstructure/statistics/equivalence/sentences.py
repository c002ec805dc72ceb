"""The verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from matlens.microstructure.statistics.equivalence.variability import MARGIN, MIN_WINDOWS

__all__ = ["CRITERION", "NAMES", "describe", "describe_briefly"]

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


CRITERION = (
    f"A statistic is equivalent when the whole 90 % interval of R lies below {MARGIN:g}, different when it lies above, "
    "undecided otherwise or with fewer than eight windows."
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
    >>> describe(pd.DataFrame(), {}, "undecided", pd.DataFrame(), pd.DataFrame())[0][:60]
    'Undecided: the exemplar is too small to cut windows from, so'
    """
    sentences = [_headline(ratios, joints, joint), *notes]
    for name, table in ratios.groupby("window", sort=False) if not ratios.empty else ():
        for row in table.itertuples():
            sentences.append(
                f"{_capital(NAMES[str(row.statistic)])}, {name} windows: R = {row.R:.2f} "
                f"({row.low:.2f} to {row.high:.2f}, {row.n_windows} windows): {row.verdict}."
            )
        close = [NAMES[s] for s in table.loc[table["too_close"], "statistic"]]
        if close:
            sentences.append(
                f"Closer to the {name} windows than these are to each other ({', '.join(close)}): "
                "look at the copy test."
            )
    return [*sentences, *_about_controls(controls), *_about_copying(copying)]


def _headline(ratios: pd.DataFrame, joints: Mapping[str, str], joint: str) -> str:
    if ratios.empty:
        return (
            "Undecided: the exemplar is too small to cut windows from, so how far two windows of the material differ "
            "is not known; only the errors against the exemplar itself are given."
        )
    counts = ratios.groupby("window", sort=False)["n_windows"].min()
    enough = [name for name in joints if counts[name] >= MIN_WINDOWS]
    if not enough:
        return f"Undecided: {counts.max()} windows at most, where a verdict needs {MIN_WINDOWS}."
    where = f"judged by {counts[enough[0]]} windows of {enough[0]}"
    table = ratios[ratios["window"] == enough[0]]
    if joint == "equivalent":
        return f"Equivalent, {where}: in every statistic the result is a window of the material within R < {MARGIN}."
    if joint == "different":
        off = [NAMES[s] for s in table.loc[table["low_joint"] > MARGIN, "statistic"]]
        return f"Different, {where}: {', '.join(off)} lie further off than windows of the material do."
    alone = [NAMES[s] for s in table.loc[table["verdict"] == "different", "statistic"]]
    off = [NAMES[s] for s in table.loc[~table["verdict"].isin(["equivalent", "different"]), "statistic"]]
    if not alone:
        return f"Undecided, {where}: no difference is shown, but equivalence is not either for {', '.join(off)}."
    said = f"Undecided, {where}: judged alone, {', '.join(alone)} would lie further off than windows of the material do"
    rest = f"; equivalence is not shown for {', '.join(off)} either" if off else ""
    return f"{said}, which among {len(table)} statistics may be chance{rest}."


def _about_controls(controls: pd.DataFrame) -> list[str]:
    sentences = []
    for (control, window), table in controls.groupby(["source", "window"], sort=False) if not controls.empty else ():
        if table["n_windows"].min() < MIN_WINDOWS:
            continue
        joint = table["joint"].iloc[0]
        if joint == "different":
            sentences.append(f"Control: {control} is told apart ({window} windows), as it must be.")
        elif control == "white noise":
            sentences.append(f"Control failed: white noise is {joint} by {window} windows; trust no verdict here.")
        else:
            sentences.append(
                f"Control: {control} is {joint} by {window} windows; at this size the material is hardly told from a "
                "level-cut random field."
            )
    return sentences


def _about_copying(copying: pd.DataFrame) -> list[str]:
    if copying.empty:
        return []
    control = copying["source"] == "pasted blocks"
    sentences = []
    for image, table in copying[~control].groupby("source", sort=False):
        row = int((table["copy_share"] - table["limit"]).to_numpy().argmax())
        worst = table.iloc[row]
        found = "copies the exemplar" if table["copies"].any() else "does not copy the exemplar"
        sentences.append(
            f"{_capital(str(image))} {found}: {worst['copy_share']:.0%} of its {worst['patch']}-pixel patches are "
            f"found there more closely than the exemplar repeats itself (limit {worst['limit']:.0%}); the largest "
            f"verbatim block is {worst['largest_block']} px ({worst['largest_block_expected']} between its halves)."
        )
    if copying[control]["copies"].any():
        sentences.append("Control: an image pasted from exemplar blocks fails the copy test, as it must.")
    else:
        sentences.append(
            "Control failed: pasted exemplar blocks pass the copy test; it says nothing about this material."
        )
    return sentences


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
