"""What `library suggest` says first."""

import pandas as pd
import pytest

from matlens.library.commands.suggest.run import _sentences
from matlens.library.commands.suggest.spec import SuggestSpec


@pytest.mark.parametrize(
    ("support", "begins"),
    [
        ([0, 0], "Every suggestion is a guess beyond what was measured. The first is Bi"),
        ([0, 1], "The first suggestion, a guess beyond what was measured, is Bi"),
        ([2, 1], "Make Bi"),
    ],
)
def test_the_first_sentence_says_what_is_guessed_and_what_was_measured(support, begins):
    table = pd.DataFrame({"move": "Bi 51.2 → 49.5, Tb 0 → 1.75 at%", "gain": 4.0, "expected": 1278.0, "low": 1100.0,
                          "high": 1400.0, "support": support})  # fmt: skip
    table.attrs = {"target": "P", "unit": "S/cm", "measured": 822.0, "measured_samples": 12, "best_sample": "7",
                   "best": 750.0}  # fmt: skip
    first, counts = _sentences(table, SuggestSpec(model="model", n=2))[:2]
    assert first.startswith(begins)
    # The value of the model is not called measured.
    assert "has 822 S/cm (mean of 12 samples; the model expects 750)" in first
    assert f"{support.count(2)} supported, {support.count(1)} with weak support, {support.count(0)} unsupp" in counts
