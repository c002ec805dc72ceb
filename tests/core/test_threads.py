"""Work on several threads: each computes on one, and so does what it starts in its turn."""

import threading

import torch

from matlens.core.threads import side_by_side


def test_threads_that_work_starts_compute_on_one_thread_too() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)

    def started(_: int) -> int:
        found: list[int] = []
        own = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
        own.start()
        own.join()
        return found[0]

    try:
        assert side_by_side(started, range(4)) == [1] * 4
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
