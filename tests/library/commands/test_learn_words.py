"""What the page of a learned model says of other models."""

import pandas as pd

from matlens.library.commands.learn.tables import _beaten
from matlens.library.stacking import StackedModel


def test_a_model_that_is_surely_better_is_named_as_in_a_sentence():
    row = {"partition": "grouped", "r2_gain": -0.02, "r2_gain_low": -0.03, "r2_gain_high": -0.01}
    for name, called in (
        ("ensemble", "The ensemble alone"),
        ("gaussian-process", "The Gaussian process alone"),
        ("pls", "The PLS alone"),
    ):
        (said,) = _beaten(StackedModel(), pd.DataFrame([{**row, "other": name}]))
        assert said == (
            f"{called} is surely better with compositions left out (R² higher by 0.02, 90 % interval 0.01 to 0.03); "
            "gradients and suggestions are those of this mixture."
        )
    assert _beaten(StackedModel(), pd.DataFrame([{**row, "other": "pls", "r2_gain_high": 0.01}])) == []
