"""Compositions as tables give them: formulas, rounded and open sums, balances, blanks and limits of detection."""

import numpy as np
import pytest

from matlens import InputError, LibraryOptions, read_library


def read(tmp_path, rows, target=None, **options):
    path = tmp_path / "t.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n", encoding="utf-8")
    return read_library(path, options=LibraryOptions(**options), target=target)


@pytest.mark.parametrize(
    ("formulas", "components", "fractions"),
    [
        (["Fe0.5Co0.3Ni0.2", "Fe0.2Co0.8"], ("Fe", "Co", "Ni"), [[0.5, 0.3, 0.2], [0.2, 0.8, 0]]),
        (["Bi2O3", "BiVO4"], ("Bi", "O", "V"), [[0.4, 0.6, 0], [1 / 6, 4 / 6, 1 / 6]]),
        (["(Bi0.5Fe0.5)2O3", "Bi2O3"], ("Bi", "Fe", "O"), [[0.2, 0.2, 0.6], [0.4, 0, 0.6]]),
        (["Ag-0.125-Cu-0.125-Pd-0.75", "Ag-1"], ("Ag", "Cu", "Pd"), [[0.125, 0.125, 0.75], [1, 0, 0]]),
        (["Fe 50; Co 50", "Fe 20; Co 80"], ("Fe", "Co"), [[0.5, 0.5], [0.2, 0.8]]),
        (["Fe₂O₃", "FeO"], ("Fe", "O"), [[0.4, 0.6], [0.5, 0.5]]),
    ],
)
def test_formulas(tmp_path, formulas, components, fractions) -> None:
    rows = [["Sample", "composition", "P"], *([f"s{k}", text, k + 1] for k, text in enumerate(formulas))]
    found = read(tmp_path, rows)
    assert found.components == components
    np.testing.assert_allclose(found.compositions, fractions, atol=1e-12)
    assert list(found.merits) == ["P"]
    assert "the compositions were read from the formulas in 'composition'" in found.notes


def test_efficiencies_beside_a_formula_are_figures_of_merit(tmp_path) -> None:
    """Faradaic efficiencies sum to 100 %, and are no composition."""
    rows = [["Sample", "composition", "FE_H2", "FE_CO", "FE_liquid", "j"]]
    rows += [[f"s{k}", f"Ag-{k / 10}-Cu-{1 - k / 10:.1f}", 10 * k, 60 - 10 * k, 40, 5 + k] for k in range(1, 6)]
    found = read(tmp_path, rows)
    assert found.components == ("Ag", "Cu")
    assert list(found.merits) == ["FE_H2", "FE_CO", "FE_liquid", "j"]
    empty = [[*row[:2], "", "", row[4], row[5]] if k == 2 else row for k, row in enumerate(rows)]
    assert np.isnan(read(tmp_path, empty).merit("FE_H2")).sum() == 1


def test_formulas_beside_fractions_of_elements(tmp_path) -> None:
    rows = [["name", "Fe", "Co", "P"], *([f"Fe{k}Co{10 - k}", k / 10, 1 - k / 10, k] for k in range(1, 6))]
    assert read(tmp_path, rows).components == ("Fe", "Co")
    assert read(tmp_path, rows, formula="name").components == ("Fe", "Co")


def test_formulas_that_are_wrong_or_several_are_named(tmp_path) -> None:
    rows = [["Sample", "alloy", "P"], *([f"s{k}", f"Fe{k}Co{10 - k}", k] for k in range(1, 12))]
    with pytest.raises(InputError, match=r"'Fe11Co-1' in line 12, column 'alloy'; a formula"):
        read(tmp_path, rows)
    rows = [["nominal alloy", "final alloy", "P"], *([f"Fe{k}Co", f"Fe{k}Co2", k] for k in range(1, 5))]
    with pytest.raises(InputError, match=r"formulas in the columns nominal alloy, final alloy; .*--formula"):
        read(tmp_path, rows)
    assert read(tmp_path, rows, formula="final alloy").compositions[0].tolist() == pytest.approx([1 / 3, 2 / 3])


def test_words_that_are_symbols_are_no_formulas(tmp_path) -> None:
    rows = [
        ["Sample", "operator", "A", "B", "P"],
        *([f"s{k}", ["No", "Co"][k % 2], k / 10, 1 - k / 10, k] for k in range(1, 6)),
    ]
    assert read(tmp_path, rows).components == ("A", "B")


