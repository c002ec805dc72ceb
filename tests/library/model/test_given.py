"""Tables, arrays and scikit-learn's folds in place of a library."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score

from matlens import InputError, LibraryModel, MaterialsLibrary, read_library


@pytest.fixture(scope="module")
def library():
    x = np.random.default_rng(0).dirichlet([1, 1, 1], 40)
    return MaterialsLibrary(x, ("Fe", "Ga", "Pd"), {"P": x[:, 0] + x[:, 1] * x[:, 2]}, {"P": "mW"})


@pytest.fixture(scope="module")
def table(library):
    return library.to_frame().rename(columns={"P (mW)": "P"})


@pytest.fixture(scope="module")
def model(table):
    return LibraryModel(n_models=1).fit(table, "P")


def test_a_table_is_understood_as_a_file_is(library, table, tmp_path):
    path = tmp_path / "library.csv"
    library.to_frame().to_csv(path)
    for found in (read_library(library.to_frame()), read_library(path)):
        assert repr(found) == repr(library)
        assert found.samples == library.samples
        assert found.compositions == pytest.approx(library.compositions)
        assert found.merit() == pytest.approx(library.merit())
    hundredths = read_library(100 * table[["Fe", "Ga", "Pd"]])
    assert hundredths.compositions == pytest.approx(library.compositions)


def test_spectra_and_covariates_go_into_the_table_and_come_back():
    x = np.random.default_rng(0).dirichlet([1, 1], 6)
    spectra, about = x @ np.arange(8.0).reshape(2, 4), pd.DataFrame({"plate": list("aabbcc")})
    library = MaterialsLibrary(x, ("Fe", "Pd"), {"P": x[:, 0]}, {}, spectra, [10.5, 11, 11.5, 12], covariates=about)
    again = read_library(library.to_frame())
    assert again.axis.tolist() == library.axis.tolist()
    assert again.spectra == pytest.approx(spectra)
    assert again.covariates["plate"].tolist() == list("aabbcc")


def test_values_that_are_missing_stay_missing(table):
    assert np.isnan(read_library(table.assign(P=table["P"].where(table.index != "3"))).merit()[3])


@pytest.mark.slow
def test_a_model_learns_from_a_table_an_array_and_values(library, table, model):
    expected = LibraryModel(n_models=1).fit(library).predict(library)
    assert model.predict(table) == pytest.approx(expected, rel=1e-6)
    assert model.predict(table[["Pd", "Ga", "Fe"]]) == pytest.approx(expected, rel=1e-6)  # in another order
    assert model.predict(library.compositions) == pytest.approx(expected, rel=1e-6)
    assert LibraryModel(n_models=1).fit(library.compositions, library.merit()).target_ == "target"
    assert model.target_ == "P"


@pytest.mark.slow
def test_scores_and_folds(library, table, model):
    score = model.score(library)
    assert score > 0.9
    assert model.score(table, "P") == pytest.approx(score)
    assert model.score(table, table["P"]) == pytest.approx(score)
    assert model.score(table, -table["P"]) < 0
    with pytest.raises(InputError, match="no figure of merit 'Q'"):
        model.score(table, "Q")
    with pytest.raises(InputError, match=r"the model learned 'P', and 'Q' is asked for"):
        model.score(table.assign(Q=1.0), "Q")
    found = [cross_val_score(LibraryModel(n_models=1), *given, cv=2) for given in ((library,), (table, table["P"]))]
    assert found[0].min() > 0.5
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_samples_by_number_range_list_and_mask(library):
    assert library.shape == (40, 3)
    assert library[3].samples == ("3",)
    assert library[:2].samples == ("0", "1")
    assert library[np.array([5, 2]), ...].samples == ("5", "2")
    assert len(library[library.merit() > 0.5]) == (library.merit() > 0.5).sum()
    assert len(list(library)) == 40


def test_what_is_no_library_is_refused_in_a_sentence(model, table):
    with pytest.raises(InputError, match="found a int of shape"):
        model.predict(3)
    with pytest.raises(InputError, match="Ga"):
        model.predict(table[["Fe", "Pd"]])
    with pytest.raises(InputError, match="rows of the table hold means or other summaries"):
        model.predict(pd.concat([table, table.mean().to_frame("mean").T]))
