import sys

import numpy as np
import pandas as pd
import pytest

from matlens import Microstructure
from matlens.errors import RunError
from matlens.figures.save import save_figure
from matlens.microstructure.figures import (
    Plane,
    bounds_chart,
    cleaning_overlay,
    field_planes,
    learning_curves,
    loss_curves,
    micrographs,
    parity,
    prediction_intervals,
    statistic_curves,
    verdict_forest,
)
from matlens.microstructure.figures.pictures import nice_length
from matlens.microstructure.problems import bicontinuous


@pytest.fixture
def history():
    rows = [
        (i, level, 10 * level + e, 2.0 / (e + 1), 1.0 / (e + 1))
        for i in range(2)
        for level in range(2)
        for e in range(10)
    ]
    return pd.DataFrame(rows, columns=["realisation", "level", "evaluation", "total", "gram"])


@pytest.fixture
def curves():
    return pd.DataFrame(
        [
            ("two_point", phase, axis, source, float(r), 0.5 / (1 + r), 0.4 / (1 + r), 0.6 / (1 + r))
            for phase in ("pore", "solid")
            for axis in ("radial", "y", "x")
            for source in ("exemplar", "windows", "result 0", "result 1")
            for r in range(8)
        ],
        columns=["statistic", "phase", "axis", "source", "distance", "value", "low", "high"],
    )


def width_mm(figure):
    return round(figure.get_figwidth() * 25.4)


def test_micrographs_keep_scale_and_width():
    wide = Microstructure(np.tile([0, 1], (10, 20)), spacing=0.5, unit="um")
    figure = micrographs([("a", wide), ("b", wide), ("c", wide)])
    assert width_mm(figure) == 183
    assert len(figure.axes) == 3
    assert {text.get_text() for axes in figure.axes for text in axes.texts} == {"5 µm"}


def test_micrographs_of_a_volume_show_a_slice():
    volume = Microstructure(np.arange(64).reshape(4, 4, 4) % 3)
    assert micrographs([("volume", volume)]).axes[0].images[0].get_array().shape == (4, 4)


def test_anisotropic_pixels_are_drawn_in_physical_proportion():
    m = Microstructure(np.eye(8, dtype=int), spacing=(2.0, 1.0), unit="nm")
    axes = micrographs([("m", m)]).axes[0]
    box = axes.get_position()
    figure = axes.figure
    assert box.height * figure.get_figheight() == pytest.approx(2 * box.width * figure.get_figwidth())


@pytest.mark.parametrize(("length", "nice"), [(1.0, 1.0), (4.99, 2.0), (5.0, 5.0), (0.031, 0.02), (1e5, 1e5)])
def test_nice_length(length, nice):
    assert nice_length(length) == pytest.approx(nice)


def test_loss_curves_are_logarithmic_and_mark_levels(history):
    figure = loss_curves(history)
    assert all(axes.get_yscale() == "log" for axes in figure.axes)
    assert width_mm(figure) == 183


@pytest.mark.slow
def test_statistic_curves_have_a_panel_for_each_phase_and_axis(curves):
    figure = statistic_curves(curves, unit="um")
    assert len(figure.axes) == 6
    assert figure.axes[-1].get_xlabel() == "distance (µm)"


def test_verdict_forest_survives_missing_intervals():
    table = pd.DataFrame(
        {
            "statistic": ["two-point", "two-point"],
            "source": ["result", "white noise"],
            "R": [1.0, np.nan],
            "low": [np.nan, np.nan],
            "high": [np.nan, np.nan],
            "verdict": ["undecided", "undecided"],
        }
    )
    low, high = verdict_forest(table).axes[0].get_xlim()
    assert 0 < low < 1.25 < high


def test_cleaning_overlay_outlines_every_border():
    m = bicontinuous((32, 32), seed=0)
    assert len(cleaning_overlay(m.labels * 90.0, m).axes) == 3


@pytest.mark.slow
def test_saving_twice_gives_the_same_bytes(tmp_path, history):
    first = save_figure(loss_curves(history), tmp_path / "a", history)
    second = save_figure(loss_curves(history), tmp_path / "b", history)
    assert [file.suffix for file in first] == [".png", ".pdf", ".csv"]
    assert [a.read_bytes() == b.read_bytes() for a, b in zip(first, second)] == [True] * 3
    assert b"/FontFile2" in first[1].read_bytes()  # TrueType, so the text stays text
    assert pd.read_csv(first[2]).equals(history)


