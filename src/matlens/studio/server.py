"""The studio's server: what the page asks for, and answers from files."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from importlib import resources
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from matlens.core.atomic import TEMPORARY
from matlens.errors import InputError, MatlensError, RunError
from matlens.runs.command import Command
from matlens.studio.children import Children
from matlens.studio.folder import Folder
from matlens.studio.forms import (
    checked,
    command_line,
    form_of,
    python_of,
    shown_line,
    values_of,
    with_own_paths,
)
from matlens.studio.guard import Guard, TooLarge, new_token
from matlens.studio.inputs import listed_inputs
from matlens.studio.painted import is_painted
from matlens.studio.printing import pdf_of
from matlens.studio.run_list import RunList
from matlens.studio.warm import Warm

__all__ = ["Studio", "http_server", "serve"]

_EVERY = 1.0  # seconds between two looks at the runs, while a page listens
_DEMO = "demo_volume.tif"
_PATIENCE = 15  # looks without news, after which a sign of life is sent
# Files of the user are shown, never executed: a report has no scripts, and a page of somebody else may not have any.
_FILE_POLICY = (
    "sandbox allow-same-origin allow-popups allow-downloads; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; font-src data:; frame-ancestors 'self'"
)
_ENDING = 10  # seconds
_PIECE = 1 << 18  # bytes
_SHOWN_AS = {".html": "text/html", ".png": "image/png", ".pdf": "application/pdf", ".svg": "image/svg+xml"}
_TEXTS = {".csv", ".toml", ".json", ".txt", ".bib", ".log"}
_MODULES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


class Studio:
    """Answers of the server; a method for each thing that the page may ask for.

    Parameters
    ----------
    folder : Folder
        The folder that it works in.
    commands : sequence of Command
        The commands that the page offers.
    """

    def __init__(self, folder: Folder, commands: Sequence[Command]) -> None:
        self.folder = folder
        self._commands = {command.name: command for command in commands}
        self._children = Children(folder)
        self._runs = RunList(folder, self._children)
        self._warm = Warm()
        self._checker = Warm(idle=0, module="matlens.studio.library_checks")
        self._page = {
            entry.name: (entry.read_bytes(), _MODULES["." + entry.name.rpartition(".")[2]])
            for entry in (resources.files("matlens.studio") / "page").iterdir()
            if entry.name.rpartition(".")[2] in ("js", "css", "html", "svg")
        }

    def application(self) -> Starlette:
        """Make the application.

        Returns
        -------
        Starlette
            It has no guard of its own: see `matlens.studio.guard.Guard`.
        """
        asked = {
            "commands": self._forms,
            "runs": lambda given: self._runs.all(),
            "run": self._run,
            "inputs": lambda given: listed_inputs(self.folder),
        }
        done = {
            "check": self._check,
            "start": self._start,
            "stop": self._stop,
            "resume": self._resume,
            "delete": self._delete,
            "pdf": self._pdf,
        }
        routes = [Route("/", self._module, methods=["GET"]), Route("/page/{name}", self._module, methods=["GET"])]
        routes += [Route(f"/api/{name}", _answering(make), methods=["GET"]) for name, make in asked.items()]
        routes += [Route(f"/api/{name}", _answering(make), methods=["POST"]) for name, make in done.items()]
        routes += [
            Route("/api/events", self._events, methods=["GET"]),
            Route("/api/upload", self._upload, methods=["POST"]),
            Route("/api/picture", self._picture, methods=["POST"]),
            Route("/api/mask", self._mask, methods=["POST"]),
            Route("/api/demo", self._demo, methods=["POST"]),
            Route("/api/library", self._library, methods=["POST"]),
            Route("/files/{path:path}", self._file, methods=["GET"]),
        ]
        return Starlette(routes=routes, exception_handlers={404: _unknown, 405: _unknown, Exception: _failed})

    async def _module(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in self._page:
            return _refused(404, f"the page has no file {name[:60]!r}.")
        content, kind = self._page[name]
        mark = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"etag": mark, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == mark:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=kind, headers=headers)

    def _forms(self, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [form_of(command) for command in self._commands.values()]

    def _run(self, given: Mapping[str, Any]) -> dict[str, Any]:
        found = self._runs.one(_text(given, "run"))
        command = self._commands.get(found.get("command", ""))
        options = found.pop("options", None)
        if command is not None and isinstance(options, dict):
            found["values"] = values = with_own_paths(values_of(command, options), self.folder)
            found["line"] = shown_line(command_line(command, values))
        return found

    def _check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        command, values = self._asked(given)
        _, errors = checked(command, values, self.folder)
        python = "" if errors else python_of(command, values)
        return {"errors": errors, "line": shown_line(command_line(command, values)), "python": python}

    def _start(self, given: Mapping[str, Any]) -> dict[str, Any]:
        command, values = self._asked(given)
        _, errors = checked(command, values, self.folder)
        if errors:
            return {"errors": errors}
        return {"run": self._children.start(command.name, command_line(command, values))}

    def _asked(self, given: Mapping[str, Any]) -> tuple[Command, dict[str, Any]]:
        name, values = _text(given, "command"), given.get("values")
        if name not in self._commands:
            raise InputError(f"there is no command {name[:40]!r}; choose one of {', '.join(self._commands)}.")
        if not isinstance(values, dict) or not all(isinstance(value, str | bool | list) for value in values.values()):
            raise InputError("found no table of values; send a text, a list of texts or true by name of the option.")
        return self._commands[name], values

    def _stop(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._children.stop(_text(given, "run"), at_once=given.get("at_once") is True)
        return {}

    def _resume(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._children.resume(self._existing(given))
        return {}

    def _delete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        run = _text(given, "run")
        state = self._runs.one(run)["state"]
        if state in ("running", "starting"):
            raise RunError(f"{run} is being worked on; stop it before you delete it.")
        if state == "gone":
            raise InputError(f"there is no run {run[:80]!r}.")
        place = "" if state == "refused" else self.folder.discard(self.folder.path(run))
        self._children.forget(run)
        return {"place": place}

    def _pdf(self, given: Mapping[str, Any]) -> dict[str, Any]:
        run = self._existing(given)
        over = time.monotonic() + _ENDING  # the report of a run is there before its process has ended
        while self._children.working_on(run):
            if time.monotonic() > over:
                raise RunError(f"{run} is being worked on; its figures are drawn when it has finished.")
            time.sleep(0.1)
        return {"file": pdf_of(self.folder, run, _text(given, "figure"))}

    def _existing(self, given: Mapping[str, Any]) -> str:
        run = _text(given, "run")
        if self._runs.one(run)["state"] in ("gone", "refused", "starting"):
            raise InputError(f"there is no run {run[:80]!r} to go on with.")
        return run

    async def _upload(self, request: Request) -> Response:
        """Write a body to a new file of the folder; it has its name only when it is whole."""
        try:
            place = self.folder.place_for(unquote(request.headers.get("x-name", "")))
        except InputError as error:
            return _refused(422, str(error))
        hidden = place.with_name(TEMPORARY.replace("?" * 16, os.urandom(8).hex()))
        try:
            with open(hidden, "xb") as file:
                async for part in request.stream():
                    file.write(part)
            os.link(hidden, place) if hasattr(os, "link") else os.replace(hidden, place)
        except TooLarge:
            return _refused(413, "the file is too large to be sent; copy it into the folder itself.")
        except OSError as error:
            return _refused(422, f"{place.name} cannot be written ({error.strerror or error}); free some space.")
        finally:
            hidden.unlink(missing_ok=True)
        return JSONResponse({"file": self.folder.name(place)})

    async def _picture(self, request: Request) -> Response:
        """Send what was found as a line of JSON, and the pixels after it."""
        given = await _object(request)
        if isinstance(given, Response):
            return given
        try:
            if given.get("what") in ("paint", "demo"):
                raise InputError(f"a file is not written by this request; ask for {given['what']} itself.")
            parts = self._warm.parts(self._with_places(given))
            head = await anext(parts)
        except MatlensError as error:
            return _refused(422, str(error))
        found = json.loads(head)
        if "error" in found:
            await parts.aclose()
            return _refused(422, str(found["error"]))
        size = str(len(head) + found["bytes"])
        return StreamingResponse(
            _followed(head, parts), media_type="application/octet-stream", headers={"content-length": size}
        )

    async def _mask(self, request: Request) -> Response:
        """Write what was painted as a mask beside the picture; the mask before it goes, unless a run has it."""
        given = await _object(request)
        if isinstance(given, Response):
            return given
        try:
            before = given.get("before")
            old = self.folder.path(before) if isinstance(before, str) and is_painted(before) else None
            made = ""
            if given.get("runs"):
                found, _ = await self._asked_of_picture({**given, "what": "paint"})
                made = self.folder.name(Path(found["mask"]))
            if old is not None and made != before:
                await asyncio.to_thread(self._forget_mask, old)
        except MatlensError as error:
            return _refused(422, str(error))
        return JSONResponse({"mask": made})

    async def _demo(self, request: Request) -> Response:
        """Write a volume to look at, unless it is there."""
        place = self.folder.path(_DEMO)
        try:
            if not place.exists():
                found, _ = await self._warm.ask({"what": "demo", "file": str(place)})
                if "error" in found:
                    raise InputError(str(found["error"]))
        except MatlensError as error:
            return _refused(422, str(error))
        return JSONResponse({"file": self.folder.name(place)})

    def _forget_mask(self, mask: Path) -> None:
        if not any(mask.name in run["inputs"] or run["state"] == "starting" for run in self._runs.all()):
            mask.unlink(missing_ok=True)

    async def _asked_of_picture(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Ask the warm process about files of the folder."""
        found, pixels = await self._warm.ask(self._with_places(given))
        if "error" in found:
            raise InputError(str(found["error"]))
        return found, pixels

    def _with_places(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A request with the places of its files, all of which lie in the folder."""
        place = self.folder.path(_text(given, "file"))
        if not place.exists():
            raise InputError(f"there is no file {self.folder.name(place)}; check the path.")
        asked = {**given, "file": str(place), "of": "picture"}
        options = given.get("options")
        for holder in (asked, options if isinstance(options, dict) else {}):
            if holder.get("mask"):
                holder["mask"] = str(self.folder.path(_text(holder, "mask")))
        return asked

    async def _library(self, request: Request) -> Response:
        """Answer what the page asks of a table, or of a run that learned from one."""
        given = await _object(request)
        if isinstance(given, Response):
            return given
        try:
            asked = await asyncio.to_thread(self._asked_of_library, given)
            if asked["what"] == "checks":
                self._checker.close()  # an earlier question, to which nobody waits for an answer any more
                found, _ = await self._checker.ask(asked)
            else:
                found, _ = await self._warm.ask(asked)
        except MatlensError as error:
            return _refused(422, str(error))
        if "error" in found:
            return _refused(422, str(found["error"]))
        return JSONResponse(found)

    def _asked_of_library(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the process is asked: places are those of the folder, and never what the page says."""
        asked = {**given, "what": _text(given, "what"), "root": str(self.folder.root), "of": "library"}
        if "run" not in given:
            place = self.folder.path(_text(given, "file"))
            if not place.exists():
                raise InputError(f"there is no file {self.folder.name(place)}; check the path.")
            return {**asked, "file": str(place)}
        found = self._runs.one(_text(given, "run"))
        if found["state"] in ("gone", "refused", "starting"):
            raise InputError(f"there is no run {str(given['run'])[:80]!r}.")
        options = found.get("options", {})
        asked.pop("file", None)
        model = options.get("model") if isinstance(options, dict) else None
        return {**asked, "run": str(self.folder.path(str(given["run"]))), "command": found["command"], "model": model}

    async def _file(self, request: Request) -> Response:
        try:
            place = self.folder.path(request.path_params["path"])
            hidden = any(part.startswith(".") for part in place.relative_to(self.folder.root).parts)
        except InputError as error:
            return _refused(403, str(error))
        if hidden or not place.is_file():
            return _refused(404, "there is no such file.")
        ending = place.suffix.lower()
        kind = _SHOWN_AS.get(ending) or ("text/plain" if ending in _TEXTS else "application/octet-stream")
        headers = {"content-security-policy": _FILE_POLICY, "cache-control": "no-cache"}
        if kind == "application/octet-stream" or "download" in request.query_params:
            headers["content-disposition"] = f"attachment; filename*=utf-8''{quote(place.name)}"
        try:
            # Opened before it is measured: a run may replace it at any time, and what is sent must have one length.
            file = open(place, "rb")  # noqa: SIM115 - it is closed by what sends it
        except OSError:
            return _refused(404, "there is no such file.")
        size = os.fstat(file.fileno()).st_size
        return StreamingResponse(_pieces(file, size), media_type=kind, headers={**headers, "content-length": str(size)})

    async def _events(self, request: Request) -> Response:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        told = request.headers.get("last-event-id", "")
        return StreamingResponse(self._news(request, told), media_type="text/event-stream", headers=headers)

    async def _news(self, request: Request, told: str) -> AsyncIterator[str]:
        """Send the list of runs whenever it changes; its hash is the id, so a page that comes back learns only news."""
        yield "retry: 1000\n\n"
        quiet = 0
        while not await request.is_disconnected():
            content = json.dumps(await asyncio.to_thread(self._runs.all))
            mark = hashlib.sha256(content.encode()).hexdigest()[:16]
            quiet += 1
            if mark != told:
                yield f"id: {mark}\nevent: runs\ndata: {content}\n\n"
                told, quiet = mark, 0
            elif quiet >= _PATIENCE:
                yield ": nothing new\n\n"
                quiet = 0
            await asyncio.sleep(_EVERY)


def _answering(make: Callable[[Mapping[str, Any]], Any]) -> Callable[[Request], Any]:
    """Turn a function of what is asked for into an answer: its result, or the sentence of its error."""

    async def answer(request: Request) -> Response:
        given = await _object(request) if request.method == "POST" else request.query_params
        if isinstance(given, Response):
            return given
        try:
            # Reading and checking take files and time; the server goes on with other requests.
            return JSONResponse(await asyncio.to_thread(make, given))
        except MatlensError as error:
            return _refused(422, str(error))
        except OSError as error:
            return _refused(422, f"a file cannot be used ({error.strerror or error}); check path and rights.")

    return answer


async def _followed(head: bytes, parts: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with aclosing(parts):  # the next request waits for the end of this one, also where the page went away
        yield head
        async for part in parts:
            yield part


async def _pieces(file: IO[bytes], size: int) -> AsyncIterator[bytes]:
    with file:
        while size > 0 and (piece := await asyncio.to_thread(file.read, min(size, _PIECE))):
            size -= len(piece)  # what is appended to a log meanwhile is not sent: its length was stated
            yield piece


async def _object(request: Request) -> dict[str, Any] | Response:
    """The object that a request holds, or the refusal of one that holds none."""
    try:
        given = json.loads(await request.body())
    except TooLarge:
        return _refused(413, "this request is too large.")
    except (ValueError, RecursionError):
        given = None
    return given if isinstance(given, dict) else _refused(400, "the request holds no JSON object.")


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise InputError(f"the request does not say {name!r}.")
    return value


def _refused(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status_code=status)


async def _unknown(request: Request, error: Exception) -> Response:
    return _refused(404, "the studio has no such page.")


async def _failed(request: Request, error: Exception) -> Response:
    return _refused(500, f"the studio failed ({type(error).__name__}); please report it with what you did.")


def serve(root: str, commands: Sequence[Command], *, port: int | None = None, ready: Callable[[str], None]) -> None:
    """Serve the studio of a folder until the process is interrupted.

    A session is kept in the folder, readable by the user alone, so that a page finds the server again after a restart.

    Parameters
    ----------
    root : str
        The folder.
    commands : sequence of Command
        The commands that the page offers.
    port : int, optional
        Port to listen on; by default that of the folder's last session, or a free one.
    ready : callable
        Called with the link to open.

    Raises
    ------
    InputError
        If the folder cannot be written to, or the port is in use.
    """
    folder = Folder(root)
    os.chdir(folder.root)  # paths of a form are relative to it, as are those of the processes
    session = folder.read_note("session.json")
    listening = _listening(port, session.get("port"))
    number = listening.getsockname()[1]
    token = str(session["token"]) if len(str(session.get("token", ""))) == len(new_token()) else new_token()
    folder.write_note("session.json", {"port": number, "token": token}, private=True)
    ready(f"http://127.0.0.1:{number}/?token={token}")
    http_server(folder, commands, port=number, token=token).run(sockets=[listening])


def http_server(folder: Folder, commands: Sequence[Command], *, port: int, token: str) -> uvicorn.Server:
    """Make the server of a studio, which says nothing in the terminal.

    Parameters
    ----------
    folder : Folder
        The folder.
    commands : sequence of Command
        The commands that the page offers.
    port : int
        Port that it will listen on.
    token : str
        Secret of the link.

    Returns
    -------
    uvicorn.Server
        To be run with a socket that listens.
    """
    guarded: Any = Guard(Studio(folder, commands).application(), port=port, token=token)
    config = uvicorn.Config(
        guarded,
        lifespan="off",
        ws="none",
        http="h11",
        loop="asyncio",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=200,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def _listening(asked: int | None, last: Any) -> socket.socket:
    """Listen on the port that is asked for, or that of the last session, or a free one."""
    # A refused port of the last session is no fault: another studio of this folder may be open.
    for port in [asked] if asked else [last, 0] if isinstance(last, int) and 0 < last < 1 << 16 else [0]:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name != "nt":  # there it would let two processes have one port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port or 0))
            listening.listen(128)
        except OSError as error:
            listening.close()
            if asked:
                raise InputError(
                    f"the port {asked} cannot be used ({error.strerror or error}); leave out --port, or name another."
                ) from error
        else:
            return listening
    raise InputError("no port of this machine is free; end a program that uses the network.")
