"""A batch works on every file by itself, to one table; what fails costs only itself, and what is done is kept."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pool_runs import digests, outcome

from matlens.microstructure.commands.batch.characterize.spec import COMMAND
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import gaussian_field

pytestmark = pytest.mark.end_to_end
FEW = ("--statistics", "volume_fraction,specific_surface", "--threads", "1", "--seed", "3")


@pytest.fixture
def folders(tmp_path):
    for number, group in enumerate(("cast", "annealed")):
        (tmp_path / group).mkdir()
        for index in range(2):
            structure = gaussian_field((32, 32), 3.0, 0.4 + 0.1 * number, seed=index)
            write_microstructure(structure, tmp_path / group / f"s{index}.npy")
    return tmp_path


def values_of(run):
    return pd.read_csv(run / "values.csv", keep_default_na=False)


def test_folders_are_groups_and_a_broken_file_costs_only_itself(folders):
    (folders / "cast" / "broken.tif").write_text("no picture")
    (folders / "cast" / "notes.txt").write_text("a note")
    run = folders / "run"
    code, said, complaint = outcome("batch", "characterize", folders / "cast", folders / "annealed", *FEW, "-o", run)
    assert code == 1
    assert "notes.txt left out" in said
    assert "broken.tif failed" in complaint
    values = values_of(run)
    named = {"/".join(Path(file).parts[-2:]) for file in values["file"]}
    assert named == {"cast/s0.npy", "cast/s1.npy", "annealed/s0.npy", "annealed/s1.npy"}
    assert set(values["unit"]) == {"1", "px^-1"}
    groups = pd.read_csv(run / "groups.csv", keep_default_na=False)
    asked = "group == 'cast' and quantity == 'volume_fraction' and phase == 'phase 1'"
    own, row = values.query(asked)["value"], groups.query(asked)
    assert float(row["mean"].iloc[0]) == pytest.approx(own.mean())
    assert float(row["standard_deviation"].iloc[0]) == pytest.approx(own.std(ddof=1))
    assert int(row["samples"].iloc[0]) == 2
    sheets = pd.read_excel(run / "batch.xlsx", sheet_name=None)
    assert list(sheets) == ["values", "groups", "failed"]
    assert all((run / name).is_file() for name in COMMAND.results)
    assert len(sheets["values"]) == len(values)
    (folders / "cast" / "s0.npy").rename(folders / "cast" / "broken.tif")  # whose name stands for another content
    code, _, complaint = outcome("resume", run)
    assert code == 1
    assert "broken.tif has changed since the batch began; give the batch again, with --update." in complaint


def test_files_added_later_are_the_only_ones_that_are_computed(folders):
    run, other = folders / "run", folders / "other"
    assert outcome("batch", "characterize", folders / "cast", *FEW, "-o", run)[0] == 0
    begun = {place.name: (place / "provenance.json").read_text() for place in (run / "items").iterdir()}
    write_microstructure(gaussian_field((32, 32), 3.0, 0.5, seed=9), folders / "cast" / "s9.npy")
    words = ("batch", "characterize", folders / "cast", *FEW)
    assert outcome(*words, "-o", run)[0] == 2  # the folder is not empty
    assert outcome(*words, "-o", run, "--update", "--workers", "2")[0] == 0
    now = {place.name: (place / "provenance.json").read_text() for place in (run / "items").iterdir()}
    assert len(now) == 3
    assert {name: now[name] for name in begun} == begun
    assert outcome(*words, "-o", other, "--update")[0] == 0  # the same as in one go
    assert digests(run) == digests(other)


def test_rows_of_a_table_have_their_own_settings_samples_and_groups(folders):
    table = folders / "table.csv"
    table.write_text(
        'file,group,sample,conductivity\ncast/s0.npy,a,one,"0=1,1=50"\ncast/s1.npy,a,one,"0=1,1=50"\n'
        'annealed/s0.npy,a,two,"0=1,1=10"\n'
    )
    run = folders / "run"
    asked = ("batch", "homogenize", table, "--unit", "W/(m K)", "--threads", "1")
    code, said, complaint = outcome(*asked, "-o", run)
    assert code == 0, complaint
    assert "homogenize of 3 files of 2 samples in 1 group: a" in said
    values = values_of(run)
    assert set(values["unit"]) == {"W/(m K)"}
    along = values[values["axis"] == "y"]["value"].to_numpy()
    groups = pd.read_csv(run / "groups.csv")
    row = groups[groups["axis"] == "y"].iloc[0]
    assert (int(row["samples"]), int(row["files"])) == (2, 3)
    assert row["mean"] == pytest.approx(np.mean([along[:2].mean(), along[2]]))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name\na.npy\n", "has no column 'file'"),
        ("file,colour\ncast/s0.npy,red\n", "has a column 'colour', which is no option of 'matlens homogenize'"),
        ("file,conductivity\n,0=1;1=2\n", "names no file"),
        ("file,tolerance\ncast/s0.npy,-1\n", "line 2 of table.csv: "),
        ("file\ncast/s0.npy\n", "line 2 of table.csv: give --conductivity"),
        (
            'file,conductivity\ncast/s0.npy,"0=1,1=2"\ncast/s0.npy,"0=1,1=2"\n',
            "line 3 of table.csv repeats line 2 of table.csv",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(folders, text, sentence):
    (folders / "table.csv").write_text(text)
    code, _, complaint = outcome("batch", "homogenize", folders / "table.csv", "-o", folders / "run")
    assert (code, sentence in complaint, (folders / "run").exists()) == (2, True, False), complaint
