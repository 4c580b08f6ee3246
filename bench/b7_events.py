"""B7: outbox -> relay -> quorum queue -> inbox and effect, beside a stock nameko service's and FastStream's events.

Two subjects consume: hazards as it runs, whose handler takes a batch of agencies with one statement, and the
same with a handler for one event at a time.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
from amqp import Message
from amqp.exceptions import NotFound
from nameko.exceptions import UnknownService
from nameko.standalone.rpc import ClusterRpcProxy
from psycopg2.extras import execute_values

from backbone.broker import connect, drop
from backbone.outbox import shard_of
from bench import place
from bench.b3_commands import child, make_stock_tables, stock_environment
from bench.harness import QUICK, Row, by_turns
from bench.stock_faststream import COMMANDS, DONE
from bench.stock_faststream import EVENTS as FASTSTREAM_QUEUE
from contracts import sample
from contracts.grid.events import AgencyChanged
from tests.servers import Database

EVENTS = 500 if QUICK else 10_000
STOCK_EVENTS = 200 if QUICK else 1_500


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as files, place.platform_parts(files) as (database, environment):
        make_stock_tables(database)
        with (
            place.process("backbone.relay", environment, place.free_port()),
            place.admin(database.url("admin")) as run,
            child([sys.executable, "-m", "bench.stock", "service"], stock_environment(database, environment)),
            child([sys.executable, "-m", "bench.stock_faststream"], stock_environment(database, environment)),
            _cluster(environment["PINGAN_BROKER_URL"]) as stock,
            _faststream(environment["PINGAN_BROKER_URL"]) as faststream,
        ):

            def relay() -> float:
                _fill(database)
                started = time.perf_counter()
                place.wait_for(
                    lambda: not run("SELECT 1 FROM grid.outbox WHERE published_at IS NULL LIMIT 1"), 120, "relay"
                )
                return EVENTS / (time.perf_counter() - started)

            def stock_out() -> float:
                started = time.perf_counter()
                stock.stock.burst(STOCK_EVENTS, "x" * 900)
                return STOCK_EVENTS / (time.perf_counter() - started)

            def faststream_out() -> float:
                started = time.perf_counter()
                faststream(STOCK_EVENTS)
                return STOCK_EVENTS / (time.perf_counter() - started)

            def consume(module: str) -> float:
                """The queue is full when the consumer starts: the rate is the consumer's own, by the inbox's clock."""
                run("TRUNCATE hazards.inbox")
                relay()
                with place.process(f"backbone.runner {module}", environment, place.free_port()):
                    place.wait_for(lambda: _count(run, "hazards.inbox WHERE status = 'done'") >= EVENTS, 120, module)
                return _rate(run, "hazards.inbox", "received_at")

            def effects(publish: Callable[[], float]) -> float:
                run("TRUNCATE stock_effects")
                publish()
                place.wait_for(lambda: _count(run, "stock_effects") >= STOCK_EVENTS, 120, "a reference's handler")
                return _rate(run, "stock_effects", "at")

            ours, nameko, other = by_turns(relay, stock_out, faststream_out)
            out = [
                Row("B7 relay, outbox to queue", "/s", ours, "stock dispatch", nameko, must_rate=5_000),
                Row("B7 relay, outbox to queue", "/s", ours, "FastStream, 100 at once", other),
            ]
            # What the first half left in the queue is consumed once, so that every measured run starts empty.
            with place.process("backbone.runner services.hazards.service", environment, place.free_port()):
                place.wait_for(lambda: _count(run, "hazards.inbox") >= EVENTS * len(ours), 300, "hazards to catch up")
            batch, single, nameko, other = by_turns(
                lambda: consume("services.hazards.service"),
                lambda: consume("bench.one_by_one"),
                lambda: effects(stock_out),
                lambda: effects(faststream_out),
            )
            name = "B7 @subscribe, inbox and effect"
            return [
                *out,
                Row(f"{name}, a batch", "/s", batch, "stock handler", nameko, must_rate=3_000),
                Row(f"{name}, a batch", "/s", batch, "FastStream handler", other),
                Row(f"{name}, one by one", "/s", single, "stock handler", nameko),
                Row(f"{name}, one by one", "/s", single, "FastStream handler", other),
            ]


def _fill(database: Database) -> None:
    """EVENTS outbox rows of distinct agencies, in one commit."""
    template = sample.example(AgencyChanged)
    columns = "id, shard, entity, entity_id, entity_version, type, routing_key, body"
    rows = [_row(template) for _ in range(EVENTS)]
    with (
        contextlib.closing(psycopg2.connect(database.url("admin"))) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        execute_values(cursor, f"INSERT INTO grid.outbox ({columns}) VALUES %s", rows, page_size=1000)


def _row(template: dict[str, Any]) -> tuple[Any, ...]:
    event_id, agency = uuid.uuid4(), uuid.uuid4()
    data = {**template["data"], "agency_id": str(agency), "code": f"bench.a{agency.hex}"}
    body = {**template, "id": str(event_id), "subject": f"agency/{agency}", "entityversion": 1, "data": data}
    kind = AgencyChanged
    key = kind.routing_key()
    return (str(event_id), shard_of(agency), "agency", str(agency), 1, kind.type, key, json.dumps(body))


def _count(run: Any, what: str) -> int:
    return int(run(f"SELECT count(*) FROM {what}")[0][0])


def _rate(run: Any, table: str, column: str) -> float:
    seconds, count = run(f"SELECT extract(epoch FROM max({column}) - min({column})), count(*) FROM {table}")[0]
    return float(count) / max(float(seconds), 0.001)


@contextlib.contextmanager
def _cluster(broker: str) -> Any:
    with ClusterRpcProxy({"AMQP_URI": broker}) as cluster:
        place.wait_for(lambda: _answers(cluster), 30, "the stock service")
        yield cluster


@contextlib.contextmanager
def _faststream(broker: str) -> Iterator[Callable[[int], None]]:
    """Has the FastStream service publish so many events; returns when it says that they are out."""
    connection = connect(broker, heartbeat=0)  # it says nothing for a while
    try:
        channel = connection.channel()
        channel.queue_declare(DONE, durable=False, auto_delete=False)
        answers: list[Any] = []
        channel.basic_consume(DONE, callback=answers.append, no_ack=True)

        def publish(count: int) -> None:
            answers.clear()
            body = json.dumps({"count": count, "body": "x" * 900})
            channel.basic_publish(Message(body, content_type="application/json"), "", COMMANDS)
            while not answers:
                connection.drain_events(timeout=60)

        place.wait_for(lambda: _is_there(connection, FASTSTREAM_QUEUE), 30, "the FastStream service")
        publish(0)
        yield publish
    finally:
        drop(connection)


def _is_there(connection: Any, queue: str) -> bool:
    channel = connection.channel()
    try:
        return bool(channel.queue_declare(queue, passive=True).consumer_count)
    except NotFound:
        return False


def _answers(cluster: Any) -> bool:
    try:
        return bool(cluster.stock.burst(0, "") == 0)
    except UnknownService:
        return False