@pytest.mark.parametrize("names", [("FA", "MA", "Cs"), ("Fe", "Co", "Ni")])
def test_what_rounding_explains_is_renormalised(tmp_path, names) -> None:
    rows = [["id", *names, "P"], ["a", 0.33, 0.33, 0.33, 1], ["b", 0.25, 0.7, 0.06, 2], ["c", 0.5, 0.25, 0.25, 3]]
    found = read(tmp_path, rows)
    np.testing.assert_allclose(found.compositions[0], 1 / 3)
    assert found.notes == (
        "2 of 3 rows were renormalised (their sums were 0.99 to 1.01, which the rounding of the fractions explains)",
    )
    with pytest.raises(InputError, match=r"do not sum to 1 within 1\.5% in line 2 \(0\.95\)"):
        read(tmp_path, [rows[0], ["a", 0.33, 0.33, 0.29, 1], *rows[2:]])


def test_six_components_in_whole_percent(tmp_path) -> None:
    rng = np.random.default_rng(0)
    exact = 100 * rng.dirichlet([1] * 6, 30)
    rows = [["id", *(f"C{k}" for k in range(6)), "P"]]
    rows += [[f"s{k}", *row.round().astype(int), round(k * 1.37, 2)] for k, row in enumerate(exact)]
    assert len({sum(row[1:7]) for row in rows[1:]}) > 1  # 99, 100, 101
    found = read(tmp_path, rows)
    assert found.components == tuple(f"C{k}" for k in range(6))
    np.testing.assert_allclose(found.compositions, exact / 100, atol=0.01)


@pytest.mark.parametrize("total", [0.98, 1.02, 98.0, 1000.0, 4.0])
def test_renormalising_on_demand(tmp_path, total) -> None:
    rows = [["id", "Fe", "Co", "Ni", "j"]]
    rows += [[f"s{k}", *(f"{total * x:.4f}" for x in (0.5, k / 10, 0.5 - k / 10)), k] for k in range(1, 5)]
    with pytest.raises(InputError, match="--renormalise"):
        read(tmp_path, rows)
    found = read(tmp_path, rows, renormalise=True)
    np.testing.assert_allclose(found.compositions[0], [0.5, 0.1, 0.4], atol=1e-3)
    assert found.notes[0].startswith("all rows were renormalised (their sums were")


@pytest.mark.parametrize("cell", ["bal.", "balance", "Bal", "rest"])
def test_a_column_of_balances(tmp_path, cell) -> None:
    rows = [["id", "Ni", "Fe (at%)", "Co (at%)", "P"], *([f"s{k}", cell, k, 2 * k, -0.005 * k] for k in range(1, 6))]
    found = read(tmp_path, rows, target="P")  # the target is not phosphorus
    assert found.components == ("Fe", "Co", "Ni")
    np.testing.assert_allclose(found.compositions[1], [0.02, 0.04, 0.94])
    assert found.merit("P").tolist() == [-0.005 * k for k in range(1, 6)]


def test_the_balance_that_is_not_in_the_table(tmp_path) -> None:
    rows = [["QAg(%)", "QPVA(%)", "Qtot(uL/min)", "loss"], *([k, 10 + k, 200 + 50 * k, 0.1 * k] for k in range(1, 6))]
    with pytest.raises(InputError, match=r"--balance NAME"):
        read(tmp_path, rows, components=("QAg(%)", "QPVA(%)"))
    found = read(tmp_path, rows, components=("QAg(%)", "QPVA(%)"), balance="water")
    assert len(found.components) == 3
    assert found.components[-1] == "water"
    np.testing.assert_allclose(found.compositions[0], [0.01, 0.11, 0.88])


def test_the_unit_of_dopants_is_asked_for(tmp_path) -> None:
    rows = [["id", "Fe", "Co", "P"], *([f"s{k}", k / 10, k / 20, -k] for k in range(1, 6))]
    with pytest.raises(InputError, match=r"sum to at most 0\.75, which may be fractions or percent; .*--fraction-unit"):
        read(tmp_path, rows, "P", balance="Ni")
    assert read(tmp_path, rows, "P", balance="Ni", fraction_unit="percent").compositions[0, 2] == pytest.approx(0.9985)
    over = [*rows, ["s9", 80, 40, 1]]
    with pytest.raises(InputError, match=r"other than Ni sum to more than 100 in line 7 \(120\)"):
        read(tmp_path, over, "P", balance="Ni")


@pytest.mark.parametrize("sign", [1, -1])
def test_a_target_is_never_a_component(tmp_path, sign) -> None:
    rows = [["Sample", "Fe", "Co", "Ni", "P"], *([k, 0.2, 0.3, 0.5 - k / 100, sign * k / 100] for k in range(1, 9))]
    found = read(tmp_path, rows, target="P", renormalise=True)
    assert (found.components, list(found.merits)) == (("Fe", "Co", "Ni"), ["P"])


