import re

import pandas as pd
import pytest
from library_runs import explained_run, learned_run

from matlens.report import build_report
from matlens.report.library_words import plain_unit
from matlens.runs import RunDirectory


def text_of(run):
    html = build_report(run).read_text(encoding="utf-8")
    return re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", html)


def headings(html):
    return re.findall(r"<h2>(.*?)</h2>", html)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    with learned_run(tmp_path_factory.mktemp("learned") / "run") as run:
        yield run, text_of(run)


def test_learned_shows_held_out_scores_first_and_checks_after(learned):
    run, html = learned
    assert headings(html)[:3] == ["Held-out scores", "Before any model", "On the wafer"]
    assert "co-alloy systems left out" in html
    assert "0.95 (0.92 to 0.98)" in html
    assert "P (mW/cm²) of 60 samples." in html
    for name in ("parity", "scores", "paired", "checks", "wafer"):
        assert {f"{name}.{kind}" for kind in ("png", "pdf", "csv")} <= {
            file.name for file in (run.path / "figures").iterdir()
        }


def test_ids_of_samples_stay_text(learned):
    found = pd.read_csv(learned[0].path / "figures" / "wafer.csv", dtype=str)
    assert found["sample"][0] == "0000"


def test_explained_says_what_was_found_with_marks_of_trust(tmp_path):
    with explained_run(tmp_path / "run", components=("Bi", "V", "W", "Mo", "Tb")) as run:
        html = text_of(run)
    assert headings(html)[:7] == [
        "What was found",
        "What each component does",
        "What to add to a sample",
        "Where in the spectrum",
        "Which components act alike",
        "Over the compositions",
        "Beside older ways",
    ]
    assert re.search(r"Of \d+ statements that could be made, \d+ supported, \d+ weak and \d+ unsupported\.", html)
    assert 'class=" mark unsupported"' in html
    assert "Failed: 70 % is left." in html
    assert "1015" not in html
    assert "its coverage was not measured" in html


@pytest.mark.parametrize(
    "kind",
    [
        {"components": ("Fe", "Ga", "Pd"), "samples": 40, "channels": 30},
        {"components": ("P3HT", "D1", "D2", "D6", "D8"), "channels": 0},
    ],
    ids=["three", "no spectrum"],
)
def test_explained_of_other_libraries(tmp_path, kind):
    with explained_run(tmp_path / "run", **kind) as run:
        found = headings(text_of(run))
    assert ("Where in the spectrum" in found) == (kind["channels"] > 0)
    assert "Which components act alike" in found


def test_runs_that_have_hardly_begun_have_reports(tmp_path):
    for command in ("learn-library", "explain-library", "suggest"):
        with RunDirectory.create(tmp_path / command, command, {"seed": 0}) as run:
            assert "has not finished" in text_of(run)


def test_suggestions_without_any_move_say_so(tmp_path):
    with RunDirectory.create(tmp_path / "run", "suggest", {"seed": 0}) as run:
        run.mark("finished", resolved={"target": "P", "unit": ""})
        assert "No move is expected to raise" in text_of(run)


@pytest.mark.parametrize(("unit", "text"), [("mS/cm", "mS/cm"), ("V^2 s-1", "V² s⁻¹"), ("m2/Vs", "m²/Vs")])
def test_units_of_text(unit, text):
    assert plain_unit(unit) == text
