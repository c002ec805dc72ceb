from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from matlens.microstructure.problems import bicontinuous
from matlens.microstructure.reconstruction import PRESETS, Preset


class Memory:
    """A state store in memory; ``every`` so many saves one is kept, and unless ``killed`` the last one too."""

    def __init__(self, every: int = 10**9, *, killed: bool = False) -> None:
        self.states: dict[str, dict[str, np.ndarray]] = {}
        self.results: dict[str, dict[str, np.ndarray]] = {}
        self.shown = []
        self.calls, self._every, self._killed, self._asked = [], every, killed, 0

    def load(self, key):
        self.calls.append(("load", key))
        return self.states.get(key)

    def save(self, key, state: Callable, *, force: bool = False):
        self._asked += 1
        if (force and not self._killed) or self._asked % self._every == 0:
            self.states[key] = {name: np.array(value, copy=True) for name, value in state().items()}
            assert all(value.dtype.kind in "biufU" for value in self.states[key].values())

    def show(self, key, labels, *, force=False):
        if force:  # as in a store whose last look is not long enough ago
            self.shown.append(labels())

    def drop(self, key):
        self.states.pop(key, None)

    def finish(self, key, result):
        self.calls.append(("finish", key))
        assert all(np.asarray(value).dtype.kind in "biufU" for value in result.values())
        self.results[key] = result

    def result(self, key):
        return self.results.get(key)


class Watch:
    """Progress that remembers what it is told and interrupts at the asked call of ``update``."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.calls: list[tuple] = []
        self.updates, self._stop_at = 0, stop_at

    def begin(self, total, label):
        self.calls.append(("begin", total, label))

    def update(self, done, text=""):
        self.calls.append(("update", done, text))
        if text.endswith("decoding") or text.startswith("measuring"):
            return  # begun anew by every resumed run: stopping there every few steps would never end
        self.updates += 1
        if self.updates == self._stop_at:
            raise KeyboardInterrupt

    def end(self):
        self.calls.append(("end",))

    def say(self, text):
        self.calls.append(("say", text))


@pytest.fixture(scope="session")
def memory() -> type[Memory]:
    return Memory


@pytest.fixture(scope="session")
def watch() -> type[Watch]:
    return Watch


@pytest.fixture(scope="session")
def exemplar():
    return bicontinuous((64, 64), wavelength=16, fraction=0.4, seed=1, periodic=False)


@pytest.fixture(scope="session")
def tiny() -> Preset:
    """All the stages of a real preset, few evaluations each; of the filter bank."""
    return replace(
        PRESETS["fast"],
        layers={"scale1": 1.0, "scale4": 1.0},
        coarse=8,
        fine=16,
        sharpening=((25, 0.3), (25, 1.0)),
    )


@pytest.fixture(scope="session")
def tiny_vgg(tiny) -> Preset:
    """The same for VGG-19."""
    return replace(tiny, layers={"conv1_1": 1.0, "pool1": 1.0}, coarse=4)
