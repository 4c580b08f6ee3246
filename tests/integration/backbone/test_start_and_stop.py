"""Starting without what one needs or on another topology, stopping, standing still: each process says what is wrong."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from backbone import topology
from backbone.jobs import enqueue
from tests.faults.proxy import proxied
from tests.integration.backbone.conftest import Processes, Stage, eventually

PATIENT = 60  # on a machine with other work
HAZARDS = "services.hazards.service"
# What runs, and what it says while its database is away; while its broker is.
PLATFORM = {
    "hazards": (("backbone.runner", HAZARDS), "waiting for the database", "waiting for the broker"),
    "relay": (("backbone.relay",), "the database is away", "waiting for the broker"),
    "ingest": (("services.patrol.ingest",), "waiting for the database", ""),
    "sender": (("services.notify.sender",), "waiting for the database", ""),
    "worker": (("backbone.jobs", "services.grid.jobs"), "waiting for the database", ""),
    "gateway": (("gateway",), "waiting for the database access", "the broker is away"),
    "gateway-undemo": (("gateway",), "waiting for the database access", ""),
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def readiness(port: str) -> dict[str, Any]:
    """What /ready says; nothing while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return dict(json.loads(answer.read()))
    except urllib.error.HTTPError as refused:
        with refused:
            return dict(json.loads(refused.read()))
    except OSError:
        return {}


def ended(process: Any) -> str:
    return str(process.log.read_text())


@pytest.mark.timeout(180)
def test_every_process_waits_for_database_and_broker_says_so_and_then_works(stage: Stage, processes: Processes) -> None:
    ports = {name: str(free_port()) for name in PLATFORM}
    databases = {name: url for name, url in stage.settings.items() if name.endswith("_DATABASE_URL")}
    with (
        proxied(next(iter(databases.values()))) as (database, _),
        proxied(stage.broker_url) as (broker, broker_url),
    ):
        database.cut()
        broker.cut()
        away = {name: _by(url, database.port) for name, url in databases.items()}
        running: dict[str, Any] = {}
        for name, (module, _, _) in PLATFORM.items():
            more = {"PINGAN_HEALTH_PORT": ports[name], "PINGAN_GATEWAY_PORT": str(free_port()), "PINGAN_PROCESS": name}
            demo = {"PINGAN_DEMO": "0"} if name == "gateway-undemo" else {}
            running[name] = processes.start(*module, **(away | {"PINGAN_BROKER_URL": broker_url} | more | demo))
        for name, (_, without_database, _) in PLATFORM.items():
            processes.said(running[name], without_database, within=PATIENT)
            eventually(lambda name=name: readiness(ports[name]).get("status") == "not ready", PATIENT)
        said = readiness(ports["hazards"])["checks"]
        assert {each for each, state in said.items() if state is not True} == {"broker", "database"}
        database.heal()
        for name, (_, _, without_broker) in PLATFORM.items():
            if without_broker:
                processes.said(running[name], without_broker, within=PATIENT)
        eventually(lambda: readiness(ports["hazards"])["checks"]["database"] is True, PATIENT)
        assert readiness(ports["hazards"])["checks"]["broker"] is not True
        broker.heal()
        for name in PLATFORM:
            eventually(lambda name=name: readiness(ports[name]).get("status") == "ready", PATIENT)
        for name, process in running.items():
            assert process.poll() is None, name
        for process in running.values():
            process.terminate()
        assert {name: process.wait(PATIENT) for name, process in running.items()} == dict.fromkeys(PLATFORM, 0)


def _by(url: str, port: int) -> str:
    before, _, path = url.rpartition("/")
    return f"{before.rpartition(':')[0]}:{port}/{path}"


def spoil(stage: Stage, queue: str) -> None:
    """That queue as somebody else would have declared it."""
    [ours] = [each for each in topology.queues() if each.name == queue]
    with stage.channel() as channel:
        channel.queue_delete(queue)
        arguments = dict(ours.arguments) | {"x-delivery-limit": 7}
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)


