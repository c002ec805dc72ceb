"""The border of the studio's server: who may ask for what, and what a page may load.

A page that listens on this machine can be reached by every web site that the user visits. So each request must name
this server as its host (a foreign name that resolves to this machine does not), carry the session's cookie, and, where
it changes something, come from our own page.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

__all__ = ["HEADER", "Guard", "TooLarge", "new_token"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADER = b"x-matlens"
"""Header of each request that changes something: a foreign page cannot send it without asking first."""

_POLICY = (
    b"default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; object-src 'none'; "
    b"frame-src 'self'"
)
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_LOST = "this page needs the link that 'matlens studio' printed in the terminal; open it, or start the command again."


class Guard:
    """ASGI application that lets only requests of our own page through to another one.

    Parameters
    ----------
    app : callable
        The application behind it.
    port : int
        Port that the server listens on.
    token : str
        Secret of the link, which opens a session.
    upload_limit : int
        Largest body of an upload in bytes.
    body_limit : int
        Largest body of any other request in bytes.

    Examples
    --------
    >>> guard = Guard(print, port=8000, token="secret")
    >>> sorted(guard.hosts)
    [b'127.0.0.1:8000', b'[::1]:8000', b'localhost:8000']
    """

    def __init__(
        self, app: App, *, port: int, token: str, upload_limit: int = 1 << 29, body_limit: int = 1 << 20
    ) -> None:
        self._app, self._token = app, token
        self.hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost", "[::1]")}
        # Browsers send a cookie to every port of a host, so each studio has a name of its own.
        self.cookie = f"matlens-{port}"
        self._limits = (body_limit, upload_limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        if scope["type"] != "http":
            raise RuntimeError("the studio speaks HTTP only")
        headers = scope["headers"]
        refusal = self._refusal(scope, headers)
        if refusal is None and self._opens(scope):
            await _answer(send, 303, "", self._session(scope))
        elif refusal is not None:
            await _answer(send, *refusal)
        else:
            limit = self._limits[scope["path"] == "/api/upload"]
            await self._app(scope, _limited(receive, limit), _covered(send))

    def _refusal(self, scope: Scope, headers: list[tuple[bytes, bytes]]) -> tuple[int, str] | None:
        """The status and the sentence of a request that does not come from our page; None for one that does."""
        hosts = _all(headers, b"host")
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return 421, "this server answers to 127.0.0.1, localhost and [::1] with its own port only."
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405, f"found the method {scope['method'][:20]}; the studio knows GET and POST."
        if not (self._opens(scope) or self._known(headers)):
            return 403, _LOST
        if scope["method"] == "POST":
            return self._foreign(headers, hosts[0]) or self._too_large(scope, headers)
        return None

    def _opens(self, scope: Scope) -> bool:
        """Whether it is the link that opens a session."""
        if scope["path"] != "/" or scope["method"] != "GET":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _session(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        cookie = f"{self.cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"
        return [(b"location", b"/"), (b"set-cookie", cookie.encode())]

    def _known(self, headers: list[tuple[bytes, bytes]]) -> bool:
        parts = b";".join(_all(headers, b"cookie")).split(b";")
        given = dict(part.strip().partition(b"=")[::2] for part in parts)
        return hmac.compare_digest(given.get(self.cookie.encode(), b""), self._token.encode())

    def _foreign(self, headers: list[tuple[bytes, bytes]], host: bytes) -> tuple[int, str] | None:
        origins, sites = _all(headers, b"origin"), _all(headers, b"sec-fetch-site")
        ours = origins == [b"http://" + host] if origins else sites == [b"same-origin"]
        if not ours or sites not in ([], [b"same-origin"]) or _all(headers, HEADER) != [b"1"]:
            return 403, "this request does not come from the studio's own page."
        return None

    def _too_large(self, scope: Scope, headers: list[tuple[bytes, bytes]]) -> tuple[int, str] | None:
        limit = self._limits[scope["path"] == "/api/upload"]
        lengths = _all(headers, b"content-length")
        if lengths and not (lengths[0].isdigit() and int(lengths[0]) <= limit):
            return 413, f"the studio takes at most {limit / 1e6:.0f} MB; copy a larger file into the folder itself."
        return None


class TooLarge(Exception):
    """A body without a length turned out to be too large."""


def _all(headers: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]


def _limited(receive: Receive, limit: int) -> Receive:
    """Count the body while it arrives: its length may not be given, or be wrong."""
    left = limit

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise TooLarge
        return message

    return counted


def _covered(send: Send) -> Send:
    """Add the headers that hold on every answer; files of the user come with a stricter policy of their own."""

    async def covered(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", []))
            policy = [] if _all(given, b"content-security-policy") else [(b"content-security-policy", _POLICY)]
            message = {**message, "headers": [*given, *_ALWAYS, *policy]}
        await send(message)

    return covered


async def _answer(send: Send, status: int, sentence: str, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    body = json.dumps({"error": sentence}).encode() if status != 403 else f"matlens: {sentence}\n".encode()
    kind = b"application/json" if status != 403 else b"text/plain; charset=utf-8"
    # The rest of a body that is refused is not read: the connection ends.
    more = [(b"content-type", kind), (b"connection", b"close"), *(headers or [])]
    covered = _covered(send)
    await covered({"type": "http.response.start", "status": status, "headers": more})
    await covered({"type": "http.response.body", "body": body})


def new_token() -> str:
    """Draw the secret of a link: 256 bits.

    Returns
    -------
    str
        Letters and digits that a URL may hold.

    Examples
    --------
    >>> len(new_token())
    43
    """
    return secrets.token_urlsafe(32)
