"""The real processes on the real broker: an event from a service's outbox to a verified webhook, kills included."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from backbone import database as db
from backbone import outbox
from backbone.rpc import CommandClient, CommandRefused
from contracts.hazards.events import CaseReported
from contracts.notify.commands import ChangeSubscription, CreateSubscription
from tests.integration.notify.conftest import Receiver, actor_of, case_event, eventually

ROOT = Path(__file__).resolve().parents[3]
MODULES = {
    "notify": ("backbone.runner", "services.notify.service"),
    "relay": ("backbone.relay",),
    "sender": ("services.notify.sender",),
}


class Processes:
    def __init__(self, log: Path) -> None:
        self.log, self.running = log, {}  # type: ignore[var-annotated]

    def start(self, name: str) -> None:
        with self.log.open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", *MODULES[name]],
                cwd=ROOT,
                env=os.environ | {"PINGAN_NOTIFY_ALLOW_PRIVATE_TARGETS": "1"},
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        self.running[name].kill()
        self.running[name].wait()


@pytest.fixture
def processes(settings_env: dict[str, str], topology: str, tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path / "log")
    for name in MODULES:
        made.start(name)
    yield made
    for process in made.running.values():
        process.send_signal(signal.SIGTERM)
    codes = {name: process.wait(25) for name, process in made.running.items()}
    print(made.log.read_text()[-5000:])
    assert set(codes.values()) == {0}, codes


async def test_an_outbox_row_of_hazards_becomes_a_verified_webhook_whoever_is_killed(
    settings_env: dict[str, str], processes: Processes, receiver: Receiver, rows: Callable[..., list[Any]]
) -> None:
    hazards = db.engine(settings_env["PINGAN_HAZARDS_DATABASE_URL"], pool_size=1)
    client = CommandClient(settings_env["PINGAN_BROKER_URL"])
    await client.connect()
    actor = actor_of()
    create = CreateSubscription(subscription_id=uuid4(), url=f"{receiver.url}/hook", types=("hazards.case.*",))
    made = await client.send(create, actor, deadline=25)
    sent: list[str] = []

    def happen(count: int) -> None:
        events = []
        for _ in range(count):
            example = case_event()
            assert isinstance(example.data, CaseReported)
            events.append(
                outbox.Event(
                    example.data,
                    entity_id=example.entity_id,
                    entity_version=1,
                    area_path=example.area_path,
                    occurred_at=example.occurred_at,
                )
            )
        with db.transaction(hazards) as session:
            outbox.append(session, *events)
        sent.extend(str(event.id) for event in events)

    for victim in MODULES:
        happen(40)
        processes.kill(victim)
        happen(40)
        processes.start(victim)
    wanted = set(sent)
    # What a killed sender had in hand is its own until the lease ends.
    await eventually(lambda: {call.event_id for call in receiver.calls} == wanted, 45)
    calls = receiver.verified("/hook", made["secret"])
    assert {json.loads(call.body)["type"] for call in calls} == {"county.hazards.case.reported.v1"}
    assert rows("SELECT count(*), count(DISTINCT event_id) FROM notify.journal") == [(240, 240)]
    pause = ChangeSubscription(subscription_id=create.subscription_id, move="pause", expected_version=1)
    assert (await client.send(pause, actor, deadline=10))["status"] == "paused"
    with pytest.raises(CommandRefused) as refused:
        await client.send(pause, actor, deadline=10)
    assert refused.value.code == "stale_version"
    await client.close()
    hazards.dispose()