@pytest.mark.parametrize(
    ("queue", "module"),
    [
        ("hazards.on-areas", ("backbone.runner", HAZARDS)),
        ("notify.on-everything", ("backbone.relay",)),
        ("patrol.positions", ("services.patrol.ingest",)),
    ],
)
def test_a_process_ends_on_another_topology_naming_queue_argument_theirs_and_ours(
    stage: Stage, processes: Processes, queue: str, module: tuple[str, ...]
) -> None:
    spoil(stage, queue)
    process = processes.start(*module)
    assert process.wait(PATIENT) == topology.MISMATCH_STATUS
    assert f"queue '{queue}' has x-delivery-limit '7' on the broker, and ours is '50'" in ended(process)


def test_a_service_is_not_held_up_by_another_ones_queue(stage: Stage, processes: Processes) -> None:
    spoil(stage, "notify.on-everything")
    with stage.channel() as channel:
        channel.queue_delete("hazards.on-agencies")  # missing is not different: the relay's guard makes it again
    processes.said(processes.start("backbone.runner", HAZARDS), "the queue is missing", within=PATIENT)


@pytest.mark.parametrize("arguments", [{}, {"x-queue-type": "classic"}])
def test_whatever_differs_first_is_named(stage: Stage, arguments: dict[str, Any]) -> None:
    with stage.channel() as channel:
        channel.queue_delete("hazards.on-areas")
        channel.queue_declare("hazards.on-areas", durable=True, auto_delete=False, arguments=arguments)
    for compare in (topology.declare, topology.verify):
        with pytest.raises(topology.TopologyMismatch, match=r"^queue 'hazards\.on-areas' has x-\S+ .* and ours is "):
            compare(stage.broker_url)
    topology.verify(stage.broker_url, "notify")


def test_declaring_by_hand_says_it_in_one_line(stage: Stage, processes: Processes) -> None:
    spoil(stage, "hazards.on-areas")
    for module, status in ((("cli", "topology", "declare"), 1), (("backbone.topology",), topology.MISMATCH_STATUS)):
        process = processes.start(module[0], *module[1:])
        assert process.wait(PATIENT) == status
        assert "queue 'hazards.on-areas' has x-delivery-limit '7'" in ended(process)
        assert "Traceback" not in ended(process)


# Stopping -------------------------------------------------------------------------------------------

JOBS_MODULE = "tests.integration.backbone.test_start_and_stop"
SERVICE = "grid"


def slow_job(context: Any) -> dict[str, Any]:
    context.progress(0.5)
    time.sleep(1.5)
    return {"attempt": context.attempt}


JOBS = {"slow": slow_job}


def test_a_worker_told_to_stop_finishes_the_job_at_work_and_takes_no_other(stage: Stage, processes: Processes) -> None:
    worker = processes.start("backbone.jobs", JOBS_MODULE)
    processes.said(worker, "worker started", within=PATIENT)
    with stage.database("grid").begin() as session:
        first, second = enqueue(session, "slow", {}), enqueue(session, "slow", {})
    at_work = "SELECT 1 FROM jobs WHERE state = 'running' AND progress = 0.5"
    eventually(lambda: stage.rows("grid", at_work), PATIENT)
    assert processes.stop(worker, PATIENT) == 0
    states = dict(stage.rows("grid", "SELECT id, state FROM jobs"))
    assert sorted(states.values()) == ["done", "queued"]
    assert set(states) == {first, second}


# Standing still -------------------------------------------------------------------------------------


def test_a_process_whose_loop_stands_still_is_ended_by_its_watchdog(processes: Processes) -> None:
    stuck = processes.start("tests.integration.backbone.toy_still", "loop", PINGAN_WATCHDOG_SECONDS="1")
    assert stuck.wait(PATIENT) == 70
    assert "watchdog: loop" in ended(stuck)


def test_a_process_whose_work_waits_without_progress_is_ended_by_its_watchdog(processes: Processes) -> None:
    stuck = processes.start("tests.integration.backbone.toy_still", "work", PINGAN_WATCHDOG_SECONDS="1")
    assert stuck.wait(PATIENT) == 70
    assert "without progress" in ended(stuck)
