"""Compositions on several sites: each closes by itself, from the table to gradients and suggestions."""

import numpy as np
import openpyxl
import pytest
import xarray as xr

import matlens as ml
from matlens import InputError, LibraryOptions, read_library
from matlens.library.baselines import BaselineModel
from matlens.library.evidence import statements
from matlens.library.gradients import directions, explain_library
from matlens.library.io import lines_of_truth, write_library
from matlens.library.suggestions import Campaign, Limits, suggest
from matlens.library.table import MaterialsLibrary

SITES = ("A=FA+MA+Cs", "X=I+Br")
NAMES = ("FA", "MA", "Cs", "I", "Br")
A = [(0.8, 0.15, 0.05), (0.6, 0.3, 0.1), (0.5, 0.5, 0), (0.7, 0.1, 0.2), (1, 0, 0), (0.25, 0.25, 0.5)]
X = [(2.4, 0.6), (3, 0), (1.5, 1.5), (2.7, 0.3), (2.1, 0.9), (1.8, 1.2)]
TRUTH = np.array([[*a, x[0] / 3, x[1] / 3] for a, x in zip(A, X, strict=True)])


def columns(a=A, x=X, head="FA,MA,Cs,I,Br"):
    rows = [f"s{k},{','.join(map(str, (*a[k], 1, *x[k])))},{k}" for k in range(len(a))]
    return f"Sample,{head.replace(',I', ',Pb,I')},P\n" + "\n".join(rows) + "\n"


def formulas(amounts=X, lead="Pb"):
    rows = [
        f"s{k},FA{a[0]}MA{a[1]}Cs{a[2]}{lead}(I{x[0] / 3:g}Br{x[1] / 3:g})3,{k}"
        for k, (a, x) in enumerate(zip(A, amounts, strict=True))
    ]
    return "Sample,composition,P\n" + "\n".join(rows) + "\n"


def read(tmp_path, text, **options):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    return read_library(tmp_path / "t.csv", options=LibraryOptions(**{"sites": SITES} | options))


@pytest.mark.parametrize("text", [columns(), formulas()], ids=["columns", "formulas"])
def test_each_site_closes_by_itself(tmp_path, text) -> None:
    found = read(tmp_path, text)
    np.testing.assert_allclose(found.compositions, TRUTH, atol=1e-12)
    assert (found.components, found.sites, found.fraction_name) == (NAMES, tuple("AAAXX"), "site%")
    assert list(found.merits)[-1] == "P"
    assert repr(found).startswith("MaterialsLibrary(6 samples, FA-MA-Cs + I-Br, ")
    line, *notes = lines_of_truth(found, "t.csv")
    assert "components FA, MA, Cs on site A; I, Br on site X (site%)" in line
    assert any("each site" in note and "1 by themselves" in note for note in notes)
    write_library(found, tmp_path / "again.csv")
    again = read_library(tmp_path / "again.csv")
    assert again.sites == found.sites
    same = read_library(tmp_path / "again.csv", options=LibraryOptions(sites=SITES))
    assert (same.sites, same.notes) == (found.sites, found.notes)
    np.testing.assert_array_equal(again.compositions, found.compositions)


def test_what_was_done_to_each_site_is_said(tmp_path) -> None:
    notes = read(tmp_path, columns(a=[(0.8, 0.15, 0.052), *A[1:]])).notes
    assert notes[0] == "the fractions of each site were closed to 1 by themselves: A (rows of 1), X (rows of 3)"
    assert notes[1].startswith("site A: 1 of 6 rows were renormalised (their sums were 1.002")
    percent = read(tmp_path, columns(a=[tuple(100 * f for f in row) for row in A])).notes
    assert "A (rows of 100), X (rows of 3)" in percent[0]
    assert read(tmp_path, formulas()).notes[:2] == (
        "the fractions of each site were read from the formulas in 'composition', and sum to 1 by themselves",
        "Pb stands in all formulas in the same amount, and belongs to no site",
    )


