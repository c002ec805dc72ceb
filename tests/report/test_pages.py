"""The checker of reports finds what it looks for."""

import pytest
from pages import faults

PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>A</title></head><body>
<h1>A run</h1><p class="headline">Effective conductivity: 2.35 along x.</p>
<dl class="tiles"><div><dt>share</dt><dd><strong>3 of 4</strong></dd></div></dl>
<h2 id="s">Section</h2><a href="#s">there</a>
<figure><img src="data:," alt="Two bars, of 1.5 and 2.35."><figcaption>Bars.</figcaption></figure>
<table><thead><tr><th scope="col">bound</th><th scope="col">k (W/m)</th></tr></thead>
<tbody><tr><th scope="row">Wiener</th><td>1.5</td></tr></tbody></table>
</body></html>
"""


@pytest.fixture
def found(tmp_path):
    (tmp_path / "tensor.csv").write_text("conductivity\n2.347\n", encoding="utf-8")
    (tmp_path / "provenance.json").write_text("{}", encoding="utf-8")

    def of(before="", after=""):
        assert before in PAGE
        (tmp_path / "report.html").write_text(PAGE.replace(before, after) if before else PAGE, encoding="utf-8")
        return list(faults(tmp_path / "report.html"))

    return of


def test_a_sound_page_has_no_fault(found):
    assert found() == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("<h2 id", "<p><h2 id", ""),
        ("</h1>", "</h2>", "not HTML"),
        ("2.35 along", "2.95 along", "2.95 in"),
        ("conductivity: 2.35", "stiffness: 2.35", "under other names alone"),
        ("3 of 4", "5 of 4", "share: 5 of 4"),
        ('alt="Two bars, of 1.5 and 2.35."', 'alt="Bars."', "description says nothing"),
        ('href="#s"', 'href="#t"', "#t, which is not there"),
        ("k (W/m)", "k", "without a unit"),
        ("<td>1.5</td>", "<td>–</td>", "an empty column"),
        ("<td>1.5</td>", "<td>True</td>", "a word of Python"),
        ("<td>1.5</td>", "<td>1.5e+03</td>", "an exponent of programs"),
        ("<td>1.5</td>", "<td>1.50000</td>", "digits that nobody needs"),
        ('<th scope="col">bound', "<th>bound", "without scope"),
        ("<h2 id", "<h3 id", "skips a level"),
        ("A run</h1>", "A run</h1>This run has not finished.", "has not finished"),
        ('lang="en"', 'lang="de"', "no language"),
    ],
)
def test_a_fault_is_found(found, before, after, fault):
    if fault:
        assert any(fault in text for text in found(before, after)), found(before, after)
    else:
        assert found(before, after) == []  # an open paragraph is HTML
