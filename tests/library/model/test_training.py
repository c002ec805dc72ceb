"""Ensembles trained together against members trained alone, stopped work against work that was not."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from matlens.errors import Interrupted
from matlens.hooks import Arrays, NoStore, Silent
from matlens.library.model.ensemble import train
from matlens.library.model.networks.training import ChunkTrainer, TrainingSet
from matlens.library.model.presets.registry import PRESETS
from matlens.library.model.resampling import member_rows

PRESET = PRESETS["umehara2019"]
SHORT = tuple(replace(stage, epochs=2) for stage in PRESET.stages(("composition", "spectrum")))


def data(members: int = 3, seed: int = 0) -> TrainingSet:
    random = torch.Generator().manual_seed(5)
    spectra, fractions = torch.rand(33, 40, generator=random), torch.rand(33, 4, generator=random)
    target = spectra[:, 3] - fractions[:, 1]
    rows = member_rows(np.arange(33) // 2, members, "groups", seed=1)
    return TrainingSet({"composition": fractions, "spectrum": spectra}, target, rows, seed)


class Kept(NoStore):
    """Keeps states in memory, and stops the work after some epochs."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.states: dict[str, Arrays] = {}
        self.left = stop_after

    def load(self, key: str) -> Arrays | None:
        return self.states.get(key)

    def save(self, key: str, state, *, force: bool = False) -> None:  # type: ignore[no-untyped-def]
        self.states[key] = state()


class Stopping(Silent):
    def __init__(self, after: int) -> None:
        self.after = after

    def update(self, done: int, text: str = "") -> None:
        if done >= self.after:
            raise KeyboardInterrupt


def test_published_number_of_parameters() -> None:
    stages = PRESET.stages(("composition", "spectrum"))
    assert [stage.name for stage in stages] == ["spectrum", "composition", "merged"]
    assert [stage.epochs for stage in stages] == [200, 700, 400]
    made = PRESET.network(stages[-1], {"composition": 7, "spectrum": 1015}, 2, "cpu")
    assert made.size == 66_625


def test_first_weights_are_those_of_the_paper() -> None:
    trainer = ChunkTrainer(PRESET, SHORT, data(), [0, 1, 2])
    weights = trainer.network.named["head.0.weight"]
    assert float(weights.abs().max()) <= 0.02
    assert float(weights.std()) == pytest.approx(0.0088, abs=0.0003)  # of a normal cut at two of its 0.01
    assert float(trainer.network.named["head.0.bias"].abs().max()) == 0


def test_members_come_out_as_if_trained_alone() -> None:
    given = data()
    together = train(PRESET, SHORT, given).parameters
    for member in range(3):
        trainer = ChunkTrainer(PRESET, SHORT, given, [member])
        while not trainer.done:
            trainer.epoch()
        for name, value in trainer.parameters().items():
            torch.testing.assert_close(value[0], together[name][member], rtol=1e-3, atol=1e-6)


def test_a_network_of_torch_trains_to_the_same_weights() -> None:
    """The composition stage has no dropout: torch's own layers, autograd and Adam must do the same."""
    stage = replace(PRESET.stages(("composition",))[0], epochs=3)
    given = replace(data(1), inputs={"composition": data().inputs["composition"]}, rows=[np.arange(33)])
    trainer = ChunkTrainer(PRESET, (stage,), given, [0])
    sizes = [4, 16, 16, 32, 32, 1]
    linear = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    named = iter(trainer.network.named.values())
    with torch.no_grad():
        for layer in linear:
            layer.weight.copy_(next(named)[0].T)
            layer.bias.copy_(next(named)[0])
    layers = [each for layer in linear for each in (layer, nn.ELU())][:-1]
    plain = nn.Sequential(*layers)
    optimiser = torch.optim.Adam(plain.parameters(), lr=1e-3)
    for _ in range(3):
        order = trainer._draw()[0][0]
        trainer.epoch()
        for rows in order.split(10):
            loss = (plain(given.inputs["composition"][rows])[:, 0] - given.target[rows]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    found = iter(trainer.network.named.values())
    for layer in linear:
        torch.testing.assert_close(next(found)[0].T, layer.weight.detach(), rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(next(found)[0], layer.bias.detach(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("after", [1, 5])
def test_stopped_work_ends_with_the_same_bytes(after: int) -> None:
    whole = train(PRESET, SHORT, data()).parameters
    kept = Kept()
    with pytest.raises(Interrupted):
        train(PRESET, SHORT, data(), checkpoint=kept, progress=Stopping(after))
    passed = [int(state["stage"]) * 2 + int(state["passed"]) for state in kept.states.values()]
    assert min(passed) < 6
    again = train(PRESET, SHORT, data(), checkpoint=kept).parameters
    for name, value in whole.items():
        assert torch.equal(value, again[name]), name


def test_finished_work_is_taken_from_its_checkpoint() -> None:
    kept = Kept()
    first = train(PRESET, SHORT, data(), checkpoint=kept).parameters
    again = train(PRESET, SHORT, replace(data(), target=data().target * 0), checkpoint=kept).parameters
    assert all(torch.equal(value, again[name]) for name, value in first.items())


def test_number_of_threads_changes_nothing() -> None:
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(train(PRESET, SHORT, data(4)).parameters)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_seed_decides_and_members_differ() -> None:
    one, two, other = (train(PRESET, SHORT[1:2], data(seed=seed)).parameters["head.0.weight"] for seed in (0, 0, 1))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert not torch.equal(one[0], one[1])


def test_carried_layers_start_the_merged_network() -> None:
    trainer = ChunkTrainer(PRESET, SHORT, data(), [0, 1, 2])
    while trainer.stage < 2:
        trainer.epoch()
    named = trainer.network.named
    for name in ("spectrum.1.weight", "composition.0.weight", "composition.2.bias"):
        assert torch.equal(named[name], trainer.carried[name])
    assert float(named["head.0.weight"].abs().max()) <= 0.02  # the head is new


def test_left_out_groups_are_whole_and_each_is_left_out_as_often() -> None:
    groups = np.arange(60) // 3
    drawn = member_rows(groups, 20, "groups", seed=0)
    left = np.array([~np.isin(np.arange(60), rows) for rows in drawn])
    assert (left.sum(0) == 2).all()
    assert (left.reshape(20, 20, 3).any(2) == left.reshape(20, 20, 3).all(2)).all()
    drawn = member_rows(groups, 5, "bootstrap", seed=0)
    counts = np.array([np.bincount(rows, minlength=60) for rows in drawn]).reshape(5, 20, 3)
    assert (counts == counts[:, :, :1]).all()
    assert (counts.sum((1, 2)) == 60).all()
