"""Figures as PDF: those of the run and of no other place, drawn by a child whose sentence is passed on."""

import os
import subprocess

import pytest

from matlens.errors import InputError, RunError
from matlens.studio import printing
from matlens.studio.folder import Folder


@pytest.fixture
def folder(tmp_path):
    figures = tmp_path / "folder" / "runs" / "a" / "figures"
    figures.mkdir(parents=True)
    (figures / "curves.png").write_bytes(b"PNG")
    (tmp_path / "secret.png").write_bytes(b"PNG")
    (tmp_path / "secret.pdf").write_bytes(b"%PDF")
    return Folder(tmp_path / "folder")


def drawing(monkeypatch, made, returncode=0, stderr=""):
    """Stand in for the child: it writes the file, or ends with a sentence."""
    lines = []

    def run(line, **given):
        lines.append(line)
        if made is not None:
            made.write_bytes(b"%PDF")
        return subprocess.CompletedProcess(line, returncode, "", stderr)

    monkeypatch.setattr(printing.subprocess, "run", run)
    return lines


def test_a_pdf_is_drawn_once_and_again_when_the_figure_is_newer(folder, monkeypatch):
    place = folder.root / "runs" / "a" / "figures"
    lines = drawing(monkeypatch, place / "curves.pdf")
    for _ in range(2):
        assert printing.pdf_of(folder, "runs/a", "curves") == "runs/a/figures/curves.pdf"
    assert [line[3:] for line in lines] == [["report", "runs/a", "--pdf", "--quiet"]]
    later = (place / "curves.pdf").stat().st_mtime + 10
    os.utime(place / "curves.png", (later, later))
    printing.pdf_of(folder, "runs/a", "curves")
    assert len(lines) == 2


@pytest.mark.parametrize("figure", ["none", "..", "../curves", "../../../../secret", "/etc/passwd", "a b", "x\n"])
def test_a_figure_that_is_none_is_refused_before_anything_is_drawn(folder, monkeypatch, figure):
    lines = drawing(monkeypatch, None)
    with pytest.raises(InputError, match=r"runs/a has no figure .*; choose one that its report shows\."):
        printing.pdf_of(folder, "runs/a", figure)
    assert lines == []
    with pytest.raises(InputError, match="leads out of the folder"):
        printing.pdf_of(folder, "../..", "secret")


def test_what_the_child_says_is_passed_on(folder, monkeypatch):
    drawing(monkeypatch, None, 2, "matlens: runs/a is locked by another process; wait for it.\n")
    with pytest.raises(RunError, match=r"^runs/a is locked by another process; wait for it\.$"):
        printing.pdf_of(folder, "runs/a", "curves")
    drawing(monkeypatch, None)
    with pytest.raises(RunError, match=r"could not be drawn; try 'matlens report runs/a --pdf'"):
        printing.pdf_of(folder, "runs/a", "curves")


def test_the_server_draws_figures_of_its_own_runs_alone(studio):
    for run in ("../run", "none", ""):
        status, said = studio.post("/api/pdf", {"run": run, "figure": "curves"})
        assert (status, list(said)) == (422, ["error"])
