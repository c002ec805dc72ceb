"""The warm process behind the page's pictures: started when one is asked for, ended a minute after the last."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any

from matlens.errors import RunError

__all__ = ["Warm"]

_IDLE = 60.0  # seconds after which it ends and gives its memory back
_LINE = 1 << 22  # bytes of an answer's first line; the server holds twice as many
_PART = 1 << 20  # bytes that are passed on at once


class Warm:
    """Asks the process of `matlens.studio.worker`, one request after the other.

    Parameters
    ----------
    idle : float
        Seconds without a request after which the process ends.
    module : str
        What the process runs.

    Examples
    --------
    >>> Warm().pid is None
    True
    """

    def __init__(self, idle: float = _IDLE, module: str = "matlens.studio.worker") -> None:
        self._idle, self._module, self._turn = idle, module, asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._end: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """Id of the process; None where there is none."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def ask(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Ask one thing.

        Parameters
        ----------
        request : mapping
            See `matlens.studio.worker.Pictures.answer`.

        Returns
        -------
        dict
            What was found, or ``error``.
        bytes
            Pixels.

        Raises
        ------
        RunError
            If the process ended.
        """
        parts = self.parts(request)
        found = json.loads(await anext(parts))
        found.pop("bytes")
        return found, b"".join([part async for part in parts])

    async def parts(self, request: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """Ask one thing, and pass on the answer as it comes: a volume is larger than what the server may hold.

        Parameters
        ----------
        request : mapping
            See `matlens.studio.worker.Pictures.answer`.

        Yields
        ------
        bytes
            What was found as a line of JSON, then the pixels in parts.

        Raises
        ------
        RunError
            If the process ended.
        """
        async with self._turn:
            if self._end is not None:
                self._end.cancel()
            whole = False
            try:
                output = await self._asked(request)
                head = await output.readuntil(b"\n")
                left = int(json.loads(head)["bytes"])
                whole = not left
                yield head
                while left:
                    part = await output.read(min(left, _PART))
                    if not part:
                        raise asyncio.IncompleteReadError(part, left)
                    left -= len(part)
                    whole = not left
                    yield part
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError) as error:
                raise RunError(
                    "the process that reads pictures ended, perhaps for want of memory; try again."
                ) from error
            finally:
                if not whole:  # it ended, or the page went away, and half an answer is in the pipe
                    self.close()
                self._end = asyncio.get_running_loop().call_later(self._idle, self.close)

    async def _asked(self, request: Mapping[str, Any]) -> asyncio.StreamReader:
        """Send a request to the process, which is started if there is none; the answer comes from what is returned."""
        if self.pid is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self._module,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_LINE,
            )
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(dict(request)).encode() + b"\n")
        await process.stdin.drain()
        return process.stdout

    def close(self) -> None:
        """End the process."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
        self._process = None
