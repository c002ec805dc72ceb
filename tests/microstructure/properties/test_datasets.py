import shutil

import h5py
import numpy as np
import pandas as pd
import pytest

from matlens import InputError, ResourceError
from matlens.microstructure.properties import StructureSet, join_structures, read_structures


@pytest.fixture
def structures():
    rng = np.random.default_rng(0)
    return StructureSet(
        labels=rng.integers(0, 3, size=(5, 6, 8), dtype=np.uint8),
        names=np.array(["a", "b", "ç", "d", "e"]),
        families=np.array(["x", "x", "y", "y", ""]),
        groups=np.array([0, 0, 1, 2, 2]),
        parameters=pd.DataFrame({"fraction": rng.uniform(size=5), "aspect": [1.0, np.nan, 2.0, 3.0, np.nan]}),
        targets=pd.DataFrame({"k_00_c50": rng.uniform(size=5), "C_01_c10": rng.uniform(size=5)}),
        spacing=(0.5, 0.25),
        unit="um",
        phase_names=("pore", "quartz", "clay"),
        periodic=True,
        provenance={"recipe": {"seed": 3}},
    )


def same(a, b):
    assert np.array_equal(a.labels, b.labels)
    for name in ("names", "families", "groups"):
        assert getattr(a, name).tolist() == getattr(b, name).tolist()
    for name in ("parameters", "targets"):
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), check_column_type=False)
    for name in ("spacing", "unit", "phase_names", "periodic", "provenance", "sha256"):
        assert getattr(a, name) == getattr(b, name)


def test_a_file_keeps_everything_and_its_bytes(structures, tmp_path):
    same(read_structures(structures.write(tmp_path / "a.h5")), structures)
    structures.write(tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_a_set_without_targets_or_parameters_is_kept_too(tmp_path):
    bare = StructureSet.from_arrays(np.zeros((2, 4, 4), dtype=np.uint8))
    same(read_structures(bare.write(tmp_path / "bare.h5")), bare)


@pytest.mark.parametrize(("part", "what"), [("labels", "structures"), ("targets", "targets")])
def test_a_changed_file_is_noticed(structures, tmp_path, part, what):
    path = structures.write(tmp_path / "set.h5")
    with h5py.File(path, "r+") as file:
        values = file[part][()]
        values.flat[3] = 1 - values.flat[3] if part == "targets" else (values.flat[3] + 1) % 3
        file[part][...] = values
    with pytest.raises(ResourceError, match=f"the {what} in .* are not those"):
        read_structures(path)


def test_renamed_targets_are_noticed(structures, tmp_path):
    path = structures.write(tmp_path / "set.h5")
    with h5py.File(path, "r+") as file:
        file["targets"].attrs["columns"] = ["k_11_c50", "C_01_c10"]
    with pytest.raises(ResourceError, match="targets"):
        read_structures(path)


def test_files_that_are_no_sets(structures, tmp_path):
    with pytest.raises(InputError, match="no file"):
        read_structures(tmp_path / "missing.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["labels"] = np.eye(3)
    with pytest.raises(InputError, match="not a set of structures"):
        read_structures(tmp_path / "other.h5")
    path = structures.write(tmp_path / "set.h5")
    shutil.copy(path, tmp_path / "cut.h5")
    with open(tmp_path / "cut.h5", "rb+") as cut:
        cut.truncate(path.stat().st_size // 2)
    with pytest.raises(InputError, match="truncated or damaged"):
        read_structures(tmp_path / "cut.h5")


def test_the_hash_tells_structures_apart(structures):
    assert structures.select(np.arange(5)).sha256 == structures.sha256
    assert structures.select([1, 0, 2, 3, 4]).sha256 != structures.sha256
    one = StructureSet.from_arrays(np.zeros((1, 4, 9), dtype=np.uint8))
    other = StructureSet.from_arrays(np.zeros((1, 6, 6), dtype=np.uint8))
    assert one.sha256 != other.sha256  # the same bytes in another shape


def test_select_by_mask_or_numbers(structures):
    chosen = structures.select(structures.families == "y")
    assert chosen.names.tolist() == ["ç", "d"]
    same(chosen, structures.select([2, 3]))
    assert chosen.targets.index.tolist() == [0, 1]
    assert len(structures.select([])) == 0
    m = chosen.microstructure(1)
    assert np.array_equal(m.labels, structures.labels[3])
    assert (m.spacing, m.unit, m.periodic, m.phase_names) == ((0.5, 0.25), "um", True, ("pore", "quartz", "clay"))


def test_joining_takes_apart_again(structures):
    same(join_structures([structures.select(slice(0, 2)), structures.select(slice(2, 5))]), structures)
    other = StructureSet.from_arrays(np.zeros((1, 4, 4), dtype=np.uint8))
    with pytest.raises(InputError, match="different shape"):
        join_structures([structures, other])
    with pytest.raises(InputError, match="no sets"):
        join_structures([])


def test_the_table_has_a_row_a_structure(structures):
    table = structures.table()
    assert table.columns.tolist()[:6] == ["structure", "family", "group", "fraction_0", "fraction_1", "fraction_2"]
    assert table["fraction_1"][2] == (structures.labels[2] == 1).mean()
    assert np.allclose(structures.volume_fractions.sum(axis=1), 1)


def test_parts_must_fit(structures):
    with pytest.raises(InputError, match="as many rows"):
        StructureSet.from_arrays(np.zeros((2, 4, 4), dtype=np.uint8), groups=np.arange(3))
    with pytest.raises(InputError, match=r"0\.\.1"):
        StructureSet.from_arrays(np.full((2, 4, 4), 2, dtype=np.uint8))
