"""A page on this machine is open to every web site that its user visits: each way in is tried with raw bytes."""

import json
import random

import pytest


def test_the_link_opens_a_session_whose_cookie_no_script_and_no_other_site_gets(studio):
    status, head, _ = studio.ask(f"/?token={'t' * 43}", Cookie=None)
    assert status == 303
    assert b"location: /\r\n" in head
    assert b"HttpOnly; SameSite=Strict; Path=/" in head
    status, head, content = studio.ask("/")
    assert status == 200
    assert b"<title>MatLens studio</title>" in content
    assert b"default-src 'self'" in head
    assert b"unsafe" not in head
    assert b"nosniff" in head
    assert b"access-control" not in head.lower()


@pytest.mark.parametrize("target", ["/", "/page/main.js", "/api/runs", "/api/events", "/files/secret.csv"])
def test_without_the_token_nothing_is_shown(studio, target):
    (studio.root / "secret.csv").write_text("secret", encoding="utf-8")
    for cookie in (None, f"matlens-{studio.port}=", f"matlens-{studio.port}={'x' * 43}", f"matlens-1={'t' * 43}"):
        status, _, content = studio.ask(target, Cookie=cookie)
        assert status == 403, cookie
        assert b"link that 'matlens studio' printed" in content


@pytest.mark.parametrize("token", ["", "x" * 43, "t" * 42, "t" * 44, "%00", "%ff"])
def test_another_token_opens_nothing(studio, token):
    status, head, _ = studio.ask(f"/?token={token}", Cookie=None)
    assert status == 403
    assert b"set-cookie" not in head.lower()


def test_a_foreign_name_that_leads_to_this_machine_is_refused(studio):
    for host in ("evil.example", f"evil.example:{studio.port}", "127.0.0.1", f"127.0.0.1:{studio.port + 1}", "", None):
        assert studio.ask("/api/runs", Host=host)[0] in (400, 421), host
    assert studio.ask("/api/runs", Host=f"localhost:{studio.port}")[0] == 200
    two = f"GET /api/runs HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nHost: evil.example\r\nConnection: close\r\n"
    two += f"Cookie: matlens-{studio.port}={'t' * 43}\r\n\r\n"
    assert studio.raw(two.encode()).split()[1] in (b"400", b"421")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": None},
        {"X_MatLens": None},
        {"X_MatLens": "2"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Origin": None, "Sec_Fetch_Site": "same-site"},
        {"Origin": None, "Sec_Fetch_Site": "none"},
    ],
)
def test_what_changes_something_comes_from_our_page_alone(studio, headers):
    status, _ = studio.post("/api/start", {"command": "demo", "values": {}}, **headers)
    assert status == 403
    assert not (studio.root / "runs").exists()
    assert studio.post("/api/check", {"command": "demo", "values": {}})[0] == 200
    assert (
        studio.post("/api/check", {"command": "demo", "values": {}}, Origin=None, Sec_Fetch_Site="same-origin")[0]
        == 200
    )


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods_are_refused(studio, method):
    assert studio.ask("/api/runs", method=method)[0] == 405


@pytest.mark.parametrize(
    "name",
    [
        "../outside.csv",
        "%2e%2e/outside.csv",
        "..%2foutside.csv",
        "a/../../outside.csv",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "link.csv",
        "linked/outside.csv",
        "a%00.csv",
        "..%5coutside.csv",
        ".studio/session.json",
        "%2estudio/session.json",
    ],
)
def test_no_name_leads_out_of_the_folder(studio, name):
    (studio.root.parent / "outside.csv").write_text("secret", encoding="utf-8")
    (studio.root / "link.csv").symlink_to(studio.root.parent / "outside.csv")
    (studio.root / "linked").symlink_to(studio.root.parent)
    (studio.root / "a").mkdir()
    (studio.root / ".studio" / "session.json").write_text("secret", encoding="utf-8")
    status, _, content = studio.ask(f"/files/{name}")
    assert status in (400, 403, 404)
    assert b"secret" not in content
    assert b"root:" not in content


def test_a_run_named_by_the_page_lies_in_the_folder(studio):
    outside = studio.root.parent / "run"
    outside.mkdir()
    (outside / "settings.toml").write_text('command = "demo"\nversion = "0"\n', encoding="utf-8")
    for what in ("stop", "resume", "delete"):
        status, said = studio.post(f"/api/{what}", {"run": "../run"})
        assert status == 422
        assert "leads out of the folder" in said["error"]
    assert (outside / "settings.toml").exists()


def test_files_of_the_user_are_shown_and_never_executed(studio):
    (studio.root / "page.html").write_text("<script>alert(1)</script>", encoding="utf-8")
    (studio.root / "page.svg").write_text("<svg/>", encoding="utf-8")
    for name in ("page.html", "page.svg"):
        _, head, _ = studio.ask(f"/files/{name}")
        assert b"sandbox allow-same-origin" in head
        assert b"allow-scripts" not in head
        assert b"default-src 'none'" in head
    (studio.root / "page.js").write_text("alert(1)", encoding="utf-8")
    _, head, _ = studio.ask("/files/page.js")
    assert b"application/octet-stream" in head
    assert b"attachment" in head


