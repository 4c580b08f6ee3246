"""What patrol's integration tests speak of: a county of two towns, its units on duty, and their fixes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import numpy as np
from sqlalchemy import Engine, insert, text

from backbone.database import transaction
from contracts.patrol.positions import BatchHeaders, Fixes, micros
from services.patrol.ingest.pipeline import Batch
from services.patrol.ingest.store import Store, prepare_connection
from services.patrol.tables import shifts, units
from tests.servers import Database

COUNTY = "330499/"
EAST, WEST = "330499/330499101/", "330499/330499102/"
AGENCY, OTHER = UUID(int=0xA), UUID(int=0xB)

AREAS = text(
    "INSERT INTO patrol.areas VALUES"
    " (1, '330499', 'county', 'ordinary', NULL, '330499/', ST_MakeEnvelope(120, 30, 122, 31, 4326), '', 1, false),"
    " (1, '330499101', 'town', 'ordinary', '330499', :east, ST_MakeEnvelope(121, 30, 122, 31, 4326), '', 1, true),"
    " (1, '330499102', 'town', 'ordinary', '330499', :west, ST_MakeEnvelope(120, 30, 121, 31, 4326), '', 1, true)"
)

Fix = tuple[UUID, datetime, float, float]


class Duty:
    """Two units on duty since an hour ago: one of AGENCY in the east, one of OTHER in the west."""

    def __init__(self, bind: Engine) -> None:
        self.engine = bind
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.east, self.west = uuid4(), uuid4()
        with transaction(bind) as session:
            session.execute(AREAS, {"east": EAST, "west": WEST})
            session.execute(text("INSERT INTO patrol.boundaries VALUES (1, 3, '', '330499/', now(), now())"))
            self.put_unit(session, self.east, AGENCY, EAST)
            self.put_unit(session, self.west, OTHER, WEST)
        self.shift = self.started(self.east, AGENCY, EAST)
        self.started(self.west, OTHER, WEST)

    def put_unit(self, session: Any, unit: UUID, agency: UUID, area: str) -> None:
        session.execute(
            insert(units).values(
                id=unit, version=1, call_sign="平安1号", kind="foot", agency_id=agency, area_path=area, active=True
            )
        )

    def started(
        self, unit: UUID, agency: UUID, area: str, *, ago: timedelta = timedelta(hours=1), ended: datetime | None = None
    ) -> UUID:
        shift = uuid4()
        with transaction(self.engine) as session:
            session.execute(
                insert(shifts).values(
                    id=shift,
                    version=2,
                    unit_id=unit,
                    agency_id=agency,
                    area_path=area,
                    duty="street_patrol",
                    status="ended" if ended else "started",
                    planned_from=self.now - ago,
                    planned_until=self.now - ago + timedelta(hours=8),
                    started_at=self.now - ago,
                    ended_at=ended,
                )
            )
        return shift

    def at(self, seconds_ago: float) -> datetime:
        return self.now - timedelta(seconds=seconds_ago)

    def walk(self, unit: UUID, count: int, *, lon: float = 121.5, first: float = 600) -> list[Fix]:
        """A fix each second, about ten metres apart."""
        return [(unit, self.at(first - n), lon, 30.5 + n * 1e-4) for n in range(count)]


def fixes_of(fixes: Sequence[Fix]) -> Fixes:
    known = list(dict.fromkeys(unit for unit, *_ in fixes))
    return Fixes(
        tuple(unit.bytes for unit in known),
        np.array([known.index(unit) for unit, *_ in fixes], np.uint32),
        np.array([micros(at) for _, at, _, _ in fixes], np.int64),
        np.array([lon for _, _, lon, _ in fixes], np.float64),
        np.array([lat for _, _, _, lat in fixes], np.float64),
        np.full(len(fixes), 5, np.float32),
        # Every other fix without a speed: NULLs among the rows.
        np.array([np.nan if n % 2 else 1.5 for n in range(len(fixes))], np.float32),
        np.full(len(fixes), np.nan, np.float32),
    )


def headers(batch_id: UUID | None = None, **changes: Any) -> BatchHeaders:
    given = {"agency_id": AGENCY, "crs": "wgs84", "areas": (COUNTY,), **changes}
    return BatchHeaders(batch_id=batch_id or uuid4(), account_id=UUID(int=7), received_at=datetime.now(UTC), **given)


def batch(fixes: Sequence[Fix], batch_id: UUID | None = None, **changes: Any) -> Batch:
    return Batch(headers(batch_id, **changes), fixes_of(fixes))


async def ingest_pool(database: Database) -> Any:
    return await asyncpg.create_pool(
        database.url("patrol_ingest"), init=prepare_connection, min_size=1, max_size=3, timeout=10
    )


def stored(database: Database, *transactions: Sequence[Batch]) -> list[Any]:
    """Store each list of batches in a transaction of its own, by one process."""

    async def run() -> list[Any]:
        pool = await ingest_pool(database)
        try:
            store = Store(pool, "330499")
            return [await store.store(batches) for batches in transactions]
        finally:
            await pool.close()

    return asyncio.run(run())
