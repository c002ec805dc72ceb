"""Names that look like numbers, missing values, markup, formulas or commands come back as they were written."""

import csv

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from matlens import MaterialsLibrary, Microstructure, read_library, read_microstructure, write_library
from matlens import write_microstructure as write
from matlens.cli.app import application
from matlens.core.csv_text import csv_text
from matlens.core.user_text import plain_cell, printable, spreadsheet_cell
from matlens.figures.save import save_figure
from matlens.figures.style import styled
from matlens.figures.units import name_with_unit
from matlens.microstructure.problems import white_noise
from matlens.runs.tables import parse_table

NAMES = (
    "001", "1e5", "NA", "None", "nan", "inf", "True", "1", "-5", "$x_{", r"$\frac{$", "100 %", "%s", "{0}",
    "=cmd|' /C calc'!A0", "+1+1", "-x", "@SUM(A1)", "'=1", "''", '"', 'a"b', "a,b", "a;b", "two\nlines",
    "carriage\rreturn", "\x1b[31mred", "\u202eabc", "\u05d0\u05d1\u05d2", "\u4e2d\u6587", "µm", "<b>&amp;", "[bold]",
    "\\", "C:\\x", "a\tb", "\t=1", "#", "N/A", "null",
)  # fmt: skip


def test_names_come_back_from_tables_of_runs(tmp_path):
    table = pd.DataFrame({"phase": NAMES, "share": np.linspace(0, 1, len(NAMES)), "n": range(len(NAMES))})
    (tmp_path / "a.csv").write_text(csv_text(table), encoding="utf-8", newline="\n")
    found = parse_table(tmp_path / "a.csv")
    assert found["phase"].tolist() == list(NAMES)
    assert found["share"].tolist() == table["share"].tolist()
    assert found["n"].dtype == np.int64


def test_names_come_back_as_headings(tmp_path):
    table = pd.DataFrame(np.eye(2, len(NAMES)), columns=list(NAMES))
    (tmp_path / "a.csv").write_text(csv_text(table), encoding="utf-8", newline="\n")
    assert list(parse_table(tmp_path / "a.csv").columns) == list(NAMES)


def test_no_cell_is_a_formula_for_a_spreadsheet_program():
    text = csv_text(pd.DataFrame({"=head()": NAMES, "value": 1.5}))
    cells = [cell for row in csv.reader(text.splitlines(keepends=True)) for cell in row]
    numbers = {cell for cell in cells if cell.lstrip("+-").replace(".", "").isdigit()}
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r")) and cell not in numbers]
    assert [plain_cell(spreadsheet_cell(name)) for name in NAMES] == list(NAMES)


def test_missing_values_and_types_stay(tmp_path):
    table = pd.DataFrame({"phase": ["a", np.nan], "x": [np.nan, 0.1 + 0.2], "told": [True, False], "y": [np.inf, -1.0]})
    (tmp_path / "a.csv").write_text(csv_text(table), encoding="utf-8", newline="\n")
    pd.testing.assert_frame_equal(parse_table(tmp_path / "a.csv"), table.astype({"phase": "str"}), check_exact=True)


