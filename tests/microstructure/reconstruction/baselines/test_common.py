"""What all baselines share: the call, exact fractions, seeds, resuming, and what is refused."""

import numpy as np
import pytest

from matlens import Microstructure, reconstruct
from matlens.errors import InputError, Interrupted
from matlens.hooks import Silent
from matlens.microstructure.problems import bicontinuous, gaussian_field
from matlens.microstructure.reconstruction import METHODS, Matching, find_method, plan

pytestmark = [pytest.mark.usefixtures("compiled"), pytest.mark.slow]

QUICK = {"annealing": {"moves": 4}, "gaussian-field": {}}


@pytest.fixture(scope="module")
def material() -> Microstructure:
    return gaussian_field((48, 48), 5, 0.3, seed=2, periodic=False)


def quick(name):
    return find_method(name, QUICK[name])


@pytest.mark.parametrize("name", QUICK)
def test_same_result_type_exact_fractions_and_seeds(name, material):
    result = reconstruct(material, (40, 32), method=quick(name), n=2, seed=5)
    again = reconstruct(material, (40, 32), method=quick(name), n=2, seed=5)
    other = reconstruct(material, (40, 32), method=quick(name), n=2, seed=6)
    assert [m.shape for m in result.microstructures] == [(40, 32)] * 2
    assert result.settings["method"] == name
    for m, same, different in zip(result.microstructures, again.microstructures, other.microstructures):
        assert int((m.labels == 1).sum()) == round(0.3 * 40 * 32)
        assert m.labels.tobytes() == same.labels.tobytes() != different.labels.tobytes()
    assert result.microstructures[0].labels.tobytes() != result.microstructures[1].labels.tobytes()
    assert np.isfinite(result.seconds).all()
    assert len(result.status) == len(result.evaluations) == 2


@pytest.mark.parametrize("name", QUICK)
def test_given_fractions(name, material):
    result = reconstruct(material, (32, 32), method=quick(name), fraction=[0.5, 0.5])
    assert int(result.microstructure.labels.sum()) == 512


@pytest.mark.parametrize("name", QUICK)
def test_several_phases_and_exemplars(name):
    random = np.random.default_rng(0)
    blocks = [np.kron(random.permutation([0, 1, 2] * 12).reshape(6, 6), np.ones((6, 6), int)) for _ in range(2)]
    result = reconstruct([Microstructure(block) for block in blocks], (30, 30), method=quick(name))
    assert np.bincount(result.microstructure.labels.ravel()).tolist() == [300, 300, 300]


@pytest.mark.parametrize("name", QUICK)
def test_finished_realisations_are_taken_from_the_checkpoint(name, material, memory):
    work, kept = plan(material, (32, 32), method=quick(name), n=2), memory()
    first = work.run(Silent(), kept)
    second = work.run(Silent(), kept)
    assert [m.labels.tobytes() for m in first.microstructures] == [m.labels.tobytes() for m in second.microstructures]
    assert first.history.equals(second.history)
    assert np.isnan(second.seconds).all()


@pytest.mark.parametrize("stop", [1, 70, 200, 260])
def test_interrupted_annealing_resumes_to_the_same_bytes(stop, material, memory, watch):
    work = plan(material, (32, 32), method=quick("annealing"), n=2, seed=1)
    whole = work.run(Silent(), memory())
    kept = memory(every=7)
    with pytest.raises(Interrupted) as caught:
        work.run(watch(stop), kept)
    assert all(m.labels.sum() == whole.microstructure.labels.sum() for m in caught.value.result.microstructures)
    resumed = work.run(Silent(), kept)
    assert [m.labels.tobytes() for m in resumed.microstructures] == [m.labels.tobytes() for m in whole.microstructures]
    assert resumed.history.equals(whole.history)
    assert (resumed.status, resumed.evaluations) == (whole.status, whole.evaluations)


@pytest.mark.parametrize("name", [name for name in METHODS if name != Matching.name])
def test_options_of_the_engine_are_refused(name, material):
    for option in ({"encoder": "filterbank"}, {"preset": "fast"}, {"weights": "some.file"}):
        with pytest.raises(InputError, match=f"has no {next(iter(option))}"):
            reconstruct(material, method=name, **option)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("anealing", {}, "method 'anealing' is not known; choose one of matching, annealing"),
        ("annealing", {"speed": "3"}, "has no option 'speed'; it has: terms"),
        ("annealing", {"moves": "many"}, "is 'many', which is not int"),
    ],
)
def test_unknown_names(name, options, said):
    with pytest.raises(InputError, match=said):
        find_method(name, options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"terms": "two-point,colour"}, "terms holds colour; choose from two-point"),
        ({"terms": ()}, "terms holds nothing"),
        ({"directions": "up"}, "directions is 'up'; choose all or axes"),
        ({"selection": "all"}, "selection is 'all'"),
        ({"moves": 0}, "moves >= 1"),
    ],
)
def test_options_out_of_range(options, said, material):
    with pytest.raises(InputError, match=said):
        plan(material, method=find_method("annealing", options))


def test_too_many_phases_for_gaussian_fields():
    labels = np.kron(np.arange(16).reshape(4, 4) % 5, np.ones((8, 8), int))
    with pytest.raises(InputError, match="takes up to 4 phases, and the exemplar has 5"):
        reconstruct(Microstructure(labels), method="gaussian-field")


def test_numba_is_asked_for(material, monkeypatch):
    from matlens.errors import ResourceError
    from matlens.microstructure.reconstruction.classical import annealing

    monkeypatch.setattr(annealing, "find_spec", lambda name: None)
    with pytest.raises(ResourceError, match=r"install matlens\[baselines\]"):
        reconstruct(material, method="annealing")


def test_a_periodic_exemplar_gives_a_periodic_result():
    assert reconstruct(bicontinuous((32, 32), seed=0), method=quick("annealing")).microstructure.periodic
