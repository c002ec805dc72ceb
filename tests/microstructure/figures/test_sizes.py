"""The figure of distributions."""

from matlens import characterize
from matlens.microstructure.figures import distributions
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.statistics.tables import distributions_of_files


def found():
    one, other = (gaussian_field((32, 32), 3.0, 0.4, seed=s) for s in (0, 1))
    return characterize([one, other], names=["a.tif", "b.tif"])


def test_distributions_have_a_line_for_each_phase_axis_and_file():
    table = distributions_of_files(found(), ["a.tif", "b.tif"])
    figure = distributions(table, unit="um")
    lines = {axes.get_title(loc="left"): len(axes.lines) for axes in figure.axes if axes.lines}
    assert lines["Chord length along y"] == lines["Chord length along x"] == 4
    assert lines["Local thickness"] == 4
    thickness = table[(table["statistic"] == "local_thickness") & (table["source"] == "b.tif")]
    assert thickness["value"].max() == 1
    assert all(axes.get_xlabel().endswith("(µm)") for axes in figure.axes if axes.lines)


def test_colour_and_line_mean_the_same_in_every_panel_of_several_files():
    """The line style was the axis in one panel and the file in the others, so that two files looked the same."""
    figure = distributions(distributions_of_files(found(), ["a.tif", "b.tif"]), unit="um")
    meanings = {}
    for axes in figure.axes:
        for line in axes.lines:
            phase, source = line.get_label().split(", ")
            assert meanings.setdefault(source, line.get_color()) == line.get_color()
            assert meanings.setdefault(phase, line.get_linestyle()) == line.get_linestyle()
    assert meanings["a.tif"] != meanings["b.tif"]
    assert meanings["phase 0"] != meanings["phase 1"]


def test_the_legend_of_long_names_stays_on_the_figure():
    names = ["a_very_long_name_of_a_micrograph_0001.tif", "another_name_of_a_micrograph_0002.tif"]
    figure = distributions(distributions_of_files(found().assign_coords(file=names), names), unit="um")
    figure.draw_without_rendering()
    box, page = figure.legends[0].get_window_extent(), figure.bbox
    assert page.x0 <= box.x0
    assert box.x1 <= page.x1
