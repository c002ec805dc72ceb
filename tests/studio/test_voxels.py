"""Volumes for the page: the voxels are those of the file, in its order, and a page that goes away breaks nothing."""

import json
import socket

import numpy as np
import pytest

from matlens.core.settings import read_options
from matlens.errors import InputError
from matlens.microstructure.io import read_image, write_microstructure
from matlens.microstructure.segmentation import CleaningOptions, segment
from matlens.microstructure.structure import Microstructure
from matlens.studio.voxels import UNKNOWN, voxels
from matlens.studio.worker import Pictures


@pytest.fixture
def labels():
    return np.random.default_rng(0).integers(0, 3, (5, 7, 9)).astype(np.uint8)


def test_voxels_are_those_of_the_file_in_its_order(labels, tmp_path):
    file = str(tmp_path / "a.tif")
    write_microstructure(Microstructure(labels, spacing=(2.0, 1.0, 0.5), unit="um"), file)
    found, content = Pictures().answer({"what": "voxels", "file": file})
    assert np.array_equal(np.frombuffer(content, np.uint8).reshape(found["shape"]), labels)
    assert (found["spacing"], found["unit"], found["step"]) == ([2.0, 1.0, 0.5], "um", 1)
    assert [phase["share"] for phase in found["phases"]] == [(labels == phase).mean() for phase in range(3)]


def test_of_a_large_volume_every_nth_voxel_is_sent_and_shares_are_those_of_the_whole(labels, tmp_path):
    np.save(tmp_path / "a.npy", labels)
    found, content = voxels({"file": str(tmp_path / "a.npy"), "most": 4})
    assert (found["step"], found["spacing"]) == (3, [3.0, 3.0, 3.0])
    assert np.array_equal(np.frombuffer(content, np.uint8).reshape(found["shape"]), labels[::3, ::3, ::3])
    assert [phase["share"] for phase in found["phases"]] == [(labels == phase).mean() for phase in range(3)]


def test_masked_voxels_and_grey_volumes(tmp_path):
    grey = np.random.default_rng(1).normal(90, 5, (6, 24, 24)) + 80 * (np.arange(24) // 4 % 2)
    grey[0, :2] = np.nan
    np.save(tmp_path / "g.npy", grey)
    options = {"threshold": "130", "min_object": "3"}
    found, content = voxels({"file": str(tmp_path / "g.npy"), "options": options})
    made = segment(read_image(tmp_path / "g.npy"), read_options(CleaningOptions, options), name="g.npy").microstructure
    assert made.mask is not None
    shown = np.frombuffer(content, np.uint8).reshape(found["shape"])
    assert np.array_equal(shown, np.where(made.mask, made.labels, UNKNOWN))
    assert (shown == UNKNOWN).sum() == 48


@pytest.mark.parametrize("most", [0, -1, "many", None, 2.5])
def test_a_side_that_is_none_is_refused(most, tmp_path):
    np.save(tmp_path / "a.npy", np.eye(4, dtype=np.uint8))
    with pytest.raises(InputError, match="expected a whole number above 0"):
        voxels({"file": str(tmp_path / "a.npy"), "most": most})


def asked(studio, **given):
    return studio.ask("/api/picture", method="POST", body=json.dumps({"what": "voxels", **given}).encode())


@pytest.mark.slow
def test_a_page_that_goes_away_while_voxels_are_sent_breaks_nothing(studio):
    large = np.random.default_rng(0).integers(0, 2, (256, 256, 256)).astype(np.uint8)
    np.save(studio.root / "large.npy", large)
    np.save(studio.root / "small.npy", large[:8, :9, :10])
    body = json.dumps({"what": "voxels", "file": "large.npy"}).encode()
    head = f"POST /api/picture HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nX-MatLens: 1\r\n"
    head += f"Cookie: matlens-{studio.port}={'t' * 43}\r\nOrigin: http://127.0.0.1:{studio.port}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", studio.port), timeout=60) as connection:
        connection.sendall(head.encode() + body)
        assert connection.recv(1 << 12).startswith(b"HTTP/1.1 200")
    status, _, content = asked(studio, file="small.npy")
    assert status == 200
    facts, _, pixels = content.partition(b"\n")
    assert json.loads(facts)["shape"] == [8, 9, 10]
    assert pixels == large[:8, :9, :10].tobytes()
    status, _, content = asked(studio, file="large.npy")
    assert content.partition(b"\n")[2] == large.tobytes()
    np.save(studio.root.parent / "outside.npy", large[:2, :2, :2])
    for file in ("../outside.npy", str(studio.root.parent / "outside.npy"), "none.npy", "", 3):
        status, _, content = asked(studio, file=file)
        assert (status, set(json.loads(content))) == (422, {"error"})
