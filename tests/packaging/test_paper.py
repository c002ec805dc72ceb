"""The draft of the paper: its numbers stand in docs/results.md, and its sources in its list of them."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PAPER = (ROOT / "paper" / "paper.md").read_text(encoding="utf-8")
FRONT, BODY = PAPER.removeprefix("---\n").split("\n---\n", 1)


def entries(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    return {found[1]: found[0] for found in re.finditer(r"^@\w+\{(\w+),.*?^\}", text, flags=re.DOTALL | re.MULTILINE)}


def test_it_has_the_form_of_the_journal_and_leaves_the_authors_open():
    front = yaml.safe_load(FRONT)
    assert {"title", "tags", "authors", "affiliations", "date", "bibliography"} <= set(front)
    assert (ROOT / "paper" / front["bibliography"]).is_file()
    assert [author["name"] for author in front["authors"]] == ["AUTHORS LEFT OPEN"]
    wanted = [
        "Summary",
        "Statement of need",
        "State of the field",
        "Measured comparison",
        "Acknowledgements",
        "References",
    ]
    assert re.findall(r"^# (.+)$", BODY, flags=re.MULTILINE) == wanted
    assert 750 <= len(BODY.split()) <= 1750


def test_its_numbers_stand_in_the_results():
    results = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("results*.md"))
    numbers = re.findall(r"(?<![\d.])\d*\.\d+", BODY)
    assert len(numbers) > 40
    missing = [one for one in numbers if not re.search(rf"(?<![\d.]){re.escape(one)}(?!\d)", results)]
    assert not missing


def test_the_rows_of_its_table_are_those_of_the_results():
    names = {
        "`default`, VGG-19": "vgg19-oxford",
        "`fast`, VGG-19": "vgg19-oxford, fast",
        "`default`, filter bank": "filterbank",
        "as in @li2018transfer": "vgg19-oxford, li2018",
        "Gaussian field": "gaussian-field",
    }
    results = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    measured = results[results.index("| method | materials | refused |") :]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in BODY.splitlines() if line.startswith("| ")]
    for name, *cells in rows[1:]:
        row = re.search(rf"^\| {re.escape(names.get(name, name))} \|.*$", measured, flags=re.MULTILINE)
        found = [cell.strip() for cell in row[0].split("|")[1:-1]]
        joint = found[11].split("/")[2]
        assert cells == [found[3], found[5], found[7], joint, found[12], found[13]], name


def test_its_sources_are_listed_once_and_as_in_reports():
    listed, shared = entries("paper/paper.bib"), entries("src/matlens/runs/citations.bib")
    assert set(re.findall(r"@(\w+)", BODY)) == set(listed)
    assert all(listed[key] == shared[key] for key in set(listed) & set(shared))
