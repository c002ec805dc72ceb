"""Which statistic breaks first when channels are removed, by importance and in other orders."""

from __future__ import annotations

import pandas as pd

from matlens.microstructure.pruning.recommendation import NO_NETWORK, limits
from matlens.microstructure.statistics.equivalence.sentences import NAMES

__all__ = ["breaking_sentences", "breaks"]

_COLUMNS = ["removed", "statistic", "width", "R", "limit"]
_ORDERS = {
    "least important": "When the least important channels are removed first",
    "random": "When channels are removed in random order",
    "most important": "When the most important channels are removed first",
}


def breaks(table: pd.DataFrame, ratios: pd.DataFrame) -> pd.DataFrame:
    """Find the widest network that loses each statistic.

    Parameters
    ----------
    table : DataFrame
        Columns ``width``, ``share`` and ``removed`` of one material.
    ratios : DataFrame
        Columns ``width``, ``statistic``, ``R`` and ``high`` of one material.

    Returns
    -------
    DataFrame
        One row for each order of removal (``removed``) and each statistic that breaks, the first to break first:
        ``width``, the widest at which R exceeds the ``limit`` of the widest network of all
        (`matlens.microstructure.pruning.recommendation.limits`), and ``R`` there.

    Examples
    --------
    >>> table = pd.DataFrame({"width": ["1/4", "1/2", "1"], "share": [0.25, 0.5, 1.0], "removed": "least important"})
    >>> ratios = pd.DataFrame({"width": table["width"], "statistic": "s2_error", "R": [3.0, 1.2, 1.0], "high": 1.3})
    >>> breaks(table, ratios).to_dict("records")
    [{'removed': 'least important', 'statistic': 's2_error', 'width': '1/4', 'R': 3.0, 'limit': 1.3}]
    """
    named = table[table["removed"].isin(_ORDERS) & (table["width"] != NO_NETWORK)]
    widest = str(named["width"].iloc[int(named["share"].argmax())])
    limit = limits(ratios, widest, "width")
    rows = ratios.merge(named[["width", "share", "removed"]], on="width")
    rows = rows[rows["R"] > rows["statistic"].map(limit)].assign(limit=lambda found: found["statistic"].map(limit))
    rows = rows.assign(excess=rows["R"] / rows["limit"], order=rows["removed"].map(list(_ORDERS).index))
    rows = rows.sort_values(["order", "share", "excess"], ascending=[True, False, False], kind="stable")
    return rows.drop_duplicates(["removed", "statistic"])[_COLUMNS].reset_index(drop=True)


def breaking_sentences(table: pd.DataFrame, ratios: pd.DataFrame) -> list[str]:
    """Describe the statistic that breaks first in each order of removal.

    Parameters
    ----------
    table, ratios : DataFrame
        As in `breaks`.

    Returns
    -------
    list of str
        One sentence for each order that was studied.

    Examples
    --------
    >>> table = pd.DataFrame({"width": ["1/4", "1"], "share": [0.25, 1.0], "removed": "least important"})
    >>> ratios = pd.DataFrame({"width": table["width"], "statistic": "s2_error", "R": [3.0, 1.0], "high": 1.3})
    >>> print(*breaking_sentences(table, ratios))
    When the least important channels are removed first, two-point correlation breaks first, at width 1/4: R 3.00,
    limit 1.30.
    """
    found, pruned = breaks(table, ratios), table[(table["share"] > 0) & (table["share"] < 1)]
    sentences = []
    for order, words in _ORDERS.items():
        widths = pruned[pruned["removed"] == order]
        if widths.empty:
            continue
        first = found[found["removed"] == order].head(1)
        sentences.append(f"{words}, {_none(widths) if first.empty else _first(first)}.")
    return sentences


def _first(rows: pd.DataFrame) -> str:
    statistic, name, ratio, limit = (rows[column].iloc[0] for column in ("statistic", "width", "R", "limit"))
    width = str(name).split()[0]
    return f"{NAMES[str(statistic)]} breaks first, at width {width}: R {ratio:.2f}, limit {limit:.2f}"


def _none(widths: pd.DataFrame) -> str:
    narrowest = str(widths["width"].iloc[int(widths["share"].argmin())]).split()[0]
    return f"no statistic breaks down to width {narrowest}"
