"""Interrupted anywhere and resumed, a reconstruction ends with the same bytes and the same history."""

import re
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from matlens.errors import Interrupted
from matlens.hooks import Silent
from matlens.microstructure.reconstruction import PRESETS, plan, reconstruct
from matlens.microstructure.reconstruction.matching.engine import Stop


@pytest.fixture(scope="module", autouse=True)
def in_turn():
    """Realisations one after the other: on several threads they would be made side by side (test_together)."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def presets(tiny):
    paper = replace(PRESETS["li2018"], layers=tiny.layers, fine=14)
    return {"lbfgs": tiny, "adam": replace(tiny, optimiser="adam"), "li2018": paper}


@pytest.fixture(scope="module")
def works(exemplar, tiny, watch, memory):
    """Two realisations by each optimiser, uninterrupted, and what the progress was told."""
    made = {}
    for name, preset in presets(tiny).items():
        small = exemplar if name == "lbfgs" else exemplar.crop(slice(32), slice(32))
        work = plan(small, encoder="filterbank", preset=preset, n=2, seed=3)
        seen, kept = watch(), memory()
        made[name] = (work, work.run(seen, kept), seen, kept)
    return made


def same(result, expected) -> bool:
    return (
        [m.labels.tobytes() for m in result.microstructures] == [m.labels.tobytes() for m in expected.microstructures]
        and result.history.to_csv() == expected.history.to_csv()
        and result.history.equals(expected.history)
        and result.fraction_before.tobytes() == expected.fraction_before.tobytes()
        and (result.status, result.notes, result.evaluations) == (expected.status, expected.notes, expected.evaluations)
    )


def stages_of(calls) -> list[str]:
    """The stage that each update names, after its loss."""
    return [re.fullmatch(r"loss [-+.e\d]+, (.+)", call[2]).group(1) for call in calls if is_step(call)]


def is_step(call) -> bool:
    return call[0] == "update" and call[2].startswith("loss")  # before the first step the micrograph is measured


PLACES = [("lbfgs", place) for place in ("first", "coarse", "border", "fine", "last", "second")] + [
    (name, place) for name in ("adam", "li2018") for place in ("first", "last", "second")
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "place"), PLACES)
def test_resumed_equals_uninterrupted(works, watch, memory, name, place):
    work, expected, whole, _ = works[name]
    details = [stage for stage in stages_of(whole.calls) if stage != "decoding"]
    per_realisation = len(details) // 2
    at = {
        "first": 1,
        "coarse": 3,
        "border": max(details.index("full size"), 1),
        "fine": details.index("full size") + 2,
        "last": per_realisation,
        "second": per_realisation + 4,
    }[place]
    kept = memory()
    with pytest.raises(Interrupted) as stop:
        work.run(watch(at), kept)
    partial = stop.value.result
    count = 2 if at > per_realisation else 1
    assert len(partial.microstructures) == count
    assert partial.microstructures[-1].shape == work.shape
    assert partial.status[-1] == Stop.INTERRUPTED.value
    assert np.array_equal(partial.fraction_after[-1], expected.fraction_after[count - 1])
    resumed = work.run(Silent(), kept)
    assert same(resumed, expected)
    if place == "second":
        assert np.isnan(resumed.seconds[0])
        assert resumed.seconds[1] > 0


@pytest.mark.slow
def test_interrupted_again_and_again(works, watch, memory):
    work, expected, *_ = works["lbfgs"]
    kept = memory()
    for times in range(40):  # noqa: B007 (asked below)
        try:
            result = work.run(watch(5), kept)
            break
        except Interrupted:
            continue
    assert times > 4
    assert same(result, expected)


@pytest.mark.slow
def test_killed_without_a_last_word(works, watch, memory):
    """No forced save: the state of some earlier iteration is all there is."""
    work, expected, *_ = works["lbfgs"]
    kept = memory(every=7, killed=True)
    with pytest.raises(Interrupted):
        work.run(watch(18), kept)
    assert list(kept.states) == ["realisation_0"]
    assert same(work.run(Silent(), kept), expected)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["decode", "finish", "start"])
def test_interrupts_outside_the_loop_are_interrupts_too(works, memory, monkeypatch, where):
    work, expected, *_ = works["lbfgs"]

    class Breaks(memory):
        armed = True

        def _break(self):
            if self.armed:
                self.armed = False
                raise KeyboardInterrupt

        def load(self, key):
            if where == "start" and key == "realisation_1":
                self._break()
            return super().load(key)

        def finish(self, key, result):
            if where == "finish" and key == "realisation_1":
                self._break()
            super().finish(key, result)

    kept = Breaks()
    if where == "decode":
        module = sys.modules["matlens.microstructure.reconstruction.matching.decoding"]
        decode, calls = module.decode, []

        def breaks(*given):
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return decode(*given)

        monkeypatch.setattr(module, "decode", breaks)
    with pytest.raises(Interrupted) as stop:
        work.run(Silent(), kept)
    assert len(stop.value.result.microstructures) == (1 if where == "start" else 2)
    assert same(work.run(Silent(), kept), expected)


@pytest.mark.slow
def test_partial_results_are_given_at_once(works, watch, memory, monkeypatch):
    """Who interrupts waits for the answer: what only refines it is left out."""
    monkeypatch.setattr(sys.modules["matlens.microstructure.reconstruction.matching.decoding"], "mend_throats", None)
    with pytest.raises(Interrupted):
        works["lbfgs"][0].run(watch(3), memory())


def test_interrupted_before_anything_is_done(works, memory):
    work, *_ = works["lbfgs"]

    class Never(memory):
        def load(self, key):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stop:
        work.run(Silent(), Never())
    result = stop.value.result
    assert result.microstructures == ()
    assert "nothing yet" in repr(result)
    assert result.fraction_after.shape == (0, 2)


def test_finished_work_is_not_done_again(works, watch):
    work, expected, _, kept = works["adam"]
    unasked = watch()
    assert same(work.run(unasked, kept), expected)
    assert unasked.calls == []


def test_progress_protocol(works, watch, memory):
    work, _, seen, kept = works["lbfgs"]
    kinds = [call[0] for call in seen.calls]
    border = kinds.index("end")
    assert (kinds[0], kinds[border + 1], kinds[-1]) == ("begin", "begin", "end")
    assert kinds.count("begin") == kinds.count("end") == 2
    assert seen.calls[0] == ("begin", work.prepared.problem.effort, "realisation 1 of 2")
    done = [call[1] for call in seen.calls[:border] if is_step(call)]
    stages = stages_of(seen.calls[:border])
    assert done == sorted(done)
    assert done[-1] <= work.prepared.problem.effort + 40
    last = stages.index("decoding") - 1
    problem = work.prepared.problem
    assert problem.effort_before(len(problem.stages) - 1) < done[last] <= problem.effort
    assert stages[0] == "1/2 size"
    assert stages[last] == "full size, sharpening"
    assert set(stages[last + 1 :]) == {"decoding"}
    assert kept.calls == [(what, f"realisation_{i}") for i in range(2) for what in ("load", "finish")]
    stopped = watch(2)
    with pytest.raises(Interrupted):
        work.run(stopped, memory())
    assert stopped.calls[-1] == ("end",)
    sides = [shown.shape[0] for shown in kept.shown]
    assert sides[0] < sides[-1] == problem.size[0]  # a first look comes after the coarsest level


def test_history_adds_up(works):
    for _, result, *_ in works.values():
        table = result.history
        terms = table.drop(columns=["realisation", "level", "evaluation", "total"])
        np.testing.assert_allclose(terms.sum(axis=1), table.total, rtol=1e-4)
        assert list(table.index) == list(range(len(table)))
        assert (table.groupby("realisation").evaluation.diff().dropna() > 0).all()
        assert tuple(table.groupby("realisation").evaluation.max()) == result.evaluations
    lbfgs = works["lbfgs"][1].history
    assert lbfgs.level.unique().tolist() == ["1/2 size", "full size", "full size, sharpening"]
    assert lbfgs.sharpness.isna().any()
    for _, stage in lbfgs[lbfgs.realisation == 0].groupby("level"):
        if stage.level.iloc[0] != "full size, sharpening":
            assert (stage.total.diff().dropna() <= 0).all()


@pytest.mark.slow
def test_seeds(works, exemplar, tiny):
    _, expected, *_ = works["lbfgs"]
    again = reconstruct(exemplar, encoder="filterbank", preset=tiny, n=1, seed=3)
    assert again.microstructure.labels.tobytes() == expected.microstructure.labels.tobytes()
    assert expected.microstructures[1].labels.tobytes() != expected.microstructure.labels.tobytes()
    other = reconstruct(exemplar, encoder="filterbank", preset=tiny, n=1, seed=4)
    assert other.microstructure.labels.tobytes() != expected.microstructure.labels.tobytes()
