"""A TCP proxy that can cut connections, slow them down, let nothing through, and refuse writes to a topic."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from infra.local.ports import LOOPBACK, free_port

T = TypeVar("T")

_CHUNK = 65_536
_PRODUCE = 0
"""Kafka's number for a request that writes."""


class Proxy:
    """Clients come to `address`; what they say goes on to `target`, once `lead_to` has told it.

    kafka: whether to look into requests, which `refuse` needs. In use: `with Proxy() as proxy`.
    """

    def __init__(self, *, kafka: bool = False) -> None:
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        self._target = 0
        self._kafka = kafka
        self._delay = 0.0
        self._refused = b""
        self._loop = asyncio.new_event_loop()
        self._open: asyncio.Event
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    # --- what can be done to those who come through here

    def lead_to(self, port: int) -> None:
        """The port, on this machine, to which everything goes."""
        self._target = port

    def cut(self) -> int:
        """Breaks every connection as it is; gives how many ends were broken."""
        return self._call(self._cut())

    def slow(self, seconds: float) -> None:
        """Lets every piece of data wait for so long; 0 for no longer."""
        self._delay = seconds

    def block(self, blocked: bool = True) -> None:  # noqa: FBT001, FBT002
        """Lets nothing through, as a cable that is pulled: connections stay, and nobody hears anything."""
        self._loop.call_soon_threadsafe(self._open.clear if blocked else self._open.set)

    def refuse(self, words: bytes) -> None:
        """Breaks every connection over which somebody writes to a topic whose name holds these; b"" for none."""
        self._refused = words

    # --- serving

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._serve())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _serve(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._server = await asyncio.start_server(self._meet, LOOPBACK, self.port)

    async def _end(self) -> None:
        self._server.close()
        await self._cut()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _cut(self) -> int:
        writers, self._writers = self._writers, set()
        for writer in writers:
            writer.transport.abort()
        return len(writers)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, far_writer}
        self._writers |= both
        there = self._requests(reader, far_writer) if self._kafka else self._pump(reader, far_writer)
        ways = [asyncio.ensure_future(there), asyncio.ensure_future(self._pump(far_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            self._writers -= both
            for each in both:
                each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._pass_on(data, writer)

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As `_pump`, but request by request, so that one can be refused as a whole."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                length = await reader.readexactly(4)
                request = await reader.readexactly(int.from_bytes(length, "big"))
                writes = int.from_bytes(request[:2], "big") == _PRODUCE
                if self._refused and writes and self._refused in request:
                    return
                await self._pass_on(length + request, writer)

    async def _pass_on(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self._delay:
            await asyncio.sleep(self._delay)
        await self._open.wait()
        writer.write(data)
        await writer.drain()
