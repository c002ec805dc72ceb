import re
import tomllib

import pandas as pd
import pytest
from matplotlib.figure import Figure

from matlens.microstructure.commands import cites
from matlens.microstructure.commands.inputs import Inputs, store_structures
from matlens.microstructure.commands.reconstruct.report import page_of
from matlens.microstructure.encoders import ENCODER_NAMES
from matlens.microstructure.problems import bicontinuous
from matlens.microstructure.reconstruction import METHOD_NAMES
from matlens.report.build import build_report
from matlens.report.numbers import shown
from matlens.report.parts import Answer, Drawing, Page, Section, Table, table
from matlens.runs.citations import bibtex
from matlens.runs.directory import RunDirectory


@pytest.fixture
def run(tmp_path):
    inputs = Inputs(("/data/<b>steel & co</b>.png",), hashes=("0" * 64,))
    settings = {
        "inputs": inputs.settings(),
        "options": {"shape": [32, 32], "encoder": "vgg19-oxford", "preset": "fast", "threshold": "otsu", "seed": 0},
        "environment": {"device": "cpu"},
    }
    with RunDirectory.create(tmp_path / "run", "reconstruct", settings) as run:
        yield run


def test_a_run_that_has_hardly_begun_has_a_report(run):
    html = build_report(run, page_of(run)).read_text(encoding="utf-8")
    assert "has not finished" in html
    assert page_of(run).headlines(run) == []


def test_names_of_files_are_text_not_markup(run):
    store_structures(run, "exemplar", [bicontinuous((32, 32), seed=0)])
    html = build_report(run, page_of(run)).read_text(encoding="utf-8")
    assert "<b>steel" not in html
    assert "&lt;b&gt;steel &amp; co&lt;/b&gt;" in html


def test_the_report_names_the_methods(run):
    run.mark("running", resolved={"encoder": "vgg19-oxford"})
    store_structures(run, "exemplar", [bicontinuous((32, 32), seed=0)])
    html = build_report(run, page_of(run)).read_text(encoding="utf-8")
    assert "@misc{simonyan2014very" in html
    assert "@misc{ustyuzhaninov2016texture" not in html


def test_tables_align_numbers_and_dash_the_unknown():
    shown_table = table(pd.DataFrame({"of": ["a", "b"], "R": [1.0, float("nan")], "sure": [True, False]}))
    assert shown_table.numeric == {1}
    assert shown_table.rows == [["a", "1", "yes"], ["b", "–", "no"]]
    assert shown(0.00012345) == "1.23 × 10⁻⁴"


def test_every_citation_is_an_entry(run):
    for encoder in ("", *ENCODER_NAMES):
        for method in ("", *METHOD_NAMES):
            run.mark("running", resolved={"encoder": encoder, "method": method})
            keys = list(dict.fromkeys([*cites.of_engine(run), *cites.of_judging(), *cites.of_thresholds(run)]))
            assert bibtex(keys).count("@") == len(keys)


def page(**parts):
    return Page("Nothing", lambda run: "", parts.pop("sections", ()), lambda run: ("li2018transfer",), **parts)


def drawing(alt=""):
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([0, 1], [2, 3], label="result")
    return Drawing("line", figure, pd.DataFrame({"x": [0, 1]}), "A line.", alt)


def html_of(run, page, **options):
    return build_report(run, page, **options).read_text(encoding="utf-8")


def test_a_run_that_writes_its_report_before_it_ends_is_not_called_unfinished(run):
    """The report is written while the status is still "running"."""
    assert run.status == "running"
    assert "has not finished" not in html_of(run, page(answer=lambda run: Answer()))
    assert "has not finished" in html_of(run, page())
    run.mark("interrupted")
    assert "This run is interrupted." in html_of(run, page(answer=lambda run: Answer()))


def test_figures_are_written_as_pdf_on_request_alone(run):
    shown_page = page(answer=lambda run: Answer(picture=drawing()))
    assert "line.pdf" not in html_of(run, shown_page)
    assert not (run.path / "figures" / "line.pdf").exists()
    assert 'href="figures/line.pdf"' in html_of(run, shown_page, pdf=True)
    assert (run.path / "figures" / "line.pdf").is_file()


def test_a_figure_is_described_from_its_data_and_not_by_its_caption(run):
    html = html_of(run, page(sections=(lambda run: Section("Line", [drawing()]),)))
    assert 'alt="y from 2 to 3 against x from 0 to 1; shown are result."' in html
    html = html_of(run, page(sections=(lambda run: Section("Line", [drawing("It rises.")]),)))
    assert 'alt="It rises."' in html


def test_at_most_five_conclusions_are_not_folded(run):
    html = html_of(run, page(headlines=lambda run: [f"Sentence {number}." for number in range(9)]))
    before, folded = html.split("<summary>3 more</summary>")
    assert re.findall(r"Sentence \d", before) == [
        f"Sentence {number}" for number in range(6)
    ]  # the first heads the page
    assert "Sentence 8." in folded


def test_settings_stand_once_in_a_report(run):
    run.mark("running", resolved={"encoder": "vgg19-oxford"})
    html = html_of(run, page())
    digest = tomllib.loads((run.path / "settings.toml").read_text(encoding="utf-8"))["inputs"]["hashes"][0]
    assert html.count(digest) == 1
    assert html.index("<details><summary><h2>Settings") < html.index(digest)


def test_columns_and_rows_that_hold_nothing_are_left_out():
    found = table(pd.DataFrame({"of": ["a", "b"], "R": [1.0, None], "none": [None, None]}))
    assert found == Table(["of", "R"], [["a", "1"]], frozenset({1}))


def test_what_the_work_warns_of_stands_on_top(run):
    run.mark("running", warnings=["The order alone predicts P."])
    html = html_of(run, page(answer=lambda run: Answer(), sections=(lambda run: Section("Scores", points=["Many."]),)))
    assert html.index("Watch out") < html.index("The order alone predicts P.") < html.index("Scores</h2>")