def test_saving_into_a_missing_folder_is_one_sentence(tmp_path, history):
    with pytest.raises(RunError, match="cannot be written"):
        save_figure(loss_curves(history), tmp_path / "no" / "a", history)


def test_no_pyplot_state():
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


@pytest.mark.slow
def test_strips_stay_on_the_sheet(tmp_path):
    tall = Microstructure(np.arange(5000).reshape(-1, 1) % 2)
    assert max(micrographs([("tall", tall)]).get_size_inches()) < 20
    flat = Microstructure(tall.labels.T)
    for strip in (tall, flat):
        save_figure(cleaning_overlay(strip.labels * 100, strip), tmp_path / "strip", pd.DataFrame())


def test_figures_of_a_model_survive_awkward_tables():
    table = pd.DataFrame(
        {
            "set": "test",
            "value": [-1.0, 0.0, 2.0],
            "predicted": [-0.5, 0.1, 1.5],
            "low": np.nan,
            "high": np.nan,
            "inside": False,
            "in_domain": [True, True, False],
        }
    )
    assert parity(table, label="strength (MPa)").axes[0].get_xscale() == "linear"
    wide = table.assign(value=[1.0, 10.0, 100.0], predicted=[1.1, 9.0, 80.0], low=0.5, high=200.0)
    assert parity(wide, label="k").axes[0].get_yscale() == "log"
    both = parity(pd.concat([table, wide.assign(set="folds")]), label="k")
    assert (len(both.axes), width_mm(both)) == (2, 183)
    assert len(prediction_intervals(table, label="k").axes[0].lines) == 2
    rows = pd.DataFrame({"model": ["a", "b"], "n": [25, 25], "draw": 0, "r2": [0.9, -5.0], "skill": np.nan})
    assert len(learning_curves(rows).axes) == 1


@pytest.mark.parametrize("sets", [["test"], ["test", "folds"]])
def test_the_legend_of_parity_stays_on_the_figure(sets):
    one = pd.DataFrame({"value": [1.0, 2.0], "predicted": [1.1, 1.8], "low": 0.9, "high": 1.9})
    table = pd.concat([one.assign(set=name, inside=True, in_domain=True) for name in sets])
    figure = parity(table, label="k")
    figure.draw_without_rendering()
    box, page = figure.legends[0].get_window_extent(), figure.bbox
    assert page.x0 <= box.x0
    assert box.x1 <= page.x1


def test_bounds_far_from_zero_are_seen():
    """An axis from zero left bars between 18 and 20 without width, and half a dot at the border."""
    bounds = pd.DataFrame({"bound": ["Wiener"], "lower": [18.0], "upper": [20.0]})
    axes = bounds_chart(bounds, pd.DataFrame({"name": ["this sample"], "value": [19.5]}), label="k").axes[0]
    low, high = axes.get_xlim()
    assert low > 15
    assert high > 20
    assert axes.patches[0].get_width() / (high - low) > 0.5
    axes = bounds_chart(bounds.assign(lower=4.0), pd.DataFrame({"name": ["s"], "value": [5.0]}), label="k").axes[0]
    assert axes.get_xlim()[0] == 0


def test_a_single_prediction_has_a_whole_number():
    table = pd.DataFrame({"predicted": [1.0], "low": [0.9], "high": [1.2], "in_domain": [True]})
    axes = prediction_intervals(table, label="k").axes[0]
    assert [tick for tick in axes.get_xticks() if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]] == [1]


def test_the_label_of_a_colour_bar_is_whole():
    plane = Plane("yy", np.eye(8), (1.0, 1.0))
    figure = field_planes([plane, plane, plane], unit="um", label="strain energy density (GPa)")
    figure.draw_without_rendering()
    box = figure.axes[-1].yaxis.label.get_window_extent()
    assert figure.bbox.y0 <= box.y0
    assert box.y1 <= figure.bbox.y1
    assert box.x1 <= figure.bbox.x1


def test_pictures_of_several_files_have_one_scale():
    structures = [Microstructure(np.eye(side, dtype=int), 1.0, "um") for side in (40, 20)]
    panels = [(str(number), structure) for number, structure in enumerate(structures)]
    large, small = (axes.get_position().width for axes in micrographs(panels, one_scale=True).axes)
    assert large == pytest.approx(2 * small)
    large, small = (axes.get_position().width for axes in micrographs(panels).axes)
    assert large == pytest.approx(small)