def test_an_excess_in_formulas_is_said(tmp_path) -> None:
    found = read(tmp_path, formulas([(2.4, 0.6), (3.3, 0), *X[2:]]))
    np.testing.assert_allclose(found.compositions, TRUTH)
    assert "formulas have 3 to 3.3 of site X for each of site A; models do not use this ratio" in found.notes


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (
            columns(a=[(0.8, 0.1, 0.05), *A[1:]]),
            {},
            r"FA\+MA\+Cs do not sum to 1 .* in line 2 \(0\.95\); .*--renormalise\)\.$",
        ),
        (columns(), {"sites": ("A=FA+Rb", "X=I+Br")}, "no columns Rb, which --sites names, and no column of formulas"),
        (columns(), {"sites": ("A=FA+MA",)}, "two or more are expected, and each component on one"),
        (columns(), {"sites": ("A=FA+I", "X=I+Br")}, "two or more are expected, and each component on one"),
        (columns(), {"sites": ("FA+MA", "X=I+Br")}, r"sites are written SITE=NAME\+NAME, such as A=FA\+MA"),
        (columns(), {"components": ("FA",)}, "beside --components, --balance or --atomic; leave these out"),
        (columns(head="FA (wt%),MA (wt%),Cs (wt%),I,Br"), {}, "components in wt%, and sites are shared by atoms"),
        (formulas(lead="Qq"), {}, r"found 'FA0.8MA0.15Cs0.05Qq\(I0.8Br0.2\)3' in line 2, .* of FA, MA, Cs, I, Br is"),
        (formulas().replace("Pb", "Pb2", 1), {}, "Pb in different amounts .* belongs to no site; name it in --sites"),
        (formulas().replace("(I0.8Br0.2)3", "Cl3"), {}, "has none of I, Br, the site X"),
    ],
)
def test_sites_that_do_not_fit_are_refused(tmp_path, text, options, words) -> None:
    options = {"formula": "composition"} | options if "composition" in text else options
    with pytest.raises(InputError, match=words):
        read(tmp_path, text, **options)


def test_two_sets_that_close_ask_for_the_option(tmp_path) -> None:
    text = columns(x=[(x[0] / 3, x[1] / 3) for x in X])
    with pytest.raises(InputError, match=r"FA, MA, Cs and I, Br; .* A=FA\+MA\+Cs,X=I\+Br if .* --components"):
        read(tmp_path, text, sites=())
    assert read(tmp_path, text, sites=(), components=("I", "Br")).components == ("I", "Br")
    phases = text.replace("I,Br", "perovskite,lead iodide")  # may as well be phases, which are measured
    notes = read(tmp_path, phases, sites=()).notes
    assert any("perovskite, lead iodide close, too; --components uses them" in note for note in notes)
    nominal = "Sample,Fe,Ga,Fe nominal,Ga nominal,P\n" + "".join(
        f"s{k},.{k},.{10 - k},.{k},.{10 - k},{k}\n" for k in range(1, 7)
    )
    assert len(read(tmp_path, nominal, sites=()).components) == 2  # the same elements again are no site


def test_the_library_checks_each_site() -> None:
    with pytest.raises(InputError, match=r"fractions on site X must sum to 1, but do not in sample 0 \(0\.9\)"):
        MaterialsLibrary([[0.5, 0.5, 0.6, 0.3]], ("FA", "Cs", "I", "Br"), {"P": [1]}, sites=("A", "A", "X", "X"))
    with pytest.raises(InputError, match="found 2 sites for 3 components"):
        MaterialsLibrary([[0.5, 0.5, 1]], ("FA", "Cs", "I"), {"P": [1]}, sites=("A", "X"))


def grid(seed=0, n=60):
    """A and X drawn by themselves, P linear: +2 for Cs at the cost of FA and MA, -1 for Br at the cost of I."""
    random = np.random.default_rng(seed)
    a = np.round(20 * random.dirichlet([2, 2, 1], n)) / 20
    a[:, 0] = 1 - a[:, 1] - a[:, 2]
    br = random.integers(0, 11, n) / 20
    x = np.column_stack([a, 1 - br, br])
    x = np.clip(x, 0, 1)
    return MaterialsLibrary(x, NAMES, {"P": 2 * x[:, 2] - x[:, 4]}, sites=tuple("AAAXX"), fraction_name="site%")


