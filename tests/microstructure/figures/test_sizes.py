"""Figures of distributions and of single numbers."""

import numpy as np
import pandas as pd

from matlens import characterize
from matlens.microstructure.figures import distributions, measure_bars
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.statistics.tables import distributions_of_files, measures_of_files


def found():
    one, other = (gaussian_field((32, 32), 3.0, 0.4, seed=s) for s in (0, 1))
    return characterize([one, other], names=["a.tif", "b.tif"])


def test_distributions_have_a_line_for_each_phase_axis_and_file():
    table = distributions_of_files(found(), ["a.tif", "b.tif"])
    figure = distributions(table, unit="um")
    lines = {axes.get_title(loc="left"): len(axes.lines) for axes in figure.axes if axes.lines}
    assert lines["Chord length"] == 8
    assert lines["Local thickness"] == 4
    thickness = table[(table["statistic"] == "local_thickness") & (table["source"] == "b.tif")]
    assert thickness["value"].max() == 1
    assert all(axes.get_xlabel().endswith("(µm)") for axes in figure.axes if axes.lines)


def test_bars_stand_for_the_values_and_dashes_for_the_unknown():
    rows = measures_of_files(found(), ["a.tif", "b.tif"])
    rows = rows[rows["statistic"].isin(["specific_surface", "tortuosity_factor"])]
    rows.loc[rows.index[-1], "value"] = np.nan
    figure = measure_bars(rows)
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    surface = rows[rows["statistic"] == "specific_surface"]
    np.testing.assert_allclose(sorted(heights), sorted(surface["value"]))
    assert [text.get_text() for text in figure.axes[1].texts].count("–") == rows["value"].isna().sum()


def test_a_known_spread_is_a_line_on_the_bar():
    row = {"statistic": "anisotropy", "phase": "pore", "axis": "", "source": "a", "value": 1.5, "unit": "1"}
    axes = measure_bars(pd.DataFrame([{**row, "low": 1.2, "high": 2.0}])).axes[0]
    np.testing.assert_allclose(axes.collections[0].get_segments()[0][:, 1], [1.2, 2.0])
