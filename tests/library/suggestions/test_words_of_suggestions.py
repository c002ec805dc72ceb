"""What `library suggest` says first."""

import pandas as pd
import pytest

from matlens.library.commands.suggest.run import _sentences
from matlens.library.commands.suggest.spec import SuggestSpec


@pytest.mark.parametrize(("support", "guess"), [([0, 0], True), ([0, 1], False), ([2, 1], False)])
def test_the_first_sentence_says_where_all_is_guessed_and_what_was_measured(support, guess):
    table = pd.DataFrame({"move": "Bi 51.2 → 49.5, Tb 0 → 1.75 at%", "gain": 4.0, "expected": 1278.0, "low": 1100.0,
                          "high": 1400.0, "support": support})  # fmt: skip
    table.attrs = {"target": "P", "unit": "S/cm", "measured": 822.0, "measured_samples": 12, "best_sample": "7",
                   "best": 750.0}  # fmt: skip
    first, counts = _sentences(table, SuggestSpec(model="model", n=2))[:2]
    assert first.startswith("Every suggestion is a guess") == guess
    # The value of the model is not called measured.
    assert "has 822 S/cm (mean of 12 samples; the model expects 750)" in first
    assert f"{support.count(2)} supported, {support.count(1)} with weak support, {support.count(0)} unsupp" in counts
