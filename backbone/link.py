"""One AMQP connection of the asyncio side: publish with confirm, and drop the socket hard when it hangs.

Not a "robust" connection on purpose: who uses it decides what to do after a loss (the relay reads its rows
again, the command client answers 503), so a lost link is replaced, never revived behind one's back.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, cast

import aiormq
from aiormq.connection import TCPTransportFactory
from pamqp.commands import Basic
from yarl import URL

from backbone.broker import heartbeat_of

OPEN_TIMEOUT_S = 5.0


class PublishFailed(Exception):
    """The broker did not take the message; `reason` is nacked, returned or lost."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        super().__init__(f"{reason} {detail}".strip())


class _Transport(TCPTransportFactory):
    """Remembers the writer, so that the socket can be dropped without a farewell."""

    writer: asyncio.StreamWriter | None = None

    async def create(self, url: URL, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, self.writer = await super().create(url, **options)
        return reader, self.writer


class _Connection(aiormq.Connection):
    """Gives a silent broker up after two heartbeats, as our synchronous side does, and not after three."""

    HEARTBEAT_GRACE_MULTIPLIER = 2


class Link:
    """A connection with one channel. Open it with `Link.open`, throw it away with `drop`."""

    def __init__(self, connection: aiormq.Connection, channel: aiormq.Channel, transport: _Transport) -> None:
        self.connection = connection
        self.channel = channel
        self._transport = transport
        self._dropped = False

    @classmethod
    async def open(cls, url: str, *, confirms: bool = True, name: str = "pingan") -> Link:
        """Raises OSError, TimeoutError or an aiormq error when the broker is away."""
        transport = _Transport()
        address = URL(url).update_query(heartbeat=str(heartbeat_of(url)), name=name)
        connection = _Connection(address, transport_factory=transport)
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                await connection.connect()
                channel = await connection.channel(publisher_confirms=confirms, on_return_raises=True)
        except BaseException:
            _abort(transport)
            raise
        return cls(connection, cast(aiormq.Channel, channel), transport)

    @property
    def alive(self) -> bool:
        return not self._dropped and self.connection.is_opened and not self.channel.is_closed

    async def publish(
        self,
        body: bytes,
        *,
        exchange: str,
        routing_key: str,
        properties: Basic.Properties,
    ) -> None:
        """Returns once the broker confirmed. Mandatory: raises PublishFailed when no queue took it."""
        try:
            await self.channel.basic_publish(
                body,
                exchange=exchange,
                routing_key=routing_key,
                properties=properties,
                mandatory=True,
                wait=False,
            )
        except aiormq.PublishError as error:
            raise PublishFailed("returned", routing_key) from error
        except aiormq.DeliveryError as error:
            raise PublishFailed("nacked", routing_key) from error
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            raise PublishFailed("lost") from None  # the channel cancels its futures when it closes
        except (TimeoutError, OSError, aiormq.AMQPError, RuntimeError) as error:
            raise PublishFailed("lost", repr(error)) from error

    def drop(self) -> None:
        """Abort the socket; everything under way fails at once."""
        if not self._dropped:
            self._dropped = True
            _abort(self._transport)

    async def close(self) -> None:
        """A polite end, at most two seconds, then the hard one."""
        with suppress(Exception, asyncio.CancelledError):
            async with asyncio.timeout(2):
                await self.connection.close()
        self.drop()


def _abort(transport: _Transport) -> None:
    if transport.writer is not None:
        transport.writer.transport.abort()
