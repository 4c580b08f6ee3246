"""Every exchange, queue and binding as a value; all names are made here.

Who hears what is ONE table, `CONSUMERS`. Per (consumer, entity stream) there is one quorum queue with a
single active consumer, so that the events of one entity stay in order with any number of replicas.

    python -m backbone.topology        # declares on PINGAN_BROKER_URL; exits 78 naming a differing argument
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sys
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn
from urllib.parse import quote, unquote, urlsplit

from amqp.exceptions import NotFound

from backbone import telemetry
from backbone.broker import connect, drop
from backbone.settings import SERVICES, BrokerSettings

log = telemetry.logger("topology")

EVENTS = "pingan.events"
DEAD = "pingan.dead"
POSITIONS = "patrol.positions"

# (consumer, stream) -> routing keys of pingan.events. One queue holds what must stay in order together.
CONSUMERS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("hazards", "areas"): ("grid.area.#", "grid.boundary.#"),
    ("hazards", "agencies"): ("grid.agency.#", "grid.jurisdiction.#"),
    ("patrol", "areas"): ("grid.area.#", "grid.boundary.#"),
    ("patrol", "agencies"): ("grid.agency.#",),
    ("notify", "everything"): ("#",),
}

DELIVERY_LIMIT = 50


MISMATCH_STATUS = 78
"""A process that finds another topology ends with this (EX_CONFIG): no new start of it would help."""

_INEQUIVALENT = re.compile(
    r"inequivalent arg '(?P<argument>[^']+)' for (?P<what>\S+ '[^']+').*?: "
    r"received (?:the value )?(?P<ours>.+?)(?: of type '\w+')? but current is (?:the value )?(?P<theirs>'[^']*'|none)"
)


class TopologyMismatch(RuntimeError):
    """Something of that name exists with other arguments: the message names it, the argument, theirs and ours."""

    @classmethod
    def said(cls, reply_text: str) -> TopologyMismatch:
        """From the broker's words, which are kept where they have another form."""
        found = _INEQUIVALENT.search(reply_text)
        if found is None:
            return cls(reply_text)
        argument, what, ours, theirs = found.group("argument", "what", "ours", "theirs")
        return cls(f"{what} has {argument} {theirs} on the broker, and ours is {ours}")


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue, the routing keys that fill it and its arguments."""

    name: str
    service: str
    exchange: str = ""
    keys: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)


def events_queue(service: str, stream: str) -> str:
    return f"{service}.on-{stream}"


def commands_queue(service: str) -> str:
    return f"{service}.commands"


def dead_queue(service: str) -> str:
    return f"{service}.dead"


def _quorum(service: str, **more: Any) -> dict[str, Any]:
    # No length limit: reject-publish on one full queue would nack the publisher although the others stored
    # the event. Length is an alarm instead. The delivery limit is a last net, under it the inbox judges.
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": service,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        **more,
    }


def queues() -> tuple[Queue, ...]:
    """All queues of the platform, dead-letter queues first: nobody may dead-letter into nothing."""
    listening = sorted({service for service, _ in CONSUMERS} | {"patrol"})
    return (
        *(Queue(dead_queue(name), name, DEAD, (name,), {"x-queue-type": "quorum"}) for name in listening),
        *(
            Queue(events_queue(service, stream), service, EVENTS, keys, _single(service))
            for (service, stream), keys in CONSUMERS.items()
        ),
        *(Queue(commands_queue(name), name) for name in SERVICES),
        Queue(POSITIONS, "patrol", arguments=_quorum("patrol")),
    )


def _single(service: str) -> dict[str, Any]:
    return _quorum(service, **{"x-single-active-consumer": True})


def queues_of(service: str) -> dict[str, tuple[str, ...]]:
    """One consumer's event queues with their routing keys."""
    return {events_queue(name, stream): keys for (name, stream), keys in CONSUMERS.items() if name == service}


