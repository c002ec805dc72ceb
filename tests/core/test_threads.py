"""Work on several threads or processes: each computes on one, and so does what it starts in its turn."""

import os
import threading
from collections.abc import Iterator

import pytest
import torch

from matlens.core.threads import in_processes, side_by_side


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_threads_that_work_starts_compute_on_one_thread_too() -> None:
    def started(_: int) -> int:
        found: list[int] = []
        own = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
        own.start()
        own.join()
        return found[0]

    assert side_by_side(started, range(4)) == [1] * 4
    assert torch.get_num_threads() == 2


def test_processes_compute_on_one_thread_each_and_keep_the_order() -> None:
    def where(item: int) -> tuple[int, int, int]:
        return item, torch.get_num_threads(), os.getpid()

    found = in_processes(where, [1, 2, 3, 4])
    assert [item for item, *_ in found] == [1, 2, 3, 4]
    assert {threads for _, threads, _ in found} == {1}
    assert os.getpid() not in {process for *_, process in found}


def test_what_fails_in_a_process_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        in_processes(lambda item: 1 / item, [1, 0])
