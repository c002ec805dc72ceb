"""Tables and spectra of text that are damaged at random are read or refused in a sentence, and never crash.

Forty examples each run with the quick tests; `make nightly` runs two thousand.
"""

import tempfile
from pathlib import Path

import numpy as np
import openpyxl
from hypothesis import given
from hypothesis import strategies as st

from matlens import InputError, LibraryOptions, read_library

ROWS = [["Sample", "x (mm)", "y (mm)", "Fe", "Co", "Ni", "100.5", "101.5", "P_mW_cm2", "batch"]]
ROWS += [[f"s{k}", k, 5 - k, 0.1 * k, 0.5, 0.5 - 0.1 * k, 3.25 + k, 4.5, 1.5 * k, "A"] for k in range(6)]
TWO_SITES = [["Sample", "Fe", "Co", "Ni", "Cr", "P"], *([f"s{k}", 0.1 * k, 1 - 0.1 * k, 3, 0, k] for k in range(6))]
FORMULAS = [["id", "composition", "j (mA/cm2)"], *([f"s{k}", f"Fe0.{k}Co0.{9 - k}", k - 2.5] for k in range(1, 7))]
BALANCE = [["Sample", "Ni", "Co (wt%)", "Cr (wt%)", "H"], *([f"s{k}", "bal.", k + 1, 2 * k, -k] for k in range(6))]
TABLES = [
    *(
        "\n".join(mark.join(map(str, row)) for row in rows)
        for rows in (ROWS, FORMULAS, BALANCE, TWO_SITES)
        for mark in ",;\t"
    ),
    "\n".join(";".join(map(str, row)).replace(".", ",") for row in ROWS),
    "a title in wt%\n" + "\n".join(",".join(map(str, row)) for row in BALANCE),
]
# What people and programs write into cells, and what breaks readers.
WORDS = [
    *(
        "",
        " ",
        "0",
        "-1",
        "1e400",
        "nan",
        "inf",
        "bal.",
        "<LOD",
        ">10",
        "<",
        "1,176",
        "1.176",
        "1.2.3",
        "12,34.5",
        "1_0",
    ),
    *(
        "1.5±0.1",
        "1.5(1)",
        "(1.5)",
        "39.5%",
        "1 234",
        "−1.5",
        "1.2×10⁻⁵",
        "2 mA",
        "½",
        "١",
        "Fe2O3·5H2O",
        "Fe1/0",
        "mean",
    ),
    *(
        '"',
        "'",
        "\0",
        "\ufeff",
        "\n",
        "\r",
        ",",
        ";",
        "\t",
        "|",
        "#",
        "# matlens library",
        "=A1",
        "wt%",
        "x",
        "P",
        "Fe",
    ),
    *("(" * 50, "Fe(" * 50, "9" * 400),
]
EDITS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 8), st.sampled_from(WORDS)), max_size=6)
OPTIONS = st.sampled_from(
    [
        {},
        {"decimal": "comma"},
        {"renormalise": True},
        {"blanks": "zero"},
        {"atomic": True},
        {"components": ("Fe", "Co")},
        {"sites": ("A=Fe+Co", "X=Ni+Cr")},
    ]
)


def damaged(text, edits):
    """Replace some characters at each place by a word."""
    for place, length, word in edits:
        start = place % (len(text) + 1)
        text = text[:start] + word + text[start + length :]
    return text


def check(path, **options):
    try:
        found = read_library(path, options=LibraryOptions(**options))
    except InputError:
        return
    assert np.isfinite(found.compositions).all()
    assert found.compositions.min() >= 0
    for site in np.unique(found.site_numbers):
        np.testing.assert_allclose(found.compositions[:, found.site_numbers == site].sum(axis=1), 1, atol=1e-9)
    assert found.spectra is None or np.isfinite(found.spectra).all()
    assert not np.isinf(found.merits.to_numpy()).any()


@given(st.sampled_from(TABLES), EDITS, OPTIONS)
def test_tables_of_text(text, edits, options) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_text(damaged(text, edits), encoding="utf-8")
        check(path, **options)


@given(st.sampled_from(TABLES), st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]), EDITS, st.binary(max_size=3))
def test_bytes_of_tables(text, encoding, edits, wrong) -> None:
    content = text.encode(encoding)
    for place, length, _ in edits:
        start = place % (len(content) + 1)
        content = content[:start] + wrong + content[start + length :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(content)
        check(path)


@given(EDITS)
def test_workbooks(edits) -> None:
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    for place, column, word in edits:
        book.active.cell(1 + place % len(ROWS), 1 + column, word.replace("\0", ""))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.xlsx"
        book.save(path)
        check(path)


@given(st.integers(0, 5), EDITS)
def test_spectra_beside_a_table(which, edits) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "t.csv").write_text("\n".join(",".join(map(str, [*row[:6], row[8]])) for row in ROWS))
        for k in range(6):
            text = "Raman shift (cm-1)\tcounts\n" + "".join(f"{100 + c}\t{c * k + 0.5}\n" for c in range(12))
            text = damaged(text, edits) if k == which else text
            (Path(folder) / f"s{k}.txt").write_text(text, encoding="utf-8")
        check(Path(folder))
