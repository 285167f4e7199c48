"""A TCP proxy: cuts and slows connections, loses answers, lets nothing through, refuses writes to a topic."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from chaos import disk
from infra.local.ports import LOOPBACK, free_port

T = TypeVar("T")
End = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_CHUNK = 65_536
_ID = slice(4, 8)
"""Where a request of Kafka's protocol has the number by which its answer is known, which begins with it."""


class Proxy:
    """Clients come to `address`; what they say goes on to `target`, once `lead_to` has told it.

    kafka: whether to look into requests, which `refuse` needs. In use: `with Proxy() as proxy`. lost: how many
    answers were. refused: topics to which writes were, since `refuse`.
    """

    def __init__(self, *, kafka: bool = False) -> None:
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        self._target = 0
        self._kafka = kafka
        self._delay = 0.0
        self._losing = False
        self.lost = 0
        self._words = ""
        self.refused: set[str] = set()
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

    def lose_answers(self, losing: bool) -> None:  # noqa: FBT001
        """Lets requests through, but breaks the connection when the answer comes."""
        self._losing = losing

    def refuse(self, words: str) -> None:
        """Answers all who write to a topic whose name ends so that its disk is broken; "" for none."""
        self.refused = set()
        self._words = words

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
        ways = [asyncio.ensure_future(way) for way in self._ways((reader, writer), (far_reader, far_writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            self._writers -= both
            for each in both:
                each.transport.abort()

    def _ways(self, near: End, far: End) -> list[Coroutine[Any, Any, None]]:
        """There and back."""
        if not self._kafka:
            return [self._pump(near[0], far[1]), self._back(far[0], near[1])]
        instead: dict[bytes, bytes] = {}
        return [self._requests(near[0], far[1], instead), self._answers(far[0], near[1], instead)]

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._pass_on(data, writer)

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._losing:
                    self.lost += 1
                    return
                await self._pass_on(data, writer)

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, instead: dict[bytes, bytes]
    ) -> None:
        """As `_pump`, but request by request: one that is refused goes on as a question that changes nothing.

        So the refusal, which is put into `instead`, takes the place of an answer, and all stay in order.
        """
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while request := await _frame(reader):
                topics = disk.written_to(request, self._words) if self._words else set()
                if topics:
                    self.refused |= topics
                    instead[request[_ID]] = disk.refusal(request)
                await self._pass_on(_framed(disk.question(request) if topics else request), writer)

    async def _answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, instead: dict[bytes, bytes]
    ) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while answer := await _frame(reader):
                await self._pass_on(_framed(instead.pop(answer[:4], answer)), writer)

    async def _pass_on(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self._delay:
            await asyncio.sleep(self._delay)
        await self._open.wait()
        writer.write(data)
        await writer.drain()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """One request or answer of Kafka's protocol, without its length."""
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
