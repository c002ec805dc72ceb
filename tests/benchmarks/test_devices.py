"""No tensor is made on the wrong device, on all ways that `benchmarks/gpu.py` goes.

They are gone on a device that computes on the processor and refuses what CUDA would refuse; each test has a process of
its own, since a device stays known to torch for good.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from torch.utils import backend_registration

pytestmark = pytest.mark.skipif(
    not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"),
    reason="this version of torch knows no devices that are written in Python",
)
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SECTIONS = (
    pytest.param("encoders", marks=pytest.mark.slow),
    pytest.param("matching", marks=pytest.mark.slow),
    pytest.param("homogenisation", marks=[pytest.mark.slow, pytest.mark.nightly]),
    pytest.param("property_models", marks=pytest.mark.slow),
    pytest.param("libraries", marks=[pytest.mark.slow, pytest.mark.nightly]),
)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=BENCHMARKS, env=environment, capture_output=True, text=True
    )


def test_the_device_refuses_what_cuda_refuses() -> None:
    done = run("-m", "doctest", "simulated_device.py")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("section", SECTIONS)
def test_every_check_passes_on_a_device_apart_from_the_processor(section, tmp_path) -> None:
    path = tmp_path / "rows"
    done = run("gpu.py", "--child", section, path, "--device", "simulated", "--small")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert rows
    assert [row for row in rows if not row["passed"]] == []
