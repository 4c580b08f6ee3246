"""The real service process on the real broker: grid's events in, commands answered, clocks ringing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backbone import outbox
from backbone.database import engine, new_id, transaction
from backbone.rpc import CommandClient, CommandRefused
from contracts.hazards.commands import MoveCase, ReportCase
from tests.integration.hazards.town import GRIDS, NORTH, NORTH_WEST, Town

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def processes(settings_env: dict[str, str], topology: str, tmp_path: Path) -> Any:
    """hazards and the relay, with this test's database and vhost."""
    started = []
    with (tmp_path / "hazards.log").open("wb") as log:
        for module in (["backbone.runner", "services.hazards.service"], ["backbone.relay"]):
            started.append(
                subprocess.Popen(
                    [sys.executable, "-W", "ignore", "-m", *module], cwd=ROOT, env=os.environ, stdout=log, stderr=log
                )
            )
        yield started
        for process in started:
            process.terminate()
        for process in started:
            process.wait(25)


async def until(bind: Engine, question: str, seconds: float = 25) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with bind.begin() as session:
            if session.execute(text(question)).scalar_one():
                return
        await asyncio.sleep(0.1)
    pytest.fail(f"never true: {question}")


async def test_grids_events_arrive_and_a_case_is_reported_moved_and_warned_about(
    settings_env: dict[str, str], processes: Any
) -> None:
    grid, hazards = (engine(settings_env[f"PINGAN_{name}_DATABASE_URL"]) for name in ("GRID", "HAZARDS"))
    with transaction(grid) as session:
        town = Town(session)
        # The publication first: a version comes into force by its areas, whatever comes when.
        outbox.append(session, *reversed(town.boundary(1, GRIDS)))
    await until(hazards, "SELECT count(*) = 1 FROM hazards.boundaries WHERE published_at IS NOT NULL")
    client = CommandClient(settings_env["PINGAN_BROKER_URL"])
    await client.connect()
    try:
        asked = ReportCase(
            case_id=new_id(),
            category="fire",
            source="public",
            description="着火",
            lon=NORTH_WEST[0],
            lat=NORTH_WEST[1],
            original={"crs": "wgs84", "lon": NORTH_WEST[0], "lat": NORTH_WEST[1]},
        )
        reply = await client.send(asked, town.worker, deadline=15)
        assert reply["body"]["area_path"].startswith(NORTH)
        again = await client.send(asked, town.worker, deadline=15)
        assert again == reply
        close = MoveCase(case_id=asked.case_id, expected_version=1, move="close")
        with pytest.raises(CommandRefused) as refused:
            await client.send(close, town.centre, deadline=15)
        assert refused.value.code == "hazards.illegal_move"
        assert "verify" in refused.value.extra["legal_moves"]
        with transaction(hazards) as session:
            session.execute(text("UPDATE hazards.case_clocks SET next_at = now() - interval '1 minute'"))
        await until(
            hazards, "SELECT count(*) = 1 FROM outbox WHERE type ~ 'deadline_warned' AND published_at IS NOT NULL"
        )
        stale = MoveCase(case_id=asked.case_id, expected_version=1, move="verify")
        with pytest.raises(CommandRefused) as late:
            await client.send(stale, town.centre, deadline=15)
        assert (late.value.status, late.value.extra["current"]["version"]) == (412, 2)
    finally:
        await client.close()
        grid.dispose()
        hazards.dispose()
