"""The study of kills, on one small command: it resumes itself, and finds a byte that differs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import kills

SCRIPT = Path(kills.__file__)

pytestmark = [pytest.mark.end_to_end, pytest.mark.skipif(sys.platform == "win32", reason="no fork on Windows")]


@pytest.mark.nightly
def test_killed_commands_end_with_the_same_bytes(tmp_path):
    asked = ["--cases", "reconstruct_gaussian_field", "--seed", "1", "--out", str(tmp_path)]
    for number in (2, 3):  # the second call goes on with the third kill
        command = [sys.executable, str(SCRIPT), *asked, "--kills", str(number)]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
    rows = [json.loads(line) for line in (tmp_path / "kills.jsonl").read_text().splitlines()]
    assert [row["number"] for row in rows] == [0, 1, 2]
    assert all(row["killed"] for row in rows)
    assert "| all | " in ended.stdout
    assert ended.stdout.rstrip().endswith("3 of 3 |"), ended.stdout


def test_a_byte_that_differs_is_counted():
    row = {"case": "prune", "killed": True, "resumed": 0, "different": [], "leftovers": []}
    made = kills.table([row, row | {"different": ["pruning.csv"]}, row | {"leftovers": [".matlens-0.part"]}])
    assert "| prune | 3 | 0 | 0 | 1 of 3 |" in made


def test_seconds_are_no_bytes_that_count(tmp_path):
    texts = ("depth,error,seconds\n1,0.10,7\n", "depth,error,seconds\n1,0.10,8\n", "depth,error,seconds\n1,0.1,7\n")
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.csv").write_text(text)
    first, second, third = (kills.untimed(tmp_path / f"{number}.csv") for number in range(3))
    assert first == second
    assert first != third  # every other cell counts as it is written
