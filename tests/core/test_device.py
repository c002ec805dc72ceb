"""One choice of device: every entry point refuses an unknown or missing one in the same words."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from matlens import LibraryModel, MaterialsLibrary, Microstructure, homogenize, reconstruct
from matlens.core.device import chosen_device
from matlens.errors import InputError, ResourceError
from matlens.microstructure.encoders import load_encoder

STRUCTURE = Microstructure((np.indices((32, 32)).sum(0) // 8) % 2)
LIBRARY = MaterialsLibrary(np.eye(2)[np.arange(12) % 2], ("A", "B"), {"P": np.arange(12.0)})
ENTRIES = {
    "device": chosen_device,
    "encoder": lambda device: load_encoder("filterbank", device=device),
    "homogenize": lambda device: homogenize(STRUCTURE, conductivity={0: 1.0, 1: 4.0}, device=device),
    "reconstruct": lambda device: reconstruct(STRUCTURE, encoder="filterbank", device=device),
    "library": lambda device: LibraryModel(device=device).fit(LIBRARY),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_unknown_devices_are_refused_in_the_same_words(entry: str) -> None:
    with pytest.raises(InputError, match=r"device 'tpu' is not known; choose auto, cpu or cuda\."):
        ENTRIES[entry]("tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("entry", ENTRIES)
def test_missing_devices_are_refused_in_the_same_words(entry: str) -> None:
    with pytest.raises(ResourceError, match="found no CUDA device"):
        ENTRIES[entry]("cuda")


def test_what_was_chosen_stays() -> None:
    assert chosen_device(torch.device("cpu")) == torch.device("cpu")
    assert chosen_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_cuda_computes_the_same_digits_every_time(monkeypatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    assert chosen_device("cpu").type == "cpu"
    assert not torch.backends.cudnn.deterministic
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert chosen_device("auto").type == chosen_device("cuda").type == "cuda"
    assert torch.backends.cudnn.deterministic


ALGEBRA = """
import hashlib, json
from matlens.core.device import set_threads
set_threads(2)
import numpy, scipy.linalg, threadpoolctl  # scipy has a library of its own, loaded after the number was set
draw = numpy.random.default_rng(0).standard_normal((700, 700))
found = [draw @ draw.T, numpy.linalg.cholesky(draw @ draw.T + 700 * numpy.eye(700)), scipy.linalg.inv(draw)]
threads = [one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"]
print(json.dumps([threads, hashlib.sha256(b"".join(one.tobytes() for one in found)).hexdigest()]))
"""


def test_linear_algebra_has_the_threads_of_torch_whatever_the_environment_says() -> None:
    said = {}
    for asked in ("1", "4"):
        variables = os.environ | {"OPENBLAS_NUM_THREADS": asked, "OMP_NUM_THREADS": asked}
        words = [sys.executable, "-c", ALGEBRA]
        said[asked] = subprocess.run(words, env=variables, capture_output=True, text=True, check=True).stdout
    threads, _ = json.loads(said["1"])
    assert threads
    assert set(threads) == {2}
    assert said["1"] == said["4"]
