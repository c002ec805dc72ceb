import numpy as np
import pytest

from matlens.microstructure.problems import gaussian_field, laminate
from matlens.microstructure.statistics import distance_bands, scale_ratios
from matlens.microstructure.structure import Microstructure


def lineal_path_by_definition(labels, phase, axis, r):
    """Share of the positions whose segment of r + 1 pixels lies in the phase."""
    inside = np.moveaxis(labels == phase, axis, 0)
    fits = inside.shape[0] - r
    return np.mean([inside[i : i + r + 1].all(axis=0) for i in range(fits)])


def test_bands_are_octaves_up_to_half_the_side():
    assert distance_bands((128, 64)) == [(1, 2), (3, 4), (5, 8), (9, 16), (17, 31)]
    assert distance_bands((17, 17)) == [(1, 2), (3, 4), (5, 8)]


def test_ratios_follow_their_definition():
    windows = list(gaussian_field((48, 32), 2.0, 0.4, seed=0).tiles((16, 16)))
    result = gaussian_field((16, 16), 3.0, 0.4, seed=1)

    def difference(a, b, first, last):
        return np.mean([
            abs(lineal_path_by_definition(a.labels, k, axis, r) - lineal_path_by_definition(b.labels, k, axis, r))
            for k in range(2) for axis in range(2) for r in range(first, last + 1)
        ])  # fmt: skip

    table = scale_ratios([result], windows).set_index(["curve", "from_px"])
    for first, last in ((1, 2), (3, 4), (5, 7)):
        apart = np.median([difference(result, w, first, last) for w in windows])
        between = np.median([difference(a, b, first, last) for i, a in enumerate(windows) for b in windows[:i]])
        row = table.loc["lineal path", first]
        assert (row["d_result"], row["d_windows"]) == pytest.approx((apart, between))
        assert row["R"] == pytest.approx(apart / between)


def test_windows_that_do_not_differ_allow_no_ratio():
    window = laminate((16, 16), period=4)
    table = scale_ratios([Microstructure(1 - window.labels)], [window, window])
    assert table["R"].isna().all()
