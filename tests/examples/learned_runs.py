"""Runs on libraries as far as the studio reads them, made in a moment: no model is trained."""

import numpy as np
import xarray as xr

from matlens.core.atomic import writing_into
from matlens.core.model_files import write_model_files
from matlens.library.model.stored_library import SCHEMA, library_parts
from matlens.runs.directory import RunDirectory


def learned(folder, library):
    """A run of ``library learn``: a model without networks, and predictions of 0.5 and 1.5 in two repeats."""
    run = RunDirectory.create(folder, "library learn", {"options": {"library": "t.csv"}})
    words, more = library_parts(library)
    arrays = {f"library.{name}": value for name, value in more.items()} | {"held_out": np.zeros(len(library))}
    write_model_files(writing_into(run.path), SCHEMA, arrays, {"library": words, "target": "P", "unit": "mW/cm2"}, ())
    lines = [f"model,grouped,{r},0,{name},{0.5 + r}" for r in (0, 1) for name in library.samples]
    text = "\n".join(["model,partition,repeat,fold,sample,predicted", *lines])
    (run.path / "held_out.csv").write_text(text, encoding="utf-8")
    run.mark("finished", sentences=["A model was learned."])
    run.close()
    return run.path


def explained(folder, library, model):
    """A run of ``library explain``, and its gradients, which are drawn at random."""
    run = RunDirectory.create(folder, "library explain", {"options": {"model": str(model)}})
    rng = np.random.default_rng(0)
    n, d, c = len(library), len(library.components), library.axis.size
    dims = ("scheme", "kind", "sample", "component")
    insight = xr.Dataset(
        {
            "composition_gradient": (dims, rng.normal(size=(3, 2, n, d)), {"units": "mW/cm2 per at%"}),
            "composition_gradient_error": (dims, rng.random((3, 2, n, d))),
            "composition": (("sample", "component"), library.compositions),
            "support": (("sample", "component"), rng.integers(0, 3, (n, d))),
            "kind_support": ("kind", [1, 2]),
            "merit": ("sample", library.merit("P")),
            "predicted": ("sample", library.merit("P")),
            "spectrum": (("sample", "axis"), library.spectra),
            "spectral_gradient": (("sample", "axis"), rng.normal(size=(n, c)), {"units": "mW/cm2 per counts"}),
            "spectral_gradient_spread": (("sample", "axis"), rng.random((n, c))),
            "spectral_support": (("sample", "axis"), rng.integers(0, 3, (n, c))),
        },
        {
            "scheme": ["dilution", "exchange", "tangent"],
            "kind": ["partial", "total"],
            "sample": list(library.samples),
            "component": list(library.components),
            "axis": library.axis,
        },
        {"target": "P", "unit": "mW/cm2", "fraction_name": "at%"},
    )
    insight.to_netcdf(run.path / "gradients.nc", engine="h5netcdf")
    conclusions = (
        'about,subject,sentence,status,reason,firm,next\ncomposition,W,"More W lowers P.",weak,few samples,False,W 2\n'
    )
    (run.path / "conclusions.csv").write_text(conclusions, encoding="utf-8")
    run.mark("finished", sentences=["More W lowers P."])
    run.close()
    return run.path, insight


def suggested(folder, model):
    """A run of ``library suggest`` with two suggestions."""
    run = RunDirectory.create(folder, "library suggest", {"options": {"model": str(model)}})
    amounts = "rank,well,move,Bi,V,W,Dy,Gd,Mo,Tb\n1,A1,more W,50,49,1,0,0,0,0\n2,A2,less W,50,50,0,0,0,0,0\n"
    (run.path / "plate.csv").write_text(amounts, encoding="utf-8")
    found = "rank,expected,low,high,support,reason\n1,2.5,2,3,2,near\n2,2.4,,,0,far\n"
    (run.path / "suggestions.csv").write_text(found, encoding="utf-8")
    run.mark("finished", sentences=["Make more W."])
    run.close()
    return run.path
