"""The public door: results that show themselves, arrays and paths in place of structures, a bar where one watches."""

import inspect
import io
import subprocess
import sys
import types
import typing
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

import matlens as ml
from matlens.core.display import FIGURES
from matlens.front import with_bar
from matlens.hooks import Silent
from matlens.microstructure.problems import bicontinuous
from matlens.runs.progress import Bar, NotebookBar, progress_for_person


@pytest.fixture(scope="module")
def material():
    return bicontinuous((64, 64), wavelength=12, seed=1)


@pytest.fixture(scope="module")
def grey(material):
    return 50.0 * material.labels + np.random.default_rng(0).normal(100, 5, material.shape)


@pytest.fixture(scope="module")
def library():
    fractions = np.random.default_rng(0).dirichlet([1, 1, 1], 30)
    spectra = fractions @ np.random.default_rng(1).normal(size=(3, 12))
    return ml.MaterialsLibrary(
        fractions, ("Fe", "Ga", "Pd"), {"P": fractions[:, 0]}, {"P": "mW"}, spectra, np.arange(12)
    )


def results(material, grey, library):
    """One result of each type, in the order of `FIGURES`, made as cheaply as it goes."""
    from matlens.library.baselines import BASELINES

    plain = library.without_spectra()
    model = BASELINES["ridge"]().fit(plain)
    labels = np.stack([material.labels, 1 - material.labels])
    flips = {"move": ["0 to 1"], "truth": 1.0, "gradient": 0.9, "difference": 0.8, "linearised": 1.0}
    study = ml.PruningStudy({"foam": material}, {"encoder": "filterbank", "depths": ["none"]})
    study.ratios = pd.DataFrame(
        {"material": "foam", "depth": ["none"], "statistic": "s2_error", "R": 1.0, "low": 0.9, "high": 1.1}
    )
    one = np.zeros((1, 4, 4))
    return [
        ml.segment(grey),
        ml.compare(material.labels[:32, :32], material, properties=(), copying=False, controls=False),
        ml.homogenize(material, conductivity={0: 1, 1: 10}),
        ml.explain(model),
        library,
        material,
        study,
        ml.reconstruct(material, (32, 32), method="quilting"),
        ml.SensitivityStudy(one, one, pd.DataFrame(flips), pd.DataFrame({"structure": ["a"]})),
        ml.characterize(material, statistics=["two_point", "lineal_path"]),
        ml.StructureSet.from_arrays(labels),
        ml.suggest(model, plain, n=2),
    ]


@pytest.mark.slow
def test_every_result_draws_itself(material, grey, library):
    found = results(material, grey, library)
    assert [type(result).__name__ for result in found] == list(FIGURES)
    for result in found:
        figure = result.plot()
        assert figure.axes, type(result)
        assert figure._repr_png_()[:4] == b"\x89PNG"
        html = result._repr_html_()
        assert html.startswith('<img alt="'), type(result)
        assert getattr(ml, type(result).__name__) is type(result)


def test_every_figure_of_a_result_exists():
    for where in FIGURES.values():
        module, _, name = where.partition(":")
        assert callable(getattr(import_module(module), name))


def test_what_cannot_be_drawn_is_said_and_shown_in_words(material):
    small = ml.compare(material[:32, :32], material[:40, :40], properties=(), copying=False, controls=False)
    nothing = type(small)(**{**vars(small), "ratios": small.ratios.head(0)})
    with pytest.raises(ml.InputError, match=r"nothing was judged; there is nothing to draw\."):
        nothing.plot()
    assert nothing._repr_html_().startswith('<pre style="white-space: pre-wrap">Comparison(')
    numbers = ml.characterize(material, statistics=["volume_fraction"])
    with pytest.raises(ml.InputError, match="no curve"):
        numbers.plot()
    assert "volume_fraction" in numbers._repr_html_()


def test_results_keep_the_plots_of_xarray_and_pandas(material, library):
    found = ml.characterize(material, statistics=["volume_fraction"])
    assert callable(found.plot.scatter)
    assert callable(ml.Suggestions({"a": [1.0, 2.0]}).plot.bar)


