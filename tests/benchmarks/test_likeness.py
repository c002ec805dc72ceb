"""Parts of the likeness benchmark against known truths."""

import hashlib

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

import likeness_summary
from fresh_micrographs import FRESH
from likeness_morphology import grains_per_area, lamellae
from material_kinds import AbsentError, Published
from matlens import Microstructure
from matlens.microstructure.encoders import phase_colours
from pruned_by_others import PrunedByOthers
from reconstruction_materials import MATERIALS

STRIPES = 8  # pixels from stripe to stripe


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.2])
def test_straight_stripes_of_any_direction_have_their_spacing_and_no_end(angle) -> None:
    rows, columns = np.indices((128, 128))
    phase = np.cos(angle) * rows + np.sin(angle) * columns
    found = lamellae(Microstructure((np.sin(2 * np.pi * phase / STRIPES) > 0).astype(np.uint8)), phase=1)
    assert np.isnan(found.along)
    # The covariance of equal stripes falls as 1 - 4 r / spacing.
    assert found.across == pytest.approx(0.9 * STRIPES / 4, abs=0.03)
    assert found.spacing == pytest.approx(STRIPES, abs=0.03)


def test_lamellae_that_bend_end_along_before_straight_ones() -> None:
    rows, columns = np.indices((128, 128))
    found = [
        lamellae(Microstructure((np.sin(2 * np.pi * (rows + bend) / STRIPES) > 0).astype(np.uint8)), phase=1)
        for bend in (6 * np.sin(2 * np.pi * columns / 64), 6 * np.sin(2 * np.pi * columns / 32))
    ]
    assert found[1].along < found[0].along < 32


def test_grains_are_joined_by_faces_and_counted_without_flaws() -> None:
    labels = np.zeros((40, 40), dtype=np.uint8)
    for row in range(0, 30, 10):
        for column in range(0, 30, 10):
            labels[row : row + 9, column : column + 9] = 1
    labels[9, 9] = 1  # touches four grains by its corners
    labels[35:37, 5:7] = 1
    assert grains_per_area(Microstructure(labels), 1) == pytest.approx(9 / 40**2 * 1e4)
    labels[4, 9] = 1  # joins two grains
    assert grains_per_area(Microstructure(labels), 1) == pytest.approx(8 / 40**2 * 1e4)


def test_the_yardstick_sees_what_its_file_computes() -> None:
    random = torch.Generator().manual_seed(0)
    widths = {"11": (3, 16), "12": (16, 16), "21": (16, 32), "22": (32, 32), "31": (32, 64)}
    widths |= dict.fromkeys(("32", "33", "34"), (64, 64))
    weights = {
        "conv0.weight": torch.randn(3, 3, 1, 1, generator=random),
        "conv0.bias": torch.randn(3, generator=random),
    }
    for layer, (inputs, outputs) in widths.items():
        weights[f"conv{layer}.weight"] = torch.randn(outputs, inputs, 3, 3, generator=random)
        weights[f"conv{layer}.bias"] = torch.randn(outputs, generator=random)
    encoder = PrunedByOthers.build("pruned-by-others", weights, {})
    assert [layer.channels for layer in encoder.layers if layer.name.startswith("conv")] == [16, 16, 32, 32] + [64] * 4

    indicators = torch.rand(1, 3, 12, 12, generator=random).softmax(dim=1)
    found = encoder.features(indicators, ["conv1_1", "conv1_2"], "valid")
    colours = (torch.einsum("bkhw,kc->bchw", indicators, phase_colours(3)) + 1) / 2
    expected = functional.conv2d(colours, weights["conv0.weight"], weights["conv0.bias"])
    for layer in ("11", "12"):
        kernel, bias = weights[f"conv{layer}.weight"], weights[f"conv{layer}.bias"]
        expected = functional.conv2d(expected, kernel, bias).relu()
        name = f"conv1_{layer[1]}"
        torch.testing.assert_close(found[name], expected, rtol=1e-4, atol=1e-3)


