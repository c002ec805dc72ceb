"""The demonstration on a library: members in directories of their own, resumed one by one."""

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from matlens.cli.app import main
from matlens.library.commands.demo import run as demo
from matlens.library.commands.suggest import run as suggesting

pytestmark = pytest.mark.end_to_end


def ended(*arguments):
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code


def test_the_demo_goes_from_table_to_plate_list_and_is_resumed(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "_SAMPLES", 30)
    monkeypatch.setattr(demo, "_MODELS", 4)
    monkeypatch.setattr(Figure, "savefig", lambda self, file, **options: file.write(b"drawn"))
    suggested, calls = suggesting.work, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return suggested(*arguments)

    monkeypatch.setattr(suggesting, "work", interrupted)
    assert ended("library", "demo", "-o", "run") == 130
    learned = Path("run/photoanode/model.json").stat().st_mtime_ns
    assert ended("resume", "run") == 0
    assert Path("run/photoanode/model.json").stat().st_mtime_ns == learned  # what was finished is left alone
    out = capsys.readouterr().out
    assert out.count("photoanode: P (mW/cm2) from composition and spectrum, 4 models") == 1
    assert len(pd.read_csv("run/photoanode-plan/plate.csv")) == 5
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    for name in ("photoanode", "photoanode-insight", "photoanode-plan"):
        assert f'href="{name}/report.html"' in html
    assert "umehara2019analyzing" in html
