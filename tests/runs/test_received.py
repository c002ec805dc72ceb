"""A run directory that somebody else made, and links where MatLens writes, reach no file outside."""

import hashlib
import json
import os

import pytest

from matlens.core.atomic import atomic_write
from matlens.errors import RunError
from matlens.runs.directory import RunDirectory
from matlens.runs.manifest import MANIFEST, Manifest, is_inside


@pytest.fixture
def precious(tmp_path):
    """Files of the user beside the run."""
    (tmp_path / "out").mkdir()
    for name in ("thesis.txt", ".matlens-0123456789abcdef.part", "settings.toml"):
        (tmp_path / "out" / name).write_text("precious")
    return tmp_path / "out"


@pytest.fixture
def received(tmp_path, precious):
    """A finished run whose manifests, of this version and of an earlier one, name files of others."""
    with RunDirectory.create(tmp_path / "evil", "compare", {"seed": 0}) as run:
        run.write_text("errors.csv", "theirs")
        run.mark("finished")
    digest = hashlib.sha256(b"precious").hexdigest()
    with open(run.path / MANIFEST, "a") as listing:
        outside = ("../out/thesis.txt", str(precious / "thesis.txt"), ".state/../../out/thesis.txt")
        for name in (*outside, "a\0b", "\ud800"):
            listing.write(json.dumps([name, digest]) + "\n" + json.dumps([name, ""]) + "\n")
        listing.write('not json\n{"a": 1}\n[1, 2]\n["unfinished')
    (run.path / ".state/files.txt").write_text(f"../out/thesis.txt\n{precious / 'thesis.txt'}\n")
    return run.path


def unharmed(folder):
    return {file.name: file.read_text() for file in folder.iterdir()} == dict.fromkeys(
        ("thesis.txt", ".matlens-0123456789abcdef.part", "settings.toml"), "precious"
    )


def test_opening_reporting_replacing_and_discarding_touch_nothing_outside(received, precious):
    with RunDirectory(received) as run:
        assert run.status == "finished"
        run.drop("..")
    for seed in (1, 2):  # the second finds a previous/
        run = RunDirectory.create(received, "compare", {"seed": seed}, force=True)
        assert unharmed(precious)
        run.close()
    run = RunDirectory(received)
    run.discard()
    assert unharmed(precious)
    assert (received / "errors.csv").read_text() == "theirs"


@pytest.mark.parametrize("name", ["../x", "/x", "figures/../../x", "", ".", "a\0b", "linked/x", "\ud800"])
def test_names_that_lead_out_are_refused(tmp_path, precious, name):
    with RunDirectory.create(tmp_path / "run", "compare", {}) as run:
        (run.path / "linked").symlink_to(precious)
        assert not is_inside(run.path, name)
        with pytest.raises(RunError, match="leads out of the run directory"), run.writing(name):
            raise AssertionError
        with pytest.raises(RunError, match="leads out of the run directory"):
            run.remove(name)
    assert unharmed(precious)


def test_links_inside_lead_nowhere_else_and_names_of_folders_are_kept(tmp_path):
    with RunDirectory.create(tmp_path / "run", "compare", {}) as run:
        (run.path / "figures").mkdir()
        (run.path / "drawn").symlink_to("figures")
        run.write_text("drawn/a.csv", "x")
        assert (run.path / "figures/a.csv").read_text() == "x"


@pytest.mark.parametrize("name", ["lock", "files.jsonl"])
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_lock_and_a_manifest_that_are_links_are_refused(received, precious, name, link):
    (received / ".state" / name).unlink()
    link(precious / "thesis.txt", received / ".state" / name)
    for attempt in (lambda: RunDirectory(received), lambda: RunDirectory.create(received, "a", {}, force=True)):
        with pytest.raises(RunError, match=rf"{name} is a link to another file.*remove it"):
            attempt()
    assert unharmed(precious)


@pytest.mark.parametrize("name", [".state", "previous"])
def test_folders_of_our_own_that_are_links_are_refused(tmp_path, received, precious, name):
    if name == ".state":
        (received / ".state").rename(received / "kept")
    (received / name).symlink_to(precious)
    with pytest.raises(RunError, match=f"{name} is a link"):
        RunDirectory.create(received, "compare", {}, force=True)
    assert unharmed(precious)
    assert (received / "errors.csv").read_text() == "theirs"


def test_a_folder_in_previous_that_is_a_link_is_not_followed(received, precious):
    run = RunDirectory.create(received, "compare", {}, force=True)
    (received / "previous" / "figures").symlink_to(precious)
    (received / "figures").symlink_to(precious)
    run.discard()
    assert unharmed(precious)


def test_a_link_in_place_of_a_file_is_replaced_and_not_followed(tmp_path, precious):
    (tmp_path / "a.txt").symlink_to(precious / "thesis.txt")
    with atomic_write(tmp_path / "a.txt") as file:
        file.write(b"new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert not (tmp_path / "a.txt").is_symlink()
    assert unharmed(precious)


def test_temporary_names_cannot_be_guessed_and_new_files_have_usual_rights(tmp_path, monkeypatch):
    names = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda old, new: (names.append(os.path.basename(old)), replace(old, new)))
    before = os.umask(0o027)
    try:
        for _ in range(2):
            with atomic_write(tmp_path / "a.txt") as file:
                file.write(b"x")
    finally:
        os.umask(before)
    assert names[0] != names[1]
    assert not any(str(os.getpid()) in name for name in names)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_a_manifest_outlives_damage(received):
    assert {"settings.toml", "provenance.json", "errors.csv"} == set(Manifest(received))


def test_a_member_named_by_settings_stays_inside(tmp_path, precious):
    from matlens.report.members import work_on_member

    run = RunDirectory.create(tmp_path / "demo", "demo", {"token": "t", "environment": {}, "members": []})
    with pytest.raises(RunError, match="leads out"):
        work_on_member(run, "../out", None, None, None)
    run.close()
    assert unharmed(precious)