@pytest.mark.parametrize("name", ["../up.csv", "..%2fup.csv", "a/b/up.csv", "C:%5cup.csv", ".up.csv", "up.csv%00"])
def test_an_upload_is_a_new_file_of_the_folder_itself(studio, name):
    before = sorted(studio.root.parent.iterdir())
    (studio.root / "up.csv").write_text("mine", encoding="utf-8")
    status, _, content = studio.ask("/api/upload", method="POST", body=b"theirs", X_Name=name)
    assert status == 200, content
    made = studio.root / json.loads(content)["file"]
    assert made.parent == studio.root
    assert made.read_bytes() == b"theirs"
    assert (studio.root / "up.csv").read_text(encoding="utf-8") == "mine"
    assert sorted(studio.root.parent.iterdir()) == before


@pytest.mark.parametrize("name", ["", "..", "%2e%2e", "%00", "x" * 300])
def test_a_name_that_is_none_is_refused(studio, name):
    assert studio.ask("/api/upload", method="POST", body=b"x", X_Name=name)[0] == 422
    assert [file for file in studio.root.iterdir() if file.name != ".studio"] == []


def test_a_body_of_a_gigabyte_is_refused_before_it_is_sent(studio):
    for target in ("/api/upload", "/api/start"):
        assert studio.ask(target, method="POST", Content_Length="1000000000", X_Name="a.csv")[0] == 413
    # Without a length it is counted on the way.
    part = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    status, _, content = studio.ask(
        "/api/start", method="POST", body=part * 17 + b"0\r\n\r\n", Content_Length=None, Transfer_Encoding="chunked"
    )
    assert (status, b"too large" in content) == (413, True)


def test_of_a_thousand_malformed_requests_none_ends_the_server_shows_its_insides_or_leaves_the_folder(studio):
    (studio.root.parent / "outside.csv").write_text("out of bounds", encoding="utf-8")
    draw = random.Random(0)
    head = f"Host: 127.0.0.1:{studio.port}\r\nCookie: matlens-{studio.port}={'t' * 43}\r\n"
    head += f"Origin: http://127.0.0.1:{studio.port}\r\nX-MatLens: 1\r\n"
    places = ["../outside.csv", "/etc/passwd", "a/../../outside.csv", "\0", "", "x" * 5000, "..\\outside.csv"]
    others = [*places, 7, None, {}, [], ["../outside.csv"], True, 10**30]

    def sent(content: bytes, *, whole: bool = False) -> None:
        answer = studio.raw(content, whole=whole)
        for word in (b"Traceback", b"out of bounds", b"root:", b"HTTP/1.1 500", b"the studio failed"):
            assert word not in answer, (content, answer)

    for _ in range(400):  # a good request with some bytes changed
        body = b'{"command": "segment", "values": {"a":1}}'
        content = bytearray(f"POST /api/start HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        for _ in range(draw.randrange(1, 6)):
            place = draw.randrange(len(content))
            content[place : place + draw.randrange(1, 4)] = draw.randbytes(draw.randrange(3))
        sent(bytes(content))
    for _ in range(100):
        sent(draw.randbytes(200))
    for _ in range(400):  # well-formed, with values of any kind, and paths that lead out
        what = draw.choice(["start", "check", "stop", "resume", "delete", "mask", "x"])
        names = ["command", "values", "run", "file", "before", "runs", "rows", "columns", "step", "at_once"]
        given = {name: draw.choice(others) for name in draw.sample(names, 5)}
        if draw.random() < 0.5:
            values = {"file": draw.choice(others), "mask": draw.choice(places)}
            given = {**given, "command": "segment", "values": values}
        body = json.dumps(given).encode()
        # The server closes after its answer; one whose client has closed may never be sent.
        end = f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        sent(f"POST /api/{what} HTTP/1.1\r\n{head}{end}".encode() + body, whole=True)
    for _ in range(100):  # names of files, with some letters written as numbers, once or twice
        name = str(draw.choice(places)).replace("\0", "%00")
        letters = "".join(f"%{ord(letter):02x}" if draw.random() < 0.3 else letter for letter in name)
        target = draw.choice(["/files/", "/page/", "/api/run?run="]) + letters.replace("%", draw.choice(["%", "%25"]))
        sent(f"GET {target} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode(), whole=True)
    assert studio.get("/api/runs") == []
    assert sorted(path.name for path in studio.root.parent.iterdir()) == ["folder", "outside.csv"]
    assert (studio.root.parent / "outside.csv").read_text(encoding="utf-8") == "out of bounds"
    assert [path.name for path in studio.root.iterdir()] == [".studio"]


@pytest.mark.parametrize(
    "given",
    [
        [],
        "x",
        None,
        {},
        {"command": 1},
        {"command": "demo"},
        {"command": "demo", "values": {"seed": {}}},
        {"command": "x", "values": {}},
    ],
)
def test_a_request_of_another_shape_is_one_sentence(studio, given):
    status, said = studio.post("/api/start", given)
    assert status in (400, 422)
    assert said["error"].count("\n") == 0
    deep = b"[" * 100_000
    assert studio.ask("/api/start", method="POST", body=deep)[0] == 400
