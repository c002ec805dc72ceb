"""What columns are taken for, and that the options which say otherwise have that effect."""

import itertools

import pandas as pd
import pytest

from matlens.core.settings import read_options
from matlens.errors import InputError
from matlens.library.io import LibraryOptions, options_for_roles, read_library, table_columns, write_library
from matlens.library.problems import photoanode

TABLE = """id,Fe,Co,Q,x,y,400,401,402,Ms (T),note
a,0.5,0.5,7,0,0,7,8,9,1.2,good
b,0.4,0.6,7,1,0,7,9,9,1.4,bad
c,0.3,0.7,8,0,1,7,9,8,1.5,good
"""


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text(TABLE, encoding="utf-8")
    return file


def roles(file, options=None):
    found = table_columns(file, options=options)
    return dict(zip(found.names, found.roles, strict=True))


def test_each_column_has_the_role_that_the_reader_gives_it(table):
    found = roles(table)
    library = read_library(table)
    assert [name for name, role in found.items() if role == "component"] == list(library.components)
    assert [name for name, role in found.items() if role == "merit"] == ["Q", "Ms (T)"]
    assert [name for name, role in found.items() if role == "covariate"] == list(library.covariates)
    assert [float(name) for name, role in found.items() if role == "channel"] == library.axis.tolist()
    assert found["id"] == "sample"
    assert table_columns(table).cells[9] == ("1.2", "1.4", "1.5")


CHANGES = [
    {"Q": "covariate"},
    {"x": "merit"},
    {"Q": "covariate", "x": "merit"},
    {"note": "sample", "id": "covariate"},
    {"id": "covariate"},
    {"402": "covariate"},
    {"401": "merit"},
    {"400": "covariate", "401": "covariate", "402": "covariate"},
    {"Q": "merit", "Ms (T)": "covariate"},
    {"Fe": "covariate", "Co": "covariate", "Q": "component", "x": "component"},
]


@pytest.mark.parametrize("wanted", CHANGES)
def test_options_lead_to_the_roles_that_are_wanted_and_back(table, wanted):
    options = options_for_roles(table, wanted)
    asked = roles(table) | wanted
    assert roles(table, options) == asked
    # They are plain options: the same words on the command line mean the same.
    words = {name: ",".join(v) if isinstance(v, list) else v for name, v in options.settings().items()}
    assert read_options(LibraryOptions, words) == options
    # Taken back, nothing is left of them.
    back = {name: role for name, role in roles(table).items() if role != asked[name]}
    assert options_for_roles(table, back, options=options).settings() == {}


def test_options_say_no_more_than_they_need(table):
    assert options_for_roles(table, {"Q": "covariate"}).settings() == {"covariates": ["Q"]}
    assert options_for_roles(table, {"402": "covariate"}).settings() == {
        "axis_columns": "400:401",
        "covariates": ["402"],
    }
    kept = LibraryOptions(merit_units=("Ms=T",), covariates=("Q",))
    assert options_for_roles(table, {"Q": "merit"}, options=kept).settings() == {"merit_units": ["Ms=T"]}


def test_every_pair_of_roles_in_a_table_that_matlens_wrote_is_read_as_wanted(tmp_path):
    file = tmp_path / "written.csv"
    write_library(photoanode(20, seed=0).library, file)
    assert list(roles(file).values()).count("channel") == 1015
    for one, other in itertools.product(("merit", "covariate"), repeat=2):
        options = options_for_roles(file, {"plate": one, "P (mW/cm2)": other})
        found = roles(file, options)
        assert (found["plate"], found["P (mW/cm2)"]) == (one, other)


def test_other_columns_give_way_where_only_one_can_be(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("id,alloy,Fe,Co,P\na,Fe0.5Co0.5,0.5,0.5,1\nb,Fe0.4Co0.6,0.4,0.6,2\n", encoding="utf-8")
    assert roles(file) == {"id": "sample", "alloy": "covariate", "Fe": "component", "Co": "component", "P": "merit"}
    formulas = options_for_roles(file, {"alloy": "formula"})
    found = roles(file, formulas)
    assert found == {"id": "sample", "alloy": "formula", "Fe": "covariate", "Co": "covariate", "P": "merit"}
    back = options_for_roles(file, {"Fe": "component", "Co": "component"}, options=formulas)
    assert roles(file, back)["alloy"] == "covariate"
    assert roles(file, options_for_roles(file, {"alloy": "sample"}))["id"] == "covariate"


def test_a_table_that_is_not_understood_still_has_columns_and_can_be_put_right(tmp_path):
    file = tmp_path / "t.csv"
    pd.DataFrame({"iron": [5, 4, 7], "cobalt": [9, 6, 2], "Ms": [1.2, 1.4, 1.1]}).to_csv(file, index=False)
    found = table_columns(file)
    assert found.names == ("iron", "cobalt", "Ms")
    assert set(found.roles) == {""}
    assert "close to 1 or 100 %" in found.problem
    options = options_for_roles(file, {"iron": "component", "cobalt": "component", "Ms": "merit"})
    assert options.settings() == {"components": ["iron", "cobalt"], "merits": ["Ms"]}
    assert roles(file, options) == {"iron": "component", "cobalt": "component", "Ms": "merit"}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"note": "formula", "id": "formula"}, "found id, note as the formula"),
        ({"none": "merit"}, "found no column or role none"),
        ({"Fe": "spice"}, "found no column or role spice"),
        ({"note": "sample", "Q": "sample"}, "only one column can be"),
    ],
)
def test_what_cannot_be_is_one_sentence(table, wanted, said):
    with pytest.raises(InputError, match=said):
        options_for_roles(table, wanted)


def test_a_name_with_a_comma_is_no_word_of_an_option(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text('Fe,Co,"a, b",P\n0.5,0.5,1,2\n0.4,0.6,2,3\n', encoding="utf-8")
    with pytest.raises(InputError, match="holds a comma"):
        options_for_roles(file, {"a, b": "covariate"})
