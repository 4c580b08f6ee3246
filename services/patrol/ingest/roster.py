"""Who was on duty when: units, duty intervals and each unit's newest fix, as arrays.

Hot intervals (open, or over for less than HOT) are kept here and brought up to date before every
transaction, so a shift that was ended before a fix arrived never lets it in. Older fixes, the offline
uploads, are judged by intervals read for them alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from contracts.areas import is_within
from contracts.patrol.positions import BatchHeaders, micros
from services.patrol.domain.shifts import GRACE

HOT = timedelta(hours=2)
RELOADED_AFTER_S = 60.0
# A row's changed_at is set before its commit: what commits late must still be seen by a later look.
LOOK_BACK = timedelta(seconds=15)
_SLACK = timedelta(minutes=10)
_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
_SPAN = 1 << 43  # microseconds, 101 days: more than any position is kept
UNIT_ID = np.dtype("V16")
NEVER = np.iinfo(np.int64).min

_INTERVAL = (
    "SELECT id, unit_id, started_at, coalesce(ended_at, planned_until + $1::interval) AS until"
    " FROM patrol.shifts WHERE "
)
_OPEN_OR_RECENT = _INTERVAL + "started_at IS NOT NULL AND (status = 'started' OR changed_at >= $2)"
_CHANGED = _INTERVAL + "started_at IS NOT NULL AND changed_at >= $2"
_OLDER = _INTERVAL + "unit_id = ANY($2) AND started_at <= $4 AND coalesce(ended_at, planned_until + $1::interval) >= $3"


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """m duty intervals, ordered by unit and start; of one unit they do not overlap. Times in microseconds."""

    unit: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    shift: NDArray[np.void]

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int, bytes]]) -> Intervals:
        """From (unit index, start, end, shift id) in any order."""
        ordered = sorted(rows)
        columns = list(zip(*ordered, strict=True)) or [(), (), (), ()]
        unit, start, end = (np.array(column, np.int64) for column in columns[:3])
        return cls(unit, start, end, np.frombuffer(b"".join(columns[3]), UNIT_ID))

    def find(self, unit: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
        """For n fixes (unit index, time) the index of the interval that holds each, -1 for none."""
        if not len(self.unit):
            return np.full(len(unit), -1, np.int64)
        base = int(self.start.min())
        keys = self.unit * _SPAN + (self.start - base)
        sought = np.searchsorted(keys, unit * _SPAN + np.clip(at - base, -1, _SPAN - 1), side="right") - 1
        candidate = np.maximum(sought, 0)
        inside = (sought >= 0) & (self.unit[candidate] == unit)
        inside &= (self.start[candidate] <= at) & (at <= self.end[candidate])
        return np.where(inside, sought, -1)


class Roster:
    """One process's knowledge of units, duty and newest fixes; unit indexes are its own and only grow."""

    def __init__(self) -> None:
        self.index: dict[bytes, int] = {}
        self.ids: NDArray[np.void] = np.empty(0, UNIT_ID)
        self.newest_at: NDArray[np.int64] = np.empty(0, np.int64)
        self.newest_lon: NDArray[np.float64] = np.empty(0, np.float64)
        self.newest_lat: NDArray[np.float64] = np.empty(0, np.float64)
        self.hot = Intervals.of(())
        self._agencies: list[bytes] = []
        self._areas: list[str] = []
        self._intervals: dict[bytes, tuple[int, int, int, bytes]] = {}
        self._seen_until = _LONG_AGO
        self._reload_at = 0.0

    # Reading the database -------------------------------------------------------------------------

    async def refresh(self, connection: Any) -> None:
        """Bring units and hot intervals up to the database's present; every minute from scratch."""
        now: datetime = await connection.fetchval("SELECT clock_timestamp()")
        everything = time.monotonic() >= self._reload_at
        since = _LONG_AGO if everything else self._seen_until - LOOK_BACK
        units = await connection.fetch(
            "SELECT id, agency_id, area_path FROM patrol.units WHERE changed_at >= $1", since
        )
        fresh = self._take_units(units)
        if fresh:
            await self.load_newest(connection, np.array(fresh, np.int64))
        if everything:
            rows = await connection.fetch(_OPEN_OR_RECENT, GRACE, now - HOT - _SLACK)
            before, self._intervals = self._intervals, {}
        else:
            rows = await connection.fetch(_CHANGED, GRACE, since)
            before = dict(self._intervals)
        self._intervals.update((row["id"].bytes, self._interval(row)) for row in rows)
        if self._intervals != before:
            self.hot = Intervals.of(self._intervals.values())
        self._seen_until = now
        if everything:
            self._reload_at = time.monotonic() + RELOADED_AFTER_S

    async def older(self, connection: Any, unit: NDArray[np.int64], at: NDArray[np.int64]) -> Intervals:
        """Intervals of these units that touch the fixes' span, straight from the database."""
        ids = [self.ids[n].tobytes() for n in np.unique(unit)]
        rows = await connection.fetch(_OLDER, GRACE, _uuids(ids), _moment(int(at.min())), _moment(int(at.max())))
        return Intervals.of(self._interval(row) for row in rows)

    async def load_newest(self, connection: Any, unit: NDArray[np.int64]) -> None:
        """Learn these units' newest stored fixes: new units here, or another replica has stored some."""
        rows = await connection.fetch(
            "SELECT unit_id, device_at, public.ST_X(geom) AS lon, public.ST_Y(geom) AS lat"
            " FROM patrol.last_positions WHERE unit_id = ANY($1)",
            _uuids(self.ids[n].tobytes() for n in unit),
        )
        units = np.array([self.index[row["unit_id"].bytes] for row in rows], np.int64)
        self.remember(
            units,
            np.array([micros(row["device_at"]) for row in rows], np.int64),
            np.array([row["lon"] for row in rows], np.float64),
            np.array([row["lat"] for row in rows], np.float64),
        )

    # Knowing --------------------------------------------------------------------------------------

    def admits(self, headers: BatchHeaders, units: Sequence[bytes]) -> NDArray[np.int64]:
        """Unit indexes for a batch's unit ids; -1 for unknown ones and those its sender may not report."""
        mine = headers.agency_id.bytes
        found = [self.index.get(unit, -1) for unit in units]
        for n, unit in enumerate(found):
            if unit >= 0 and self._agencies[unit] != mine:
                area = self._areas[unit]
                if not any(is_within(area, root) for root in headers.areas):
                    found[n] = -1
        return np.array(found, np.int64)

    def remember(
        self, unit: NDArray[np.int64], at: NDArray[np.int64], lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> None:
        """Newest fixes, at most one of each unit; older ones than known change nothing."""
        newer = at > self.newest_at[unit]
        unit = unit[newer]
        self.newest_at[unit], self.newest_lon[unit], self.newest_lat[unit] = at[newer], lon[newer], lat[newer]

    def _take_units(self, rows: Iterable[Any]) -> list[int]:
        fresh: list[bytes] = []
        for row in rows:
            unit = row["id"].bytes
            known = self.index.setdefault(unit, len(self.index))
            if known == len(self._agencies):
                fresh.append(unit)
                self._agencies.append(b"")
                self._areas.append("")
            self._agencies[known], self._areas[known] = row["agency_id"].bytes, row["area_path"]
        if fresh:
            more = len(fresh)
            self.ids = np.concatenate((self.ids, np.frombuffer(b"".join(fresh), UNIT_ID)))
            self.newest_at = np.concatenate((self.newest_at, np.full(more, NEVER)))
            self.newest_lon = np.concatenate((self.newest_lon, np.zeros(more)))
            self.newest_lat = np.concatenate((self.newest_lat, np.zeros(more)))
        return [self.index[unit] for unit in fresh]

    def _interval(self, row: Any) -> tuple[int, int, int, bytes]:
        return (self.index[row["unit_id"].bytes], micros(row["started_at"]), micros(row["until"]), row["id"].bytes)


def hot_since(now: datetime) -> int:
    """Fixes from here on are judged by hot intervals (microseconds)."""
    return micros(now - HOT)


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at)


def _uuids(ids: Iterable[bytes]) -> list[UUID]:
    return [UUID(bytes=each) for each in ids]
