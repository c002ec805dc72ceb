import re
from pathlib import Path

import pandas as pd
import pytest
from library_runs import explained_run, learned_run

from matlens.cli.registry import commands
from matlens.figures.units import typeset_unit
from matlens.library.commands.explain.spectra_report import alike
from matlens.library.commands.maps import gradients_on_the_wafer
from matlens.report import build
from matlens.report.build import build_report
from matlens.runs.command import command_of
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

pytestmark = pytest.mark.end_to_end


def text_of(run):
    html = build_report(run, command_of(run, commands()).page(run)).read_text(encoding="utf-8")
    return re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", html)


def headings(html):
    return re.findall(r"<h2>(.*?)</h2>", html)


@pytest.fixture
def unpainted(monkeypatch):
    """Figures are made but not painted, which takes most of the time; two tests paint them all."""

    def save(figure, stem, source, writing, suffixes):
        for suffix in suffixes:
            with writing(f"{stem}.{suffix}"):
                pass
        with writing(f"{stem}.csv") as file:
            source.to_csv(file, index=False)
        return tuple(Path(f"{stem}.{suffix}") for suffix in (*suffixes, "csv"))

    monkeypatch.setattr(build, "save_figure", save)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    with learned_run(tmp_path_factory.mktemp("learned") / "run") as run:
        yield run, text_of(run)


def test_learned_shows_held_out_scores_first_and_checks_after(learned):
    run, html = learned
    assert headings(html)[:3] == ["Before any model", "Held-out scores", "On the wafer"]
    assert "co-alloy systems left out" in html
    assert "0.95\xa0(0.92\xa0to\xa00.98)" in html
    assert "P (mW/cm²) of 60 samples." in html
    for name in ("parity", "scores", "paired", "checks", "wafer"):
        assert {f"{name}.{kind}" for kind in ("png", "csv")} <= {file.name for file in (run.path / "figures").iterdir()}


def test_shuffled_rows_have_a_report_where_nothing_else_was_held_out(tmp_path, unpainted):
    with learned_run(tmp_path / "run") as run:
        for name in ("held_out", "scores", "paired"):
            found = pd.read_csv(run.path / f"{name}.csv", dtype={"sample": str})
            write_table(run, name, found[found["partition"] == "grouped"].assign(partition="shuffled"))
        html = text_of(run)
    assert "rows shuffled (for information)" in html
    assert len(pd.read_csv(run.path / "figures" / "parity.csv")) > 0


def test_ids_of_samples_stay_text(learned):
    found = pd.read_csv(learned[0].path / "figures" / "wafer.csv", dtype=str)
    assert found["sample"][0] == "0000"


def test_explained_says_what_was_found_with_marks_of_trust(tmp_path):
    with explained_run(tmp_path / "run", components=("Bi", "V", "W", "Mo", "Tb")) as run:
        html = text_of(run)
    assert headings(html)[:7] == [
        "What would reverse these conclusions",
        "What to add to a sample",
        "Where in the spectrum",
        "Where the data support it",
        "Which components act alike",
        "Over the compositions",
        "Comparison with PLS and random forest",
    ]
    assert re.search(r"\d+ statements were tested: \d+ supported, \d+ weak and \d+ unsupported\.", html)
    assert 'class=" mark unsupported"' in html
    assert "70 % is left." in html
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
def test_explained_of_other_libraries(tmp_path, kind, unpainted):
    with explained_run(tmp_path / "run", **kind) as run:
        found = headings(text_of(run))
    assert ("Where in the spectrum" in found) == (kind["channels"] > 0)
    assert "Which components act alike" in found


def test_gradients_stand_where_the_samples_lie(tmp_path, learned, unpainted):
    kind = {"components": ("Fe", "Ga", "Pd"), "samples": 10, "channels": 0}
    with explained_run(tmp_path / "run", learned[0].path, **kind) as run:
        places = "x,y,sample\n" + "".join(f"{row % 4},{row // 4},{7 * row:04d}\n" for row in range(10))
        (learned[0].path / "positions.csv").write_text(places, encoding="utf-8")
        section = gradients_on_the_wafer(run)
    assert section.title == "On the wafer"
    found = section.items[0].source
    assert set(found["panel"]) == {"adding Fe", "adding Ga"}  # nothing supports Pd
    assert len(found) == 20


