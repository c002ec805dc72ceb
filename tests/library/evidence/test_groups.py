import numpy as np
import pytest
import xarray as xr

from matlens.errors import InputError
from matlens.library.evidence import closure_null, component_groups, group_components, smooth_gradients
from matlens.library.gradients import along, correlate_gradients, directions, relative_gradients

NAMES = ("Bi", "V", "W", "Dy", "Gd", "Mo", "Tb")
MODES = np.array([[1, 0, 0, 1, 1, 0, 1], [0, 0, 1, 0, 0, 1, 0]], float)


@pytest.fixture(scope="module")
def compositions():
    return np.random.default_rng(0).dirichlet([4, 4, 1, 1, 1, 1, 1], 150)


def grouped(seed, noise, members=4, samples=150):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(samples, 2)) @ MODES + noise * rng.normal(size=(members, samples, 7))


@pytest.fixture(scope="module")
def null(compositions):
    return closure_null(compositions, directions("dilution", compositions), draws=200, relative=True)


def test_both_groups_of_the_published_library_are_found_and_the_host_alone_stays_out(compositions, null):
    gradients = along(
        grouped(0, 0.3) + np.random.default_rng(9).normal(size=(150, 1)), directions("dilution", compositions)
    )
    found = group_components(relative_gradients(gradients), NAMES, {"closure": null})
    assert found.groups["components"].tolist() == ["Bi, Dy, Gd, Tb", "W, Mo"]
    assert (found.groups["p"] <= 0.05).all()
    assert (found.groups["stability"] > 0.9).all()
    assert (found.groups["correlation"] > found.groups["null"]).all()
    assert found.together.loc["Dy", "Gd"] > 0.9
    assert found.together.loc["Dy", "W"] < 0.1


@pytest.mark.slow
def test_random_functions_give_groups_in_one_of_twenty(compositions, null):
    """Family-wise: any group of any size. The draws tested are others than those of the null."""
    draws = closure_null(compositions, directions("dilution", compositions), draws=80, relative=True, seed=77)
    least = []
    for number in range(80):
        # gradients whose correlations are those of the draw: three models that agree
        root = np.linalg.cholesky(draws[number] + 1e-6 * np.eye(7))
        white = np.random.default_rng(number).normal(size=(150, 7))
        white -= white.mean(0)
        white @= np.linalg.inv(np.linalg.cholesky(white.T @ white / 150)).T
        groups = group_components((white @ root.T)[None], NAMES, {"closure": null}, resamples=2).groups
        least.append(groups["p"].min() if len(groups) else 1.0)
    assert np.mean(np.array(least) <= 0.05) <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 80)


def test_unlike_components_are_in_no_group(null):
    noise = np.random.default_rng(3).normal(size=(4, 150, 7))
    assert group_components(noise, NAMES, {"closure": null}).groups.empty


def test_the_harder_null_decides(null):
    gradients = grouped(1, 0.8)
    tight = [correlate_gradients([one])[0] for one in np.random.default_rng(5).normal(size=(99, 150, 7))]
    loose = np.clip(np.array(tight) + 0.55, -1, 1)
    easy, hard, both = (
        group_components(gradients, NAMES, nulls) for nulls in ({"a": tight}, {"b": loose}, {"a": tight, "b": loose})
    )
    assert easy.groups["p"].max() < 0.05
    assert both.threshold == max(easy.threshold, hard.threshold)
    assert both.groups["null"].tolist() == hard.groups["null"].tolist()
    assert both.nulls == ("a", "b")


@pytest.mark.parametrize("seed", range(4))
def test_stability_counts_compositions_not_their_replicates(null, seed):
    """Six compositions, thirty replicates each: resampled as single samples they look certain, as compositions not."""
    rng = np.random.default_rng(seed)
    few = np.repeat(rng.normal(size=(1, 6, 7)) * 0.6 + rng.normal(size=(6, 2)) @ MODES, 30, axis=1)
    few = few + 0.01 * rng.normal(size=few.shape)
    single = group_components(few, NAMES, {"closure": null}, seed=1, resamples=100)
    whole = group_components(
        few, NAMES, {"closure": null}, replicates=np.repeat(np.arange(6), 30), seed=1, resamples=100
    )
    assert whole.groups["stability"].mean() < single.groups["stability"].mean() - 0.05


def scattered_support(samples=150, share=0.6):
    return np.random.default_rng(8).random((samples, 7)) < share


@pytest.mark.slow
def test_random_functions_seen_in_part_give_groups_in_one_of_twenty_too(compositions):
    """As above, where each gradient counts in six of ten samples, so that a pair is compared over a third of them."""
    there, way = scattered_support(), directions("dilution", compositions)
    null = closure_null(compositions, way, draws=200, there=there, relative=True)
    least = []
    for gradient in smooth_gradients(compositions, 80, seed=77):
        seen = relative_gradients(along(gradient, way), there)
        groups = group_components(seen[None], NAMES, {"closure": null}, resamples=2).groups
        least.append(groups["p"].min() if len(groups) else 1.0)
    assert np.mean(np.array(least) <= 0.05) <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 80)


