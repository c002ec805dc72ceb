"""From a run directory to one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from matlens.library.commands import maps as library_maps
from matlens.library.commands.demo import report as demonstration
from matlens.library.commands.explain import report as library_insight
from matlens.library.commands.explain import spectra_report as library_spectra
from matlens.library.commands.learn import report as library_learning
from matlens.library.commands.predict import report as library_predictions
from matlens.library.commands.suggest import report as library_suggestions
from matlens.library.commands.words import MARKS
from matlens.microstructure.commands.characterize import report as characterization
from matlens.microstructure.commands.characterize import representative_report as representative
from matlens.microstructure.commands.explain import report as sensitivity
from matlens.microstructure.commands.generate import report as datasets
from matlens.microstructure.commands.homogenize import report as homogenization
from matlens.microstructure.commands.learn import report as learning
from matlens.microstructure.commands.prune import report as pruning
from matlens.microstructure.commands.rebuild import report as rebuilding
from matlens.microstructure.reconstruction import option_names
from matlens.report import sections as parts
from matlens.report.parts import Section
from matlens.runs.directory import RunDirectory

__all__ = ["build_report", "headlines"]

REPORT = "report.html"
_SECTIONS = {
    "reconstruct": (
        parts.structures,
        parts.evidence,
        homogenization.judged_properties,
        parts.curves,
        parts.copying,
        parts.optimisation,
        parts.cleaning,
        parts.notes,
    ),
    "rebuild": (rebuilding.structures, rebuilding.match, parts.optimisation, parts.notes),
    "compare": (
        parts.structures,
        parts.evidence,
        homogenization.judged_properties,
        parts.curves,
        parts.copying,
        parts.cleaning,
    ),
    "characterize": (
        parts.structures,
        parts.curves,
        characterization.sizes,
        characterization.shape,
        characterization.connection,
        parts.statistics,
        representative.representative,
        parts.cleaning,
    ),
    "prune": (pruning.choices, pruning.depths_made, pruning.depth_sections, parts.cleaning, parts.notes),
    "homogenize": (parts.structures, homogenization.findings, homogenization.fields, parts.cleaning),
    "generate": (datasets.made, datasets.families, datasets.properties),
    "learn": (learning.findings, learning.depths, learning.curve, learning.families, learning.intervals),
    "predict": (learning.predictions, learning.intervals),
    "explain": (sensitivity.agreement, sensitivity.maps),
    "learn-library": (library_learning.held_out_scores, library_learning.first_checks, library_maps.wafer),
    "predict-library": (library_predictions.predictions,),
    "explain-library": (
        library_insight.findings,
        library_insight.by_component,
        library_insight.by_sample,
        library_spectra.along_the_spectrum,
        library_spectra.alike,
        library_maps.on_the_triangle,
        library_maps.gradients_on_the_wafer,
        library_spectra.older_ways,
        library_insight.trust,
    ),
    "suggest": (library_suggestions.suggestions, library_suggestions.plate, library_suggestions.beyond),
    "demo": (parts.members, demonstration.library),
}
_TITLES = {
    "reconstruct": "Reconstruction of {}",
    "rebuild": "Reconstruction from statistics",
    "compare": "Comparison with {}",
    "characterize": "Statistics of {}",
    "prune": "Depth of the network for {}",
    "homogenize": "Effective property of {}",
    "generate": "Labelled structures",
    "learn": "Model of a property",
    "predict": "Predictions of a property",
    "explain": "Where a property comes from",
    "learn-library": "Model of a library",
    "predict-library": "Predictions of samples",
    "explain-library": "What a library says of its figure of merit",
    "suggest": "What to make next",
    "demo": "Demonstration",
}


def build_report(run: RunDirectory) -> Path:
    """Write ``report.html`` and the figures of a run from the tables it holds.

    Parameters
    ----------
    run : RunDirectory
        Open; its tables are there as far as the command came.

    Returns
    -------
    Path
        The report: images inlined, nothing loaded from elsewhere.

    Raises
    ------
    RunError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with RunDirectory.create(tempfile.mkdtemp(), "demo", {"members": []}) as run:
    ...     build_report(run).name
    'report.html'
    """
    found = [section(run) for section in (*_SECTIONS[run.settings["command"]], parts.sources, parts.provenance)]
    environment = Environment(
        loader=PackageLoader("matlens.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    html = environment.get_template("report.html.jinja").render(
        **_header(run),
        verdict=_verdict(run),
        sections=[section for section in found if isinstance(section, Section)],
        marks=("equivalent", "different", "undecided", "passed", "failed", *MARKS),
    )
    return run.write_text(REPORT, html)


def headlines(run: RunDirectory) -> list[str]:
    """Say in a few lines what a run found.

    Examples
    --------
    >>> import tempfile
    >>> with RunDirectory.create(tempfile.mkdtemp(), "demo", {"members": []}) as run:
    ...     headlines(run)
    []
    """
    materials = pruning.recommendation_in(run).get("materials", {})
    said = [f"{name}: {facts['sentences'][0]}" for name, facts in materials.items()]
    said += [str(sentence) for sentence in run.provenance.get("sentences", [])]
    return said or [str(sentence) for sentence in parts.verdict_in(run.path).get("sentences", [])[:1]]


def _header(run: RunDirectory) -> dict[str, Any]:
    settings, command = run.settings, str(run.settings["command"])
    asked = settings.get(command, {})
    resolved = run.provenance.get("resolved", {})
    names = parts.input_names(run)
    unused = {"encoder", "preset"} - set(option_names(asked["method"])) if "method" in asked else set()
    shape = resolved.get("shape") or asked.get("shape")
    facts = {
        "started": run.provenance.get("started", "").replace("T", " ").removesuffix("+00:00") + " UTC",
        "size": " × ".join(str(side) for side in shape) + " px" if shape else "",
        "method": asked.get("method", ""),
        "encoder": "" if "encoder" in unused else resolved.get("encoder", asked.get("encoder", "")),
        "preset": "" if "preset" in unused else asked.get("preset", ""),
        {"generate": "structures", "suggest": "suggestions"}.get(command, "realisations"): asked.get("n", ""),
        "samples": resolved.get("samples", ""),
        "models": resolved.get("members", ""),
        "seed": settings.get("seed", ""),
        "device": settings.get("environment", {}).get("device", ""),
    }
    return {
        "title": _TITLES[command].format(", ".join(names[:3]) + (" and others" if len(names) > 3 else "")),
        "subtitle": parts.subtitle(run),
        "command": command,
        "version": settings.get("version", ""),
        "facts": [(name, value) for name, value in facts.items() if value not in ("", None)],
    }


def _verdict(run: RunDirectory) -> dict[str, str] | None:
    words = parts.verdict_in(run.path)
    if not words:
        return None
    return {"kind": words["joint"], "word": words["joint"].capitalize(), "sentence": words["sentences"][0]}
