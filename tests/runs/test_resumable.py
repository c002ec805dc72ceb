"""A map whose results are files ends the same however often it was stopped."""

import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from matlens.errors import RunError
from matlens.hooks import Silent
from matlens.runs.codecs import ARRAYS, DATASET, JSON, TABLE, read_value, table_codec, write_value
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each, once

ITEMS = {name: number for number, name in enumerate(["delta", "alpha", "charlie", "bravo"])}


@pytest.fixture
def run(tmp_path):
    with RunDirectory.create(tmp_path / "run", "learn", {}) as run:
        yield run


class Maker:
    """Squares numbers, and is interrupted at the asked call."""

    def __init__(self, stop_at=None):
        self.made, self._stop_at = [], stop_at

    def __call__(self, number):
        if len(self.made) + 1 == self._stop_at:
            raise KeyboardInterrupt
        self.made.append(number)
        return number**2


def test_results_come_in_the_order_of_the_items_and_are_made_once(run):
    maker = Maker()
    found = each(run, "square", ITEMS, maker, JSON)
    assert list(found.items()) == [("delta", 0), ("alpha", 1), ("charlie", 4), ("bravo", 9)]
    other = {name: ITEMS[name] for name in sorted(ITEMS)}
    assert list(each(run, "square", other, maker, JSON).values()) == [1, 9, 4, 0]
    assert maker.made == [0, 1, 2, 3]


def test_an_interrupt_keeps_what_is_done_and_only_the_rest_is_made(run):
    first, second = Maker(stop_at=3), Maker()
    with pytest.raises(KeyboardInterrupt):
        each(run, "square", ITEMS, first, JSON)
    assert sorted(file.name for file in (run.path / ".state/square").iterdir()) == ["alpha.json", "delta.json"]
    assert list(each(run, "square", ITEMS, second, JSON).values()) == [0, 1, 4, 9]
    assert (first.made, second.made) == ([0, 1], [2, 3])


DRIVER = """
import os, signal, sys
from matlens.runs.codecs import ARRAYS
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each
import numpy as np

def make(number):
    if number == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return {"x": np.random.default_rng(number).random(3)}

with RunDirectory(sys.argv[1]) as run:
    each(run, "draw", {f"item_{number}": number for number in range(5)}, make, ARRAYS)
"""


def drawn(folder, *stops):
    RunDirectory.create(folder, "learn", {}).close()
    for stop in (*stops, -1):
        ended = subprocess.run([sys.executable, "-c", DRIVER, str(folder), str(stop)], capture_output=True, text=True)
        assert ended.returncode == (0 if stop < 0 else -signal.SIGKILL), ended.stderr
    return {file.name: file.read_bytes() for file in (folder / ".state/draw").iterdir()}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL on Windows")
def test_a_kill_costs_one_item_and_changes_no_byte(tmp_path):
    assert drawn(tmp_path / "parts", 0, 3, 4) == drawn(tmp_path / "whole")


def test_named_files_are_results_of_the_run_and_stay(run):
    each(run, "square", {"0": 3}, Maker(), JSON, file="square_{}.json")
    each(run, "cube", {"0": 3}, Maker(), JSON)
    run.drop("square")
    assert (run.path / "square_0.json").is_file()
    run.drop("cube")
    assert not (run.path / ".state/cube/0.json").exists()


def test_dropping_one_key_leaves_another_that_begins_alike(run):
    each(run, "cube", {"0": 3}, Maker(), JSON)
    each(run, "cube_root", {"0": 3}, Maker(), JSON)
    run.drop("cube")
    assert (run.path / ".state/cube_root/0.json").is_file()


def test_progress_begins_with_what_is_there_and_ends_on_an_interrupt(run):
    class Watch(Silent):
        def __init__(self):
            self.calls = []

        def begin(self, total, label):
            self.calls.append((total, label))

        def update(self, done, text=""):
            self.calls.append((done, text))

        def end(self):
            self.calls.append("end")

    first, second = Watch(), Watch()
    with pytest.raises(KeyboardInterrupt):
        each(run, "square", ITEMS, Maker(stop_at=3), JSON, progress=first, label="squares")
    each(run, "square", ITEMS, Maker(), JSON, progress=second)
    assert first.calls == [(4, "squares"), (0, "delta"), (1, "alpha"), (2, "charlie"), "end"]
    assert second.calls == [(4, "square"), (2, "charlie"), (3, "bravo"), (4, ""), "end"]


def test_once_makes_and_then_reads(run):
    maker = Maker()
    assert [once(run, "nine.json", lambda: maker(3), JSON) for _ in range(2)] == [9, 9]
    assert maker.made == [3]


def test_tables_keep_every_digit(run):
    random = np.random.default_rng(0)
    table = pd.DataFrame({"name": ["a", "b,c"] * 500, "n": range(1000), "x": random.random(1000) * 10.0**-7})
    write_value(run, "table.csv", table, TABLE)
    pd.testing.assert_frame_equal(read_value(run, "table.csv", TABLE), table, check_exact=True)


def test_a_table_may_have_a_reader_of_its_own(run):
    codec = table_codec(lambda path: pd.read_csv(path, dtype={"sample": str}))
    write_value(run, "table.csv", pd.DataFrame({"sample": ["0001"]}), codec)
    assert read_value(run, "table.csv", codec)["sample"].tolist() == ["0001"]


def test_arrays_datasets_and_json_come_back_as_they_were(run):
    arrays = {"x": np.arange(3, dtype=np.float32), "name": np.array("pore"), "done": np.array(True)}
    write_value(run, "a.npz", arrays, ARRAYS)
    back = read_value(run, "a.npz", ARRAYS)
    assert {name: (value.dtype, value.tolist()) for name, value in back.items()} == {
        name: (value.dtype, value.tolist()) for name, value in arrays.items()
    }
    dataset = xr.Dataset({"x": ("r", np.random.default_rng(0).random(9), {"units": "um"})}, attrs={"title": "t"})
    write_value(run, "a.nc", dataset, DATASET)
    xr.testing.assert_identical(read_value(run, "a.nc", DATASET), dataset)
    value = {"unit": "µm", "values": [0.1, 1e-17, None, True], "inner": {"n": 3}}
    write_value(run, "a.json", value, JSON)
    assert read_value(run, "a.json", JSON) == value


@pytest.mark.parametrize(
    ("codec", "value", "damage"),
    [
        (ARRAYS, {"x": np.arange(500)}, lambda content: content[:300]),
        (DATASET, xr.Dataset({"x": ("r", np.arange(500.0))}), lambda content: content[:300]),
        (JSON, {"n": 3}, lambda content: content[:-3]),
        (TABLE, pd.DataFrame({"x": [1, 2]}), lambda content: b""),
    ],
)
def test_a_damaged_file_of_an_item_is_said_with_what_to_do(run, codec, value, damage):
    found = each(run, "item", {"first": 0}, lambda _: value, codec)
    file = run.path / f".state/item/first{codec.suffix}"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(
        RunError, match=r"first\.\w+ cannot be read .*remove it and go on with 'matlens resume"
    ) as error:
        dict(found)
    assert str(file) in str(error.value)
    file.unlink()
    assert list(each(run, "item", {"first": 0}, lambda _: value, codec)) == ["first"]  # as the sentence says
