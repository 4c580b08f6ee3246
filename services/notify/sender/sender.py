"""The sender's loops: dispatch, claim, send, mark. Each survives a database or network that is away.

A delivery is marked after its answer; a process that dies in between leaves a lease that ends, and the event is
sent again with the same id: at least once. Each endpoint has its own few requests in flight and its own queue.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Engine

from backbone import database, telemetry
from backbone.clock import system_clock
from services.notify.commands.secrets import Seal, UnreadableSecret
from services.notify.commands.settings import NotifySettings
from services.notify.commands.subscriptions import disable
from services.notify.domain.attempts import Outcome, judge, rest
from services.notify.domain.subscription import DeliveryState
from services.notify.sender import claims, dispatch, metrics
from services.notify.sender.claims import Claimed, Mark
from services.notify.sender.posting import Answer, Poster, signed_headers

log = telemetry.logger("notify.sender")

_AHEAD = 3  # claimed for each request in flight: the next one is at hand when an answer comes
_STALE_S = 2.0  # rights are looked up when claimed: what waited longer is claimed anew
_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 0.2, 5.0
_BATCH = 500
_AWAY = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresConnectionError)


class Sender:
    """One replica. `run` returns after `stop` was called and the work in hand is done."""

    def __init__(
        self,
        pool: Any,
        engine: Engine,
        poster: Poster,
        seal: Seal,
        settings: NotifySettings,
        news: asyncio.Event | None = None,
    ) -> None:
        """`news` is set by whoever hears that the journal has grown; without it, polling finds out."""
        self._pool, self._engine = pool, engine
        self._poster, self._seal, self._settings = poster, seal, settings
        self._in_hand: Counter[UUID] = Counter()
        self._gates: dict[UUID, asyncio.Semaphore] = {}
        self._done: asyncio.Queue[Mark] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._due = asyncio.Event()
        self._news = news or asyncio.Event()
        self._stopping = asyncio.Event()
        self._progress: dict[str, float] = {}
        # The waiting, the attempt, and a moment to mark: what a killed sender had in hand waits no longer than this.
        self._lease_for = timedelta(seconds=_STALE_S + settings.timeout_s + 5)

    def stop(self) -> None:
        """Take no more; finish what is in hand."""
        self._stopping.set()
        self._due.set()
        self._news.set()

    def healthy(self, within_s: float = 15.0) -> bool | str:
        """Whether dispatch and claim have both had a good round lately."""
        now = time.monotonic()
        late = [name for name in ("dispatch", "claim") if now - self._progress.get(name, 0.0) > within_s]
        return f"no good round lately: {', '.join(late)}" if late else True

    async def run(self) -> None:
        """Work until stopped."""
        marking = asyncio.create_task(self._mark_for_ever())
        await asyncio.gather(
            self._rounds("dispatch", self._dispatch, self._settings.poll_s, hint=self._news),
            self._rounds("claim", self._claim, self._settings.poll_s, hint=self._due),
            self._rounds("survey", self._survey, 5.0),
        )
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._settings.timeout_s + 2)
        try:
            await asyncio.wait_for(self._done.join(), 5)
        except TimeoutError:
            log.warning("stopped with unmarked deliveries; they are sent again", count=self._done.qsize())
        marking.cancel()

    async def _rounds(
        self, name: str, once: Callable[[], Awaitable[bool]], pause_s: float, hint: asyncio.Event | None = None
    ) -> None:
        """Run rounds; at once again while there is more, after a growing pause while the database is away."""
        backoff = _FIRST_BACKOFF_S
        while not self._stopping.is_set():
            try:
                if hint is not None:
                    hint.clear()
                more = await once()
            except Exception as error:  # noqa: BLE001 - a lost connection has many names, and none may end the loop
                metrics.ROUND_FAILURES.labels(name).inc()
                words = "waiting for the database" if isinstance(error, _AWAY) else "a round failed"
                log.warning(words, round=name, error=repr(error), retry_in_s=backoff)
                await self._sleep(backoff * random.uniform(0.8, 1.2))
                backoff = min(backoff * 2, _LONGEST_BACKOFF_S)
                continue
            backoff = _FIRST_BACKOFF_S
            self._progress[name] = time.monotonic()
            if not more:
                await self._sleep(pause_s, hint)

    async def _sleep(self, seconds: float, hint: asyncio.Event | None = None) -> None:
        # Whoever sleeps is woken by stop; rounds also by a hint that there is something for them.
        try:
            await asyncio.wait_for((hint or self._stopping).wait(), seconds)
        except TimeoutError:
            return

    async def _dispatch(self) -> bool:
        async with self._pool.acquire() as connection:
            more = await dispatch.dispatch(connection)
        self._due.set()
        return more

    async def _survey(self) -> bool:
        async with self._pool.acquire() as connection:
            await metrics.survey(connection)
        return False

    async def _claim(self) -> bool:
        lease, room = database.new_id(), self._settings.per_endpoint * _AHEAD
        async with self._pool.acquire() as connection:
            claimed = await claims.claim(connection, self._in_hand, room, lease, self._lease_for)
            # Inside: a connection that breaks on its way back must not take the claim with it.
            at = time.monotonic()
            for each in claimed:
                self._in_hand[each.subscription_id] += 1
                self._spawn(self._handle(each, at))
        return bool(claimed)

    async def _handle(self, claimed: Claimed, at: float) -> None:
        key = claimed.subscription_id
        gate = self._gates.setdefault(key, asyncio.Semaphore(self._settings.per_endpoint))
        try:
            found = await self._in_turn(gate, claimed, at)
        except Exception as error:  # one delivery's fault must not stop the others'
            log.exception("a delivery broke", subscription_id=str(key), seq=claimed.seq)
            found = self._after_failure(claimed, Answer(None, 0, error=f"internal_{type(error).__name__}".lower()))
        self._done.put_nowait(found)

    async def _in_turn(self, gate: asyncio.Semaphore, claimed: Claimed, at: float) -> Mark:
        try:
            async with asyncio.timeout(_STALE_S):
                await gate.acquire()
        except TimeoutError:
            # A slow endpoint: back into its queue, to be judged by the rights it has when its turn comes.
            return Mark(claimed, DeliveryState.PENDING.value, attempted=False)
        try:
            return await self._attempt(claimed, at)
        finally:
            gate.release()

    async def _attempt(self, claimed: Claimed, at: float) -> Mark:
        if not claimed.allowed:
            metrics.DROPPED.inc()
            return Mark(claimed, DeliveryState.DROPPED.value, error="not_visible", attempted=False)
        if time.monotonic() - at > _STALE_S or self._stopping.is_set():
            return Mark(claimed, DeliveryState.PENDING.value, attempted=False)
        try:
            secrets = [
                self._seal.open(sealed, claimed.subscription_id)
                for sealed in (claimed.secret, claimed.previous_secret)
                if sealed is not None
            ]
        except UnreadableSecret:
            return self._after_failure(claimed, Answer(None, 0, error="unreadable_secret"))
        headers = signed_headers(str(claimed.event_id), claimed.body, secrets)
        answer = await self._poster.post(claimed.url, claimed.body, headers)
        metrics.ATTEMPT_SECONDS.observe(answer.latency_ms / 1000)
        if answer.status is not None and 200 <= answer.status < 300:
            metrics.ATTEMPTS.labels(Outcome.DELIVERED.value).inc()
            return Mark(claimed, DeliveryState.DELIVERED.value, answer.status, answer.latency_ms, healthy=True)
        return self._after_failure(claimed, answer)

    def _after_failure(self, claimed: Claimed, answer: Answer) -> Mark:
        verdict = judge(
            answer.status,
            answer.retry_after,
            attempts=claimed.attempts,
            now=datetime.now(UTC),
            random=random.random,
            schedule_s=self._settings.retry_schedule_s,
        )
        metrics.ATTEMPTS.labels(verdict.outcome.value).inc()
        state, reason = DeliveryState.PENDING, None
        if verdict.outcome is Outcome.GONE:
            reason = "gone"
        elif verdict.outcome is Outcome.EXHAUSTED:
            if claimed.last_success_at is None or claimed.last_success_at < claimed.created_at:
                reason = "retries_exhausted"
            else:
                # The receiver is well and refuses this one event: it alone is given up.
                state = DeliveryState.FAILED
        wait = verdict.wait
        if reason is not None:
            wait = timedelta(minutes=1)  # pending until somebody resumes; not tried again meanwhile
            self._spawn(self._disable(claimed.subscription_id, reason))
        return Mark(
            claimed,
            state.value,
            answer.status,
            answer.latency_ms,
            answer.error,
            wait,
            healthy=False,
            rest=verdict.rest,
        )

    async def _disable(self, subscription_id: UUID, reason: str) -> None:
        def once() -> bool:
            with database.transaction(self._engine) as session:
                return disable(session, subscription_id, reason, clock=system_clock)

        backoff = _FIRST_BACKOFF_S
        while not self._stopping.is_set():
            try:
                if await asyncio.to_thread(once):
                    metrics.DISABLED.labels(reason).inc()
                    log.warning("subscription disabled", subscription_id=str(subscription_id), reason=reason)
                return
            except database.Unavailable:
                # Not remembered over a restart: the receiver says 410 again.
                await self._sleep(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF_S)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _mark_for_ever(self) -> None:
        while True:
            batch = [await self._done.get()]
            while len(batch) < _BATCH and not self._done.empty():
                batch.append(self._done.get_nowait())
            await self._mark(batch)
            for each in batch:
                self._release(each.claimed.subscription_id)
                self._done.task_done()
            self._due.set()

    async def _mark(self, batch: list[Mark]) -> None:
        """Until it is written, or every lease is over and the rows belong to whoever claims them."""
        until = time.monotonic() + self._lease_for.total_seconds()
        backoff = _FIRST_BACKOFF_S
        while True:
            try:
                async with self._pool.acquire() as connection:
                    failures = await claims.mark(connection, batch)
                    for subscription_id, count in failures.items():
                        how_long = rest(count)
                        if how_long is not None:
                            await claims.rest(connection, subscription_id, how_long)
                return
            except Exception as error:  # noqa: BLE001 - see above
                metrics.ROUND_FAILURES.labels("mark").inc()
                log.warning("marks wait for the database", count=len(batch), error=repr(error))
                if time.monotonic() > until:
                    return
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF_S)

    def _release(self, subscription_id: UUID) -> None:
        self._in_hand[subscription_id] -= 1
        if self._in_hand[subscription_id] <= 0:
            del self._in_hand[subscription_id]
            self._gates.pop(subscription_id, None)
