"""Every command asked anew what the old runs were asked: the same settings, headings and (on the same machine) bytes.

What a run stands on are old runs, so each is made by itself. Bytes are compared where processor, threads and versions
are those of the old runs; elsewhere settings, headings and the names of the files alone.
"""

import re
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

OLD = Path(__file__).parent / "runs_0"
ONE = ("--threads", 1)
TINY = ("--shape", "32x32", *ONE)
FAST = ("--encoder", "filterbank", "--preset", "fast")
FEW = ("--models", 2, "--scoring-models", 2, "--folds", 2, "--repeats", 1, "--systems", 1, "--baselines", "ridge",
       "--model", "ensemble")  # fmt: skip

NEW = {  # name: what it needs, words, arguments; a leading "library" where the command is in that group
    "characterize": (("exemplar.tif",), ("characterize",), ("exemplar.tif", *ONE)),
    "segment": (("exemplar.tif",), ("segment",), ("exemplar.tif",)),
    "rebuild": (
        ("characterize",),
        ("reconstruct",),
        ("--target", "characterize/statistics.nc", *TINY, "--set", "moves=5"),
    ),
    "compare": (("reconstruct", "exemplar.tif"), ("compare",), ("reconstruct", "exemplar.tif", *ONE)),
    "homogenize": (("exemplar.tif",), ("homogenize",), ("exemplar.tif", "--conductivity", "0=1,1=50", *ONE)),
    "generate": (
        (),
        ("generate",),
        ("-n", 24, "--test", 8, "--size", 32, "--families", "fields,sheets", "--conductivity-contrast", 50,
         "--stiffness-contrast", "none", "--workers", 1),
    ),
    "predict": (("learn", "generate"), ("predict",), ("learn", "generate/test.h5", *ONE)),
    "prepare_library": (("new.csv",), ("library", "prepare"), ("new.csv", "--prepare", "despike,area")),
    "predict_library": (("learn_library", "new.csv"), ("library", "predict"), ("learn_library", "new.csv", *ONE)),
}  # fmt: skip
SLOW = {
    "reconstruct": (("exemplar.tif",), ("reconstruct",), ("exemplar.tif", *TINY, *FAST, "-n", 2)),
    "annealing": (
        ("exemplar.tif",),
        ("reconstruct",),
        ("exemplar.tif", *TINY, "--method", "annealing", "--set", "moves=5"),
    ),
    "prune": (("large.tif",), ("prune",), ("large.tif", *TINY, *FAST, "--depths", "none,scale1", "-n", 1)),
    "learn": (
        ("generate",),
        ("learn",),
        ("generate", "--target", "k_00_c50", "--encoder", "filterbank", "--depth", "scale4", "--head", "ridge", *ONE),
    ),
    "explain": (("learn", "generate"), ("explain",), ("learn", "generate/test.h5", "-n", 2, "--flips", 6, *ONE)),
    "learn_library": (("library.csv",), ("library", "learn"), ("library.csv", "--target", "P", *FEW, *ONE)),
    "explain_library": (
        ("learn_library",),
        ("library", "explain"),
        ("learn_library", "--permutations", 2, "--permuted-models", 2, "--steps", 4, "--region", "clusters:2", *ONE),
    ),
    "suggest": (
        ("learn_library", "explain_library"),
        ("library", "suggest"),
        ("learn_library", "-n", 3, "--insight", "explain_library", *ONE),
    ),
}
SPENT = ("additions", "axis", "flips", "permuted", "trial", "values")  # below .state of unfinished runs alone
TIMES = ("seconds", "minutes", "time")
# What merges moved since runs_0 was made (CHANGELOG.md says why): one bootstrap draws other resamples of structures, so
# ends of intervals move within their Monte Carlo error; one Gaussian process takes other length scales for suggestions.
MOVED = {"suggest": ("plate.csv", "suggestions.csv", "provenance.json", "figures/suggestions.csv")}
RESAMPLED = ("_low", "_high")
# One Gaussian process adds in another order, and the search for length scales of 40 samples carries that on: in the
# version before, 1e-12 more on the figure of merit moves factors of the inputs by up to 9 %.
LOOSE = {"learn_library": 0.1, "explain_library": 0.01}
MOVED["learn_library"] = ("arrays.safetensors", "model.json", "checks.csv")  # sentences of the checks are clearer
MOVED["predict_library"] = ("predictions.csv", "provenance.json")  # support is judged by each sample's neighbourhood
MOVED["explain_library"] = ("sanity.csv", "statements.csv", "groups.csv", "provenance.json")
# Spectra follow composition with shorter length scales as well, and errors of total gradients count more.
MOVED["explain_library"] += ("component_axis.csv", "correlations.csv", "gradients.nc", "regions.csv", "ways.csv")
# Convolutions, Gram matrices and the two-point gradient add in another order. Features move in the last digits of
# single precision, and a reconstruction, whose line searches carry that on, becomes another picture.
LOOSE |= {"learn": 1e-4, "predict": 1e-4, "explain": 1e-4}
MOVED["reconstruct"] = (
    *(f"realisation_{index}.{kind}" for index in range(2) for kind in ("npy", "tif")),
    *(f"{name}.csv" for name in ("copy_test", "curves", "errors", "fractions", "history")),
)
MOVED["prune"] = (
    *(f"large/{depth}/realisation_0.{kind}" for depth in ("none", "scale1") for kind in ("npy", "tif")),
    *(f"{name}.csv" for name in ("cells", "pruning", "ratios", "scales")),
)
# Small patches of the copy test are matched by products instead of Fourier transforms, in single precision.
LOOSE |= {"compare": 1e-6, "annealing": 1e-6}
EXACT = 1e-12
# Both phases of two have one correlation length, where each had its own.
OTHER = ("correlation_length", "anisotropy")

