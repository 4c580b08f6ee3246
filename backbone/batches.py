"""Bulk data through the broker: publish with confirm, consume in lists, ack after the handler returns.

For positions, which are no events: no envelope, no inbox. A batch carries its id; its consumer makes it count once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiormq
from aiormq.abc import DeliveredMessage
from pamqp.commands import Basic

from backbone import telemetry
from backbone.link import Link, PublishFailed

__all__ = ["BatchPublisher", "PublishFailed", "consume_batches"]

log = telemetry.logger("batches")

CONFIRM_WITHIN_S = 10.0

Batch = tuple[dict[str, Any], bytes, str]
"""(headers, body, message id); a redelivered one has `x-delivery-count` among its headers."""


class BatchPublisher:
    """One connection for any number of concurrent publishes; replaced after a loss."""

    def __init__(self, broker_url: str) -> None:
        self._url = broker_url
        self._link: Link | None = None
        self._opening = asyncio.Lock()

    async def connect(self) -> None:
        """Open the connection now rather than at the first publish. Raises PublishFailed."""
        await self._open()

    async def publish(self, queue: str, body: bytes, headers: Mapping[str, Any], message_id: str) -> None:
        """Returns once the broker has stored it. Raises PublishFailed (nacked, returned or lost): ask again later."""
        properties = Basic.Properties(
            delivery_mode=2, message_id=message_id, headers=dict(headers), content_type="application/octet-stream"
        )
        link = await self._open()
        try:
            async with asyncio.timeout(CONFIRM_WITHIN_S):
                await link.publish(body, exchange="", routing_key=queue, properties=properties)
        except TimeoutError:
            link.drop()
            raise PublishFailed("lost", "no confirm in time") from None
        except PublishFailed as error:
            if error.reason == "lost":
                link.drop()
            raise

    async def close(self) -> None:
        if self._link is not None:
            await self._link.close()

    async def _open(self) -> Link:
        async with self._opening:
            if self._link is None or not self._link.alive:
                try:
                    self._link = await Link.open(self._url, name="batches")
                except (OSError, TimeoutError, aiormq.AMQPError) as error:
                    raise PublishFailed("lost", repr(error)) from error
            return self._link


@dataclass(frozen=True, slots=True)
class _Received:
    batch: Batch
    tag: int


async def consume_batches(
    broker_url: str,
    queue: str,
    handler: Callable[[list[Batch]], Awaitable[None]],
    prefetch: int = 20,
    stop: asyncio.Event | None = None,
) -> None:
    """Hands over what has arrived, up to `prefetch` batches at a time, until `stop` is set or it is cancelled.

    Acked after the handler returns. When it raises, the same list is handed over again with backoff and nothing
    is nacked: the handler itself must settle what can never succeed. After a lost connection the broker gives
    the unacked ones again, so the handler must know batches it has seen (by message id).
    """
    stopped = stop or asyncio.Event()
    pause = 0.1
    while not stopped.is_set():
        try:
            link = await Link.open(broker_url, confirms=False, name=f"consume-{queue}")
            pause = 0.1
            try:
                await _consume(link, queue, handler, prefetch, stopped)
            finally:
                await link.close()
        except (OSError, TimeoutError, aiormq.AMQPError, _Lost) as error:
            log.warning("the broker is away", queue=queue, error=repr(error), retry_in_s=pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), pause)
            pause = min(pause * 2, 2.0)


class _Lost(Exception):
    """The connection ended; the broker has the unacked batches back."""


async def _consume(
    link: Link, queue: str, handler: Callable[[list[Batch]], Awaitable[None]], prefetch: int, stopped: asyncio.Event
) -> None:
    arrived: asyncio.Queue[_Received] = asyncio.Queue()

    async def receive(message: DeliveredMessage) -> None:
        properties = message.header.properties
        batch = (dict(properties.headers or {}), bytes(message.body), str(properties.message_id or ""))
        arrived.put_nowait(_Received(batch, message.delivery_tag or 0))

    channel = link.channel
    await channel.basic_qos(prefetch_count=prefetch)
    consumer: Any = await channel.basic_consume(queue, receive)
    closed = channel.closing
    stopping = asyncio.ensure_future(stopped.wait())
    try:
        while True:
            taking = asyncio.ensure_future(arrived.get())
            await asyncio.wait({taking, closed, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if closed.done():
                taking.cancel()
                raise _Lost()
            if stopping.done() and not taking.done():
                taking.cancel()
                with suppress(asyncio.CancelledError):
                    await taking
                if consumer is not None and not closed.done():
                    await channel.basic_cancel(str(consumer.consumer_tag))
                    consumer = None
                    continue
                if arrived.empty():
                    return
                taking = asyncio.ensure_future(arrived.get())
            received = [await taking]
            while not arrived.empty() and len(received) < prefetch:
                received.append(arrived.get_nowait())
            await _settle(link, handler, received, closed)
    finally:
        stopping.cancel()


async def _settle(
    link: Link,
    handler: Callable[[list[Batch]], Awaitable[None]],
    received: list[_Received],
    closed: asyncio.Future[Any],
) -> None:
    pause = 0.1
    while True:
        try:
            await handler([each.batch for each in received])
            break
        except Exception as error:  # held, tried again, never nacked
            log.warning("holding batches", held=len(received), error=repr(error), retry_in_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
            if closed.done():
                raise _Lost() from error
    if closed.done():
        raise _Lost()
    await link.channel.basic_ack(received[-1].tag, multiple=True)
