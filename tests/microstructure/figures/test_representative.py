from matlens.microstructure.figures import window_scatter
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.statistics import representative_size


def test_a_panel_a_statistic_with_measured_fitted_and_predicted():
    study = representative_size(gaussian_field((128, 128), 5.0, 0.3, seed=0))
    figure = window_scatter(study.spread, unit="um")
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "Volume fraction",
        "Specific surface",
        "Two-point error",
    ]
    assert [len(axes.lines) for axes in figure.axes] == [6, 4, 2]
    assert all(axes.get_xscale() == axes.get_yscale() == "log" for axes in figure.axes)