def test_runs_that_have_hardly_begun_have_reports(tmp_path):
    for command in ("library learn", "library explain", "library suggest"):
        with RunDirectory.create(tmp_path / command, command, {"options": {"seed": 0}}) as run:
            assert "has not finished" in text_of(run)


def test_suggestions_are_ranked_with_trust_and_a_list_to_print(tmp_path, unpainted):
    moves = pd.DataFrame(
        {"rank": [1, 2], "move": ["+1 at% W", "+2 at% Mo for V"], "start": 2.0, "expected": [2.5, 2.4]}
    )
    moves = moves.assign(low=[2.2, 2.0], high=[2.8, 2.9], gain=0.4, gain_low=0.1, gain_high=0.7, chance=0.83)
    moves = moves.assign(support=[2, 0], reason=["8 compositions along it", "beyond the data"])
    plate = moves[["rank", "move"]].assign(well=["A1", "A2"], Bi=[50.0, 50.0], V=[49.0, 48.0], W=[1.0, 0.25])
    with RunDirectory.create(tmp_path / "run", "library suggest", {"options": {"seed": 0}}) as run:
        write_table(run, "suggestions", moves)
        write_table(run, "plate", plate.assign(Mo=[0.0, 2.0], Tb=0.0))
        run.mark("finished", resolved={"target": "P", "unit": "mW/cm2", "increment": 0.0025, "fraction_name": "at%"})
        html = text_of(run)
    assert headings(html)[:2] == ["To make", "Suggestions"]
    assert "2.50\xa0(2.20\xa0to\xa02.80)" in html
    assert 'class=" mark unsupported"' in html
    assert '<td class="number">83</td>' in html
    assert '<th scope="col" class="number">Mo (at%)</th>' in html
    assert "Tb (at%)</th>" not in html
    assert (tmp_path / "run" / "figures" / "suggestions.png").is_file()


def test_the_plate_list_is_written_to_the_increment(tmp_path, unpainted):
    """Rounded to three digits, 44.25 and 44.75 would no longer sum to 100 with the rest."""
    plate = pd.DataFrame({"rank": [1], "well": ["A1"], "Bi": [44.25], "V": [44.75], "W": [11.0]})
    with RunDirectory.create(tmp_path / "run", "library suggest", {"options": {"seed": 0}}) as run:
        write_table(run, "plate", plate)
        run.mark("finished", resolved={"target": "P", "unit": "", "increment": 0.0025, "fraction_name": "at%"})
        rows = re.findall(r"<td[^>]*>([^<]*)</td>", text_of(run))
    assert rows[1:5] == ["A1", "44.25", "44.75", "11.00"]


def test_suggestions_without_any_move_say_so(tmp_path):
    with RunDirectory.create(tmp_path / "run", "library suggest", {"options": {"seed": 0}}) as run:
        run.mark("finished", resolved={"target": "P", "unit": ""})
        assert "No move is expected to raise" in text_of(run)


@pytest.mark.parametrize(("unit", "text"), [("mS/cm", "mS/cm"), ("V^2 s-1", "V² s⁻¹"), ("m2/Vs", "m²/Vs")])
def test_units_of_text(unit, text):
    assert typeset_unit(unit) == text


def test_the_figure_of_pairs_prints_the_correlation_of_its_own_dots(tmp_path):
    """It printed r = +.70 over dots of r = -.95: the number was of gradients less their mean, the dots were not."""
    with explained_run(tmp_path / "run", components=("Bi", "V", "W", "Mo", "Tb")) as run:
        drawing = next(item for item in alike(run).items if getattr(item, "name", "") == "pairs")
    names = list(drawing.source.columns)
    printed = [text.get_text() for axes in drawing.figure.axes for text in axes.texts]
    found = [
        f"{drawing.source[a].corr(drawing.source[b], min_periods=10):.2f}"
        for index, a in enumerate(names)
        for b in names[index + 1 :]
    ]
    assert len(found) > 3
    assert [text.replace("−", "-").lstrip("+") for text in printed if any(sign.isdigit() for sign in text)] == found