@pytest.mark.parametrize("content", ["a,b\n1\n", "a,a\n1,2\n", 'a,b\n"1,2\n', "a,b\n1,2,3\n"])
def test_a_table_that_is_none_is_not_guessed(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises((ValueError, csv.Error)):
        parse_table(tmp_path / "a.csv")


def test_samples_components_and_covariates_come_back_from_a_library(tmp_path):
    kept = [name for name in NAMES if name.strip() == name and name != "''"]
    shares = np.random.default_rng(0).dirichlet((1, 1), len(kept))
    library = MaterialsLibrary(
        shares,
        ("=Fe", "Ga"),
        {"P": range(len(kept))},
        {"P": "mW"},
        samples=kept,
        covariates=pd.DataFrame({"from": kept}),
    )
    write_library(library, tmp_path / "a.csv")
    found = read_library(tmp_path / "a.csv")
    assert found.samples == tuple(kept)
    assert found.components == ("=Fe", "Ga")
    assert found.covariates["from"].tolist() == kept


@pytest.mark.parametrize("suffix", [".npz", ".h5", ".png", ".tif", ".vti"])
def test_phases_come_back_from_pictures(tmp_path, suffix):
    names = [name for name in NAMES if suffix != ".tif" or name.isascii()][:40]
    labels = np.arange(len(names) * 8, dtype=np.uint8).reshape(8, -1) % len(names)
    write(Microstructure(labels, 0.5, "um", names), tmp_path / f"a{suffix}")
    assert read_microstructure(tmp_path / f"a{suffix}").phase_names == tuple(names)


@pytest.mark.parametrize("name", NAMES)
def test_figures_parse_no_math_and_show_no_control_characters(tmp_path, name):
    @styled
    def drawn():
        figure = Figure(figsize=(2, 1))
        axes = figure.subplots()
        axes.plot([1, 10], [1, 100], label=name)
        axes.set(xlabel=name_with_unit(name, "cm-1"), xscale="log", yscale="log")
        axes.legend(title=name)
        return figure

    figure = drawn()
    label = figure.axes[0].get_xlabel()
    assert label == printable(f"{name} (cm⁻¹)".expandtabs(4))
    if name.isascii():  # the fonts that are always there have no Chinese letters
        save_figure(figure, tmp_path / "a", pd.DataFrame({"phase": [name]}))
        assert parse_table(tmp_path / "a.csv")["phase"].tolist() == [name]


def test_powers_on_logarithmic_axes_are_texts():
    @styled
    def drawn():
        figure = Figure(figsize=(2, 1))
        axes = figure.subplots()
        axes.plot([1e-3, 1e3], [1, 4])
        axes.set_xscale("log")
        axes.set_yscale("log", base=2)
        return figure

    figure = drawn()
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert "10⁻³" in [label.get_text() for label in axes.get_xticklabels()]
    assert "2²" in [label.get_text() for label in axes.get_yticklabels()]


def test_the_terminal_gets_no_control_characters(tmp_path):
    write(Microstructure(np.eye(8, dtype=int), phase_names=["\x1b[2Jpore", "\u202esolid"]), tmp_path / "a.npz")
    result = CliRunner().invoke(application(), ["inspect", str(tmp_path / "a.npz")])
    assert result.exit_code == 0
    assert "\\x1b[2Jpore" in result.output
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output


@pytest.mark.end_to_end
@pytest.mark.parametrize("names", [["1.png"], ["True.png", "NA.png"], ["a$b_{$.png", "=cmd.png"]])
def test_characterize_of_files_with_such_names(tmp_path, monkeypatch, names):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(names):
        write(white_noise((24, 24), (0.5, 0.5), seed=seed), tmp_path / name)
    words = ["characterize", *names, "--statistics", "two_point,chord_length", "-o", "run", "--threads", "1"]
    result = CliRunner().invoke(application(), words)
    assert result.exit_code == 0, result.output + repr(result.exception)
    assert set(parse_table(tmp_path / "run" / "statistics.csv")["file"]) == {
        name.removesuffix(".png") for name in names
    }


@pytest.mark.end_to_end
def test_characterize_of_phases_with_such_names(tmp_path):
    phases = ["NA", "1", "$x_{", "=cmd"]
    labels = np.random.default_rng(0).integers(0, 4, (24, 24))
    write(Microstructure(labels, 0.5, r"$\frac", phases), tmp_path / "a.npz")
    words = [
        "characterize",
        str(tmp_path / "a.npz"),
        "--statistics",
        "two_point",
        "-o",
        str(tmp_path / "run"),
        "--threads",
        "1",
    ]
    result = CliRunner().invoke(application(), words)
    assert result.exit_code == 0, result.output + repr(result.exception)
    assert parse_table(tmp_path / "run" / "statistics.csv")["phase"].tolist() == phases
    assert ">nan<" not in (tmp_path / "run" / "report.html").read_text()