def test_gradients_without_data_neither_hide_a_group_nor_make_one(compositions):
    there, way = scattered_support(), directions("dilution", compositions)
    true = along(grouped(4, 0.2), way)
    wrong = np.where(there, true, 5 * np.random.default_rng(1).normal(size=true.shape) * true.std())
    alike = np.where(there, np.random.default_rng(2).normal(size=true.shape), 5 * true[:, :, :1])
    hidden, made = (component_groups(dataset(one, compositions, 2 * there), draws=60) for one in (wrong, alike))
    assert hidden.groups["components"].tolist() == ["Bi, Dy, Gd, Tb", "W, Mo"]
    assert made.groups.empty
    blind = component_groups(dataset(wrong, compositions, np.full((150, 7), 2)), draws=60)
    assert blind.groups.empty


def test_what_all_components_share_makes_no_group(compositions):
    """One slope for all, e.g. where the host does everything, and noise of each: alike in plain correlation only."""
    rng = np.random.default_rng(5)
    gradients = 3 * rng.normal(size=(150, 1)) + rng.normal(size=(4, 150, 7))
    data = dataset(gradients, compositions, np.full((150, 7), 2))
    assert correlate_gradients(gradients)[0].min() > 0.8
    assert component_groups(data, draws=60).groups.empty


def test_groups_say_which_pairs_were_measured_together(compositions):
    gradients = along(grouped(2, 0.3), directions("dilution", compositions))
    counts = np.full((7, 7), 4)
    counts[2, 5] = counts[5, 2] = 0
    counts[3, 4] = counts[4, 3] = 0
    data = dataset(gradients, compositions, np.full((150, 7), 2))
    found = component_groups(data.assign(pair_count=(("component", "other"), counts)), draws=60)
    assert found.groups["made"].tolist() == pytest.approx([5 / 6, 0])


def dataset(gradients, compositions, support, scheme="dilution"):
    dims = ("scheme", "kind", "sample", "component")
    return xr.Dataset(
        {
            "composition_gradient_members": (("model", *dims), gradients[:, None, None]),
            "composition": (("sample", "component"), compositions),
            "support": (("sample", "component"), support),
            "exchange_host": ("component", ["V"] * 7),
        },
        {"scheme": [scheme], "kind": ["total"], "component": list(NAMES)},
    )


def test_components_without_data_are_left_out(compositions):
    support = np.full((150, 7), 2)
    support[9:, 4] = 0  # Gd: nine samples
    support[:100, 6] = 0  # Tb: a third of the directions
    gradients = along(grouped(2, 0.2), directions("dilution", compositions))
    found = component_groups(dataset(gradients, compositions, support), draws=60)
    assert found.groups["components"].tolist() == ["Bi, Dy, Tb", "W, Mo"]
    assert found.groups["supported"].tolist() == pytest.approx([(1 + 1 + 1 / 3) / 3, 1])
    assert found.nulls == ("closure",)


def test_the_host_of_an_exchange_is_left_out(compositions):
    hosts = [1] * 7
    gradients = along(grouped(2, 0.3), directions("exchange", compositions, hosts))
    found = component_groups(
        dataset(gradients, compositions, np.full((150, 7), 2), "exchange"), scheme="exchange", draws=60
    )
    assert found.correlation.loc["V"].isna().all()
    assert found.groups["components"].tolist() == ["Bi, Dy, Gd, Tb", "W, Mo"]
    with pytest.raises(InputError, match="no kind 'partial'"):
        component_groups(dataset(gradients, compositions, np.full((150, 7), 2)), kind="partial")


def test_labels_of_permuted_ensembles_are_a_second_null(compositions, null):
    gradients = along(grouped(2, 0.2), directions("dilution", compositions))
    labels = xr.Dataset(
        {"correlation": (("permutation", "scheme", "kind", "component", "other"), null[:19, None, None])},
        {"scheme": ["dilution"], "kind": ["total"]},
    )
    found = component_groups(dataset(gradients, compositions, np.full((150, 7), 2)), labels, draws=60)
    assert found.nulls == ("closure", "permuted labels")
    assert found.groups["p"].min() == pytest.approx(0.05)  # nineteen permutations can show no less


def test_bad_shapes_are_refused(null):
    with pytest.raises(InputError, match="models, samples, components"):
        group_components(np.zeros((3, 7)), NAMES, {"closure": null})
    with pytest.raises(InputError, match="no null"):
        group_components(grouped(0, 1), NAMES, {})
    with pytest.raises(InputError, match=r"expected \(draws, 7, 7\)"):
        group_components(grouped(0, 1), NAMES, {"closure": null[:, :6, :6]})
    with pytest.raises(InputError, match="fewer than two"):
        group_components(np.ones((3, 40, 7)), NAMES, {"closure": null})