def test_process_parameters_are_no_composition(tmp_path) -> None:
    rows = [["speed", "width", "pressure", "score"], *([k, 3 * k, 7 - k, k**2] for k in range(1, 9))]
    with pytest.raises(InputError, match="makes no model of process parameters"):
        read(tmp_path, rows)


def test_fractions_below_a_limit_are_absent(tmp_path) -> None:
    rows = [["Sample", "Fe", "Co", "Ni", "P"]]
    rows += [[f"s{k}", 0.5, 0.3, 0.2, k] if k % 2 == 0 else [f"s{k}", 0.5, 0.498, "<0.002", k] for k in range(1, 5)]
    found = read(tmp_path, rows)
    assert found.systems().tolist() == ["Fe-Co", "Fe-Co-Ni"] * 2
    assert "2 fractions in 'Ni' lie below a limit of detection and were read as 0" in found.notes
    rows[1][3] = "<LOD"
    assert read(tmp_path, rows).systems()[0] == "Fe-Co"


@pytest.mark.parametrize("cell", ["<LOD", "n.d.", "BDL", "below detection limit"])
def test_values_below_an_unknown_limit_are_not_measured(tmp_path, cell) -> None:
    rows = [["Sample", "Fe", "Co", "P"], ["a", 0.5, 0.5, 3], ["b", 0.4, 0.6, cell], ["c", 0.3, 0.7, 5]]
    found = read(tmp_path, rows)
    assert np.isnan(found.merit("P")).tolist() == [False, True, False]
    assert "1 values of 'P' lie below a limit of detection" in found.notes[0]


def test_blanks_are_zero_where_that_is_asked(tmp_path) -> None:
    rows = [["Sample", "Fe", "Co", "Ni", "P"], ["a", 0.5, 0.5, "", 1], ["b", 0.4, "", 0.6, 2], ["c", 0.2, 0.3, 0.5, 3]]
    with pytest.raises(InputError, match=r"'nothing' in line 2, column 'Ni'.*--blanks zero"):
        read(tmp_path, rows)
    found = read(tmp_path, rows, blanks="zero")
    assert found.compositions.tolist() == [[0.5, 0.5, 0], [0.4, 0, 0.6], [0.2, 0.3, 0.5]]
    assert "2 blank fractions were read as 0" in found.notes


def test_mass_fractions_of_elements(tmp_path) -> None:
    rows = [["Sample", "Fe (wt%)", "C (wt%)", "P"], ["a", 99, 1, 1], ["b", 95, 5, 2]]
    assert read(tmp_path, rows).fraction_name == "wt%"
    found = read(tmp_path, rows, atomic=True)
    carbon = (1 / 12.011) / (1 / 12.011 + 99 / 55.845)
    assert found.fraction_name == "at%"
    assert found.compositions[0, 1] == pytest.approx(carbon, rel=1e-6)
    rows[0][1:3] = ["PVA (wt%)", "PEG (wt%)"]
    with pytest.raises(InputError, match="PVA, PEG are no elements"):
        read(tmp_path, rows, atomic=True)


def test_replicates_may_share_an_id(tmp_path) -> None:
    rows = [["Sample", "Fe", "Co", "P"], ["a", 0.5, 0.5, 1], ["a", 0.5, 0.5, 2], ["b", 0.4, 0.6, 3]]
    found = read(tmp_path, rows)
    assert found.samples == ("a", "a#2", "b")
    assert found.replicates().tolist() == [0, 0, 1]


def test_rows_of_summaries_are_no_samples(tmp_path) -> None:
    rows = [
        ["Sample", "Fe", "Co", "P"],
        ["a", 0.5, 0.5, 1],
        ["b", 0.4, 0.6, 3],
        ["mean", 0.45, 0.55, 2],
        ["Std.", "", "", 1],
    ]
    found = read(tmp_path, rows)
    assert found.samples == ("a", "b")
    assert "the rows 'mean', 'Std.' at the end of the table are no samples and were left out" in found.notes


def test_codes_of_missing_values(tmp_path) -> None:
    rows = [["Sample", "Fe", "Co", "P"], ["a", 0.5, 0.5, 1], ["b", 0.4, 0.6, -9999], ["c", 0.3, 0.7, "-9999.0"]]
    assert np.isnan(read(tmp_path, rows, missing=("-9999",)).merit("P")).sum() == 2


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["good", "bad", "good"], "no numbers in 'P' (found 'good'); a figure of merit must be measured in numbers"),
        (["TRUE", "FALSE", "TRUE"], "no numbers in 'P' (found 'TRUE')"),
        (["1.2.3", "2", "x"], "found '1.2.3' in line 2, column 'P', 'x' in line 4"),
        (["1.2.3", "y", "3"], "found '1.2.3' in line 2, column 'P', 'y' in line 3"),
    ],
)
def test_a_target_of_words_is_answered_with_the_first_of_them(tmp_path, cells, words) -> None:
    rows = [["Sample", "Fe", "Co", "P"], *([f"s{k}", k / 10, 1 - k / 10, cell] for k, cell in enumerate(cells))]
    with pytest.raises(InputError) as caught:
        read(tmp_path, rows, target="P")
    assert words in str(caught.value)


