"""What RabbitMQ does and we must not fall into (house.md section 4, points 5, 6, 9, 10, 11).

A broker that stands still (point 5) is in tests/faults/test_r05_broker_frozen.py and test_r07_network_cut.py, a message
that kills its workers (point 11) in test_r08_poison.py.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest
from amqp import Message
from amqp.exceptions import MessageNacked

from backbone import topology
from backbone.bindings import Guard
from backbone.relay import Publisher, Source
from backbone.rpc import CommandClient, CommandUnavailable
from tests.faults.proxy import proxied
from tests.integration.backbone.conftest import ACTOR, GRID, HAZARDS, Processes, Stage, eventually, say
from tests.integration.backbone.toys import Nothing


def management(stage: Stage, method: str, path: str, body: Any = None) -> None:
    address = urlsplit(stage.management_url)
    vhost = quote(urlsplit(stage.broker_url).path[1:], safe="")
    request = urllib.request.Request(
        f"http://{address.hostname}:{address.port}/api/{path.format(vhost=vhost)}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    token = base64.b64encode(f"{address.username}:{address.password}".encode()).decode()
    request.add_header("Authorization", f"Basic {token}")
    urllib.request.urlopen(request, timeout=10).close()


async def test_05_a_frozen_broker_is_unavailable_and_heals(stage: Stage, processes: Processes) -> None:
    processes.service(GRID)
    with proxied(stage.broker_url) as (proxy, url):
        client = CommandClient(url)
        await client.connect()
        await client.send(Nothing(), ACTOR)
        proxy.freeze()
        started = time.monotonic()
        with pytest.raises(CommandUnavailable):
            await client.send(Nothing(), ACTOR, deadline=2)
        assert time.monotonic() - started < 2.5
        proxy.heal()
        await client.connect()
        assert await client.send(Nothing(), ACTOR) == {"done": True}
        await client.close()


def test_06_queues_are_named_by_consumer_and_stream_never_by_a_method(stage: Stage, processes: Processes) -> None:
    processes.service(HAZARDS)
    processes.service(GRID)
    time.sleep(1)
    found = {queue["name"] for queue in topology.management(stage.broker_url, stage.management_url, "queues/{vhost}")}
    assert found == {queue.name for queue in topology.queues()}, "services declare nothing of their own"


def guard_of(stage: Stage, publisher: Publisher) -> Guard:
    databases = {name: stage.settings[f"PINGAN_{name.upper()}_DATABASE_URL"] for name in ("grid", "hazards")}
    return Guard(databases, stage.broker_url, stage.management_url, publisher, lambda: True)


@pytest.mark.parametrize("loss", ["unbound", "deleted"])
async def test_09_a_lost_binding_is_seen_restored_and_made_up_for(
    stage: Stage, processes: Processes, loss: str
) -> None:
    processes.relay()
    publisher = Publisher(stage.broker_url)
    guard = guard_of(stage, publisher)
    arrived = stage.say(*["fine"] * 5)
    eventually(stage.published)
    await guard.look()
    with stage.channel() as channel:
        if loss == "deleted":
            channel.queue_delete("hazards.on-agencies")
        else:
            channel.queue_unbind("hazards.on-agencies", "pingan.events", "grid.agency.#")
    missed = stage.say(*["fine"] * 7)
    eventually(stage.published)  # notify's queue took them: mandatory saw nothing
    losses = await guard.look()
    assert losses.affected == {"hazards.on-agencies"}
    assert not (await guard.look()).affected
    processes.service(HAZARDS)
    eventually(lambda: len(stage.effects()) >= 12)
    eventually(lambda: stage.ready("hazards.on-agencies") == 0)
    assert sorted(row.entity_id for row in stage.effects()) == sorted([*arrived, *missed])
    await publisher.close()


async def test_09_a_consumer_whose_queue_was_deleted_goes_on_when_it_is_back(
    stage: Stage, processes: Processes
) -> None:
    service = processes.service(HAZARDS)
    publisher = Publisher(stage.broker_url)
    source = Source("grid", stage.settings["PINGAN_GRID_DATABASE_URL"], publisher)  # without a guard beside it
    running = asyncio.ensure_future(source.run())

    async def until(question: Callable[[], Any]) -> None:
        await asyncio.to_thread(eventually, question)

    stage.say("fine")
    await until(lambda: len(stage.effects()) == 1)
    with stage.channel() as channel:
        channel.queue_delete("hazards.on-agencies")
    stage.say("fine")
    await until(stage.published)
    await until(lambda: "the queue is missing" in service.log.read_text())  # type: ignore[attr-defined]
    area = uuid4()
    stage_area(stage, area)  # the service's other queue is none the worse
    await until(lambda: stage.value("hazards", "SELECT count(*) FROM inbox WHERE entity_id = :id", id=area) == 1)
    await guard_of(stage, publisher).look()
    await until(lambda: len(stage.effects()) == 2)
    assert "lost the broker" not in service.log.read_text()  # type: ignore[attr-defined]
    source.stop()
    await running
    await publisher.close()


def test_09_the_running_relay_does_so_by_itself(stage: Stage, processes: Processes) -> None:
    relay = processes.relay()
    with stage.channel() as channel:
        channel.queue_unbind("patrol.on-agencies", "pingan.events", "grid.agency.#")
    stage.say("fine")
    processes.said(relay, "ALARM", within=25)
    # One copy or two: what was published around the repair is sent again after it too; the inbox drops the second.
    eventually(lambda: stage.ready("patrol.on-agencies") >= 1)
    assert stage.ready("notify.on-everything") == 1, "the others see no copy"


def test_10_no_queue_has_a_length_limit(stage: Stage) -> None:
    for queue in topology.management(stage.broker_url, stage.management_url, "queues/{vhost}"):
        assert not {"x-max-length", "x-max-length-bytes"} & set(queue["arguments"])
    with stage.channel() as channel:
        for queue in topology.queues():
            assert not {"x-max-length", "x-max-length-bytes"} & set(queue.arguments)
        assert channel.is_open


@pytest.mark.timeout(120)
def test_10_a_nacked_event_backs_off_alone_and_has_one_effect_elsewhere(stage: Stage, processes: Processes) -> None:
    policy = {"pattern": "^patrol.on-areas$", "apply-to": "queues", "definition": {"max-length": 1}}
    management(stage, "PUT", "policies/{vhost}/full", policy)
    time.sleep(1)
    with suppress(MessageNacked):
        for _ in range(50):
            stage.put(b"{}", "patrol.on-areas")
    processes.service(HAZARDS)
    processes.relay()
    area, agency = uuid4(), uuid4()
    stage_area(stage, area)
    eventually(lambda: stage.rows("grid", "SELECT 1 FROM outbox WHERE attempts > 0 AND error = 'nacked'"))
    stage.say("fine", "fine", agency=agency)
    eventually(lambda: len(stage.effects()) == 2)  # the others go on
    eventually(lambda: stage.rows("grid", "SELECT 1 FROM outbox WHERE attempts > 1"), 20)
    management(stage, "DELETE", "policies/{vhost}/full")
    with stage.channel() as channel:
        channel.queue_purge("patrol.on-areas")  # a full quorum queue opens again when something leaves it
    eventually(stage.published, 40)
    assert stage.value("hazards", "SELECT count(*) FROM inbox WHERE entity_id = :id", id=area) == 1


def stage_area(stage: Stage, area: Any) -> None:
    from datetime import UTC, datetime

    from backbone import outbox
    from backbone.outbox import Event
    from contracts.grid.events import BoundaryPublished

    data = BoundaryPublished(boundary_version=1, areas=1, digest="0" * 64, valid_from=datetime.now(UTC))
    event = Event(data, entity_id=area, entity_version=1, area_path="330499/", occurred_at=datetime.now(UTC))
    with stage.database("grid").begin() as session:
        outbox.append(session, event)


def test_11_dead_letters_end_in_their_owners_quarantine(stage: Stage, processes: Processes) -> None:
    processes.service(HAZARDS)
    with stage.channel() as channel:
        channel.confirm_select()
        message = Message(b"dead", delivery_mode=2, application_headers={"x-first-death-queue": "hazards.on-areas"})
        channel.basic_publish_confirm(message, "pingan.dead", "hazards")
    [held] = eventually(stage.quarantined)
    assert (held.consumer, held.reason, bytes(held.body)) == ("hazards.on-areas", "dead_lettered", b"dead")
    eventually(lambda: stage.ready("hazards.dead") == 0)


def test_a_topology_that_differs_is_refused_naming_the_argument(stage: Stage) -> None:
    with stage.channel() as channel:
        channel.queue_delete("hazards.on-areas")
        arguments = {"x-queue-type": "quorum", "x-delivery-limit": 7}
        channel.queue_declare("hazards.on-areas", durable=True, auto_delete=False, arguments=arguments)
    with pytest.raises(topology.TopologyMismatch, match=r"queue 'hazards\.on-areas' has x-"):
        topology.declare(stage.broker_url)


async def test_a_command_to_a_service_without_a_queue_is_unavailable_at_once(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    with stage.channel() as channel:
        channel.queue_delete("grid.commands")
    started = time.monotonic()
    with pytest.raises(CommandUnavailable):
        await say(client)
    assert time.monotonic() - started < 1
