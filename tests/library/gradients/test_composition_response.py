import numpy as np
import pytest

from matlens.library.baselines import BASELINES
from matlens.library.evidence import permuted_library
from matlens.library.gradients import dataset, explain_library, fit_composition_response
from matlens.library.table import MaterialsLibrary


def test_what_is_carried_is_not_fitted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x = rng.dirichlet([1, 1], 20)
    library = MaterialsLibrary(x, ("A", "B"), {"P": x[:, 0]}, {}, rng.normal(size=(20, 9)) + x[:, :1], np.arange(9))
    permuted = permuted_library(library)
    model, response = BASELINES["ridge"]().fit(permuted), fit_composition_response(library)
    expected = explain_library(model, permuted)
    monkeypatch.setattr(dataset, "fit_composition_response", lambda _: pytest.fail("fitted again"))
    assert explain_library(model, permuted, response=response).identical(expected)
