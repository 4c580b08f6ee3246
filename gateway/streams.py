"""Server-sent events: one reader of the journal per gateway, any number of listeners, bounded memory.

The reader polls, sooner at a hint of the journal's writer, and keeps the newest events in a ring. Each listener
walks at its own pace: inside the ring it reads memory, behind it (a Last-Event-ID of yesterday) it pages the
journal under its own scope until it has caught up. Rights are asked for again before every sending.
Here as in a page, an event is told while it is visible both as it was and as its entity is now.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backbone import telemetry
from backbone.policy import visible
from contracts.areas import is_within
from contracts.scope import Scope
from gateway.problems import Problem
from gateway.reads import Reads
from gateway.sse import EventSource
from services.notify import queries

log = telemetry.logger(__name__)
_SYSTEM = Scope.system("one reader of the journal; every listener's own scope is applied to each event")

POLL_S, HEARTBEAT_S, RIGHTS_S = 0.5, 15.0, 1.0
RING, PAGE = 20_000, 500


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides who may see an entity, as one version of it told."""

    area_path: str
    category: str | None
    sensitivity: int
    agencies: tuple[Any, ...]

    def visible_to(self, scope: Scope) -> bool:
        return visible(
            scope,
            area_path=self.area_path,
            category=self.category,
            sensitivity=self.sensitivity,
            agencies=self.agencies,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the journal, with what decides who may see it."""

    seq: int
    type: str
    routing_key: str
    entity_id: UUID
    told: Standing
    body: str

    @classmethod
    def of_row(cls, row: Any) -> Entry:
        return cls(
            seq=row["cursor_1"],
            type=row["type"],
            routing_key=row["routing_key"],
            entity_id=row["entity_id"],
            told=_standing(row, ""),
            body=row["body"],
        )


def _standing(row: Any, prefix: str) -> Standing:
    return Standing(
        area_path=row[f"{prefix}area_path"],
        category=row[f"{prefix}category"],
        sensitivity=row[f"{prefix}sensitivity"],
        agencies=tuple(row[f"{prefix}agencies"] or ()),
    )


@dataclass(slots=True)
class Newest:
    """An entity as it is now, kept while `events` of it lie in the ring."""

    rank: tuple[int, int]
    standing: Standing
    events: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a listener asks for; None means all it may see."""

    types: tuple[str, ...] | None = None
    area_path: str | None = None
    categories: tuple[str, ...] | None = None

    def matches(self, entry: Entry) -> bool:
        return (
            (self.types is None or any(queries.matches(each, entry.routing_key) for each in self.types))
            and (self.area_path is None or is_within(entry.told.area_path, self.area_path))
            and queries.asks_for(self.categories, entry.told.category)
        )


class JournalTail:
    """The shared reader: the newest events in order, without a gap between `first` and `head`."""

    def __init__(self, reads: Reads, hint: asyncio.Event | None = None) -> None:
        """`hint` is set by whoever hears that the journal has grown; without it, polling finds out."""
        self._reads = reads
        self._hint = hint or asyncio.Event()
        self._ring: deque[Entry] = deque()
        self._newest: dict[UUID, Newest] = {}
        self._news = asyncio.Condition()
        self.after = -1  # everything in the ring is newer than this
        self.head = -1  # -1: not read yet
        self.problem: str | None = "journal not read yet"

    async def follow(self) -> None:
        """Polls for ever; an outage is waited out, listeners hear heartbeats meanwhile."""
        while True:
            self._hint.clear()
            try:
                more = await self.poll()
                self.problem = None
            except Problem as problem:
                more, self.problem = False, str(problem)
            except Exception as error:
                more, self.problem = False, type(error).__name__
                log.error("journal could not be read", exc_info=True)
            if not more:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hint.wait(), POLL_S)

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
            if len(self._ring) >= RING:
                self._forget_oldest()
            self._take(row)
        self.head = page[-1]["cursor_1"] if full else head
        async with self._news:
            self._news.notify_all()
        return full

    def _take(self, row: Any) -> None:
        entry = Entry.of_row(row)
        self._ring.append(entry)
        rank = (row["now_version"], row["now_seq"])
        newest = self._newest.get(entry.entity_id)
        if newest is None:
            newest = self._newest[entry.entity_id] = Newest(rank, _standing(row, "now_"))
        elif rank > newest.rank:
            newest.rank, newest.standing = rank, _standing(row, "now_")
        newest.events += 1

    def _forget_oldest(self) -> None:
        oldest = self._ring.popleft()
        self.after = oldest.seq
        newest = self._newest[oldest.entity_id]
        newest.events -= 1
        if not newest.events:
            del self._newest[oldest.entity_id]

    def may_hear(self, scope: Scope, entry: Entry) -> bool:
        """Whether an event of the ring is visible as it was told and as its entity is now."""
        newest = self._newest.get(entry.entity_id)
        return newest is not None and entry.told.visible_to(scope) and newest.standing.visible_to(scope)

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


class EventStream(EventSource):
    """An SSE response of one listener to the journal."""

    def __init__(
        self,
        tail: JournalTail,
        reads: Reads,
        scope_now: Callable[[], Awaitable[Scope | None]],
        wish: Wish,
        after: int | None,
    ) -> None:
        """`after` is the journal place to go on from; None is now."""
        super().__init__(scope_now)
        self._tail, self._reads, self._wish = tail, reads, wish
        self._place = after

    async def chunks(self) -> AsyncIterator[bytes]:
        """Text of the stream until the session is over."""
        spoke = time.monotonic()
        while self._place is None:
            if self._tail.head >= 0:
                self._place = self._tail.head
            elif not await self._tail.wait(-1, HEARTBEAT_S):
                yield b": waiting\n\n"
        place = self._place
        yield _here(place)
        while (scope := await self.rights()) is not None:
            entries = self._tail.since(place)
            if entries is None:
                place, text = await self._from_journal(scope, place)
            else:
                told = (entry for entry in entries if self._wish.matches(entry) and self._tail.may_hear(scope, entry))
                text = "".join(map(_lines, told))
                place = entries[-1].seq if entries else max(place, self._tail.head)
            if text:
                spoke = time.monotonic()
                yield text.encode()
            elif time.monotonic() - spoke >= HEARTBEAT_S:
                spoke = time.monotonic()
                yield _here(place)
            if not text:
                await self._tail.wait(place, RIGHTS_S)  # then the rights are asked for again

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


def _here(place: int) -> bytes:
    # An id without data is no event, but a client that breaks off now resumes here and not at its return.
    return f": here\nid: {queries.encode_cursor(place)}\n\n".encode()
