"""No queue without a handler: a queue nobody reads grows for ever."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect

import pytest
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from backbone import topology
from backbone.entrypoints.decorators import SubscribeEntrypoint, SubscribeStreamEntrypoint
from backbone.relay import Relay
from backbone.runner import service_class
from backbone.settings import SERVICES
from tests.integration.backbone.conftest import Processes, Stage, eventually


def handled(cls: type) -> set[str]:
    """The queues that a service class's methods read."""
    queues = set()
    name = str(cls.name)  # type: ignore[attr-defined]
    for _, method in inspect.getmembers(cls, inspect.isfunction):
        for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ()):
            if isinstance(entrypoint, SubscribeEntrypoint):
                queues |= {topology.queue_for(name, each.routing_key()) for each in entrypoint.event_classes}
            if isinstance(entrypoint, SubscribeStreamEntrypoint):
                queues |= {queue for queue, keys in topology.queues_of(name).items() if keys == (entrypoint.pattern,)}
    return queues


@pytest.mark.parametrize("service", SERVICES)
def test_every_queue_of_a_service_has_a_handler(service: str) -> None:
    module = f"services.{service}.service"
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not written yet")
    assert handled(service_class(module)) == set(topology.queues_of(service))


def test_a_service_with_an_unread_queue_refuses_to_start(stage: Stage, processes: Processes) -> None:
    process = processes.start("backbone.runner", "tests.integration.backbone.toy_deaf")
    assert process.wait(20) == 1
    assert "hazards.on-areas" in process.log.read_text()  # type: ignore[attr-defined]


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_starts_and_stops(stage: Stage, processes: Processes, service: str) -> None:
    process = processes.service(f"services.{service}.service")
    processes.said(process, "connected to the broker")
    assert processes.stop(process) == 0
    assert '"level": "error"' not in process.log.read_text()  # type: ignore[attr-defined]


async def test_a_relay_says_which_database_it_lacks(stage: Stage) -> None:
    there = stage.settings["PINGAN_GRID_DATABASE_URL"]
    away = "postgresql://nobody@127.0.0.1:1/nowhere"
    relay = Relay({"grid": there, "hazards": away}, stage.broker_url, stage.management_url)
    assert relay.outboxes() == "no database: grid, hazards"
    running = asyncio.ensure_future(relay.run())
    await asyncio.to_thread(eventually, lambda: relay.outboxes() == "no database: hazards")
    relay.stop()
    await running
