"""The other reference of B7: a FastStream service, used as its documentation shows.

`python -m bench.stock_faststream` runs it: a subscriber on a quorum queue that writes the row which the stock
nameko handler writes, ten connections for it, FastStream's ack after the handler. For the relay's side it
publishes, when told so on its commands queue, persistent messages with confirms, a hundred at a time.
STOCK_DATABASE_URL and STOCK_BROKER_URL say where.
"""

from __future__ import annotations

import asyncio
import os

import asyncpg
from faststream import FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue
from pydantic import BaseModel

EVENTS, COMMANDS, DONE = "faststream.events", "faststream.commands", "faststream.done"
AT_ONCE = 100


class Burst(BaseModel):
    """One event."""

    case_id: int
    body: str


class Publish(BaseModel):
    """Asks for so many events."""

    count: int
    body: str


def queue() -> RabbitQueue:
    return RabbitQueue(EVENTS, queue_type=QueueType.QUORUM, durable=True)


async def main() -> None:
    broker = RabbitBroker(os.environ["STOCK_BROKER_URL"], default_channel=Channel(prefetch_count=200), logger=None)
    pool = await asyncpg.create_pool(os.environ["STOCK_DATABASE_URL"], min_size=10, max_size=10)

    @broker.subscriber(queue())
    async def on_burst(event: Burst) -> None:
        await pool.execute("INSERT INTO stock_effects (body) VALUES ($1)", event.body)

    @broker.subscriber(COMMANDS)
    @broker.publisher(DONE)
    async def publish(asked: Publish) -> int:
        for first in range(0, asked.count, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, asked.count))
            events = (Burst(case_id=number, body=asked.body) for number in numbers)
            await asyncio.gather(*(broker.publish(event, queue=queue(), persist=True) for event in events))
        return asked.count

    await FastStream(broker, logger=None).run()


if __name__ == "__main__":
    asyncio.run(main())