def test_a_published_micrograph_is_taken_with_its_own_bytes_only(tmp_path, monkeypatch) -> None:
    right = b"the micrograph"
    facts = {"what": "steel", "licence": "MIT", "repository": "who/what", "commit": "c0ffee", "inside": "a b.tif"}
    one = Published("fresh.tif", sha256=hashlib.sha256(right).hexdigest(), **facts)
    for name, content in (("first", b"another"), ("second", right)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "fresh.tif").write_bytes(content)
    monkeypatch.setenv("MATLENS_DATA", str(tmp_path))
    assert one.path() == tmp_path / "second" / "fresh.tif"
    one.path().unlink()
    with pytest.raises(AbsentError, match=r"has other bytes.*who/what/c0ffee/a%20b\.tif as fresh\.tif"):
        one.path()
    monkeypatch.setenv("MATLENS_DATA", "")
    with pytest.raises(AbsentError, match=r"fresh\.tif is in no folder"):
        one.path()


def test_fresh_micrographs_are_ten_or_more_others_of_different_files() -> None:
    assert len(FRESH) >= 10
    assert not FRESH.keys() & MATERIALS.keys()
    assert len({one.file for one in FRESH.values()}) == len({one.sha256 for one in FRESH.values()}) == len(FRESH)
    assert {len(one.sha256) for one in FRESH.values()} == {64}
    assert {len(one.commit) for one in FRESH.values()} == {40}


def results(**shift: float) -> pd.DataFrame:
    """Two real materials and two seeds; an encoder is the reference plus its shift, on the first material twice it."""
    rows = [
        {"material": material, "seed": seed, "method": method, "processor_seconds": 8.0 if more == 0 else 1.0}
        | dict.fromkeys([*likeness_summary.MEASURES, *likeness_summary.RATIOS], base + factor * more)
        for material, base, factor in (("alloy", 0.1, 2.0), ("pmma", 0.5, 1.0))
        for seed in (101, 102)
        for method, more in ({"vgg19-oxford": 0.0} | shift).items()
    ]
    return pd.DataFrame(rows)


def test_differences_are_paired_and_their_interval_is_over_materials() -> None:
    found = likeness_summary.mean_difference(likeness_summary.paired(results(new=0.02), "s2_error", "new"))
    assert found == pytest.approx({"mean": 0.03, "mean_low": 0.02, "mean_high": 0.04})
    rows = results(new=0.02)
    unpaired = rows[~((rows["method"] == "new") & (rows["material"] == "pmma") & (rows["seed"] == 102))]
    assert len(likeness_summary.paired(unpaired, "s2_error", "new")) == 3
    one = rows[rows["material"] == "alloy"]
    found = likeness_summary.mean_difference(likeness_summary.paired(one, "s2_error", "new"))
    assert found["mean"] == pytest.approx(0.04)
    assert np.isnan(found["mean_low"])


def test_table_marks_what_is_worse_and_counts_what_is_different() -> None:
    rows = results(worse=0.001, better=-0.02)
    verdicts = {(m, name): {"joint": "different" if m == "worse" and name == "pmma" else "undecided"}
                for m in ("vgg19-oxford", "worse", "better") for name in ("alloy", "pmma")}  # fmt: skip
    lines = likeness_summary.against_reference(rows, pd.DataFrame(verdicts).T).splitlines()
    cells = {row.split(" | ")[1]: row.split(" | ") for row in lines[2:]}
    assert cells["vgg19-oxford"][3] == "(0.300)"
    assert cells["worse"][3] == "**+0.002 [+0.001, +0.002]**"
    assert cells["better"][3] == "-0.030 [-0.040, -0.020]"
    assert cells["worse"][-1].startswith("1 of 2")
    assert cells["better"][-2] == "0.125 [0.125, 0.125]"


def test_likeness_counts_no_merit_for_being_closer_than_windows_are() -> None:
    assert likeness_summary.beyond(pd.Series([0.2, 1.0, 4.0])) == pytest.approx(4 ** (1 / 3))
