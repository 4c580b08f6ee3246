"""Messages of anybody's making in a command queue, and replies that are none: refused, and nobody waits longer.

The sender of a bad command is answered (where it told how) and the message is acked: one that stayed unacked would
take a place of the service's prefetch for good.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from amqp import Message

from backbone import topology
from backbone.broker import connect, drop
from backbone.database import to_json
from backbone.rpc import CommandClient, CommandFailed, CommandUnavailable
from contracts.scope import actor_to_json
from tests.integration.backbone.conftest import ACTOR, GRID, Processes, Stage, eventually, say
from tests.integration.backbone.toys import Nothing, SayAgency

pytestmark = pytest.mark.timeout(180)

QUEUE = topology.commands_queue("grid")
DEEP = 10_000
EIGHT_MB = 8 * 1024 * 1024
ACTOR_JSON = to_json(actor_to_json(ACTOR))


def a_body(**changes: Any) -> bytes:
    return json.dumps({"agency_id": str(uuid4()), **changes}).encode()


class Caller:
    """Sends commands of any form and hears what is answered, by correlation id."""

    def __init__(self, url: str) -> None:
        self._connection = connect(url)
        self._channel = self._connection.channel()
        self._channel.auto_decode = False
        self.answers: dict[str, dict[str, Any]] = {}
        self._channel.basic_consume("amq.rabbitmq.reply-to", callback=self._hear, no_ack=True)

    def _hear(self, message: Any) -> None:
        self.answers[message.properties["correlation_id"]] = json.loads(bytes(message.body))

    def send(
        self, body: bytes = b"", headers: dict[str, Any] | None = None, reply: bool = True, **properties: Any
    ) -> str:
        call = str(uuid4())
        known: dict[str, Any] = {"type": "SayAgency", "message_id": call, "content_type": "application/json"}
        known |= {"correlation_id": call, "reply_to": "amq.rabbitmq.reply-to"} if reply else {}
        known["application_headers"] = {"actor": ACTOR_JSON, "deadline": in_a_while()} | (headers or {})
        self._channel.basic_publish(Message(body, delivery_mode=1, **(known | properties)), "", QUEUE)
        return call

    def answer(self, call: str, within: float = 30) -> dict[str, Any]:
        until = time.monotonic() + within
        while call not in self.answers:
            assert time.monotonic() < until, "no answer"
            try:
                self._connection.drain_events(timeout=0.5)
            except TimeoutError:
                continue
        return self.answers[call]

    def refusal(self, call: str) -> str:
        """The code of the refusal that answered."""
        answer = self.answer(call)
        assert "refused" in answer, answer
        assert answer["refused"]["detail"]
        return str(answer["refused"]["code"])

    def close(self) -> None:
        drop(self._connection)


def in_a_while(seconds: float = 30) -> int:
    return int((time.time() + seconds) * 1000)


@pytest.fixture
def caller(stage: Stage) -> Iterator[Caller]:
    caller = Caller(stage.broker_url)
    yield caller
    caller.close()


BODIES: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "eight MB of zeros": lambda: bytes(EIGHT_MB),
    "eight MB of text in a field": lambda: a_body(code="x" * EIGHT_MB),
    "10,000 arrays deep": lambda: b"[" * DEEP + b"]" * DEEP,
    "10,000 objects deep": lambda: b'{"agency_id":' * DEEP + b"1" + b"}" * DEEP,
    "cut short": lambda: a_body()[:-3],
    "not UTF-8": lambda: b"\xff\xfe" + a_body(),
    "UTF-16": lambda: a_body().decode().encode("utf-16"),
    "a list": lambda: b"[]",
    "a lone surrogate": lambda: a_body(code="\ud800"),
    "NUL": lambda: a_body(code="a\x00b"),
    "1e999": lambda: a_body(sleep_s="N").replace(b'"N"', b"1e999")[:-1] + b',"more":1}',
    "NaN": lambda: a_body(version="N").replace(b'"N"', b"NaN"),
    "a number of 5,000 digits": lambda: a_body(version="N").replace(b'"N"', b"1" + b"0" * 5000),
    "a field nobody knows": lambda: a_body(colour="red"),
    "a field twice, once wrong": lambda: b'{"agency_id": "x", ' + a_body(agency_id="y")[1:],
}


def test_bodies_that_are_no_command_are_refused_with_a_reason(
    stage: Stage, processes: Processes, caller: Caller
) -> None:
    processes.service(GRID)
    for name, make in BODIES.items():
        assert caller.refusal(caller.send(make())) == "malformed_command", name
    assert "ok" in caller.answer(caller.send(a_body()))
    assert stage.value("grid", "SELECT count(*) FROM toy_runs") == 1


WRONG: dict[str, dict[str, Any]] = {
    "a text as content type": {"content_type": "text/plain"},
    "bytes as content type": {"content_type": "application/octet-stream"},
    "a command nobody has": {"type": "Abolish"},
    "no command": {"type": ""},
    "a command with half a surrogate": {"type": "\ud800\x00"},
    "no actor": {"headers": {"actor": None}},
    "an actor 10,000 deep": {"headers": {"actor": "[" * DEEP}},
    "an actor that is a list": {"headers": {"actor": "[]"}},
    "an actor that is a number": {"headers": {"actor": 5}},
    "an actor whose ids are numbers": {"headers": {"actor": '{"account_id": 1, "agency_id": 2, "scope": {}}'}},
    "an actor of an unknown role": {"headers": {"actor": ACTOR_JSON.replace("county_admin", "emperor")}},
    "half a key": {"headers": {"idempotency_key": "k"}},
    "a key with NUL": {
        "headers": {f"idempotency_{part}": "a\x00b" for part in ("client", "route", "key", "fingerprint")}
    },
    "a key that is a list": {"headers": {f"idempotency_{part}": [1] for part in ("client", "route", "key")}},
}


def test_headers_that_are_none_of_ours_are_refused_with_a_reason(
    stage: Stage, processes: Processes, caller: Caller
) -> None:
    processes.service(GRID)
    for name, properties in WRONG.items():
        assert caller.refusal(caller.send(a_body(), **properties)) == "malformed_command", name
    assert "ok" in caller.answer(caller.send(a_body()))
    assert stage.value("grid", "SELECT count(*) FROM toy_runs") == 1


ODD: dict[str, dict[str, Any]] = {
    "a deadline in words": {"headers": {"deadline": "soon"}},
    "a deadline that is a list": {"headers": {"deadline": [1]}},
    "a deadline long before our era": {"headers": {"deadline": -1}},
    "no deadline": {"headers": {"deadline": None}},
    "a deadline after the sun has gone out": {"headers": {"deadline": 2**62}},
    "a correlation that is no word": {"headers": {"correlation_id": "a b\x00\ud800" * 90}},
    "a correlation that is a table": {"headers": {"correlation_id": {"a": [1]}}},
    "a trace that is none": {"headers": {"traceparent": "00-zz-zz-01"}},
    "a message id with NUL": {"message_id": "a\x00b"},
    "a message id of 255 characters": {"message_id": "x" * 255},
}


def test_odd_headers_that_say_nothing_of_the_command_do_not_keep_it_from_running(
    stage: Stage, processes: Processes, caller: Caller
) -> None:
    """And the events that it writes are envelopes that everybody can read."""
    processes.service(GRID)
    for name, properties in ODD.items():
        assert "ok" in caller.answer(caller.send(a_body(), **properties)), name
    assert stage.value("grid", "SELECT count(*) FROM outbox") == len(ODD)


def test_more_bad_commands_than_the_prefetch_leave_room_for_good_ones(
    stage: Stage, processes: Processes, caller: Caller
) -> None:
    """Each of these stayed unacked once: twenty of them, and the service took no command any more."""
    processes.service(GRID)
    for _ in range(30):
        caller.send(a_body(), {"deadline": "soon", "actor": "[" * DEEP}, reply=False)
        caller.send(a_body(), {"idempotency_key": "k"}, reply=False)
        caller.send(a_body(), reply_to="amq.rabbitmq.reply-to.nobody", reply=False, type="Abolish")
        caller.send(a_body(), reply_to="no.such.queue\x00\ud800", reply=False, type="Abolish")
    assert "ok" in caller.answer(caller.send(a_body()))
    eventually(lambda: stage.ready(QUEUE) == 0)
    assert stage.value("grid", "SELECT count(*) FROM toy_runs") == 1


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_caller_whose_clock_is_ten_minutes_off_is_served_or_hears_nothing_but_blocks_nobody(
    stage: Stage, processes: Processes, caller: Caller, minutes: int
) -> None:
    """Ahead: served. Behind: its deadline has passed before it asks; the log says that the clocks differ."""
    service = processes.service(GRID)
    off = [caller.send(a_body(), {"deadline": in_a_while(minutes * 60 + 5)}) for _ in range(25)]
    assert "ok" in caller.answer(caller.send(a_body()))
    if minutes > 0:
        assert all("ok" in caller.answer(call) for call in off)
    else:
        eventually(lambda: "do the clocks agree" in service.log.read_text())  # type: ignore[attr-defined]
        assert stage.value("grid", "SELECT count(*) FROM toy_runs") == 1


REPLIES = (
    *(b"", b"\xff", b"[" * DEEP, b"null", b"[]", b"5", b'"ok"', b"{}", bytes(1024 * 1024)),
    *(b'{"ok": null}', b'{"ok": 5}', b'{"refused": {}}', b'{"refused": [1]}', b'{"refused": {"colour": "red"}}'),
    *(b'{"unavailable": {}}', b'{"unavailable": {"retry_after": "soon"}}', b'{"internal": 5}'),
)


async def test_a_reply_that_is_none_fails_its_own_call_and_no_other(stage: Stage, client: CommandClient) -> None:
    """The gateway's side: who answers is a service of ours, and even so its words are checked."""
    ended = threading.Event()

    def answer() -> None:
        connection = connect(stage.broker_url)
        channel = connection.channel()
        bodies = iter((*REPLIES, b'{"ok": {"done": true}}'))

        def reply(message: Any) -> None:
            properties = message.properties
            for correlation in ("nobody", None, properties["correlation_id"]):
                body = next(bodies) if correlation == properties["correlation_id"] else b"stray"
                said = Message(body, **({"correlation_id": correlation} if correlation else {}))
                channel.basic_publish(said, "", properties["reply_to"])

        channel.basic_consume(QUEUE, callback=reply, no_ack=True)
        while not ended.is_set():
            try:
                connection.drain_events(timeout=0.2)
            except TimeoutError:
                continue
        drop(connection)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        for body in REPLIES:
            with pytest.raises((CommandFailed, CommandUnavailable)) as failed:
                await client.send(Nothing(), ACTOR, deadline=30)
            assert failed.type is CommandFailed, body[:40]
        assert await client.send(Nothing(), ACTOR, deadline=30) == {"done": True}
    finally:
        ended.set()
        await asyncio.to_thread(thread.join)


