import pytest
import torch

from matlens.microstructure.problems import bicontinuous
from matlens.microstructure.reconstruction import plan
from matlens.microstructure.reconstruction.matching.cost import evaluation_cost
from matlens.microstructure.statistics import two_point_radial
from matlens.microstructure.statistics.equivalence.comparison import comparison_work

SIDE = 96


@pytest.mark.parametrize("encoder", ["matlens", "filterbank"])
def test_forecast_of_memory_holds_what_is_kept_for_the_gradient(encoder):
    exemplar = bicontinuous((SIDE, SIDE), wavelength=12, seed=1)
    work = plan(exemplar, encoder=encoder)
    problem = work.prepared.problem
    objective = problem.objective(torch.tensor(exemplar.volume_fractions, dtype=torch.float32))
    weights = sum(4 * buffer.numel() for buffer in problem.encoder.buffers())
    kept = evaluation_cost(objective, torch.rand(1, 1, SIDE, SIDE), repeats=1).kept_bytes
    # Besides, an evaluation at its peak holds what one layer computes from.
    assert 0.25 * work.cost[1] < kept - weights < work.cost[1]


def test_forecast_of_time_counts_coarse_levels_at_their_size():
    work = plan(bicontinuous((128, 128), wavelength=32, seed=1), (64, 64), encoder="filterbank", n=3)
    problem = work.prepared.problem
    assert [stage.factor for stage in problem.stages] == [2, 1]
    loss = problem.encoder.loss("default")
    expected = loss.evaluations(2)[0] * 32 * 32 + (loss.fine + problem.preset.swaps) * 64 * 64
    rounds = -(-3 // work.side_by_side)
    assert work.cost[0] == pytest.approx(rounds * expected * problem.encoder.seconds_per_pixel)


def test_forecast_of_a_comparison_counts_windows_pairs_and_the_search():
    """A large micrograph holds many windows, and is searched for copies as a whole, in blocks if it is coarse."""
    fine, coarse = (bicontinuous((512, 512), wavelength=length, seed=1) for length in (16, 64))
    assert comparison_work((128, 128), 1, [fine]) > 4 * comparison_work((128, 128), 1, [fine[:128, :128]])
    assert comparison_work((128, 128), 1, [fine]) > 2 * comparison_work((128, 128), 1, [coarse])
    more = comparison_work((128, 128), 2, [coarse]) - comparison_work((128, 128), 1, [coarse])
    assert 128**2 < more < 5 * 128**2  # measured and searched


def test_a_plan_measures_the_correlation_length_once(monkeypatch):
    calls = []

    def counted(m):
        calls.append(m)
        return two_point_radial(m)

    monkeypatch.setattr("matlens.microstructure.statistics.correlation.correlation_length.two_point_radial", counted)
    exemplar = bicontinuous((96, 96), wavelength=12, seed=17)
    planned = plan(exemplar, encoder="filterbank")
    comparison_work(planned.shape, 1, [exemplar])
    assert len(calls) == 1
