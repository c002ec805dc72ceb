import pandas as pd
import pytest

from matlens.microstructure.commands import cites
from matlens.microstructure.commands.inputs import Inputs, store_structures
from matlens.microstructure.commands.reconstruct.report import page_of
from matlens.microstructure.encoders import ENCODER_NAMES
from matlens.microstructure.problems import bicontinuous
from matlens.microstructure.reconstruction import METHOD_NAMES
from matlens.report.build import build_report
from matlens.report.parts import shown, table
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


def test_the_report_names_the_methods_and_where_figures_lie(run):
    run.mark("running", resolved={"encoder": "vgg19-oxford"})
    store_structures(run, "exemplar", [bicontinuous((32, 32), seed=0)])
    html = build_report(run, page_of(run)).read_text(encoding="utf-8")
    assert "@misc{simonyan2014very" in html
    assert "@misc{ustyuzhaninov2016texture" not in html
    assert 'href="figures/structures.pdf"' in html
    assert (run.path / "figures" / "structures.csv").is_file()


def test_tables_align_numbers_and_dash_the_unknown():
    shown_table = table(pd.DataFrame({"of": ["a", "b"], "R": [1.0, float("nan")], "sure": [True, False]}))
    assert shown_table.numeric == {1}
    assert shown_table.rows == [["a", "1", "yes"], ["b", "–", "no"]]
    assert shown(0.00012345) == "0.000123"


def test_every_citation_is_an_entry(run):
    for encoder in ("", *ENCODER_NAMES):
        for method in ("", *METHOD_NAMES):
            run.mark("running", resolved={"encoder": encoder, "method": method})
            keys = list(dict.fromkeys([*cites.of_engine(run), *cites.of_judging(), *cites.of_thresholds(run)]))
            assert bibtex(keys).count("@") == len(keys)
