"""Server-sent events: one reader of the journal per gateway, any number of listeners, bounded memory.

The reader polls every 0.2 s and keeps the newest events in a ring. Each listener walks at its own pace:
inside the ring it reads memory, behind it (a Last-Event-ID of yesterday) it pages the journal under its
own scope until it has caught up. Nothing is queued per listener: one that does not take what is sent
within `SEND_S` is dropped and resumes by its last id. Rights are asked for again every second.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from prometheus_client import Counter, Gauge
from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from backbone import telemetry
from backbone.policy import visible
from contracts.areas import is_within
from contracts.scope import Scope
from gateway.problems import Problem
from gateway.reads import Reads
from services.notify import queries

log = telemetry.logger(__name__)
_SYSTEM = Scope.system("one reader of the journal; every listener's own scope is applied to each event")

POLL_S, HEARTBEAT_S, SEND_S, RIGHTS_S = 0.2, 15.0, 10.0, 1.0
RING, PAGE = 20_000, 500
LISTENERS = Gauge("pingan_stream_listeners", "Open event streams")
DROPPED = Counter("pingan_stream_dropped_total", "Streams ended by the gateway", ["reason"])


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the journal, with what decides who may see it."""

    seq: int
    type: str
    routing_key: str
    area_path: str
    category: str | None
    sensitivity: int
    agencies: tuple[Any, ...]
    body: str

    @classmethod
    def of_row(cls, row: Any) -> Entry:
        return cls(
            seq=row["cursor_1"],
            type=row["type"],
            routing_key=row["routing_key"],
            area_path=row["area_path"],
            category=row["category"],
            sensitivity=row["sensitivity"],
            agencies=tuple(row["agencies"] or ()),
            body=row["body"],
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """What a listener asks for; None means all it may see."""

    types: tuple[str, ...] | None = None
    area_path: str | None = None
    categories: tuple[str, ...] | None = None

    def matches(self, entry: Entry) -> bool:
        return (
            (self.types is None or any(queries.matches(each, entry.routing_key) for each in self.types))
            and (self.area_path is None or is_within(entry.area_path, self.area_path))
            and (self.categories is None or entry.category in self.categories)
        )


class JournalTail:
    """The shared reader: the newest events in order, without a gap between `first` and `head`."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._ring: deque[Entry] = deque(maxlen=RING)
        self._news = asyncio.Condition()
        self.after = -1  # everything in the ring is newer than this
        self.head = -1  # -1: not read yet
        self.problem: str | None = "journal not read yet"

    async def follow(self) -> None:
        """Polls for ever; an outage is waited out, listeners hear heartbeats meanwhile."""
        while True:
            try:
                more = await self.poll()
                self.problem = None
            except Problem as problem:
                more, self.problem = False, str(problem)
            except Exception as error:
                more, self.problem = False, type(error).__name__
                log.error("journal could not be read", exc_info=True)
            if not more:
                await asyncio.sleep(POLL_S)

    async def poll(self) -> bool:
        """Take in what is new; True when there may be more at once."""
        rows = await self._reads.rows("notify", queries.head(_SYSTEM))
        head = int(rows[0]["seq"]) if rows else 0
        if self.head < 0:
            self.after = self.head = head
            return False
        if head <= self.head:
            return False
        page = await self._reads.rows("notify", queries.journal_page(_SYSTEM, after=self.head, upto=head, limit=PAGE))
        full = len(page) == PAGE
        for row in page:
            if len(self._ring) == self._ring.maxlen:
                self.after = self._ring[0].seq
            self._ring.append(Entry.of_row(row))
        self.head = page[-1]["cursor_1"] if full else head
        async with self._news:
            self._news.notify_all()
        return full

    def since(self, seq: int) -> list[Entry] | None:
        """Events after `seq`, oldest first, at most PAGE; None when `seq` lies before the ring."""
        if self.head < 0 or seq < self.after:
            return None
        found: list[Entry] = []
        for entry in reversed(self._ring):
            if entry.seq <= seq:
                break
            found.append(entry)
        found.reverse()
        return found[:PAGE]

    async def wait(self, seq: int, seconds: float) -> bool:
        """Wait until there is something after `seq`; False when the time is over."""
        if self.head > seq:
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(lambda: self.head > seq)
                return True
        return False


class EventStream(Response):
    """An SSE response of one listener."""

    media_type = "text/event-stream"

    def __init__(
        self,
        tail: JournalTail,
        reads: Reads,
        scope_now: Callable[[], Awaitable[Scope | None]],
        wish: Wish,
        after: int | None,
    ) -> None:
        """`scope_now` gives the listener's scope as it stands, None when its session is over.

        `after` is the journal place to go on from; None is now.
        """
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._tail, self._reads, self._scope_now, self._wish = tail, reads, scope_now, wish
        self._place = after
        self._asked_at = 0.0
        self._scope: Scope | None = None

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
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
            async for chunk in self._chunks():
                await _within(send, chunk)
        except TimeoutError:
            # Its socket is full and stays so: holding more for it would cost everybody's memory.
            DROPPED.labels("slow").inc()
            return
        DROPPED.labels("rights").inc()
        with suppress(TimeoutError):
            await asyncio.wait_for(send({"type": "http.response.body", "body": b"", "more_body": False}), SEND_S)

    async def _chunks(self) -> AsyncIterator[bytes]:
        """Text of the stream until the session is over."""
        spoke = time.monotonic()
        while self._place is None:
            if self._tail.head >= 0:
                self._place = self._tail.head
            elif not await self._tail.wait(-1, HEARTBEAT_S):
                yield b": waiting\n\n"
        place = self._place
        while (scope := await self._rights()) is not None:
            entries = self._tail.since(place)
            if entries is None:
                place, text = await self._from_journal(scope, place)
            else:
                text = "".join(_lines(entry) for entry in entries if self._may_hear(scope, entry))
                place = entries[-1].seq if entries else max(place, self._tail.head)
            if text:
                spoke = time.monotonic()
                yield text.encode()
            elif time.monotonic() - spoke >= HEARTBEAT_S:
                spoke = time.monotonic()
                yield f": {queries.encode_cursor(place)}\n\n".encode()
            if not text:
                await self._tail.wait(place, RIGHTS_S)

    async def _rights(self) -> Scope | None:
        if time.monotonic() - self._asked_at >= RIGHTS_S:
            try:
                self._scope = await self._scope_now()
            except Problem:
                # Rights that cannot be read are no rights: say nothing until they can.
                await asyncio.sleep(POLL_S)
                return await self._rights()
            self._asked_at = time.monotonic()
        return self._scope

    def _may_hear(self, scope: Scope, entry: Entry) -> bool:
        return self._wish.matches(entry) and visible(
            scope,
            area_path=entry.area_path,
            category=entry.category,
            sensitivity=entry.sensitivity,
            agencies=entry.agencies,
        )

    async def _from_journal(self, scope: Scope, place: int) -> tuple[int, str]:
        """One page from the database, for a listener that is behind the ring."""
        upto = queries.page_end(place, max(self._tail.head, place))
        try:
            rows = await self._reads.rows(
                "notify",
                queries.journal_page(
                    scope,
                    after=place,
                    upto=upto,
                    limit=PAGE,
                    types=self._wish.types,
                    area=self._wish.area_path,
                    categories=self._wish.categories,
                ),
            )
        except Problem:
            await asyncio.sleep(POLL_S)
            return place, ""
        text = "".join(_lines(Entry.of_row(row)) for row in rows)
        return (rows[-1]["cursor_1"] if len(rows) == PAGE else upto), text


def _lines(entry: Entry) -> str:
    # CloudEvents JSON of ours is one line: no newline can end the field early.
    return f"id: {queries.encode_cursor(entry.seq)}\nevent: {entry.type}\ndata: {entry.body}\n\n"


async def _within(send: Send, chunk: bytes) -> None:
    """Raises TimeoutError when the listener does not take it."""
    await asyncio.wait_for(send({"type": "http.response.body", "body": chunk, "more_body": True}), SEND_S)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
