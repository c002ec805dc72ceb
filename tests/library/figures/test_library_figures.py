import numpy as np
import pandas as pd
import pytest
from library_example import example_insight
from matplotlib.backends.backend_agg import FigureCanvasAgg

from matlens.figures.scores import score_bars
from matlens.figures.style import DOUBLE, SINGLE
from matlens.library import figures
from matlens.library.figures.style import GAIN, LOSS, UNKNOWN, diverging

CASES = {
    "seven": {},
    "three": {"components": ("Fe", "Ga", "Pd"), "samples": 40, "channels": 30},
    "no spectrum": {"components": ("P3HT", "D1", "D2", "D6", "D8"), "channels": 0},
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def insight(request):
    return example_insight(**request.param)


def drawn(figure):
    """Draw it: warnings of layout and fonts are errors here."""
    FigureCanvasAgg(figure).draw()
    assert round(figure.get_figwidth() * 25.4) in (89, 183)
    for legend in figure.legends:
        box = legend.get_window_extent()
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1, "a legend is cut off"
    return figure


def marks(axes):
    """Marker, colour and place of everything drawn as a single mark."""
    found = []
    for line in axes.lines:
        if line.get_marker() not in ("", "None", None) and len(line.get_xdata()):
            found.append((line.get_marker(), line.get_color(), line.get_xdata()[0], line.get_ydata()[0]))
    return found


@pytest.fixture
def arrows():
    """Up, down, weak, zero within its error, unsupported zero, host."""
    return pd.DataFrame(
        {
            "sample": "1",
            "component": list("ABCDEF"),
            "fraction": [40.0, 30.0, 20.0, 10.0, 0.0, 0.0],
            "gradient": [0.5, -0.5, 0.3, 0.0, 0.0, np.nan],
            "error": [0.1, 0.1, 0.1, 0.05, 0.0, 0.0],
            "support": [2, 2, 1, 2, 0, 2],
        }
    )


def test_arrows_point_the_right_way_and_no_support_is_no_zero(arrows):
    axes = drawn(figures.composition_arrows(arrows, unit="mW per at%")).axes[0]
    by_place = {round(x): (mark, colour, y) for mark, colour, x, y in marks(axes) if mark in "^vox"}
    assert by_place[0][:2] == ("^", GAIN)
    assert by_place[1][:2] == ("v", LOSS)
    assert by_place[0][2] > 40
    assert by_place[1][2] < 30
    assert by_place[3][0] == "o"  # a zero that is known
    assert by_place[4][0] == "x"  # a zero that nobody knows
    assert by_place[3][1] != by_place[4][1]
    assert "host" in {text.get_text() for text in axes.texts}
    assert len(axes.containers) == 1 + 4  # the bars, and error caps of what is supported


def test_arrows_of_all_panels_have_one_scale(arrows):
    twice = pd.concat([arrows, arrows.assign(sample="2", gradient=arrows["gradient"] / 2)])
    first, second = drawn(figures.composition_arrows(twice, unit="mW per at%")).axes
    tips = [next(y for mark, _, x, y in marks(axes) if round(x) == 0 and mark == "^") for axes in (first, second)]
    assert tips[0] - 40 == pytest.approx(2 * (tips[1] - 40))


def test_arrows_where_nothing_has_support(arrows):
    figure = drawn(figures.composition_arrows(arrows.assign(support=0), unit="mW per at%"))
    assert {mark for mark, *_ in marks(figure.axes[0])} == {"x"}


@pytest.mark.slow
def test_composition_figures_of_every_kind_of_library(insight):
    frame = figures.arrow_frame(insight, figures.typical_samples(insight))
    assert np.allclose(frame.groupby("sample")["fraction"].sum(), 100)
    drawn(figures.composition_arrows(frame, unit="mW/cm$^2$ per at%"))
    ranges = figures.gradient_frame(insight, ["dilution", "exchange"])
    last = str(insight["component"].values[-1])
    assert (ranges[ranges["component"] == last]["share"] == 0).all()
    drawn(figures.component_gradients(ranges, label="gradient"))
    shares = figures.support_frame(insight).set_index("component")
    assert np.allclose(shares.sum(axis=1), 1)
    assert shares.loc[last, "unsupported"] == 1
    drawn(figures.support_shares(shares.reset_index()))


def test_ranges_are_of_supported_samples_and_hosts_are_no_crosses():
    insight = example_insight()
    insight["support"][:30, 1] = 0
    row = figures.gradient_frame(insight, ["dilution"]).set_index(["component", "model"]).loc[("V", "model")]
    values = insight["composition_gradient"].sel(scheme="dilution", kind="total", component="V").to_numpy()
    assert row["median"] == pytest.approx(np.median(values[30:]))
    assert row["share"] == pytest.approx(0.5)
    host = figures.gradient_frame(insight, ["exchange"]).set_index(["component", "model"]).loc[("Bi", "model")]
    assert np.isnan(host["share"])


def test_the_kind_of_gradient_limits_its_support():
    insight = example_insight()
    assert figures.arrow_frame(insight, [0], kind="partial")["support"].max() == 1
    assert figures.arrow_frame(insight, [0], kind="total")["support"].max() == 2


def test_typical_samples_are_the_best_of_their_systems():
    insight = example_insight()
    rows = figures.typical_samples(insight, 4)
    there = insight["composition"].to_numpy() > 0
    for row in rows:
        same = (there == there[row]).all(axis=1)
        assert insight["merit"].to_numpy()[same].max() == insight["merit"].to_numpy()[row]
    assert len({there[row].tobytes() for row in rows}) == 4


@pytest.mark.slow
def test_spectrum_is_grey_where_unsupported_and_marks_windows():
    insight = example_insight()
    frame = figures.spectrum_frame(insight)
    assert (frame.loc[frame["axis"] > 1000, "support"] == 0).all()
    known = insight["spectral_gradient"].to_numpy()[:, 0]
    assert frame["gradient"][0] == pytest.approx(known.mean())
    windows = pd.DataFrame({"low": [338.0], "high": [353.0], "sign": [1]})
    figure = drawn(figures.spectrum_gradient(frame, windows, axis="x", intensity="I", gradient="dP/dI"))
    grey, coloured = figure.axes[0].collections
    assert coloured.get_array().size + len(grey.get_segments()) == len(frame) - 1
    assert "window that raises the merit" in {text.get_text() for text in figure.legends[0].get_texts()}
    below = figure.axes[1].lines[1]
    assert np.isnan(np.asarray(below.get_ydata())[frame["axis"] > 1000]).all()
    drawn(figures.spectrum_gradient(frame, axis="x", intensity="I", gradient="dP/dI", width=SINGLE))


def test_maps_over_the_axis_leave_the_unknown_open():
    rows = [(name, x, 0.9 if x < 3 else np.nan) for name in ("W", "Mo") for x in (1.0, 2.0, 4.0)]
    table = pd.DataFrame(rows, columns=["component", "axis", "r"])
    figure = drawn(figures.component_axis_map(table, axis="x", label="r", null=0.2))
    colours = figure.axes[0].collections[0].get_array()
    assert colours.shape == (2, 3, 4)
    assert (np.asarray(colours)[:, 2, 3] == 0).all()
    assert (np.asarray(colours)[:, :2, 3] == 1).all()
    assert figure.axes[0].get_yticklabels()[0].get_text() == "W"


@pytest.mark.slow
def test_pairs_show_r_as_given_and_grey_what_chance_gives(insight):
    gradients = figures.pair_frame(insight)
    assert gradients.iloc[:, -1].isna().all()
    names = list(gradients)[:-1]
    rows = [(a, b, -0.31, False) for i, a in enumerate(names) for b in names[i + 1 :]]
    table = pd.DataFrame(rows, columns=["first", "second", "r", "beyond"])
    figure = drawn(figures.gradient_pairs(gradients[names], table, label="gradient"))
    assert len(figure.axes) == len(names) ** 2
    assert {text.get_text() for axes in figure.axes for text in axes.texts} == {"−0.31"}
    matrix = drawn(figures.correlation_matrix(table, names, [names[:2]], label="r"))
    assert len(matrix.axes[0].patches) == 1
    assert not matrix.axes[0].texts


def test_ternary_places_pure_components_in_its_corners():
    table = pd.DataFrame(np.eye(3), columns=["A", "B", "C"]).assign(value=[1.0, 2.0, 3.0])
    axes = drawn(figures.ternary_map(table, ["A", "B", "C"], label="P")).axes[0]
    places = axes.collections[1].get_offsets()
    assert np.allclose(places, [[0, 0], [1, 0], [0.5, np.sqrt(0.75)]])


def test_ternary_of_a_part_has_the_right_numbers_on_its_sides():
    fractions = np.array([[0.52, 0.46, 0.02], [0.50, 0.44, 0.06], [0.54, 0.44, 0.02]])
    table = pd.DataFrame(fractions, columns=["Bi", "V", "W"]).assign(value=[1.0, 2.0, 3.0], support=[2, 2, 0])
    axes = drawn(figures.ternary_map(table, ["Bi", "V", "W"], label="P", signed=True)).axes[0]
    numbers = {text.get_text(): text.xy for text in axes.texts if text.get_text().replace(".", "").isdigit()}
    for text, (x, y) in numbers.items():  # each number stands on the side where its component has that share
        top = y / np.sqrt(0.75)
        right, left = x - top / 2, 1 - x - top / 2
        low = fractions.min(axis=0)
        low = low - 0.03 * (1 - low.sum())
        shares = 100 * (low + np.array([left, right, top]) * (1 - low.sum()))
        assert min(abs(shares - float(text))) < 1e-6
    assert len(axes.collections[0].get_offsets()) == 1  # the cross


def test_ternary_frame_follows_the_largest_system(insight):
    frame, names = figures.ternary_frame(insight)
    if len(names):
        assert np.allclose(frame[names].sum(axis=1), 1)
        assert ("up_Pd" in frame) == (names == ["Fe", "Ga", "Pd"])  # the others lie on a line
        drawn(figures.ternary_map(frame, names, label="P", width=DOUBLE))


def test_arrows_of_the_ternary_rise_as_the_gradient_does():
    insight = example_insight(components=("Fe", "Ga", "Pd"), samples=30, channels=0)
    rise = np.array([3.0, -1.0, 1.0])
    insight["composition_gradient"][2, 1] = rise
    frame, names = figures.ternary_frame(insight)
    assert np.allclose(frame[[f"up_{name}" for name in names]], rise - 1)
    quiver = drawn(figures.ternary_map(frame, names, label="P")).axes[0].collections[2]
    assert quiver.U[0] < 0  # towards Fe, at the lower left
    assert quiver.V[0] == pytest.approx(0, abs=1e-12)  # Pd, at the top, is at its mean


def test_wafer_crosses_out_what_has_no_support():
    rows = {
        "x": [0.0, 1.0, 0.0, 1.0],
        "y": [0.0, 0.0, 1.0, 1.0],
        "value": [1.0, 2.0, np.nan, 4.0],
        "support": [2, 2, 2, 0],
    }
    figure = drawn(figures.wafer_map(pd.DataFrame({"panel": "P", "signed": True, **rows}), unit="mm"))
    crosses, squares = figure.axes[0].collections
    assert len(crosses.get_offsets()) == 2
    assert len(squares.get_offsets()) == 2


def test_parity_counts_what_lies_in_its_interval():
    rows = {"partition": "p", "value": [1.0, 2.0, 3.0, 10.0], "predicted": [1.1, 2.9, 3.0, 9.0]}
    table = pd.DataFrame({**rows, "low": [0.9, 2.8, 2.0, 8.0], "high": [1.2, 3.0, 4.0, 9.5], "censored": [0, 0, 0, 1]})
    figure = drawn(figures.held_out_parity(table, label="P"))
    assert figure.axes[0].texts[0].get_text() == "67 % in their 90 % intervals"
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["inside its interval", "outside its interval", "censored: true value above"]


def test_parity_without_intervals_says_so():
    table = pd.DataFrame(
        {"partition": "p", "value": [1.0, 2.0], "predicted": [1.1, 2.9], "low": np.nan, "high": np.nan}
    )
    figure = drawn(figures.held_out_parity(table, label="P"))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["no interval"]
    assert not figure.axes[0].texts


def test_differences_are_coloured_only_beyond_their_interval():
    table = pd.DataFrame({"partition": "p", "baseline": ["a", "b", "c"], "difference": [0.2, 0.0, -0.2]})
    table = table.assign(low=table["difference"] - 0.1, high=table["difference"] + 0.1)
    axes = drawn(figures.paired_differences(table)).axes[0]
    colours = axes.collections[1].get_facecolors()
    assert len({tuple(colour) for colour in colours}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("spectral", [True, False])
def test_older_ways_have_a_panel_each(spectral):
    places = [1.0, 2.0, 3.0] if spectral else ["Bi", "V", "W"]
    parts = [
        pd.DataFrame({"way": way, "line": line, "place": places, "value": [0.1, np.nan, -0.3]})
        for way, line in (("gradient", ""), ("PLS", ""), ("NMF", "1"), ("NMF", "2"))[: 4 if spectral else 2]
    ]
    figure = drawn(figures.reference_analyses(pd.concat(parts), axis="x" if spectral else ""))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["gradient", "PLS", "NMF"][: 3 if spectral else 2]


def test_suggestions_without_support_are_crosses():
    table = pd.DataFrame({"rank": [1, 2], "move": ["+1 W", "+1 Mo"], "start": 2.0, "expected": [2.5, 2.6]})
    table = table.assign(low=2.1, high=2.9, support=[2, 0])
    shares = pd.DataFrame({"Bi": [0.5, 0.5], "V": [0.4, 0.4], "W": [0.1, 0.0], "Mo": [0.0, 0.1], "Tb": 0.0})
    figure = drawn(figures.suggestion_chart(table, shares, label="P", best=2.4))
    assert [(mark, colour) for mark, colour, *_ in marks(figure.axes[1])][-2:] == [("o", GAIN), ("x", UNKNOWN)]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["Bi", "V", "W", "Mo"]
    assert figure.axes[0].get_yticklabels()[0].get_text() == "1.  +1 W"


@pytest.mark.parametrize("count", [2, 7, 14])
def test_check_page_with_and_without_replicates(count):
    names = [f"E{number}" for number in range(count)]
    pairs = pd.DataFrame(np.arange(count**2).reshape(count, count), index=names, columns=names)
    reach = pd.DataFrame({"name": ["noise ceiling", "x alone"], "r2": [np.nan, -0.2], "low": np.nan, "high": np.nan})
    none = pd.DataFrame({"mean": [], "value": []})
    figure = drawn(figures.check_page(pairs, none, reach, label="P"))
    assert "not known" in {text.get_text() for text in figure.axes[2].texts}
    some = pd.DataFrame({"mean": [1.0, 1.0], "value": [0.9, 1.1]})
    drawn(figures.check_page(pairs, some, reach, label="P"))


def test_a_few_huge_gradients_do_not_bleach_the_rest():
    assert diverging([*np.linspace(-1, 1, 200), 1e6]).vmax < 2
    assert diverging([0.0, 0.0]).vmax == 1
    assert diverging([np.nan]).vmax == 1
    assert diverging([*np.zeros(99), 5.0]).vmax == 5


def test_a_score_below_zero_is_drawn_at_the_border_of_what_can_be_reached():
    reach = pd.DataFrame({"name": ["x alone"], "r2": [-0.4], "low": [np.nan], "high": [np.nan]})
    pairs = pd.DataFrame([[3, 1], [1, 1]], index=["Bi", "W"], columns=["Bi", "W"])
    axes = figures.check_page(pairs, pd.DataFrame({"mean": [], "value": []}), reach, label="P").axes[2]
    (dot,) = (line for line in axes.lines if line.get_marker() == "<")
    assert axes.get_xlim()[0] < dot.get_xdata()[0] < axes.get_xlim()[1]
    assert "−0.40" in [text.get_text() for text in axes.texts]


def test_a_bar_that_is_not_there_says_where_its_number_belongs():
    scores = pd.DataFrame({"set": "test", "model": ["model"], "r2": [-0.419], "r2_low": [-1.0], "r2_high": [0.1]})
    assert [text.get_text() for text in score_bars(scores).axes[0].texts] == ["◂ −0.419"]
