"""The patrol service as a process: commands by RabbitMQ, and duty that ingest then knows."""

from __future__ import annotations

import asyncio
import os
import pathlib
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from backbone.database import transaction
from backbone.rpc import CommandClient, CommandRefused
from contracts.patrol.commands import MoveShift, PlanShift, PutUnit
from contracts.scope import Actor, Role, Scope
from tests.integration.patrol.duty import AGENCY, COUNTY, EAST, Duty, batch, stored
from tests.servers import Database, settings_for

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.mark.timeout(90)
def test_a_unit_put_planned_and_started_by_command_is_on_duty(
    database: Database, topology: str, duty: Duty, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(database, topology, tmp_path)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PINGAN_")}
    log = tmp_path / "patrol.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "backbone.runner", "services.patrol.service"],
            cwd=ROOT,
            env=kept | settings | {"PINGAN_PROCESS": "patrol"},
            stdout=out,
            stderr=out,
        )
    actor = Actor(uuid4(), AGENCY, frozenset({Role.COUNTY_OPERATOR}), Scope(areas=(COUNTY,), agency_id=AGENCY))
    unit, shift = uuid4(), uuid4()

    async def run() -> dict[str, Any]:
        client = CommandClient(topology)
        await client.connect()
        put = PutUnit(unit_id=unit, call_sign="平安2号", agency_id=AGENCY, area_path=EAST)
        await client.send(put, actor, deadline=30)
        plan = PlanShift(
            shift_id=shift, unit_id=unit, planned_from=duty.now, planned_until=duty.now + timedelta(hours=4)
        )
        await client.send(plan, actor)
        start = MoveShift(shift_id=shift, move="start", expected_version=1)
        reply: dict[str, Any] = await client.send(start, actor)
        with pytest.raises(CommandRefused) as refused:
            await client.send(start.model_copy(update={"expected_version": 2}), actor)
        assert (refused.value.status, refused.value.extra["legal_moves"]) == (409, ["end"])
        await client.close()
        return reply

    try:
        reply = asyncio.run(run())
        assert (reply["status"], reply["version"], reply["call_sign"]) == ("started", 2, "平安2号")
        _wait_for_partitions(duty)  # the clock's first round may come after the last command's answer
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        print(log.read_text()[-4000:])
    with transaction(duty.engine) as session:
        began = session.execute(text("SELECT started_at FROM patrol.shifts WHERE id = :id"), {"id": shift}).scalar_one()
        said = session.execute(text("SELECT routing_key FROM patrol.outbox ORDER BY seq")).scalars().all()
    assert said == ["patrol.shift.planned", "patrol.shift.started"]
    [result] = stored(database, [batch([(unit, began + timedelta(seconds=1), 121.5, 30.5)])])
    assert result.stored == 1


def _wait_for_partitions(duty: Duty) -> None:
    """The four days that the service makes ahead, within ten seconds."""
    days = text("SELECT count(*) FROM pg_inherits WHERE inhparent = 'patrol.positions'::regclass")
    until = time.monotonic() + 10
    while True:
        with transaction(duty.engine) as session:
            made = session.execute(days).scalar_one()
        if made == 4 or time.monotonic() > until:
            break
        time.sleep(0.1)
    assert made == 4
