"""Realisations made side by side are those made one after the other, also after an interruption."""

import signal
import threading

import pytest
import torch

from matlens.errors import Interrupted, RunError
from matlens.hooks import NoStore, Silent
from matlens.microstructure.reconstruction import plan


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def work(exemplar, tiny):
    return plan(exemplar.crop(slice(32), slice(32)), encoder="filterbank", preset=tiny, n=3, seed=3)


@pytest.fixture(scope="module")
def expected(work):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return work.run(Silent(), NoStore())
    finally:
        torch.set_num_threads(before)


def labels(result) -> list[bytes]:
    return [m.labels.tobytes() for m in result.microstructures]


def test_the_number_of_threads_changes_no_byte_and_no_order(work, expected, watch, threads):
    threads(2)
    seen = watch()
    result = work.run(seen, NoStore())
    assert work.side_by_side == 2
    assert labels(result) == labels(expected)
    assert len(set(labels(result))) == 3
    assert result.history.equals(expected.history)
    assert torch.get_num_threads() == 2

    begun = [call for call in seen.calls if call[0] == "begin"]
    assert begun == [("begin", 3 * work.prepared.problem.evaluations, "3 realisations, 2 at a time")]
    steps = [call[1] for call in seen.calls if call[0] == "update"]
    assert steps == sorted(steps)
    assert steps[-1] == begun[0][1]
    assert seen.calls[-1] == ("end",)


def test_what_is_forecast_counts_the_rounds(work, threads):
    threads(1)
    seconds, size = work.cost
    threads(2)
    assert work.cost == (pytest.approx(seconds * 2 / 3), 2 * size)  # three realisations, two at a time


def test_large_realisations_take_all_threads_one_after_the_other(exemplar, tiny, threads):
    threads(2)
    large = plan(exemplar, (256, 256), encoder="filterbank", preset=tiny, n=3)
    assert large.side_by_side == 1
    assert large.settings["threads"] == 2


class Presses:
    """Progress at whose asked update the user presses Ctrl-C."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.begin = self.end = lambda *_: None

    def update(self, done, text=""):
        self.left -= done > 0  # before the first step it is only said that the micrograph is measured
        if self.left == 0 and done > 0:
            # The system gives Ctrl-C to the main thread; this is another one.
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


@pytest.mark.parametrize("at", [1, 20, 75])
def test_interrupted_and_resumed_they_are_the_same(work, expected, memory, threads, at):
    threads(2)
    kept = memory(every=5)
    with pytest.raises(Interrupted) as stop:
        work.run(Presses(at), kept)
    assert len(kept.results) < 3
    assert len(stop.value.result.microstructures) <= 3
    assert kept.states
    result = work.run(Silent(), kept)
    assert labels(result) == labels(expected)
    assert sorted(kept.results) == ["realisation_0", "realisation_1", "realisation_2"]


def test_a_failure_stops_the_others_and_is_raised(work, memory, threads):
    threads(2)

    class Full(memory):
        def finish(self, key, result):
            raise RunError("the disk is full.")

    kept = Full(every=5)
    with pytest.raises(RunError, match="disk is full"):
        work.run(Silent(), kept)
    assert "realisation_2" not in kept.states  # it was not begun
