"""What it takes to reverse a conclusion: losses with a known answer, and the order of conclusions."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from matlens import MaterialsLibrary
from matlens.errors import InputError
from matlens.library.evidence import conclusions, flip_loss
from matlens.library.suggestions import Candidates, with_deciding_samples

DIMS = ("scheme", "kind", "sample", "component")


def by_grid(effects, error, moments, count):
    """The least loss over a fine grid of the weights of two models."""
    share = np.linspace(0, 1, 20001)
    weights = np.stack([share, 1 - share], 1)
    power = ((weights @ moments) * weights).sum(1)
    return (0.5 * count * (power / power.min() - 1) + 0.5 * (weights @ effects / error) ** 2).min()


@pytest.mark.parametrize("effects", [(2.0, -1.0), (1.0, 0.2), (0.1, -3.0), (-1.0, 2.5)])
def test_the_loss_is_the_least_over_all_weights(effects):
    moments = np.array([[1.0, 0.6], [0.6, 1.3]])
    found = flip_loss(effects, 0.5, moments, 60)
    share = np.linspace(0, 1, 20001)
    best = np.stack([share, 1 - share], 1)
    best = best[((best @ moments) * best).sum(1).argmin()]
    np.testing.assert_allclose(found.fitted, best, atol=1e-3)
    assert found.loss == pytest.approx(by_grid(np.array(effects), 0.5, moments, 60), rel=1e-3, abs=1e-4)


def test_without_another_sign_only_errors_reverse_it():
    found = flip_loss([1.0, 2.0], 0.5, np.diag([1.0, 1.0]), 40)
    assert not found.reversible
    assert 2.0 < found.loss <= 0.5 * (1.5 / 0.5) ** 2  # the least effect of any mixture is 1
    assert not np.isfinite(flip_loss([1.0, 2.0], np.nan, np.diag([1.0, 1.0]), 40).loss)


def test_more_compositions_and_smaller_errors_make_a_sign_surer():
    moments = np.diag([1.0, 2.0])
    few, many = (flip_loss([1.0, -1.0], 0.3, moments, count).loss for count in (20, 80))
    assert few < many
    assert flip_loss([1.0, -1.0], 0.6, moments, 20).loss < few
    assert flip_loss([1.0, -1.0], 0.3, moments, 20).loss <= flip_loss([1.0, -1.0], 0.3, moments, 20).mixture_loss


def test_shapes_are_checked():
    with pytest.raises(InputError, match="found 2 effects and products of errors of shape"):
        flip_loss([1.0, 2.0], 1.0, [[1.0]], 5)


def insight(parts=((2.0, 1.0, -3.0), (1.0, -2.0, -3.0)), alone=None):
    """Gradients of two models of a mixture, equal weights, with respect to three components."""
    each = np.broadcast_to(np.array(parts)[:, None, None, None], (2, 1, 1, 6, 3))
    data = {
        "composition_gradient": (DIMS, each.mean(0)),
        "composition_gradient_by_part": (("part", *DIMS), each),
        "composition_gradient_members": (("model", *DIMS), np.stack([each.mean(0) * share for share in (0.8, 1.2)])),
        "held_out_moments": (("part", "other_part"), np.diag([1.0, 1.0])),
    }
    if alone is not None:
        data["composition_only_gradient"] = (("scheme", "sample", "component"), np.broadcast_to(alone, (1, 6, 3)))
    names = {"scheme": ["dilution"], "kind": ["total"], "component": ["W", "Mo", "V"], "part": ["ensemble", "ridge"]}
    return xr.Dataset(data, names, {"held_out_compositions": 40})


def said(effects=(1.5, -0.5, -3.0), statuses=("supported", "supported", "supported")):
    rows = [
        {"about": "composition", "subject": name, "region": "all samples", "sentence": f"{name}.", "status": status,
         "reason": "a doubt", "effect": effect, "error": 0.4, "unit": "mW per at%"}
        for name, effect, status in zip(("W", "Mo", "V"), effects, statuses, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_surest_conclusion_stands_first_and_a_doubted_one_last():
    found = conclusions(insight(), said())
    assert found["subject"].tolist() == ["V", "W", "Mo"]
    assert found["firm"].tolist() == [True, True, False]
    assert found["rival"][0] == "no mixture of these models reverses it; only their own errors do"
    demoted = conclusions(insight(), said(statuses=("supported", "weak", "weak")))
    assert demoted["subject"].tolist() == ["W", "V", "Mo"]
    gone = conclusions(insight(), said(statuses=("supported", "unsupported", "supported")))
    assert gone["subject"].tolist() == ["V", "W"]
    assert conclusions(insight(), said(), most=1)["subject"].tolist() == ["V"]


def test_models_that_predict_better_and_say_otherwise_leave_nothing_to_reverse():
    data = insight()
    data["held_out_moments"][:] = np.diag([9.0, 0.1])  # ridge is much better, and has Mo lower
    found = conclusions(data, said(effects=(1.5, 0.5, -3.0))).set_index("subject")
    assert found["flip"]["Mo"] == 0.0
    assert found["flip"]["V"] > 2


def test_a_gaussian_process_on_composition_that_disagrees_makes_a_conclusion_less_sure():
    agrees = conclusions(insight(alone=[1.5, -0.5, -3.0]), said()).set_index("subject")
    denies = conclusions(insight(alone=[1.5, -0.5, 1.0]), said()).set_index("subject")
    assert denies["flip"]["V"] < 0.2 * agrees["flip"]["V"]
    assert denies["flip"]["W"] == pytest.approx(agrees["flip"]["W"])


def test_the_sample_that_tells_most_is_where_rival_explanations_differ():
    library = MaterialsLibrary([[0.4, 0.3, 0.3], [0.2, 0.4, 0.4]], ("W", "Mo", "V"), {"P": [1.0, 2.0]})
    places = np.array([[0.3, 0.35, 0.35], [0.1, 0.45, 0.45], [0.5, 0.25, 0.25]])
    # both models agree at the first place; members differ at the second in step with the effect, elsewhere they do not
    known = Candidates(places, np.array([[1.0, 1, 1], [1, 1, 1]]), np.array([[1.0, 0, 1], [1, 2, 1]]), 0.5, 0.01)
    found = with_deciding_samples(conclusions(insight(), said()), insight(), known, library)
    assert set(found["next"]) == {"W 10, Mo 45, V 45 at%"}
    assert (found["separation"] > 0).all()
    assert found.loc[0, ["W", "Mo", "V"]].tolist() == [10.0, 45.0, 45.0]
    apart = known.separation((1.0, 0.0), (0.0, 1.0), 0.0, np.array([1.0, 1.0]))
    np.testing.assert_allclose(apart, 0)  # neither explanation predicts anything else
    other = Candidates(places, np.array([[1.0, 1, 1], [1, 1, 4]]), known.members * 0, 0.5, 0.01)
    np.testing.assert_allclose(other.separation((1.0, 0.0), (0.5, 0.5), 0.0, np.zeros(2)), [0, 0, 3])
    assert with_deciding_samples(conclusions(insight(), said()), insight(), None, library)["next"].eq("").all()