pytestmark = [pytest.mark.end_to_end, pytest.mark.usefixtures("undrawn")]


@pytest.mark.parametrize("name", [*NEW, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_a_command_does_what_it_did(
    name, old, folder, matlens, of_library, golden, settings_tree, headings, sound, request, monkeypatch
):
    needs, words, arguments = (NEW | SLOW)[name]
    if needs:
        old(*needs)
    words = of_library(words[1]) if words[0] == "library" else words
    # A stop while the report is written must leave all that the resumed run begins with.
    with monkeypatch.context() as stopped:
        stopped.setattr("matlens.report.build.build_report", interrupt)
        assert matlens(*words, *arguments, "-o", "new")[0] == 130
    code, out, err = matlens("resume", "new")
    assert code == 0, err
    assert not re.search(r"\de[+-]\d", out + err), "a number with an exponent of programs"
    assert not [file for key in SPENT for file in Path("new", ".state", key).rglob("*")]
    golden.holds(f"new_runs/{name}.settings.txt", settings_tree("new"))
    golden.holds(f"new_runs/{name}.headings.txt", headings("new"))
    sound("new")
    there = {file.relative_to("new").as_posix() for file in Path("new").rglob("*") if file.is_file()}
    there = sorted(file for file in there if not file.startswith(".state"))
    golden.holds(f"new_runs/{name}.files.txt", "".join(f"{file}\n" for file in there))
    if (OLD / name).is_dir() and request.getfixturevalue("same_machine")("new", OLD / name):
        for file in (file for file in there if (OLD / name / file).is_file()):
            if file not in MOVED.get(name, ()):
                same_content(Path("new", file), OLD / name / file, LOOSE.get(name, EXACT))


def interrupt(*_):
    raise KeyboardInterrupt


def same_content(new, old, relative):
    if new.read_bytes() == old.read_bytes():
        return
    if new.suffix == ".csv":
        new_table, old_table = (pd.read_csv(file) for file in (new, old))
        if "predicted" in old_table:  # intervals have one word for their ends everywhere
            old_table = old_table.rename(columns={"lower": "low", "upper": "high"})
        assert list(new_table) == list(old_table), old.name
        moved = [name for name in old_table if is_time(name) or (old.name == "scores.csv" and is_resampled(name))]
        moved += [name for name in old_table if name.startswith(OTHER)]
        new_table, old_table = (table.drop(columns=moved) for table in (new_table, old_table))
        if "statistic" in old_table:
            new_table, old_table = (
                table[~table["statistic"].str.startswith(OTHER)] for table in (new_table, old_table)
            )
        pd.testing.assert_frame_equal(new_table, old_table, obj=old.name, rtol=relative, atol=relative)
    elif new.suffix in (".npz", ".nc", ".h5", ".safetensors"):
        found, told = arrays(new), arrays(old)
        assert list(found) == list(told), old.name
        for name, array in told.items():
            if not name.startswith(OTHER):
                same_array(found[name], array, relative, f"{name} in {old.name}")
    else:
        assert new.suffix not in (".npy", ".tif"), f"{old.name} has other bytes"


def same_array(new, old, relative, where):
    if np.issubdtype(np.asarray(old).dtype, np.floating):
        scale = np.nanmax(np.abs(np.atleast_1d(old)), initial=0)  # of a single NaN too
        np.testing.assert_allclose(new, old, rtol=relative, atol=relative * scale, err_msg=where)
    else:
        np.testing.assert_array_equal(new, old, err_msg=where)


def arrays(file):
    if file.suffix == ".safetensors":
        return load_file(file)
    if file.suffix == ".npz":
        with np.load(file) as content:
            return dict(content)
    found = {}
    with h5py.File(file) as content:
        content.visititems(lambda name, one: found.update({name: one[()]} if isinstance(one, h5py.Dataset) else {}))
    return found


def is_resampled(column):
    return column.endswith(RESAMPLED)


def is_time(column):
    return any(word in column for word in TIMES)