def test_import_and_results_load_no_matplotlib_and_no_torch():
    script = (
        "import sys, matlens as ml; m = ml.Microstructure([[0, 1], [1, 1]]); dir(ml); ml.figures\n"
        "assert not {'matplotlib', 'torch', 'rich'} & set(sys.modules), set(sys.modules)\n"
        "m.plot(); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_figures_of_both_sides_have_one_door():
    from matlens.library.figures import suggestion_chart
    from matlens.microstructure.figures import verdict_forest

    assert ml.figures.verdict_forest is verdict_forest
    assert ml.figures.suggestion_chart is suggestion_chart
    assert {"verdict_forest", "suggestion_chart"} <= set(dir(ml.figures))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = ml.figures.nonsense


def test_the_options_of_explain_are_those_of_what_explains():
    from matlens.api import explain
    from matlens.library.gradients import explain_library
    from matlens.microstructure.properties import study_sensitivity

    def options(function):
        parameters = inspect.signature(function).parameters.values()
        return {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}

    assert [options(each) for each in typing.get_overloads(explain)] == [
        options(study_sensitivity),
        options(explain_library),
    ]


class Said(Silent):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def test_arrays_and_paths_serve_as_structures(material, grey, tmp_path):
    said = Said()
    path = tmp_path / "grey.npy"
    np.save(path, grey)
    fractions = material.volume_fractions
    for given in (grey, path, str(path)):
        found = ml.characterize(given, statistics=["volume_fraction"], progress=said)
        assert found["volume_fraction"].values == pytest.approx(fractions, abs=0.01)
    assert said.lines[0].startswith("the array: array, 2-D, 64 x 64 px")
    assert any(line.startswith("grey.npy: NumPy array") or line.startswith("grey.npy: ") for line in said.lines)
    several = ml.characterize([material, material.labels.tolist(), path][::2], statistics=["volume_fraction"])
    assert several.sizes["file"] == 2
    assert ml.homogenize(material.labels, conductivity={0: 1, 1: 2}).converged
    assert ml.reconstruct(grey, (32, 32), method="quilting").microstructure.shape == (32, 32)
    assert ml.read_microstructure(ml.write_microstructure(material.labels, tmp_path / "m.npy")).shape == (64, 64)


def test_what_is_no_structure_is_refused_in_a_sentence():
    with pytest.raises(ml.InputError, match="found a int; expected a Microstructure"):
        ml.compare(3, np.eye(16, dtype=int))
    with pytest.raises(ml.InputError, match="found a NoneType; expected a Microstructure, an array of labels or grey"):
        ml.characterize(None)
    with pytest.raises(ml.InputError, match=r"there is no file nowhere\.png"):
        ml.reconstruct("nowhere.png")


def test_reading_takes_the_options_of_the_command_line(grey, tmp_path):
    path = tmp_path / "grey.npy"
    np.save(path, grey)
    assert ml.read_microstructure(path, threshold="otsu", median=3, phases="a,b").phase_names == ("a", "b")
    assert ml.read_microstructure(path, threshold=125).volume_fractions[1] == pytest.approx((grey > 125).mean())
    assert ml.read_microstructure(path, threshold=[110, 130]).n_phases == 3
    assert ml.read_microstructure(path, threshold=125, spacing="0.5um", downsample=2).spacing == (1.0, 1.0)
    options = ml.CleaningOptions(threshold="otsu", median=3)
    assert ml.read_microstructure(path, segmentation=options, median=0) == ml.read_microstructure(
        path, threshold="otsu"
    )
    with pytest.raises(ml.InputError, match="did you mean 'threshold'"):
        ml.read_microstructure(path, treshold="otsu")
    with pytest.raises(ml.InputError, match="choose from channel, slice"):
        ml.read_microstructure(path, zzz=3)


def test_a_structure_is_an_array_of_its_labels():
    m = ml.Microstructure([[0, 0, 1], [0, 1, 1]], spacing=0.5, unit="um")
    assert np.asarray(m).dtype == np.uint8
    assert np.asarray(m, dtype=float).tolist() == m.labels.tolist()
    assert np.array(m).flags.writeable  # a copy
    assert not np.asarray(m).flags.writeable
    assert np.mean(m) == 0.5
    with pytest.raises(TypeError):
        iter(m)


def test_structures_are_equal_if_all_of_them_is():
    labels = [[0, 0, 1], [0, 1, 1]]
    m = ml.Microstructure(labels)
    assert m == ml.Microstructure(labels)
    assert hash(m) == hash(ml.Microstructure(labels))
    assert m != labels
    for other in (
        ml.Microstructure([[0, 0, 1], [0, 1, 0]]),
        ml.Microstructure(labels, spacing=2.0),
        ml.Microstructure(labels, periodic=True),
        ml.Microstructure(labels, phase_names=("a", "b")),
        ml.Microstructure(labels, mask=[[1, 1, 1], [1, 1, 0]]),
    ):
        assert m != other
    masked = [ml.Microstructure(labels, mask=[[1, 1, 1], [1, 1, last]]) for last in (0, 0)]
    assert masked[0] == masked[1]
    assert m in [other, m]


def test_parts_of_structures():
    m = ml.Microstructure(np.arange(24).reshape(4, 6) % 2, spacing=(1.0, 2.0), unit="nm", periodic=True)
    assert m[1:3, 2:] == m.crop(slice(1, 3), slice(2, None))
    assert m[1:3].shape == (2, 6)
    assert m[..., :2].shape == (4, 2)
    assert not m[:].periodic
    volume = ml.Microstructure(np.arange(60).reshape(3, 4, 5) % 2, spacing=(1.0, 2.0, 3.0))
    assert volume[1].spacing == (2.0, 3.0)
    assert volume[1].labels.tolist() == volume.labels[1].tolist()
    assert volume[..., 2].spacing == (1.0, 2.0)
    assert volume[:2, :, -1].shape == (2, 4)
    masked = ml.Microstructure(volume.labels, mask=np.arange(60).reshape(3, 4, 5) > 0)
    assert masked[0].masked_share == pytest.approx(1 / 20)
    assert masked[1].mask is None
    for bad in (3, (slice(None), 1), slice(None, None, 2), (0, 0, 0), "x", [True]):
        with pytest.raises(ml.InputError, match="give ranges without steps"):
            m[bad]
    with pytest.raises(ml.InputError, match="found section 7 of 3"):
        volume[7]
    with pytest.raises(ml.InputError):
        m[9:]


def test_a_bar_is_shown_where_somebody_watches(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    assert isinstance(progress_for_person(), Bar)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(progress_for_person(), Silent)
    notebook = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    assert isinstance(progress_for_person(), NotebookBar)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    assert isinstance(progress_for_person(), Silent)


def test_the_bar_is_passed_at_the_door_only(monkeypatch):
    import matlens.runs.progress
    from matlens.microstructure.statistics.dataset import characterize

    said = Said()
    monkeypatch.setattr(matlens.runs.progress, "progress_for_person", lambda: said)
    ml.characterize(np.eye(8, dtype=int), statistics=["volume_fraction"])
    assert len(said.lines) == 2  # what was understood, and the fractions
    characterize(np.eye(8, dtype=int), statistics=["volume_fraction"])
    ml.characterize(np.eye(8, dtype=int), statistics=["volume_fraction"], progress=Silent())
    assert len(said.lines) == 2
    assert ml.characterize.__doc__ == characterize.__doc__
    assert with_bar(ml.read_microstructure) is ml.read_microstructure


def test_the_bar_of_a_notebook_keeps_what_was_found(monkeypatch):
    pages = []

    class Page:
        def __init__(self, html):
            pages.append(html)

        update = __init__

    bar = NotebookBar(Page, interval=0)
    bar.say("a < b")
    bar.begin(4, "work")
    bar.update(2, "half")
    bar.end()
    assert pages[0] == "<div>a &lt; b</div>"
    assert 'value="0.500"' in pages[2]
    assert pages[-1] == "<div>a &lt; b</div>"
    bar.begin(0, "again")
    assert "again" in pages[-1]
