"""The report of predictions."""

from __future__ import annotations

from matlens.microstructure.commands.learn.report import intervals, model_facts, model_subtitle, predicted, predictions
from matlens.report.parts import Page

__all__ = ["PAGE"]

PAGE = Page(
    "Predictions of a property",
    model_subtitle,
    (predictions, intervals),
    lambda run: ("li2018transfer", "simonyan2014very", "lei2018distribution"),
    answer=predicted,
    facts=model_facts,
)
