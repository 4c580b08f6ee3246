"""The main road: command -> outbox -> relay -> queue -> effect, on real parts."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from uuid import uuid4

import pytest

from backbone.rpc import CommandClient, CommandRefused
from tests.integration.backbone.conftest import GRID, HAZARDS, Processes, Stage, eventually, say


async def test_a_command_has_one_effect_in_another_service(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    processes.service(GRID)
    processes.service(HAZARDS)
    processes.relay()
    agency = uuid4()
    reply = await say(client, agency, times=3)
    assert reply == {"agency_id": str(agency), "version": 3}
    eventually(lambda: len(stage.effects()) == 3)
    assert [row.version for row in stage.effects()] == [1, 2, 3]
    assert stage.value("grid", "SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0
    with pytest.raises(CommandRefused) as refused:
        await say(client, refuse=True)
    assert (refused.value.code, refused.value.status) == ("not_found", 404)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_service_and_a_relay_say_how_they_are(stage: Stage, processes: Processes) -> None:
    ports = [free_port(), free_port()]
    processes.service(HAZARDS, PINGAN_HEALTH_PORT=str(ports[0]))
    processes.relay(PINGAN_HEALTH_PORT=str(ports[1]))
    stage.say("fine")
    eventually(lambda: len(stage.effects()) == 1)

    def get(port: int, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as refused:
            with refused:
                return str(refused.read().decode())

    for port in ports:
        assert json.loads(get(port, "/live")) == {"status": "live"}
        eventually(lambda port=port: json.loads(get(port, "/ready"))["status"] == "ready")
    assert 'pingan_inbox_applied_total{queue="hazards.on-agencies"} 1.0' in get(ports[0], "/metrics")
    assert 'pingan_outbox_published_total{service="grid"} 1.0' in get(ports[1], "/metrics")


def test_a_consumer_that_hangs_ends_its_process_for_the_supervisor(stage: Stage, processes: Processes) -> None:
    service = processes.service(HAZARDS, PINGAN_WATCHDOG_SECONDS="2")
    processes.relay()
    stage.say("hang")
    assert service.wait(20) == 70


def test_a_service_waits_for_its_broker_and_says_so(stage: Stage, processes: Processes) -> None:
    port = free_port()
    waiting = processes.start("backbone.runner", HAZARDS, PINGAN_BROKER_URL=f"amqp://a:b@127.0.0.1:{port}/x")
    processes.said(waiting, "waiting for the broker")
    assert waiting.poll() is None


def test_a_relay_without_a_broker_still_stops(stage: Stage, processes: Processes) -> None:
    relay = processes.relay(PINGAN_BROKER_URL=f"amqp://a:b@127.0.0.1:{free_port()}/x")
    stage.say("fine")
    processes.said(relay, "the broker is away")
    assert processes.stop(relay) == 0
