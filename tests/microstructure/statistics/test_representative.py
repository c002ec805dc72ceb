"""Scatter between windows against the Boolean model's analytic variance, and what is said of it."""

import numpy as np
import pytest

from matlens import InputError, Microstructure
from matlens.microstructure.problems import bicontinuous, discs, discs_two_point, white_noise
from matlens.microstructure.statistics import fraction_variance, integral_range, representative_size

RADIUS, PHI = 5.0, 0.35


def boolean_covariance(reach):
    distance = np.hypot(*np.ogrid[-reach : reach + 1, -reach : reach + 1])
    return (discs_two_point(distance, RADIUS, PHI) - PHI**2) / (PHI * (1 - PHI))


def disc_windows(side, count):
    return [discs((side, side), radius=RADIUS, fraction=PHI, seed=s, periodic=False) for s in range(count)]


@pytest.mark.parametrize("side", [12, 40])
def test_variance_of_the_fraction_is_that_of_independent_windows(side):
    found = np.var([m.volume_fractions[1] for m in disc_windows(side, 600)], ddof=1)
    assert fraction_variance(boolean_covariance(side), (side, side), PHI) == pytest.approx(found, rel=0.15)


def test_integral_range_of_the_boolean_model():
    truth = boolean_covariance(40).sum()
    found = [integral_range(m) for m in disc_windows(400, 8)]
    np.testing.assert_allclose(np.mean(found, axis=0), truth, rtol=0.1)
    assert integral_range(white_noise((200, 200), (0.5, 0.5)))[1] == pytest.approx(1, abs=0.2)
    # waves cancel: a piece of spinodal says far more than its size in blobs
    assert integral_range(bicontinuous((512, 512), seed=0, periodic=False))[1] < 20


@pytest.mark.slow
def test_law_and_windows_are_those_of_the_boolean_model():
    truth = boolean_covariance(40).sum()
    studies = [representative_size(m, statistics=["volume_fraction"]) for m in disc_windows(320, 8)]
    laws = [study.laws.set_index("phase").loc["discs"] for study in studies]
    assert np.mean([law["integral_range_windows"] for law in laws]) == pytest.approx(truth, rel=0.2)
    for window in ("80x80", "40x40"):
        side = int(window[:2])
        expected = fraction_variance(boolean_covariance(side), (side, side), PHI)
        rows = [s.spread.query("phase == 'discs'").set_index("window").loc[window] for s in studies]
        own_mean = 1 - (side / 320) ** 2  # windows of one picture scatter around its mean
        assert np.mean([row["deviation"] ** 2 for row in rows]) == pytest.approx(expected * own_mean, rel=0.3)
        assert np.nanmean([row["predicted"] * row["mean"] for row in rows]) == pytest.approx(expected**0.5, rel=0.15)
    # 2 sd / sqrt(n) = precision x fraction
    side = np.sqrt(truth * (1 - PHI) / PHI / 4) * 2 / 0.1
    needed = [study.windows.query("phase == 'discs' and n_windows == 4")["pixels"].item() for study in studies]
    loose = representative_size(disc_windows(320, 8), precision=0.1, statistics=["volume_fraction"]).windows
    found = loose.query("phase == 'discs' and n_windows == 4")
    assert found["pixels"].item() == pytest.approx(side, rel=0.15)
    assert not found["extrapolated"].item()
    assert np.mean(needed) == pytest.approx(2 * side, rel=0.2)


def test_units_notes_and_statistics():
    labels = disc_windows(96, 1)[0].labels
    m = Microstructure(labels, spacing=0.5, unit="um", phase_names=("matrix", "discs"))
    study = representative_size(m, statistics=["volume_fraction", "specific_surface", "s2_error", "conductivity"])
    assert set(study.spread["statistic"]) == {"volume_fraction", "specific_surface", "s2_error", "conductivity"}
    assert set(study.spread.query("statistic == 's2_error'")["phase"]) == {"all"}
    row = study.spread.iloc[0]
    assert (row["window"], row["side"]) == ("48x48", 24.0)
    rows = study.windows
    np.testing.assert_allclose(rows["pixels"], rows["side"] / 0.5, atol=1)
    assert rows["extrapolated"].any()
    assert any("beyond the largest" in note for note in study.notes)
    volume = representative_size(Microstructure(np.random.default_rng(0).integers(0, 2, (32, 32, 32))))
    assert volume.laws.query("statistic == 'volume_fraction'")["integral_range"].iloc[1] == pytest.approx(1, abs=0.2)


def test_what_cannot_be_studied_is_named():
    m = disc_windows(64, 1)[0]
    for wrong, words in (
        ({"statistics": ["toughness"]}, "toughness"),
        ({"precision": 0.0}, "positive"),
        ({"numbers": (0,)}, "positive"),
    ):
        with pytest.raises(InputError, match=words):
            representative_size(m, **wrong)
    with pytest.raises(InputError, match="larger"):
        representative_size(disc_windows(16, 1)[0])
    with pytest.raises(InputError, match="at least one"):
        representative_size([])
    with pytest.raises(InputError, match="agree"):
        representative_size([m, Microstructure(m.labels)])
    absent = Microstructure(np.zeros((64, 64), int), phase_names=("a", "b"))
    assert any("not defined" in note for note in representative_size(absent, statistics=["volume_fraction"]).notes)
    with pytest.raises(InputError, match="reach"):
        fraction_variance(np.ones((3, 3)), (4, 4), 0.5)
