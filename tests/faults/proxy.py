"""A TCP proxy between a process and a server that makes the network's faults: cut, delay, half-open, frozen.

asyncio in a thread of its own, so that it works beside synchronous and asynchronous tests alike. A fault holds for
the connections that are open and for new ones, until `heal`:

- `cut`: every connection is reset, a new one too.
- `delay`: what is passed comes later by that much; the bandwidth stays.
- `freeze`: what is sent waits here, the end of a connection too, and is passed after `heal`: a partition short
  enough for TCP to bridge, or a server that was stopped.
- `swallow`: bytes are taken and never passed, and neither side hears that the other hung up: a firewall that forgot
  its connections. A direction that swallowed anything stays silent after `heal`, for a stream with a hole is worse.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

CHUNK = 65536
CHUNKS_HELD = 64  # then the sender is no longer read from, and feels it
RESET = struct.pack("ii", 1, 0)  # SO_LINGER with zero seconds: close sends RST


@dataclass
class Way:
    """One direction, `up` to the server or `down` to the client: what happens to its bytes now."""

    open: asyncio.Event
    delay_s: float = 0.0
    swallowing: bool = False
    swallowed: int = 0
    """bytes taken and never passed, since the beginning"""


@dataclass(eq=False)
class _Connection:
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def reset(self) -> None:
        for writer in self.writers:
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()


class FaultProxy:
    """Forwards 127.0.0.1:`port` to the target until told otherwise. All methods may be called from any thread."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy", daemon=True)
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusing = False
        self.up, self.down = Way(asyncio.Event()), Way(asyncio.Event())
        self.accepted = 0
        """connections since the beginning"""
        self._thread.start()
        self._server = self._do(self._listen)
        self.port: int = self._server.sockets[0].getsockname()[1]

    # -- faults --------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Resets every connection, and new ones as they come, until `heal`."""
        self._do(self._cut, True)

    def reset(self) -> None:
        """Resets what is open; new connections are welcome."""
        self._do(self._cut, False)

    def delay(self, seconds: float, *, up: bool = True, down: bool = True) -> None:
        """Each chosen direction is later by so many seconds."""
        self._set(up, down, lambda way: setattr(way, "delay_s", seconds))

    def freeze(self, *, up: bool = True, down: bool = True) -> None:
        """What goes a chosen direction waits for `heal`."""
        self._set(up, down, lambda way: way.open.clear())

    def swallow(self, *, up: bool = True, down: bool = True) -> None:
        """What goes a chosen direction is lost without a word."""
        self._set(up, down, lambda way: setattr(way, "swallowing", True))

    def heal(self) -> None:
        """New connections work, frozen ones go on; those that were swallowed from stay silent."""

        def restore(way: Way) -> None:
            way.delay_s, way.swallowing = 0.0, False
            way.open.set()

        self._refusing = False
        self._set(True, True, restore)

    @property
    def connections(self) -> int:
        """How many are open, the silent ones too."""
        return len(self._connections)

    def end(self) -> None:
        """Resets everything and gives the port back."""
        self._do(self._cut, True)
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # -- in the loop's thread ------------------------------------------------------------------------

    def _do(self, work: Callable[..., Any], *arguments: Any) -> Any:
        async def run() -> Any:
            result = work(*arguments)
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def _set(self, up: bool, down: bool, change: Callable[[Way], None]) -> None:
        def both() -> None:
            for way, chosen in ((self.up, up), (self.down, down)):
                if chosen:
                    change(way)

        self._do(both)

    async def _listen(self) -> asyncio.Server:
        self.up.open.set()
        self.down.open.set()
        return await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _cut(self, refusing: bool) -> None:
        self._refusing = refusing
        for connection in self._connections:
            connection.reset()

    async def _end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0)  # aborted transports close in the loop's next turn

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection([writer])
        self._connections.add(connection)
        try:
            if self._refusing:
                return
            server_reader, server_writer = await asyncio.open_connection(*self._target, limit=CHUNK)
            connection.writers.append(server_writer)
            if not writer.is_closing():  # cut meanwhile
                await asyncio.gather(_pass(self.up, reader, server_writer), _pass(self.down, server_reader, writer))
        except OSError:
            pass  # the target is away: so are we
        finally:
            connection.reset()
            self._connections.discard(connection)


async def _pass(way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction of one connection, until its source ends and what it sent has been passed or lost."""
    held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS_HELD)
    giving = asyncio.ensure_future(_give(way, held, writer))
    clock = asyncio.get_running_loop().time
    lost = False
    try:
        while True:
            try:
                data = await reader.read(CHUNK)
            except OSError:
                data = b""
            lost = lost or way.swallowing
            if lost:
                way.swallowed += len(data)
            else:
                await held.put((clock() + way.delay_s, data))
            if not data:
                break
        if lost:
            giving.cancel()
        await asyncio.gather(giving, return_exceptions=True)
    finally:
        giving.cancel()


async def _give(way: Way, held: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    clock = asyncio.get_running_loop().time
    gone = False
    while True:
        due, data = await held.get()
        await asyncio.sleep(max(0.0, due - clock()))
        await way.open.wait()
        if gone:
            pass
        elif data:
            try:
                writer.write(data)
                await writer.drain()
            except OSError:
                gone = True  # the sender may go on talking to nobody
        else:
            with contextlib.suppress(OSError):
                writer.write_eof()
        if not data:
            return


@contextlib.contextmanager
def proxied(url: str) -> Iterator[tuple[FaultProxy, str]]:
    """A proxy to the server of `url`, and the URL that goes through it."""
    address = urlsplit(url)
    proxy = FaultProxy(str(address.hostname), int(address.port or 0))
    credentials = address.netloc.rpartition("@")[0]
    try:
        yield proxy, address._replace(netloc=f"{credentials}@127.0.0.1:{proxy.port}").geturl()
    finally:
        proxy.end()