def queue_for(service: str, routing_key: str) -> str:
    """The queue in which `service` hears a routing key. Raises LookupError when it has none."""
    for queue, keys in queues_of(service).items():
        if any(matches(key, routing_key) for key in keys):
            return queue
    raise LookupError(f"{service} has no queue for {routing_key}: add it to backbone.topology.CONSUMERS")


def matches(pattern: str, routing_key: str) -> bool:
    """AMQP topic matching: `*` one word, `#` any number of words."""
    return _matches(pattern.split("."), routing_key.split("."))


def _matches(pattern: list[str], words: list[str]) -> bool:
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_matches(pattern[1:], words[skipped:]) for skipped in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _matches(pattern[1:], words[1:])


def keys_of(queue: str) -> tuple[str, ...]:
    """The routing keys of one queue; none when it is unknown."""
    return next((each.keys for each in queues() if each.name == queue), ())


def pattern_of(queue: str) -> str:
    """A regular expression (PostgreSQL's and Python's) for `routing_key || '.'` of what a queue's keys match."""
    keys = keys_of(queue)
    word = {"#": r"([^.]+\.)*", "*": r"[^.]+\."}
    either = "|".join("".join(word.get(each, rf"{each}\.") for each in key.split(".")) for key in keys)
    return f"^({either})$" if keys else "^$"


def hearing(routing_key: str) -> list[str]:
    """The event queues that the topology binds for a routing key."""
    bound = [each for each in queues() if each.exchange == EVENTS]
    return [each.name for each in bound if any(matches(key, routing_key) for key in each.keys)]


def keeps_every_event(queue: str) -> bool:
    """Whether this queue's consumer keeps events as such (the journal), not the newest state of each entity."""
    return "#" in keys_of(queue)


def declare(broker_url: str, bind: bool = True, unbound: Collection[str] = ()) -> None:
    """Declare everything; harmless when it is there already. Without bindings, if so asked, or those of `unbound`.

    Raises TopologyMismatch when something exists with other arguments, OSError when the broker is away.
    """
    connection = connect(broker_url, heartbeat=0)
    try:
        for step in _steps(unbound if bind else [each.name for each in queues()]):
            _take(connection, step)
    finally:
        drop(connection)


def verify(broker_url: str, service: str | None = None) -> None:
    """Compare what is there of a service's queues (None: of everything) with ours; what is missing is not made.

    Raises TopologyMismatch; OSError or an amqp error when the broker is away.
    """
    connection = connect(broker_url, heartbeat=0)
    try:
        for queue in queues():
            if service in (None, queue.service):
                with suppress(NotFound):
                    _take(connection, partial(_look_at_queue, queue=queue))
                    _take(connection, partial(_declare_queue, queue=queue, bind=False))
    finally:
        drop(connection)


def _take(connection: Any, step: Callable[[Any], Any]) -> None:
    """One step on a channel of its own: a refused declaration closes its channel. Raises TopologyMismatch."""
    channel = connection.channel()
    try:
        step(channel)
    except connection.channel_errors as error:
        if getattr(error, "reply_code", None) == 406:
            raise TopologyMismatch.said(str(getattr(error, "reply_text", error))) from None
        raise
    channel.close()


async def until_mismatch(broker_url: str, service: str | None = None) -> NoReturn:
    """Verify as soon as the broker answers, then wait for ever: a task to be run beside the work.

    Raises TopologyMismatch.
    """
    pause = 0.2
    while True:
        try:
            await asyncio.to_thread(verify, broker_url, service)
            await asyncio.Event().wait()
        except TopologyMismatch:
            raise
        except Exception as error:  # noqa: BLE001 - amqp's errors have no common base with OSError
            log.warning("waiting for the broker", error=repr(error), retry_in_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)


def _steps(unbound: Collection[str]) -> Iterator[Any]:
    yield lambda channel: channel.exchange_declare(EVENTS, "topic", durable=True, auto_delete=False)
    yield lambda channel: channel.exchange_declare(DEAD, "direct", durable=True, auto_delete=False)
    for each in queues():
        yield lambda channel, queue=each: _declare_queue(channel, queue, queue.name not in unbound)