def test_a_batch_number_is_no_figure_of_merit(tmp_path) -> None:
    rows = [
        ["Sample", "Fe", "Co", "batch number", "run #", "P"],
        *([f"s{k}", k / 10, 1 - k / 10, k % 2, k, k] for k in range(6)),
    ]
    found = read(tmp_path, rows)
    assert (list(found.merits), list(found.covariates)) == (["P"], ["batch number", "run #"])


def test_a_component_that_was_not_asked_for_is_named(tmp_path) -> None:
    rows = [["Sample", "Fe", "Co", "Mn", "P"], *([f"s{k}", k / 10, 0.9 - k / 10, 0.1, k] for k in range(6))]
    with pytest.raises(
        InputError, match=r"Fe\+Co do not sum to 1 in .*, but do with Mn, which is not among the components"
    ):
        read(tmp_path, rows, components=("Fe", "Co"))


def test_the_perovskites_as_published(data_dir) -> None:
    found = read_library(data_dir / "library" / "Perovskite_dataset.csv", target="Instability index")
    assert (len(found), found.components) == (139, ("CsPbI", "FAPbI", "MAPbI"))
    assert "their sums were 0.99 to 1.01, which the rounding of the fractions explains" in found.notes[0]


def test_components_in_two_units_are_refused(tmp_path) -> None:
    rows = [["Sample", "Fe (wt%)", "Co (at%)", "P"], *([f"s{k}", 10 * k, 100 - 10 * k, k] for k in range(1, 6))]
    with pytest.raises(InputError, match="components in at%, wt%"):
        read(tmp_path, rows)


def test_traces_in_ppm_are_said_to_be_no_components(tmp_path) -> None:
    rows = [
        ["Sample", "Fe (at%)", "Co (at%)", "B (ppm)", "P"],
        *([f"s{k}", 10 * k, 100 - 10 * k, k, k] for k in range(1, 6)),
    ]
    assert (
        "columns that are named as elements, but are no components for their unit: B (ppm)"
        in read(tmp_path, rows).notes
    )


@pytest.mark.parametrize("name", ["fe_h2", "FE_H2", "FE_CO", "batch_x"])
def test_names_of_molecules_are_no_units(tmp_path, name) -> None:
    rows = [["Sample", "Fe", "Co", name], *([f"s{k}", k / 10, 1 - k / 10, k] for k in range(1, 6))]
    assert dict(read(tmp_path, rows).merit_units) == {name: ""}


def test_spectra_in_the_table_and_beside_it_are_not_chosen_from(tmp_path) -> None:
    rows = [["Sample", "Fe", "Co", "100", "101", "P"], *([f"s{k}", k / 10, 1 - k / 10, 1, 2, k] for k in range(1, 3))]
    (tmp_path / "xrd.txt").write_text("10 11 12\n1 2 3\n4 5 6\n")
    with pytest.raises(InputError, match=r"holds spectra itself, and .*xrd\.txt holds others"):
        read(tmp_path, rows, spectra=str(tmp_path / "xrd.txt"))


def test_formulas_of_masses_and_with_a_deficiency(tmp_path) -> None:
    rows = [["Sample", "composition (wt%)", "Tc"], ["a", "Fe50Co50", 1], ["b", "Fe20Co80", 2]]
    assert read(tmp_path, rows).fraction_name == "wt%"
    rows = [["Sample", "composition", "Tc"], ["a", "La0.6Sr0.4CoO3-δ", 1], ["b", "LaCoO3−δ", 2]]
    found = read(tmp_path, rows)
    np.testing.assert_allclose(found.compositions, [[0.12, 0.08, 0.2, 0.6], [0.2, 0, 0.2, 0.6]])
    assert "2 formulas end in a deficiency such as -δ, which is not counted" in found.notes


def test_ids_with_points_stay_beside_decimal_commas(tmp_path) -> None:
    (tmp_path / "t.csv").write_text("Sample;Fe;Co;P\n1.001;0,5;0,5;3\n1.002;0,4;0,6;4\n")
    assert read_library(tmp_path / "t.csv").samples == ("1.001", "1.002")