@pytest.mark.parametrize("scheme", ["dilution", "exchange", "tangent"])
def test_only_components_of_a_site_give_way_to_each_other(scheme) -> None:
    library = grid()
    ways = directions(scheme, library.compositions, sites=library.site_numbers)
    there = np.isfinite(ways)
    assert there.any()
    np.testing.assert_allclose(np.nan_to_num(ways)[:, :3, 3:], 0)
    np.testing.assert_allclose(np.nan_to_num(ways)[:, 3:, :3], 0)
    sums = np.nan_to_num(ways)
    np.testing.assert_allclose(sums[:, :, :3].sum(-1), 0, atol=1e-12)
    np.testing.assert_allclose(sums[:, :, 3:].sum(-1), 0, atol=1e-12)


def test_gradients_have_the_law_of_each_site(tmp_path) -> None:
    library = grid()
    model = BaselineModel("ridge").fit(library, "P")
    insight = explain_library(model, library, hosts={"Cs": "FA"}, integration_steps=4)
    assert insight["site"].values.tolist() == list("AAAXX")
    assert insight["exchange_host"].values.tolist()[2:] == ["FA", "I", "I"]
    exchange = insight.composition_gradient.sel(scheme="exchange", kind="total")
    assert exchange.attrs["units"] == "1 per site%"
    np.testing.assert_allclose(exchange.sel(component="Cs").mean(), 0.02, rtol=0.02)
    np.testing.assert_allclose(exchange.sel(component="Br").mean(), -0.01, rtol=0.02)
    dilution = insight.composition_gradient.sel(scheme="dilution", kind="total")
    np.testing.assert_allclose(dilution.sel(component="Br").mean(), -0.01, rtol=0.02)
    # What a component adds is counted against the others of its site: the other site's fall is no part of it.
    added = insight["integrated_composition"].sel(component=["I", "Br"]).sum("component")
    np.testing.assert_allclose(added, -(library.compositions[:, 4] - library.compositions[:, 4].mean()), atol=0.01)
    with pytest.raises(InputError, match="found the host I for Cs, which is on another site"):
        explain_library(model, library, hosts={"Cs": "I"})


def test_suggestions_close_on_each_site_and_lie_on_the_grid() -> None:
    library = grid()
    model = BaselineModel("ridge").fit(library, "P")
    limits = Limits.from_settings(["Cs=0:60"], increment=5, components=NAMES)
    found = suggest(model, library, n=4, campaign=Campaign(limits=limits))
    made = found[list(NAMES)].to_numpy()
    np.testing.assert_allclose(made[:, :3].sum(1), 100)
    np.testing.assert_allclose(made[:, 3:].sum(1), 100)
    np.testing.assert_allclose(made / 5, np.round(made / 5))
    assert made[:, 2].max() <= 60
    np.testing.assert_allclose(found["expected"], (2 * made[:, 2] - made[:, 4]) / 100, atol=0.02)  # the ridge knows it
    assert found["expected"].iloc[0] == pytest.approx(1.2, abs=0.02)  # 60 % Cs and no Br: the best within the bounds
    assert "site%" in found["move"].iloc[0]


@pytest.mark.slow
def test_a_model_remembers_its_sites(tmp_path) -> None:
    library = grid()
    model = ml.LibraryModel(n_models=2).fit(library, "P")
    model.save(tmp_path / "model")
    again = ml.LibraryModel.load(tmp_path / "model")
    assert again.library_.sites == library.sites
    insight = explain_library(again, again.library_, members=True)
    said = statements(insight)["sentence"]
    assert said.str.contains("More Cs at the expense of all others on its site raises").any()
    assert isinstance(insight, xr.Dataset)
    assert insight["site"].values.tolist() == list("AAAXX")


def test_formulas_of_a_workbook(tmp_path) -> None:
    book = openpyxl.Workbook()
    for line in formulas().splitlines():
        book.active.append(line.split(","))
    book.save(tmp_path / "t.xlsx")
    found = read_library(tmp_path / "t.xlsx", options=LibraryOptions(sites=SITES))
    np.testing.assert_allclose(found.compositions, TRUTH)
