"""Whether anybody consumes the services' command queues: a command to a queue without a consumer waits in vain.

Asked on a connection of its own: a passive declaration of a queue that is missing closes its channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiormq

from backbone import topology
from backbone.link import Link

ANSWER_WITHIN_S = 3.0


class Listeners:
    """Counts consumers; the connection is made when first asked, and anew after a loss."""

    def __init__(self, broker_url: str) -> None:
        self._url = broker_url
        self._link: Link | None = None

    async def missing(self, services: Sequence[str]) -> dict[str, str]:
        """Why a service does not answer commands now, for each that does not.

        Raises OSError, TimeoutError or an aiormq error when the broker is away.
        """
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                if self._link is None or not self._link.alive:
                    self._link = await Link.open(self._url, confirms=False, name="listeners")
                found = {name: await self._reason(self._link, name) for name in services}
        except BaseException:
            self.close()
            raise
        return {name: reason for name, reason in found.items() if reason}

    async def _reason(self, link: Link, service: str) -> str:
        queue = topology.commands_queue(service)
        channel = await link.connection.channel(publisher_confirms=False)
        try:
            declared = await channel.queue_declare(queue, passive=True)
        except aiormq.ChannelNotFoundEntity:
            return f"the queue {queue} is missing"
        await channel.close()
        return "" if declared.consumer_count else f"nobody consumes {queue}"

    def close(self) -> None:
        if self._link is not None:
            self._link.drop()
            self._link = None
