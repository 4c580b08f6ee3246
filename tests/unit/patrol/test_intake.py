"""What the watchdog asks ingest: for how long a batch has been at work without getting on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import uuid4

import orjson

from contracts.patrol.positions import BatchHeaders, encode, parse_json
from services.patrol.ingest.intake import Intake
from services.patrol.ingest.store import Stored


class Store:
    """Hangs until told otherwise; then answers, or says that the database is away."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.away = 0

    async def store(self, _batches: Any) -> Stored:
        await self.may_end.wait()
        if self.away:
            self.away -= 1
            raise ConnectionRefusedError
        return Stored(1, 1, {})


def message() -> Any:
    now = datetime.now(UTC)
    fix = {"unit_id": str(uuid4()), "device_at": now.isoformat(), "lon": 120.5, "lat": 30.5}
    parsed = parse_json(orjson.dumps({"crs": "wgs84", "fixes": [fix]}), now=now, crs=None)
    headers = BatchHeaders(batch_id=uuid4(), account_id=uuid4(), agency_id=uuid4(), crs="wgs84", received_at=now)
    return headers.to_wire(), encode(parsed.fixes), str(uuid4())


async def stuck(intake: Intake, seconds: float) -> None:
    while intake.stuck_s < seconds:  # noqa: ASYNC110 - it is a clock that we wait for
        await asyncio.sleep(0.01)


async def test_a_batch_that_hangs_is_noticed_though_another_lane_goes_on() -> None:
    hanging, store = Store(), Store()
    intake = Intake(store, None)
    store.may_end.set()
    assert intake.stuck_s == 0.0
    intake._store = hanging  # type: ignore[assignment]
    lane = asyncio.ensure_future(intake.handle([message()]))
    await stuck(intake, 0.05)
    intake._store = store  # type: ignore[assignment]
    await intake.handle([message()])
    assert intake.stuck_s >= 0.05
    hanging.may_end.set()
    await lane
    assert intake.stuck_s == 0.0


async def test_waiting_for_the_database_is_no_standstill() -> None:
    store = Store()
    intake = Intake(store, None)
    store.away = 2
    lane = asyncio.ensure_future(intake.handle([message()]))
    await stuck(intake, 0.3)
    store.may_end.set()
    seen: list[float] = []
    while not lane.done():
        seen.append(intake.stuck_s)
        await asyncio.sleep(0.01)
    assert any(after < before for before, after in pairwise(seen)), "each try counts as progress"