ROUNDS, CALLS = 12, 25
SERIES = 3
"""What else runs on the machine may spoil a series; three in a row it does not."""


def bad_commands() -> Iterator[tuple[bytes, dict[str, Any]]]:
    """One after another, for ever: small ones, deep ones, and now and then a megabyte."""
    while True:
        yield b"", {}
        yield b"[" * DEEP, {}
        yield a_body(colour="red"), {}
        yield a_body(), {"actor": "[" * DEEP}
        yield a_body(), {"deadline": "soon", "idempotency_key": "k"}
        yield a_body(code="x" * 100_000), {}


async def test_the_others_wait_at_most_twice_as_long_beside_a_stream_of_bad_commands(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    """Healthy commands with an effect, alone and beside 100 bad ones a second, in turn on one machine."""
    processes.service(GRID)
    for _ in range(20):
        await say(client)
    flooding, ended, sent = threading.Event(), threading.Event(), [0]

    def flood() -> None:
        caller, made = Caller(stage.broker_url), bad_commands()
        while not ended.is_set():
            if flooding.wait(0.1):
                body, headers = next(made)
                caller.send(body, headers, reply=False)
                sent[0] += 1
                time.sleep(0.01)
        caller.close()

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    try:
        for _ in range(SERIES):
            alone: list[float] = []
            beside: list[float] = []
            for n in range(2 * ROUNDS):
                (flooding.set if n % 2 else flooding.clear)()
                await asyncio.sleep(0.1)
                for _ in range(CALLS):
                    began = time.perf_counter()
                    await client.send(SayAgency(agency_id=uuid4()), ACTOR, deadline=30)
                    (beside if n % 2 else alone).append(time.perf_counter() - began)
            ratio = statistics.median(beside) / statistics.median(alone)
            print(f"median alone {statistics.median(alone) * 1000:.1f} ms, beside bad commands: {ratio:.2f} x")
            if ratio <= 2:
                break
    finally:
        ended.set()
        await asyncio.to_thread(thread.join)
    assert sent[0] > 50
    assert ratio <= 2
