"""Limits as they are written on the command line."""

import numpy as np
import pytest

from matlens import InputError, MaterialsLibrary
from matlens.library.suggestions.limits import Limits
from matlens.library.suggestions.moves import words

NAMES = ("PEG-400", "PEDOT:PSS", "Ni-Fe", "W")


@pytest.mark.parametrize(
    ("text", "pair"),
    [("PEG-400-W", ("PEG-400", "W")), ("W-Ni-Fe", ("W", "Ni-Fe")), ("PEG-400-Ni-Fe", ("PEG-400", "Ni-Fe"))],
)
def test_pairs_of_names_with_hyphens(text, pair) -> None:
    assert Limits.from_settings(forbidden=[text], components=NAMES).forbidden == (pair,)


@pytest.mark.parametrize("text", ["PEG-401-W", "W"])
def test_pairs_that_are_none_show_the_components(text) -> None:
    with pytest.raises(InputError, match=r"A-B, found .*; the components are PEG-400, PEDOT:PSS, Ni-Fe, W"):
        Limits.from_settings(forbidden=[text], components=NAMES)


def test_bounds_that_may_be_fractions_are_asked_about() -> None:
    with pytest.raises(InputError, match=r"'X=0:0\.3', which may be .*; write 0:30 .* or 0:0\.3%"):
        Limits.from_settings(["X=0:0.3"])
    assert Limits.from_settings(["X=0:0.3%"]).bounds == {"X": (0.0, 0.003)}
    assert Limits.from_settings(["PEDOT:PSS=0:30"]).bounds == {"PEDOT:PSS": (0.0, 0.3)}
    assert Limits.from_settings(["X=:0"]).bounds == {"X": (0.0, 0.0)}


@pytest.mark.parametrize("step", [3, 100, 0, -1, 0.7])
def test_steps_are_refused_in_their_own_unit(step) -> None:
    with pytest.raises(InputError, match=rf"found the step {step:g} %, .* 0\.5, 1, 2\.5 or 5"):
        Limits.from_settings(increment=step)


def test_moves_keep_the_names_of_components() -> None:
    library = MaterialsLibrary([[0.5, 0.5]], ("PEG-400", "W"), {"P": [1]})
    found, _ = words(np.array([0.5, 0.5]), np.array([0.4, 0.6]), np.array([[0, 1]]), library, 0.01)
    assert found == "PEG-400 50 → 40, W 50 → 60 at%"
