"""The section of a demonstration on its library: what was learned, explained and suggested, and where it is told."""

from __future__ import annotations

from typing import Any

from matlens.report.parts import Links, Picture, Section, data_uri
from matlens.runs.directory import RunDirectory

__all__ = ["library"]

_RUNS = {
    "photoanode": ("scores", "Held-out scores of the model and of baselines."),
    "photoanode-insight": ("components", "What each component does to the power, and where data support it."),
    "photoanode-plan": ("suggestions", "What to make next."),
}


def library(run: RunDirectory) -> Section | None:
    """The runs on the library, each with its sentences and a figure."""
    items: list[Any] = []
    points: list[str] = []
    for name, (figure, caption) in _RUNS.items():
        folder = run.path / name
        if not (folder / "report.html").is_file():
            continue
        with RunDirectory(folder) as member:
            points += [str(sentence) for sentence in member.provenance.get("sentences", ())]
        drawn = f"{name}/figures/{figure}"
        if (run.path / f"{drawn}.png").is_file():
            items.append(Picture(data_uri(run.path / f"{drawn}.png"), caption, f"{drawn}.pdf", f"{drawn}.csv"))
        items.append(Links([(f"the report of {name}", f"{name}/report.html")]))
    said = [
        "A library made up by a known law: seven cation fractions, Raman spectra and power, with the columns and the "
        "layout of Umehara et al. (2019)."
    ]
    return Section("A library of photoanodes", items, said, points) if items else None
