"""The demonstration: members in directories of their own, resumed one by one; the engine is a stand-in here."""

import os
import signal

import numpy as np
import pandas as pd
import pytest

from matlens.cli.app import main
from matlens.microstructure.commands import judging
from matlens.microstructure.commands.demo import run as steps
from matlens.microstructure.reconstruction import Plan, Reconstruction
from matlens.runs.directory import RunDirectory

pytestmark = pytest.mark.end_to_end


class Engine:
    """Hands back a corner of the exemplar, and counts how often it is asked."""

    def __init__(self):
        self.asked = 0
        self.stop_at = 0

    def run(self, plan, checkpoint):
        self.asked += 1
        if self.asked == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        corner = plan.exemplars[0].crop(*(slice(0, side) for side in plan.shape))
        checkpoint.finish("realisation_0", {"labels": corner.labels, "loss": np.ones(3)})
        columns = {
            "realisation": 0,
            "level": "full size",
            "evaluation": [1, 2],
            "total": [2.0, 1.0],
            "gram": [2.0, 1.0],
        }
        fractions = corner.volume_fractions[None]
        history = pd.DataFrame(columns)
        return Reconstruction(
            (corner,), history, fractions, fractions, plan.settings, (), ("done",), (2,), (0.1,), (0,)
        )


@pytest.fixture
def engine(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(steps, "DEMO", {name: f"problem:{name}" for name in ("gravel", "bicontinuous")})
    stand_in = Engine()
    monkeypatch.setattr(Plan, "run", lambda plan, progress, checkpoint, failed=None: stand_in.run(plan, checkpoint))
    quick = judging.compare
    monkeypatch.setattr(judging, "compare", lambda *a, **o: quick(*a, **o, controls=False, copying=False))
    return stand_in


def ended(*arguments):
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code


def test_demo_writes_one_report_over_its_members(engine, capsys, tmp_path):
    assert ended("demo", "-o", "run") == 0
    out = capsys.readouterr().out
    assert out.rstrip().endswith("run/report.html")
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    for name in ("gravel", "bicontinuous"):
        assert f'href="{name}/report.html"' in html
        assert (tmp_path / "run" / name / "realisation_0.npy").is_file()
        assert (tmp_path / "run" / name / "report.html").is_file()


def test_demo_resumes_where_it_stopped_and_force_starts_again(engine, capsys, tmp_path):
    engine.stop_at = 2
    assert ended("demo", "-o", "run") == 130
    assert "matlens resume run" in capsys.readouterr().err.splitlines()[-1]
    engine.stop_at = 0
    assert ended("resume", "run") == 0
    assert engine.asked == 3  # the first member was not made again
    assert ended("demo", "-o", "run", "--force", "--seed", "7") == 0
    assert engine.asked == 5
    with RunDirectory(tmp_path / "run" / "gravel") as run:
        assert run.settings["options"]["seed"] == 7


def test_a_member_that_fails_is_listed_and_the_others_are_done(engine, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(steps, "DEMO", {"gravel": "problem:gravel", "broken": str(tmp_path / "broken.png")})
    (tmp_path / "broken.png").write_bytes(b"\x89PNG broken")
    assert ended("demo", "-o", "run") == 1
    said = capsys.readouterr()
    assert "broken failed: " in said.err
    assert said.out.rstrip().endswith("run/report.html")
    assert (tmp_path / "run" / "gravel" / "report.html").is_file()
    with RunDirectory(tmp_path / "run") as run:
        assert (run.status, list(run.failed)) == ("finished", ["broken"])


def test_a_demonstration_of_which_nothing_is_left_fails(engine, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(steps, "DEMO", {"broken": str(tmp_path / "broken.png")})
    (tmp_path / "broken.png").write_bytes(b"\x89PNG broken")
    assert ended("demo", "-o", "run") == 2
    assert "no micrograph could be reconstructed" in capsys.readouterr().err


def test_demo_paper_says_what_is_missing(engine, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("MATLENS_DATA", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert ended("demo", "--paper") == 2
    assert "matlens fetch li2018" in capsys.readouterr().err
