import logging

import numpy as np
import pytest

from matlens import InputError, Microstructure, write_microstructure
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.properties import Recipe, generate_structures, read_folder, read_labelled
from matlens.microstructure.segmentation import CleaningOptions


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "structures").mkdir()
    for index, name in enumerate(("a.tif", "b.npy", "c.h5")):
        field = gaussian_field((24, 32), 4, 0.4, seed=index)
        scaled = Microstructure(field.labels, 0.5, "um")
        write_microstructure(scaled, tmp_path / "structures" / name)
    np.savetxt(tmp_path / "structures" / "notes.txt", [1])
    return tmp_path


def table(folder, text, name="labels.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.fixture
def alike(folder):
    """The NumPy file of `folder` knows no spacing; here all files are alike."""
    source = folder / "structures"
    (source / "b.npy").unlink()
    write_microstructure(Microstructure(gaussian_field((24, 32), 4, 0.4, seed=1).labels, 0.5, "um"), source / "b.h5")
    return folder


def test_labels_find_their_structures_in_any_order(alike):
    labels = table(alike, "structure,porosity,k_eff\nc,0.1,3\nb.h5,0.2,2\na,0.3,1\n")
    found = read_labelled(alike / "structures", labels, "k_eff")
    assert found.names.tolist() == ["a.tif", "b.h5", "c.h5"]
    assert found.targets["k_eff"].tolist() == [1, 2, 3]
    assert found.targets.columns.tolist() == ["k_eff"]
    for index in range(3):
        assert np.array_equal(found.labels[index], gaussian_field((24, 32), 4, 0.4, seed=index).labels)
    assert (found.spacing, found.unit, found.periodic) == ((0.5, 0.5), "um", False)
    assert found.groups.tolist() == [0, 1, 2]
    assert found.provenance["notes"] == []


def test_families_groups_and_several_targets(alike):
    labels = table(alike, "sample,file,k,family,group,E\n1,a,1,sand,s1,4\n2,b,2,sand,s1,5\n3,c,3,clay,s2,6\n")
    found = read_labelled(alike / "structures", labels, ["E", "k"])
    assert found.families.tolist() == ["sand", "sand", "clay"]
    assert found.groups.tolist() == [0, 0, 1]
    assert found.targets.to_dict("list") == {"E": [4, 5, 6], "k": [1, 2, 3]}


def test_the_first_column_names_structures_where_no_other_does(alike):
    labels = table(alike, "\ufeffSpecimen, k\na, 1\nb, 2\nc, 3\n")  # as spreadsheets write it
    assert read_labelled(alike / "structures", labels, "k").targets["k"].tolist() == [1, 2, 3]


def test_structures_without_labels_are_left_out_and_named(alike, caplog):
    labels = table(alike, "structure,k\nb,2\n")
    with caplog.at_level(logging.WARNING, "matlens"):
        found = read_labelled(alike / "structures", labels, "k")
    assert found.names.tolist() == ["b.h5"]
    assert found.provenance["notes"] == ["2 of 3 structures have no label and are left out: a.tif, c.h5."]
    assert "a.tif, c.h5" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("structure,k\na,1\nb,2\nx,3\ny,4\n", "2 of 4 labels have no structure in .*: x, y;"),
        ("structure,k\na,1\nb,\nc,nan\n", "missing or no finite number for 2 of 3 .*: b, c;"),
        ("structure,k\na,1\nb,inf\nc,much\n", "for 2 of 3 .*: b, c;"),
        ("structure,conductivity,note\na,1,x\n", "no column k; its columns of numbers are conductivity"),
        ("structure,k\na,1\na,2\n", "names a more than once"),
        ("structure,k\na,1\na.tif,2\n", "the label of a.tif could mean a.tif or stands twice"),
        ("structure;k\na;1,5\n", "separate columns by commas"),
        ("structure,k\n", "0 rows"),
        ("", "cannot be read as a CSV table"),
    ],
)
def test_tables_that_do_not_fit(alike, text, message):
    with pytest.raises(InputError, match=message):
        read_labelled(alike / "structures", table(alike, text), "k")


def test_a_name_that_two_files_share(alike):
    write_microstructure(gaussian_field((24, 32), 4, 0.4, seed=7), alike / "structures" / "a.npy")
    with pytest.raises(InputError, match=r"the label of a could mean a\.npy, a\.tif"):
        read_labelled(alike / "structures", table(alike, "structure,k\na,1\n"), "k")


def test_missing_places(alike, tmp_path):
    labels = table(alike, "structure,k\na,1\n")
    with pytest.raises(InputError, match="there is no folder or file"):
        read_labelled(alike / "elsewhere", labels, "k")
    (alike / "empty").mkdir()
    with pytest.raises(InputError, match="holds no file that MatLens reads"):
        read_labelled(alike / "empty", labels, "k")
    with pytest.raises(InputError, match="cannot be read as a CSV table"):
        read_labelled(alike / "structures", alike / "none.csv", "k")
    with pytest.raises(InputError, match="need a table of labels"):
        read_labelled(alike / "structures", None, "k")


def test_mixed_spacings_sizes_and_phases(folder):
    source = folder / "structures"
    with pytest.raises(InputError, match=r"one pixel size, found 0\.5 x 0\.5 um \(a\.tif\), 1 x 1 px \(b\.npy\)"):
        read_folder(source)
    scaled = read_folder(source, segmentation=CleaningOptions(spacing="0.5um"))
    assert (len(scaled), scaled.spacing) == (3, (0.5, 0.5))
    write_microstructure(Microstructure(gaussian_field((24, 24), 4, 0.4).labels, 0.5, "um"), source / "b.npy")
    with pytest.raises(InputError, match=r"one size, found 24 x 32 \(a\.tif\), 24 x 24 \(b\.npy\); crop"):
        read_folder(source)
    three = gaussian_field((24, 32), 4, 0.4, seed=5).labels.copy()
    three[:4] = 2
    write_microstructure(Microstructure(three, 0.5, "um"), source / "b.tif")
    (source / "b.npy").unlink()
    with pytest.raises(InputError, match=r"one number of phases, found 2 \(a\.tif\), 3 \(b\.tif\)"):
        read_folder(source)


def test_only_labelled_files_must_be_alike(folder):
    found = read_labelled(folder / "structures", table(folder, "structure,k\nc,1\na,2\n"), "k")
    assert found.names.tolist() == ["a.tif", "c.h5"]


def test_generated_sets_bring_their_targets(tmp_path):
    made = generate_structures(Recipe(shape=(32, 32), conductivity_contrasts=(50.0,)), 7)
    made.write(tmp_path / "structures.h5")
    own = read_labelled(tmp_path / "structures.h5", None, "k_11_c50")
    assert own.targets["k_11_c50"].tolist() == made.targets["k_11_c50"].tolist()
    assert read_labelled(tmp_path, None, "k_11_c50").sha256 == made.sha256  # the folder it lies in will do
    made.table().iloc[::-1].to_csv(tmp_path / "labels.csv", index=False)
    joined = read_labelled(tmp_path / "structures.h5", tmp_path / "labels.csv", "k_11_c50")
    assert joined.targets.equals(own.targets)
    assert joined.families.tolist() == made.families.tolist()
    assert joined.periodic
    with pytest.raises(InputError, match="holds no target k_eff; it holds k_00_c50"):
        read_labelled(tmp_path, None, "k_eff")
