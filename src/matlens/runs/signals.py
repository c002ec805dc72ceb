"""Requests to stop, by Ctrl-C, a batch system or a closed terminal, handled alike as KeyboardInterrupt."""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["stoppable"]

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_ONE_REQUEST = 1.0  # seconds: a terminal and a batch system may both send a signal, or one of them several


class _Stop:
    """Handler of signals: the first one interrupts, and one that comes later than a second after it ends the process.

    Ending at once loses nothing that is in files: a run can be resumed after any kill.
    """

    def __init__(self) -> None:
        self.asked: float | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.asked is None:
            self.asked = now
            raise KeyboardInterrupt
        if now - self.asked > _ONE_REQUEST:
            os.write(2, b"matlens: stopped at once; 'matlens resume' goes on from what was saved last.\n")
            os._exit(130)


@contextmanager
def stoppable(*, last: bool = False) -> Iterator[None]:
    """Raise KeyboardInterrupt within the block on SIGTERM and SIGHUP as on SIGINT, once for all signals of a second.

    A signal after that ends the process at once with exit code 130. Signals that the process was started to ignore, as
    ``nohup`` does, stay ignored. Within another such block, and outside the main thread, where signals cannot be
    caught, nothing changes.

    Parameters
    ----------
    last : bool
        Whether the process ends after the block: if a signal came, later ones do not change its exit code.

    Yields
    ------
    None

    Examples
    --------
    >>> with stoppable():
    ...     signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    False
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    inner = not last and any(isinstance(handler, _Stop) for handler in before.values())
    if inner or threading.current_thread() is not threading.main_thread():
        yield
        return
    stop = _Stop()
    caught = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in caught:
        signal.signal(number, stop)
    try:
        yield
    finally:
        if last and stop.asked is not None:
            # Python itself forgets handlers while it ends, but nothing that is ignored.
            atexit.register(_ignore, caught)
        else:
            for number in caught:
                signal.signal(number, before[number])


def _ignore(numbers: list[signal.Signals]) -> None:
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
