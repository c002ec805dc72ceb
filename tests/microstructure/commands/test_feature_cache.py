import numpy as np

from matlens.microstructure.commands import feature_cache
from matlens.microstructure.commands.feature_cache import FeatureCache
from matlens.microstructure.encoders import FilterBank, load_encoder
from matlens.microstructure.properties.features import EncoderFeatures


def test_rows_last_and_processes_add_to_each_other(tmp_path):
    with FeatureCache(tmp_path / "new" / "place") as one, FeatureCache(tmp_path / "new" / "place") as other:
        one["recipe a 01"] = np.arange(3, dtype=np.float32)
        other["recipe a 02"] = np.ones(3, np.float32)
        other["recipe b 01"] = np.zeros(2, np.float32)
    cache = FeatureCache(tmp_path / "new" / "place")
    assert cache["recipe a 01"].tolist() == [0, 1, 2]
    assert "recipe a 02" in cache
    assert "recipe a 03" not in cache
    assert sorted(cache) == ["recipe a 01", "recipe a 02"]  # what has been asked for is in memory
    assert len(list((tmp_path / "new" / "place").iterdir())) == 2


def test_what_is_new_is_written_while_work_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_cache, "_INTERVAL", 0.0)
    cache = FeatureCache(tmp_path)
    cache["recipe 01"] = np.ones(2, np.float32)
    assert "recipe 01" in FeatureCache(tmp_path)


def test_features_are_computed_once(tmp_path, monkeypatch):
    labels = np.random.default_rng(0).integers(0, 2, (5, 16, 16)).astype(np.uint8)
    encoder = load_encoder("filterbank")
    with FeatureCache(tmp_path) as cache:
        first = EncoderFeatures(encoder, ("scale1",), cache=cache)(labels)
    monkeypatch.setattr(EncoderFeatures, "_pooled", None)  # would fail if it were called
    again = EncoderFeatures(encoder, ("scale1",), cache=FeatureCache(tmp_path))(labels[::-1])
    assert np.array_equal(again, first[::-1])


def test_a_damaged_file_and_a_folder_that_cannot_be_written_cost_time_only(tmp_path, caplog):
    with FeatureCache(tmp_path) as cache:
        cache["recipe 01"] = np.ones(2, np.float32)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:40])
    assert "recipe 01" not in FeatureCache(tmp_path)
    assert "computed again" in caplog.text
    with FeatureCache(file) as cache:  # a file stands where the folder should be
        cache["recipe 01"] = np.ones(2, np.float32)
    assert "not kept for later runs" in caplog.text


def test_other_filters_of_one_name_have_rows_of_their_own():
    labels = np.random.default_rng(0).integers(0, 2, (2, 16, 16)).astype(np.uint8)
    cache = {}
    first, second = (EncoderFeatures(FilterBank(seed=seed), ("scale1",), cache=cache)(labels) for seed in (0, 1))
    assert len(cache) == 4
    assert np.abs(first - second).max() > 1e-3
