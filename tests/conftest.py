import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

settings.register_profile("matlens", max_examples=40, deadline=None)
settings.register_profile("nightly", max_examples=2000, deadline=None)
settings.load_profile("matlens")  # --hypothesis-profile=nightly comes after it


@pytest.fixture(autouse=True)
def messages_as_before() -> Iterator[None]:
    """Restore how many messages the package sends: a command run within a test, with --quiet say, sets it for good."""
    logger = logging.getLogger("matlens")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """Restore what signals do: a command that was interrupted within a test expects the process to end."""
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real inputs, or a skip."""
    folder = os.environ.get("MATLENS_DATA", "").split(os.pathsep)[0]
    if not folder or not Path(folder).is_dir():
        pytest.skip("MATLENS_DATA names no folder with the real inputs")
    return Path(folder)


@pytest.fixture(scope="session")
def compiled() -> None:
    """Annealing, compiled: numba takes some seconds for it on a machine's first call."""
    from matlens.microstructure.problems import white_noise
    from matlens.microstructure.reconstruction import Annealing, Task

    like = white_noise((24, 24), (0.5, 0.5), seed=0)
    terms = ("two-point", "lineal-path", "cluster")
    Annealing(terms=terms, reach=4, moves=1).learn([like], (24, 24), 0)(Task((24, 24), like.volume_fractions, seed=0))


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> object:
    """A pool that every command, and ``resume``, take from now on: its worker is this process (see the example)."""
    from replayed import Replayed

    import matlens.cli.resume
    import matlens.cli.work

    pool = Replayed()
    for module in (matlens.cli.work, matlens.cli.resume):
        monkeypatch.setattr(module, "with_pool", lambda command, options, spreading: (options, pool))
    return pool
