"""Interrupts by Ctrl-C and by a batch system, handled alike as KeyboardInterrupt."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["stoppable"]


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGTERM within the block, as on SIGINT.

    Outside the main thread, where signals cannot be caught, nothing changes.

    Yields
    ------
    None

    Examples
    --------
    >>> with stoppable():
    ...     signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    False
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