def _look_at_queue(channel: Any, queue: Queue) -> None:
    channel.queue_declare(queue.name, passive=True)


def _declare_queue(channel: Any, queue: Queue, bind: bool) -> None:
    channel.queue_declare(queue.name, durable=True, auto_delete=False, arguments=dict(queue.arguments))
    for key in queue.keys if bind else ():
        channel.queue_bind(queue.name, exchange=queue.exchange, routing_key=key)


@dataclass(frozen=True, slots=True)
class Losses:
    """What of the topology the broker has lost: whole queues, and bindings of queues that are there."""

    queues: frozenset[str]
    bindings: frozenset[tuple[str, str]]

    @property
    def affected(self) -> frozenset[str]:
        """Every queue to which something may not have been delivered."""
        return self.queues | {queue for queue, _ in self.bindings}

    def besides(self, unbound: Collection[str]) -> Losses:
        """The same without the bindings of queues that are unbound on purpose."""
        return Losses(self.queues, frozenset(each for each in self.bindings if each[0] not in unbound))


def compare(broker_url: str, management_url: str, timeout: float = 5.0) -> Losses:
    """Ask the management API what is missing. Blocking; raises OSError when the API does not answer."""
    present = {
        (binding["source"], binding["destination"], binding["routing_key"])
        for binding in management(broker_url, management_url, "bindings/{vhost}", timeout)
        if binding["destination_type"] == "queue"
    }
    # Every queue that exists is bound to the default exchange by its name.
    missing = frozenset(queue.name for queue in queues() if ("", queue.name, queue.name) not in present)
    unbound = frozenset(
        (queue.name, key)
        for queue in queues()
        for key in queue.keys
        if queue.name not in missing and (queue.exchange, queue.name, key) not in present
    )
    return Losses(missing, unbound)


def lengths(broker_url: str, management_url: str, timeout: float = 5.0) -> dict[str, int]:
    """Messages per queue as the broker last counted them (up to five seconds old)."""
    found = management(broker_url, management_url, "queues/{vhost}?columns=name,messages", timeout)
    return {queue["name"]: int(queue.get("messages") or 0) for queue in found}


def ready(broker_url: str, names: Collection[str]) -> dict[str, int]:
    """Messages ready in each of these queues, exact and at once; without those that are missing. Blocking."""
    found: dict[str, int] = {}
    connection = connect(broker_url, heartbeat=0)
    try:
        for name in names:
            channel = connection.channel()  # a missing queue closes it
            with suppress(NotFound):
                found[name] = int(channel.queue_declare(name, passive=True).message_count)
                channel.close()
    finally:
        drop(connection)
    return found


def unbind(broker_url: str, names: Collection[str]) -> None:
    """Take the topology's bindings from these event queues; what lies in them stays. Blocking."""
    connection = connect(broker_url, heartbeat=0)
    try:
        channel = connection.channel()
        for each in queues():
            for key in each.keys if each.name in names else ():
                channel.queue_unbind(each.name, exchange=each.exchange, routing_key=key)
    finally:
        drop(connection)


def management(broker_url: str, management_url: str, path: str, timeout: float = 5.0) -> Any:
    """GET one path of the management API; `{vhost}` in it is the broker URL's."""
    address = urlsplit(management_url)
    vhost = quote(unquote(urlsplit(broker_url).path[1:]) or "/", safe="")
    url = f"{address.scheme}://{address.hostname}:{address.port}/api/{path.format(vhost=vhost)}"
    request = urllib.request.Request(url)  # noqa: S310 - the address is our own setting
    credentials = f"{unquote(address.username or '')}:{unquote(address.password or '')}"
    request.add_header("Authorization", "Basic " + base64.b64encode(credentials.encode()).decode())
    with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
        return json.loads(answer.read())


def main() -> None:
    try:
        declare(BrokerSettings().url)
    except TopologyMismatch as error:
        sys.stderr.write(f"the broker has another topology: {error}\n")
        sys.exit(MISMATCH_STATUS)


if __name__ == "__main__":
    main()
