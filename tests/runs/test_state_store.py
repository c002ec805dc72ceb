import numpy as np
import pytest

from matlens.errors import RunError
from matlens.runs import state_store
from matlens.runs.directory import RunDirectory
from matlens.runs.state_store import RunStateStore


@pytest.fixture
def run(tmp_path):
    with RunDirectory.create(tmp_path / "run", "learn", {}) as run:
        yield run


def test_the_round_trip_keeps_types(run):
    store = RunStateStore(run, interval=0)
    state = {"x": np.arange(3, dtype=np.float32), "step": np.int64(7), "name": np.array("level 2")}
    store.save("realisation_1", lambda: state)
    loaded = RunStateStore(run).load("realisation_1")
    assert {key: value.dtype for key, value in loaded.items()} == {k: np.asarray(v).dtype for k, v in state.items()}
    assert loaded["step"] == 7
    assert str(loaded["name"]) == "level 2"
    assert store.load("realisation_0") is None


def test_states_are_saved_by_time_and_not_asked_for_before(run):
    store = RunStateStore(run, interval=3600)
    store.save("a", lambda: pytest.fail("too early"))
    store.save("a", lambda: {"x": np.zeros(1)}, force=True)
    assert store.load("a") is not None
    store.save("a", lambda: pytest.fail("too early again"))


def test_keys_and_folders_are_independent(run):
    one, other = RunStateStore(run, "one/", interval=0), RunStateStore(run, "two/", interval=0)
    for number in range(2):
        one.save(f"key_{number}", lambda number=number: {"x": np.array(number)})
    other.save("key_0", lambda: {"x": np.array(9)})
    one.drop("key_0")
    assert one.load("key_0") is None
    assert (int(one.load("key_1")["x"]), int(other.load("key_0")["x"])) == (1, 9)
    run.drop("one")
    assert one.load("key_1") is None
    assert other.load("key_0") is not None


def test_a_result_replaces_the_state(run):
    store = RunStateStore(run, interval=0)
    store.save("a", lambda: {"x": np.zeros(1)})
    assert store.result("a") is None
    store.finish("a", {"y": np.ones(2)})
    assert store.load("a") is None
    assert RunStateStore(run).result("a")["y"].tolist() == [1, 1]


def test_states_count_as_results_of_the_run(run):
    assert not run.has_results
    store = RunStateStore(run, "fit/", interval=0)
    store.save("chunk_0", lambda: {"x": np.zeros(1)})
    assert run.has_results
    run.drop("fit")
    assert not run.has_results


def test_pickled_objects_are_refused(run):
    with pytest.raises(ValueError, match="allow_pickle"):
        RunStateStore(run, interval=0).save("a", lambda: {"x": np.array([object()])})


def test_a_damaged_file_is_said_with_what_to_do(run):
    store = RunStateStore(run, interval=0)
    store.save("a", lambda: {"x": np.arange(1000)})
    file = run.path / ".state" / "a.state.npz"
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(RunError, match=r"a\.state\.npz cannot be read .* remove it and go on with 'matlens resume"):
        store.load("a")


def test_slow_saves_take_a_twentieth_of_the_time(tmp_path, monkeypatch):
    """The state of a volume takes seconds to write; a save each two seconds would take half of the time."""
    now, saved = [0.0], []

    def write(*_):
        now[0] += 1.0
        saved.append(now[0])

    monkeypatch.setattr(state_store.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(state_store, "write_value", write)
    store = RunStateStore(RunDirectory.create(tmp_path / "run", "reconstruct", {}))
    for _ in range(1000):
        now[0] += 0.1
        store.save("realisation_0", dict)
    assert 4 <= len(saved) <= 6, saved
