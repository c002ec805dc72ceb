import hashlib
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from matlens.core import registry
from matlens.errors import InputError, ResourceError
from matlens.microstructure.encoders import (
    ENCODERS,
    VGG19,
    Compact,
    FilterBank,
    load_encoder,
    loading,
    random_weights,
    resolve_encoder,
)

OXFORD = "vgg19_imagenet_conv1_1-conv3_4.safetensors"


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without weights."""
    monkeypatch.setenv("MATLENS_DATA", "")
    monkeypatch.setattr(registry, "default_cache", lambda: tmp_path / "cache")
    return tmp_path


@pytest.fixture
def weights(tmp_path):
    save_file(random_weights(2, seed=1), tmp_path / "two.safetensors")
    return tmp_path / "two.safetensors"


def one_sentence(error: pytest.ExceptionInfo) -> bool:
    text = str(error.value)
    return "\n" not in text and text.endswith(".") and len(text) < 400


def test_auto_needs_nothing_but_the_package(bare):
    assert resolve_encoder() == "matlens"
    assert isinstance(load_encoder(), Compact)
    assert load_encoder().source["sha256"] == ENCODERS["matlens"].packaged[1]
    assert isinstance(load_encoder("filterbank"), FilterBank)


def test_auto_is_the_same_where_other_weights_are(data_dir):
    assert resolve_encoder() == "matlens"


@pytest.mark.parametrize("damage", ["missing", "cut short"])
def test_a_damaged_package_says_to_install_it_again(bare, monkeypatch, damage):
    """Another file stands for the package's, which a test must not change."""
    file, _ = ENCODERS["matlens"].packaged
    whole = Path(loading.__file__).with_name(file)
    monkeypatch.setattr(loading, "__file__", str(bare / "loading.py"))
    if damage == "cut short":
        (bare / file).write_bytes(whole.read_bytes()[:-1])
    with pytest.raises(ResourceError, match="install MatLens again") as error:
        load_encoder()
    assert one_sentence(error)
    assert file in str(error.value)


@pytest.mark.parametrize("name", [name for name, entry in ENCODERS.items() if entry.weights])
def test_missing_weights_say_what_to_do(bare, name):
    with pytest.raises(ResourceError, match=f"matlens fetch {name}") as error:
        load_encoder(name)
    assert one_sentence(error)
    assert "encoder='matlens'" in str(error.value)


def test_unknown_names_and_needless_weights(weights):
    with pytest.raises(InputError, match="'vgg16' is not known; choose one of auto, matlens, vgg19-oxford") as error:
        load_encoder("vgg16")
    assert one_sentence(error)
    with pytest.raises(InputError, match="no weights file"):
        load_encoder("filterbank", weights=weights)


@pytest.mark.parametrize("name", ["auto", "vgg19-oxford", "vgg19-torchvision"])
def test_given_weights_are_recorded_by_hash(bare, weights, name):
    net = load_encoder(name, weights=weights)
    assert net.name == ("vgg19-oxford" if name == "auto" else name)
    assert net.source == {"file": "two.safetensors", "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()}
    assert [layer.name for layer in net.layers] == ["conv1_1", "conv1_2", "pool1"]


def test_published_pth_files_are_read_without_running_anything(tmp_path):
    torch.save(random_weights(1, seed=1), tmp_path / "one.pth")
    net = load_encoder(weights=str(tmp_path / "one.pth"))
    assert isinstance(net, VGG19)
    assert torch.equal(net.get_buffer("kernel0"), random_weights(1, seed=1)["features.0.weight"])


class Malice:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


def bad_files(folder):
    good = folder / "good.safetensors"
    save_file(random_weights(2, seed=1), good)
    tensors = random_weights(2, seed=1)
    (folder / "truncated.safetensors").write_bytes(good.read_bytes()[:1000])
    (folder / "empty.safetensors").touch()
    (folder / "empty.pth").touch()
    (folder / "text.pth").write_text("not a network\n" * 20)
    (folder / "pickled.pth").write_bytes(pickle.dumps({"features.0.weight": Malice()}))
    torch.save({"features.0.weight": Malice()}, folder / "malice.pth")
    np.save(folder / "array.npy", np.zeros(3))
    torch.save([1, 2], folder / "list.pth")
    save_file({"conv.weight": torch.zeros(2)}, folder / "other.safetensors")
    save_file({k: v for k, v in tensors.items() if "bias" not in k}, folder / "unbiased.safetensors")
    save_file({**tensors, "features.2.weight": torch.zeros(64, 64, 5, 5)}, folder / "wide.safetensors")
    (folder / "folder.safetensors").mkdir()
    good.unlink()
    return sorted(path.name for path in folder.iterdir())


def test_bad_weights_files_are_one_sentence(tmp_path):
    names = [*bad_files(tmp_path), "absent.safetensors"]
    assert len(names) == 13
    for name in names:
        with pytest.raises(ResourceError) as error:
            load_encoder("vgg19-oxford", weights=tmp_path / name)
        assert one_sentence(error), (name, str(error.value))
        assert name in str(error.value)


def test_a_registered_file_of_another_hash_is_refused(bare, monkeypatch):
    (bare / "data").mkdir()
    save_file(random_weights(1, seed=1), bare / "data" / OXFORD)
    monkeypatch.setenv("MATLENS_DATA", str(bare / "data"))
    with pytest.raises(ResourceError, match="SHA-256") as error:
        load_encoder("vgg19-oxford")
    assert "\n" not in str(error.value)


def test_real_weights_see_the_published_channels(data_dir, bare, monkeypatch):
    """The first Oxford layer, its colour order and its normalisation, against numbers computed by hand."""
    shutil.copy(data_dir / "weights" / OXFORD, bare / OXFORD)
    monkeypatch.setenv("MATLENS_DATA", str(bare))
    net = load_encoder("vgg19-oxford")
    assert net.source["file"] == OXFORD
    assert [layer.name for layer in net.layers if layer.name.startswith("conv")][-1] == "conv3_4"
    assert net.layers[-1].name in ("conv3_4", "pool3")
    kernel, bias = (net.get_buffer(f"{part}0").double() for part in ("kernel", "bias"))
    for phase, level in ((0, 0.0), (1, 1.0)):
        flat = torch.zeros(1, 2, 5, 5)
        flat[:, phase] = 1
        pixel = (level - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
        expected = torch.relu(kernel.sum(dim=(2, 3)) @ pixel.double() + bias)
        found = net.features(flat, ["conv1_1"])["conv1_1"][0, :, 1, 1]
        torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4)
    # Trained edge filters react to an edge far more than to flat ground, in RGB units of ImageNet.
    edge = torch.zeros(1, 2, 16, 16)
    edge[:, 0, :, :8], edge[:, 1, :, 8:] = 1, 1
    response = net.features(edge, ["conv1_1"])["conv1_1"][0]
    assert float(response[:, :, 5:9].amax()) > 2 * float(response[:, :, 0].amax())
