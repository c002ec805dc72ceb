"""The options of the commands on libraries: their choices, how many a help lists, and what importing them loads."""

import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from matlens import InputError, LibraryOptions
from matlens.cli.options import Destination, Verbosity
from matlens.core.settings import declared, read_options
from matlens.library.baselines import BASELINES
from matlens.library.commands.demo.spec import DemoSpec
from matlens.library.commands.explain.spec import ExplainSpec
from matlens.library.commands.learn.spec import Baseline, LearnSpec, Partition
from matlens.library.commands.learn.trials import baselines_of
from matlens.library.commands.options import Table, reading
from matlens.library.commands.predict.spec import PredictSpec
from matlens.library.commands.suggest.spec import SuggestSpec
from matlens.library.model.presets.registry import PRESETS
from matlens.library.model.resampling import RESAMPLINGS
from matlens.library.model.targets import INPUTS, TRANSFORMS
from matlens.library.validation import PARTITIONS
from matlens.runs.former import in_present_layout

OLD = Path(__file__).parents[2] / "golden" / "runs_0"
SPECS = {
    "learn_library": LearnSpec,
    "predict_library": PredictSpec,
    "explain_library": ExplainSpec,
    "suggest": SuggestSpec,
}


def test_choices_are_those_of_the_library():
    assert set(get_args(Baseline)) == {"all", "none", *BASELINES}
    assert set(get_args(Partition)) == set(PARTITIONS)
    choices = {one.name: one.choices for one in declared(LearnSpec)}
    assert set(choices["preset"]) == set(PRESETS)
    assert set(choices["resample"]) == {"auto", *RESAMPLINGS}
    assert choices["inputs"] == INPUTS
    assert choices["transform"] == TRANSFORMS


@pytest.mark.parametrize("spec", [*SPECS.values(), DemoSpec])
def test_helps_stay_short(spec):
    reads = {field.name for field in fields(LibraryOptions)}  # how a table is read is a part of the help by itself
    own = [one for one in declared(spec) if one.name not in reads]
    assert len(own) + len(declared(Destination)) + len(declared(Verbosity)) <= 24


def test_importing_the_options_loads_nothing_heavy():
    names = ", ".join(f"{spec.__module__}" for spec in (*SPECS.values(), DemoSpec))
    code = f"import sys, {names}; print([m for m in ('torch', 'numpy', 'scipy', 'pandas') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.strip() == "[]", ran.stderr


@pytest.mark.parametrize("name", SPECS)
def test_options_of_old_runs_are_options_of_this_version(name):
    """Nothing is lost but hashes, which are no options."""
    old = tomllib.loads((OLD / name / "settings.toml").read_text(encoding="utf-8"))
    new = in_present_layout(old)
    spec = read_options(SPECS[name], new["options"])
    assert spec.device == "cpu"
    if name == "learn_library":
        assert (spec.n_models, spec.scoring_models, spec.baselines) == (2, 2, ("ridge",))
    if name == "explain_library":
        assert (spec.permuted_models, spec.integration_steps, spec.regions) == (2, 4, ("clusters:2",))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"held_out": "grouped,months"}, ("'months' for --held-out", "grouped, regions, systems or shuffled")),
        ({"held_out": ""}, ("nothing would be held out",)),
        ({"baselines": "oracle"}, ("'oracle' for --baselines", "ridge")),
        ({"folds": "1"}, ("'1' for --folds", "at least 2")),
        ({"fraction_unit": "ppm"}, ("'ppm' for --fraction-unit", "fraction or percent")),
    ],
)
def test_wrong_values_are_named_with_what_was_expected(values, words):
    with pytest.raises(InputError) as error:
        read_options(LearnSpec, {"library": "a.csv", **values})
    for word in words:
        assert word in str(error.value)


def test_units_and_limits_without_a_name_are_the_targets():
    asked = Table(merit_units="mW/cm2,Q=K", censored=">10,Q<2")
    assert reading(asked, "P").units() == {"P": "mW/cm2", "Q": "K"}
    assert reading(asked, "P").limits() == [("P", 1, 10.0), ("Q", -1, 2.0)]
    with pytest.raises(InputError, match="NAME=UNIT"):
        reading(Table(merit_units="K"), None)


def test_baselines_of_all_and_none():
    assert baselines_of(LearnSpec(library="a.csv")) == tuple(BASELINES)
    assert baselines_of(LearnSpec(library="a.csv", baselines=("none",))) == ()
