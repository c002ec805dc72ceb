import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from matlens import InputError, ResourceError
from matlens.core import registry
from matlens.core.registry import Entry, RegisteredFile, entries, fetch, locate, sha256_of


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=partial(http.serve_forever, 0.02), daemon=True).start()
    yield folder, f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()


@pytest.fixture(autouse=True)
def _no_data_folder(request, monkeypatch):
    if "data_dir" not in request.fixturenames:
        monkeypatch.delenv("MATLENS_DATA", raising=False)


def register(monkeypatch, *files):
    table = {"thing": Entry("thing", "a thing", "1 B", "CC0", "a server", "@misc{x}", files)}
    monkeypatch.setattr(registry, "entries", lambda: table)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def test_every_entry_says_where_from_what_and_whose():
    for entry in entries().values():
        assert entry.licence
        assert entry.description
        assert entry.source.startswith("https://")
        assert entry.size.endswith(" MB")
        assert entry.citation.startswith("@")
        for file in entry.files:
            assert all(url.startswith("https://") for url, _ in file.sources)
            assert all(len(sha) in (8, 64) for sha in (file.sha256, *(sha for _, sha in file.sources)))


def test_a_file_is_fetched_once(tmp_path, monkeypatch, server):
    folder, address = server
    (folder / "up.bin").write_bytes(b"content")
    sha = digest(b"content")
    register(monkeypatch, RegisteredFile("down.bin", sha, ((f"{address}/up.bin", sha),)))
    cache = tmp_path / "cache"
    assert locate("thing", cache=cache) is None
    assert fetch("thing", cache=cache) == [cache / "down.bin"]
    (folder / "up.bin").unlink()
    assert fetch("thing", cache=cache)[0].read_bytes() == b"content"
    assert locate("thing", cache=cache) == locate("down.bin", cache=cache) == cache / "down.bin"
    assert [path.name for path in cache.iterdir()] == ["down.bin"]


def test_what_comes_with_another_hash_is_not_kept(tmp_path, monkeypatch, server):
    folder, address = server
    (folder / "up.bin").write_bytes(b"other")
    register(monkeypatch, RegisteredFile("down.bin", "0" * 64, ((f"{address}/up.bin", "0" * 64),)))
    with pytest.raises(ResourceError, match=f"{digest(b'other')} and should be 0000"):
        fetch("thing", cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("path", ["/missing", None])
def test_no_network_is_one_quick_sentence(tmp_path, monkeypatch, server, path):
    url = server[1] + path if path else "http://127.0.0.1:9/closed"
    register(monkeypatch, RegisteredFile("down.bin", "0" * 64, ((url, "0" * 64),)))
    with pytest.raises(ResourceError, match=r"connect to a network.*MATLENS_DATA"):
        fetch("thing", cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_several_files_share_a_folder(tmp_path, monkeypatch):
    files = [RegisteredFile(name, digest(name.encode()), (("https://x", "0" * 64),)) for name in ("a", "b")]
    register(monkeypatch, *files)
    data = tmp_path / "data" / "sub"
    data.mkdir(parents=True)
    (data / "a").write_bytes(b"a")
    monkeypatch.setenv("MATLENS_DATA", str(tmp_path / "data"))
    assert locate("thing", cache=tmp_path) is None
    (data / "b").write_bytes(b"b")
    assert locate("thing", cache=tmp_path) == data
    (data / "b").write_bytes(b"damaged")
    with pytest.raises(ResourceError, match=digest(b"damaged")):
        locate("thing", cache=tmp_path)


def test_unknown_names_list_the_known_ones():
    for call in (locate, fetch):
        with pytest.raises(InputError, match="li2018, vgg19-oxford, vgg19-torchvision"):
            call("resnet")


def test_a_shard_of_another_size_is_an_error():
    from matlens.core.vgg19_shards import join_shards

    with pytest.raises(ResourceError, match="3 bytes"):
        join_shards([b"123"] * 8)


def test_the_registered_data_are_at_hand(data_dir, tmp_path):
    assert locate("li2018", cache=tmp_path) == data_dir / "micrographs"
    weights = locate("vgg19-oxford", cache=tmp_path)
    assert sha256_of(weights) == entries()["vgg19-oxford"].files[0].sha256
    assert fetch("li2018", cache=tmp_path)[0].name == "li2018_alloy.npy"


def test_shards_become_the_registered_file(data_dir, tmp_path):
    """Undo the conversion of the file at hand, redo it, and ask for the same bytes."""
    from safetensors.numpy import load_file

    from matlens.core.vgg19_shards import join_shards

    path = locate("vgg19-oxford", cache=tmp_path)
    tensors = load_file(path)
    shards = []
    for index in (0, 2, 5, 7, 10, 12, 14, 16):
        weight = tensors[f"features.{index}.weight"].transpose(2, 3, 1, 0)
        bias = tensors[f"features.{index}.bias"]
        shards.append(np.ascontiguousarray(weight).tobytes() + bias.tobytes())
    content = join_shards(shards)
    whole = path.read_bytes()
    first = 256 + 6912  # bias and weight of the first convolution, which takes up the other input
    header = 8 + int.from_bytes(whole[:8], "little")
    assert content[:header] == whole[:header]
    assert content[header + first :] == whole[header + first :]
