"""The transaction: fixes, newest fixes and the record of each batch, all or nothing.

A batch's record is written with its fixes, so a batch that RabbitMQ delivers again finds itself done. Fixes newer
than any known of their unit are copied straight into positions; late ones, which may be there already, through
a temporary table with ON CONFLICT DO NOTHING. When "newer" was wrong, because another replica stored the
same fix, the unique key says so and the whole transaction is done again the careful way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from services.patrol.ingest import places as area_places
from services.patrol.ingest.pipeline import COUNTED, Batch, Known, Work, joined, run
from services.patrol.ingest.places import Places
from services.patrol.ingest.roster import Intervals, Roster, hot_since
from services.patrol.ingest.rows import NAMES, binary_rows

_TEMPORARY = """
CREATE TEMPORARY TABLE IF NOT EXISTS {name} (
    device_at timestamptz, received_at timestamptz, hex bigint, unit_id uuid, shift_id uuid, batch_id uuid,
    area_id integer, accuracy_m real, speed_mps real, heading real, geom public.geometry(Point, 4326)
) ON COMMIT DELETE ROWS
"""
_COLUMNS = ", ".join(NAMES)
_INSERT_LATE = (
    f"INSERT INTO patrol.positions ({_COLUMNS}) SELECT {_COLUMNS} FROM pg_temp.late"  # noqa: S608 - our own names
    " WHERE batch_id = $1 ORDER BY unit_id, device_at ON CONFLICT DO NOTHING"
)
_UPSERT_NEWEST = (
    f"INSERT INTO patrol.last_positions AS last ({_COLUMNS})"  # noqa: S608 - our own names
    f" SELECT {_COLUMNS} FROM pg_temp.newest ORDER BY unit_id"  # one order everywhere: no deadlock
    " ON CONFLICT (unit_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in NAMES if name != "unit_id")
    + " WHERE last.device_at < excluded.device_at"
)
_CHUNK = 1 << 18
_PLACES_FOR_S = 1.0


@dataclass(frozen=True, slots=True)
class Stored:
    """What one transaction did: fixes in it, fixes stored, fixes dropped by reason."""

    received: int
    stored: int
    dropped: dict[str, int]


async def prepare_connection(connection: Any) -> None:
    """asyncpg pool `init`: the two temporary tables of this session."""
    for name in ("late", "newest"):
        await connection.execute(_TEMPORARY.format(name=name))


class Store:
    """Stores batches through a pool of connections of role patrol_ingest; safe for several at once."""

    def __init__(self, pool: Any, county_code: str) -> None:
        self._pool = pool
        self._county_code = county_code
        self.roster = Roster()
        self.places: Places | None = None
        self._knowing = asyncio.Lock()
        self._places_until = 0.0
        self._days: set[date] = set()

    async def store(self, batches: Sequence[Batch], *, careful: bool = False) -> Stored:
        """One transaction for all of them; those already recorded are left out.

        Raises what asyncpg raises; nothing is half-done then.
        """
        async with self._pool.acquire() as connection:
            ids = [batch.headers.batch_id for batch in batches]
            done = await connection.fetch("SELECT id FROM patrol.position_batches WHERE id = ANY($1)", ids)
            seen = {row["id"] for row in done}
            new: dict[Any, Batch] = {}
            for batch in batches:
                if batch.headers.batch_id not in seen:
                    new.setdefault(batch.headers.batch_id, batch)
            if not new:
                return Stored(0, 0, {})
            known, work = await self._know(connection, list(new.values()))
            run(work, known)
            try:
                stored = await self._commit(connection, work, careful=careful)
            except asyncpg.UniqueViolationError:
                if careful:
                    raise
                await self.roster.load_newest(connection, np.unique(work["unit"]))
            except asyncpg.CheckViolationError:  # a partition that was there is gone
                if careful:
                    raise
                self._days.clear()
            else:
                self._remember_newest(work)
                return stored
        return await self.store(batches, careful=True)

    async def _know(self, connection: Any, batches: list[Batch]) -> tuple[Known, Work]:
        """Bring roster and boundary up to date, then join the batches against them."""
        async with self._knowing:
            await self.roster.refresh(connection)
            if self.places is None or time.monotonic() >= self._places_until:
                self.places = await area_places.current(connection, self._county_code, self.places)
                self._places_until = time.monotonic() + _PLACES_FOR_S
            work = joined(batches, self.roster)
            since = hot_since(datetime.now(UTC))
            cold = (work["device_at"] < since) & (work["unit"] >= 0)
            older = Intervals.of(())
            if cold.any():
                older = await self.roster.older(connection, work["unit"][cold], work["device_at"][cold])
            return Known(self.roster, self.roster.hot, older, since, self.places), work

    async def _commit(self, connection: Any, work: Work, *, careful: bool) -> Stored:
        await self._make_days(connection, work["device_at"])
        # Of one unit either all fixes are newer than what is stored or they go the careful way.
        late = np.full(len(work), careful) | (work["device_at"] <= self.roster.newest_at[work["unit"]])
        stored = work.per_batch(~late)
        async with connection.transaction():
            await _copy(connection, "positions", work, np.flatnonzero(~late), schema="patrol")
            if late.any():
                await _copy(connection, "late", work, np.flatnonzero(late))
                for n in np.flatnonzero(work.per_batch(late)).tolist():
                    tag: str = await connection.execute(_INSERT_LATE, work.batches[n].batch_id)
                    stored[n] += int(tag.rpartition(" ")[2])
            newest = self._newest(work)
            if len(newest):
                await _copy(connection, "newest", work, newest)
                await connection.execute(_UPSERT_NEWEST)
            work.counts["duplicate"] += work.per_batch() - stored
            await _record(connection, work, stored)
        dropped = {reason: int(work.counts[reason].sum()) for reason in COUNTED}
        return Stored(int(work.counts["received"].sum()), int(stored.sum()), dropped)

    async def _make_days(self, connection: Any, device_at: NDArray[np.int64]) -> None:
        """Partitions for late and early days: normally the service has made them."""
        epoch = date(1970, 1, 1)
        days = {epoch + timedelta(days=n) for n in np.unique(device_at // 86_400_000_000).tolist()}
        for day in sorted(days - self._days):
            await connection.execute("SELECT patrol.make_partition($1)", day)
            self._days.add(day)

    def _newest(self, work: Work) -> NDArray[np.intp]:
        """Rows that are the last of their unit in this work and newer than the newest known."""
        if not len(work):
            return np.empty(0, np.intp)
        unit = work["unit"]  # the work is in order of unit and time
        last = np.ones(len(work), bool)
        last[:-1] = np.diff(unit) != 0
        rows: NDArray[np.intp] = np.flatnonzero(last)
        newer: NDArray[np.bool_] = work["device_at"][rows] > self.roster.newest_at[unit[rows]]
        return rows[newer]

    def _remember_newest(self, work: Work) -> None:
        rows = self._newest(work)
        self.roster.remember(work["unit"][rows], work["device_at"][rows], work["lon"][rows], work["lat"][rows])


async def _copy(connection: Any, table: str, work: Work, rows: NDArray[np.intp], *, schema: str | None = None) -> None:
    if not len(rows):
        return
    whole = len(rows) == len(work)
    columns = work.columns if whole else {name: column[rows] for name, column in work.columns.items()}
    await connection.copy_to_table(
        table, schema_name=schema, columns=NAMES, format="binary", source=_chunks(binary_rows(columns))
    )


async def _chunks(buffers: Sequence[bytes]) -> AsyncIterator[bytes]:
    for buffer in buffers:
        for start in range(0, len(buffer), _CHUNK):
            yield buffer[start : start + _CHUNK]


async def _record(connection: Any, work: Work, stored: NDArray[np.int64]) -> None:
    """One row per batch; a batch that another replica has recorded meanwhile fails the transaction."""
    counts = [work.counts[name].tolist() for name in ("received", *COUNTED)]
    await connection.copy_records_to_table(
        "position_batches",
        schema_name="patrol",
        columns=(
            *("id", "account_id", "agency_id", "source", "crs", "state", "received_at", "rejected", "stored"),
            *("received", *COUNTED),
        ),
        records=[
            (
                headers.batch_id,
                headers.account_id,
                headers.agency_id,
                headers.source,
                headers.crs,
                "done",
                headers.received_at,
                headers.rejected,
                stored_of_batch,
                *rest,
            )
            for headers, stored_of_batch, rest in zip(
                work.batches, stored.tolist(), zip(*counts, strict=True), strict=True
            )
        ],
    )
