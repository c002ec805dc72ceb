from dataclasses import replace

import numpy as np

from matlens.library.evidence import permuted_library
from matlens.library.gradients import fit_composition_response
from matlens.library.table import MaterialsLibrary


def test_what_is_known_of_the_same_spectra_is_not_sought_again():
    rng = np.random.default_rng(0)
    x = rng.dirichlet([1, 1], 20)
    library = MaterialsLibrary(x, ("A", "B"), {"P": x[:, 0]}, {}, rng.normal(size=(20, 9)) + x[:, :1], np.arange(9))
    first = fit_composition_response(library)
    assert fit_composition_response(permuted_library(library)) is first
    other = fit_composition_response(replace(library, spectra=library.spectra + x[:, 1:]))
    assert other is not first
    assert not np.allclose(other.mean, first.mean)
    np.testing.assert_array_equal(fit_composition_response(library).residual, first.residual)
