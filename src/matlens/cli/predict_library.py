"""What ``matlens predict`` does with a model of a library: the samples of a table, and the run."""

from __future__ import annotations

from typing import Any

from matlens.cli.learn_library import LibraryReading
from matlens.cli.options import Place, Talk
from matlens.cli.work import complete, say

__all__ = ["predict_library"]


def predict_library(
    model: str, samples: str, reading: LibraryReading, settings: dict[str, Any], place: Place, talk: Talk
) -> None:
    """Predict the samples of a table; ``settings`` holds the environment."""
    from matlens.library.commands.predict.run import PredictLibraryOrder, predict_library_in
    from matlens.library.commands.source import LibrarySource
    from matlens.runs.directory import RunDirectory

    order = PredictLibraryOrder(model, LibrarySource(samples), settings["environment"]["device"])
    learned = order.read_model()
    order = order.reading(learned, reading.settings(learned.target_))
    found = learned, order.read(learned)
    run = RunDirectory.create(place.output, "predict-library", {**settings, **order.settings()}, force=place.force)
    say(talk, f"{learned.target_} of {len(found[1])} samples, {learned.members_} models")
    complete(run, talk, step=lambda run, progress: predict_library_in(run, progress, found))
