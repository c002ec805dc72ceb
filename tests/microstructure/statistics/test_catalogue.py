"""The catalogue: choosing statistics, their cost and sources, and adding one by one file and one line."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from common import check, claims_of

from matlens import InputError, Microstructure, characterize
from matlens.microstructure.statistics import (
    STATISTIC_NAMES,
    STATISTICS,
    cost,
    display_of,
    displayed,
    find_statistics,
    sources_of,
)
from matlens.microstructure.statistics.tables import (
    curves_of_files,
    distributions_of_files,
    measures_of_files,
    scalars_of_files,
)
from matlens.runs.citations import bibtex

RECIPE = Path(__file__).parents[3] / "docs" / "extending.md"


def example(shape=(24, 20)):
    return Microstructure(
        np.random.default_rng(0).integers(0, 3, shape), spacing=0.5, unit="um", phase_names=list("abc")
    )


@pytest.fixture
def crossings(tmp_path, monkeypatch):
    """The statistic of the recipe, added as the recipe says: one file, and one line in the catalogue."""
    section = RECIPE.read_text(encoding="utf-8").split("\n## A statistic\n")[1].split("\n## ")[0]
    (tmp_path / "added_by_recipe.py").write_text(re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(STATISTICS, "crossings", "added_by_recipe:CROSSINGS")
    yield find_statistics(["crossings"])[0]
    del sys.modules["added_by_recipe"]


def test_names_are_listed_without_anything_heavy():
    heavy = ("torch", "scipy", "numpy", "pandas", "xarray")
    code = (
        "import sys; from matlens.microstructure.statistics import STATISTIC_NAMES, cost; "
        f"print(len(STATISTIC_NAMES), [name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{len(STATISTIC_NAMES)} []"


def test_statistics_are_found_by_their_names_in_the_order_of_the_catalogue():
    assert [one.name for one in find_statistics()] == list(STATISTIC_NAMES)
    assert [one.name for one in find_statistics(["tortuosity", "two_point", "two_point"])] == [
        "two_point",
        "tortuosity",
    ]
    variables = [variable.name for one in find_statistics() for variable in one.variables]
    assert len(set(variables)) == len(variables)
    for names in (["porosity"], ["two_point", "porosity"]):
        with pytest.raises(InputError, match=r"no statistic 'porosity'; choose from volume_fraction, .*tortuosity\."):
            find_statistics(names)
    with pytest.raises(InputError, match="name at least one"):
        characterize(example(), statistics=())


@pytest.mark.parametrize("name", STATISTIC_NAMES)
def test_a_statistic_alone_has_the_values_it_has_among_all(name, whole):
    alone = characterize(example((9, 8, 10)), statistics=[name])
    assert set(alone.data_vars) <= set(whole.data_vars)
    for variable, values in alone.data_vars.items():
        xr.testing.assert_identical(values, whole[variable])


@pytest.fixture(scope="module")
def whole():
    return characterize(example((9, 8, 10)))


def test_progress_tells_each_statistic_of_each_structure():
    told = []

    class Listening:
        def begin(self, total, label):
            told.append((total, label))

        def update(self, done, text=""):
            told.append((done, text))

        def end(self):
            told.append("end")

        def say(self, text):
            found.append(text)

    found = []
    characterize([example(), example((16, 30))], statistics=["lineal_path", "volume_fraction"], progress=Listening())
    (total, label), *updates, end = told
    assert (label, end) == ("statistics", "end")
    assert [text for _, text in updates] == ["volume fraction"] * 2 + ["lineal path"] * 2 + ["volume fraction"] * 2 + [
        "lineal path"
    ] * 2
    done = [done for done, _ in updates]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(total)
    assert [line.rsplit(":", 1)[0] for line in found] == ["0: volume fraction", "1: volume fraction"]


def test_cost_adds_time_takes_the_largest_memory_and_grows_with_pixels_and_phases():
    parts = [cost([name], (512, 512), 2) for name in ("two_point", "cluster")]
    seconds, memory = cost(["two_point", "cluster"], (512, 512), 2)
    assert seconds == pytest.approx(sum(part[0] for part in parts))
    assert memory == max(part[1] for part in parts)
    assert cost(None, (1024, 1024), 2)[0] > 4 * cost(None, (512, 512), 2)[0]  # n log n
    two, four = (cost(["specific_surface"], (512, 512), phases)[0] for phases in (2, 4))
    assert four == pytest.approx(2 * two)
    assert cost(["tortuosity"], (64, 64, 64), 2)[0] > 0
    assert cost(["tortuosity"], (256, 256, 256), 2) == (0, 0)  # not solved
    assert all(cost([name], (256, 256, 256), 3)[0] > 0 for name in STATISTIC_NAMES if name != "tortuosity")


def test_every_statistic_names_papers_that_are_known():
    assert all(one.cites for one in find_statistics())
    assert bibtex(sources_of()).count("@") == len(sources_of())
    assert sources_of(["lineal_path", "chord_length"]) == ("lu1992lineal", "torquato1993chord")


def test_what_is_displayed_can_be_drawn():
    for section, curve in (("curves", True), ("sizes", True), ("shape", False), ("connection", False)):
        for statistic, variable in displayed(section):
            assert ("r" in variable.dims) == curve, variable.name
            assert variable.display.caption or section == "curves", variable.name
            if curve:
                assert display_of(statistic.name) == variable.display, variable.name


def test_tables_hold_what_was_computed():
    dataset = characterize(example(), statistics=["two_point", "local_thickness"])
    names = ["a.tif"]
    assert set(curves_of_files(dataset, names)["statistic"]) == {"two_point"}
    assert set(distributions_of_files(dataset, names)["statistic"]) == {"local_thickness"}
    assert set(measures_of_files(dataset, names)["statistic"]) == {"mean_local_thickness"}
    assert list(scalars_of_files(dataset, names)) == ["file", "phase", "mean_local_thickness"]
    bare = characterize(example(), statistics=["two_point_cross"])
    assert [len(table(bare, names)) for table in (curves_of_files, distributions_of_files, measures_of_files)] == [
        0
    ] * 3


def test_the_recipe_adds_a_statistic(crossings):
    for claims in claims_of(crossings).values():
        check(claims)
    dataset = characterize(example(), statistics=("crossings",))
    assert list(dataset.data_vars) == ["crossings"]
    assert "crossings" in characterize(example())
    table = measures_of_files(dataset, ["a.tif"])
    assert table["unit"].unique().tolist() == ["um^-1"]
    assert table["axis"].tolist() == ["y", "x"] * 3
    assert crossings in [one for one, _ in displayed("shape")]
    assert cost(["crossings"], (1024, 1024), 2)[0] == pytest.approx(0.004)
    with pytest.raises(InputError, match="crossings"):
        find_statistics(["porosity"])
