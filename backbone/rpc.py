"""Sends commands to services from asyncio: direct reply-to, deadline, idempotency key, and one error map.

    client = CommandClient(url); await client.connect()
    reply = await client.send(ReportCase(...), actor, idempotency=key)

A command that was lost, came late or could not be taken is CommandUnavailable: 503 with Retry-After, and safe to
send again under the same key.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

import aiormq
from aiormq.abc import DeliveredMessage
from pamqp.commands import Basic

from backbone import telemetry, topology
from backbone.database import from_json, new_id, to_json
from backbone.idempotency import IdempotencyKey
from backbone.link import Link, PublishFailed
from contracts.commands import Command
from contracts.scope import Actor, actor_to_json

__all__ = ["CommandClient", "CommandFailed", "CommandRefused", "CommandUnavailable", "IdempotencyKey"]

log = telemetry.logger("rpc")

REPLY_TO = "amq.rabbitmq.reply-to"
CONFIRM_WITHIN_S = 5.0


class CommandRefused(Exception):
    """The service said no; the fields are those of `contracts.refusals.Refusal`."""

    def __init__(
        self,
        code: str,
        status: int,
        title: str,
        zh: str,
        detail: str,
        field: str | None = None,
        expected: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.status = status
        self.title = title
        self.zh = zh
        self.detail = detail
        self.field = field
        self.expected = expected
        self.extra = extra or {}
        super().__init__(f"{code}: {detail}")


class CommandUnavailable(Exception):
    """No answer now; the same command may be sent again after `retry_after` seconds."""

    def __init__(self, retry_after: int = 1, reason: str = "") -> None:
        self.retry_after = retry_after
        super().__init__(reason or f"retry after {retry_after} s")


class CommandFailed(Exception):
    """The service has a defect; `trace_id` finds it in the logs. Sending again would not help."""

    def __init__(self, trace_id: str) -> None:
        self.trace_id = trace_id
        super().__init__(trace_id)


class CommandClient:
    """One connection, any number of concurrent calls; a lost connection is replaced in the background."""

    def __init__(self, broker_url: str) -> None:
        self._url = broker_url
        self._link: Link | None = None
        self._linked = asyncio.Event()
        self._lost = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._keeper: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._link is not None and self._link.alive

    async def connect(self, patience_s: float = 5.0) -> None:
        """Start connecting; returns when connected or after the patience has run out (it then goes on trying)."""
        if self._keeper is None:
            self._keeper = asyncio.ensure_future(self._keep())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._linked.wait(), patience_s)

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        if self._link is not None:
            await self._link.close()
        self._forget("closed")

    async def send(
        self,
        command: Command,
        actor: Actor,
        *,
        service: str | None = None,
        deadline: float = 5.0,
        idempotency: IdempotencyKey | None = None,
        correlation_id: str | None = None,
        traceparent: str | None = None,
    ) -> dict[str, Any]:
        """The reply as JSON. `deadline` in seconds. Raises CommandRefused, CommandUnavailable, CommandFailed."""
        call = str(new_id())
        headers: dict[str, Any] = {
            "actor": to_json(actor_to_json(actor)),
            "deadline": int((time.time() + deadline) * 1000),
            "correlation_id": correlation_id or telemetry.current().correlation_id,
        }
        if traceparent:
            headers["traceparent"] = traceparent
        if idempotency is not None:
            headers["idempotency_client"] = idempotency.client
            headers["idempotency_route"] = idempotency.route
            headers["idempotency_key"] = idempotency.key
            headers["idempotency_fingerprint"] = idempotency.fingerprint
        properties = Basic.Properties(
            content_type="application/json",
            delivery_mode=1,
            message_id=call,
            correlation_id=call,
            reply_to=REPLY_TO,
            message_type=command.wire_name(),
            expiration=str(int(deadline * 1000)),
            headers=headers,
        )
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[call] = answer
        try:
            async with asyncio.timeout(deadline):
                queue = topology.commands_queue(service or command.service)
                await self._publish(command.model_dump_json().encode(), queue, properties)
                body = await answer
        except TimeoutError:
            raise CommandUnavailable(1, "no answer in time") from None
        finally:
            self._waiting.pop(call, None)
            answer.cancel()
        return _result(body)

    async def _publish(self, body: bytes, queue: str, properties: Basic.Properties) -> None:
        if not self.connected:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._linked.wait(), 1.0)
        link = self._link
        if link is None or not link.alive:
            raise CommandUnavailable(1, "not connected to the broker")
        try:
            async with asyncio.timeout(CONFIRM_WITHIN_S) as patience:
                await link.publish(body, exchange="", routing_key=queue, properties=properties)
        except PublishFailed as error:
            if error.reason == "lost":
                self._drop(link)
            raise CommandUnavailable(1, str(error)) from error
        except TimeoutError:
            # A broker that does not confirm is frozen, or keeps publishers waiting for its memory.
            self._drop(link)
            raise CommandUnavailable(5, "the broker does not confirm") from None
        except asyncio.CancelledError:
            if patience.expired():
                self._drop(link)
            raise

    # -- the connection ------------------------------------------------------------------------------

    async def _keep(self) -> None:
        pause = 0.1
        while True:
            try:
                await self._open()
                pause = 0.1
                await self._lost.wait()
            except (OSError, TimeoutError, aiormq.AMQPError) as error:
                log.warning("the broker is away", error=repr(error), retry_in_s=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)

    async def _open(self) -> None:
        self._lost.clear()
        link = await Link.open(self._url, name="commands")
        try:
            async with asyncio.timeout(5):
                await link.channel.basic_consume(REPLY_TO, self._receive, no_ack=True)
        except BaseException:
            link.drop()
            raise
        link.channel.closing.add_done_callback(lambda _closed: self._drop(link))
        self._link = link
        self._linked.set()
        log.info("connected to the broker")

    def _drop(self, link: Link) -> None:
        link.drop()
        if self._link is link:
            self._link = None
            self._linked.clear()
            self._lost.set()
            self._forget("lost the broker")

    def _forget(self, reason: str) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(CommandUnavailable(1, reason))
                answer.exception()  # whoever has stopped waiting shall not be warned about it

    async def _receive(self, message: DeliveredMessage) -> None:
        answer = self._waiting.get(str(message.header.properties.correlation_id))
        if answer is not None and not answer.done():
            answer.set_result(message.body)


def _result(body: bytes) -> dict[str, Any]:
    """What a reply says. Raises CommandRefused, CommandUnavailable and, for what is no reply too, CommandFailed."""
    try:
        reply: dict[str, Any] = from_json(body)
        if "ok" in reply:
            return dict(reply["ok"])
        if "refused" in reply:
            raise CommandRefused(**reply["refused"])
        if "unavailable" in reply:
            raise CommandUnavailable(int(reply["unavailable"]["retry_after"]), "the service cannot answer now")
        trace_id = str(reply.get("internal", {}).get("trace_id", ""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        log.error("a reply has not the agreed form", error=repr(error)[:300], bytes=len(body))
        trace_id = telemetry.current().trace_id
    raise CommandFailed(trace_id)
