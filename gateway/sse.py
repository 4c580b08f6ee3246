"""Server-sent events as a response: who does not read, or may not any more, is let go; nothing is queued for it."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from prometheus_client import Counter, Gauge
from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from contracts.scope import Scope
from gateway.middleware import HEAD
from gateway.problems import Problem

SEND_S = 10.0
RIGHTS_PAUSE_S = 0.2
LISTENERS = Gauge("pingan_stream_listeners", "Open event streams")
DROPPED = Counter("pingan_stream_dropped_total", "Streams ended by the gateway", ["reason"])


class EventSource(Response):
    """One listener's stream; a subclass says in `chunks` what it hears, until its session is over."""

    media_type = "text/event-stream"

    def __init__(self, scope_now: Callable[[], Awaitable[Scope | None]]) -> None:
        """`scope_now` gives the listener's scope as it stands, None when its session is over."""
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._scope_now = scope_now
        self.finished = False
        """Whether there is nothing more to tell, as against rights that are gone."""

    @abstractmethod
    def chunks(self) -> AsyncIterator[bytes]:
        """Text of the stream; ends when the listener's rights are gone."""

    async def rights(self) -> Scope | None:
        """The listener's scope now. Rights that cannot be read are no rights: waits until they can."""
        while True:
            try:
                return await self._scope_now()
            except Problem:
                await asyncio.sleep(RIGHTS_PAUSE_S)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if HEAD in scope:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": b""})
            return
        LISTENERS.inc()
        gone = asyncio.create_task(_disconnected(receive))
        telling = asyncio.create_task(self._tell(send))
        try:
            await asyncio.wait({gone, telling}, return_when=asyncio.FIRST_COMPLETED)
            if telling.done():
                telling.result()
        finally:
            LISTENERS.dec()
            for task in (gone, telling):
                task.cancel()
            await asyncio.gather(gone, telling, return_exceptions=True)

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            await _within(send, b": connected\nretry: 1000\n\n")
            async for chunk in self.chunks():
                await _within(send, chunk)
        except TimeoutError:
            # Its socket is full and stays so: holding more for it would cost everybody's memory.
            DROPPED.labels("slow").inc()
            return
        if not self.finished:
            DROPPED.labels("rights").inc()
        with suppress(TimeoutError):
            await asyncio.wait_for(send({"type": "http.response.body", "body": b"", "more_body": False}), SEND_S)


async def _within(send: Send, chunk: bytes) -> None:
    """Raises TimeoutError when the listener does not take it."""
    await asyncio.wait_for(send({"type": "http.response.body", "body": chunk, "more_body": True}), SEND_S)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
