"""What happens to fixes between RabbitMQ and the table: one explicit, ordered list of steps.

Each step is a pure function of the work and what is known; it drops fixes (counted per batch by reason) or adds
columns. What is stored does not depend on how fixes were batched, repeated or shuffled: duty is judged by
`device_at`, a (unit, device_at) is stored once, and an implausible speed is counted, never dropped, because
which of two fixes looks implausible depends on the one that came before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from contracts.patrol.positions import BatchHeaders, Fixes, micros
from geo.coordinates import located
from services.patrol.ingest.places import Places
from services.patrol.ingest.roster import NEVER, Intervals, Roster

HEX_RESOLUTION = 10
IMPLAUSIBLE_MPS = 60.0
_EARTH_M = 6_371_008.8

DROPPED = ("unknown_unit", "off_duty", "duplicate")
COUNTED = (*DROPPED, "implausible")


@dataclass(frozen=True, slots=True)
class Batch:
    """One decoded message."""

    headers: BatchHeaders
    fixes: Fixes


@dataclass(frozen=True, slots=True)
class Known:
    """What the steps judge by. Fixes before `hot_since` (microseconds) are judged by `older`."""

    roster: Roster
    hot: Intervals
    older: Intervals
    hot_since: int
    places: Places


@dataclass(slots=True, eq=False)
class Work:
    """One transaction's fixes, as columns of shape (n,); `counts[reason][b]` belongs to `batches[b]`."""

    batches: Sequence[BatchHeaders]
    columns: dict[str, NDArray[Any]]
    counts: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["device_at"])

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def per_batch(self, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """How many (chosen) fixes each batch has."""
        batch = self["batch"] if chosen is None else self["batch"][chosen]
        return np.bincount(batch, minlength=len(self.batches)).astype(np.int64)

    def keep(self, chosen: NDArray[np.bool_], otherwise: str) -> None:
        """Drop what is not chosen and count it as `otherwise`."""
        self.counts[otherwise] = self.per_batch(~chosen)
        if not chosen.all():
            self.columns = {name: column[chosen] for name, column in self.columns.items()}

    def arranged(self, order: NDArray[np.intp]) -> None:
        self.columns = {name: column[order] for name, column in self.columns.items()}


Step = Callable[[Work, Known], None]


def joined(batches: Sequence[Batch], roster: Roster) -> Work:
    """Many batches as one work; `unit` is the roster's index, -1 for what the sender may not report."""
    fixes = [batch.fixes for batch in batches]
    lengths = [len(each) for each in fixes]
    columns: dict[str, NDArray[Any]] = {
        name: np.concatenate([getattr(each, name) for each in fixes])
        for name in ("device_at", "lon", "lat", "accuracy_m", "speed_mps", "heading")
    }
    columns["batch"] = np.repeat(np.arange(len(batches)), lengths)
    columns["unit"] = np.concatenate(
        [roster.admits(batch.headers, batch.fixes.units)[batch.fixes.unit] for batch in batches if len(batch.fixes)]
        or [np.empty(0, np.int64)]
    )
    work = Work([batch.headers for batch in batches], columns)
    work.counts["received"] = np.array(lengths, np.int64)
    return work


def of_known_units(work: Work, known: Known) -> None:
    """The unit exists and its sender may report it."""
    work.keep(work["unit"] >= 0, "unknown_unit")


def on_duty(work: Work, known: Known) -> None:
    """Somebody's position exists only inside a started shift, by the device's clock."""
    unit, at = work["unit"], work["device_at"]
    hot, old = known.hot.find(unit, at), known.older.find(unit, at)
    recent = at >= known.hot_since
    shift = np.zeros(len(work), "V16")
    for intervals, found, chosen in ((known.hot, hot, recent), (known.older, old, ~recent)):
        mine = chosen & (found >= 0)
        shift[mine] = intervals.shift[found[mine]]
    work.columns["shift_id"] = shift
    work.keep(np.where(recent, hot, old) >= 0, "off_duty")


def once_each(work: Work, known: Known) -> None:
    """In order of unit and time, each (unit, device_at) once: the first that came."""
    work.arranged(np.lexsort((work["device_at"], work["unit"])))  # stable: equal keys stay in order of arrival
    first = np.ones(len(work), bool)
    first[1:] = (np.diff(work["unit"]) != 0) | (np.diff(work["device_at"]) != 0)
    work.keep(first, "duplicate")


def in_wgs84(work: Work, known: Known) -> None:
    """Degrees of the batch's coordinate system become WGS84."""
    crs_of = [headers.crs for headers in work.batches]
    for crs in set(crs_of) - {"wgs84", "cgcs2000"}:
        mine = np.array([each == crs for each in crs_of])[work["batch"]]
        work["lon"][mine], work["lat"][mine] = located(work["lon"][mine], work["lat"][mine], crs)


def speed_noticed(work: Work, known: Known) -> None:
    """Count fixes that the unit's fix before could reach only faster than IMPLAUSIBLE_MPS; they stay."""
    unit, at, lon, lat = work["unit"], work["device_at"], work["lon"], work["lat"]
    first = np.ones(len(work), bool)
    first[1:] = np.diff(unit) != 0
    roster = known.roster
    before_at = np.where(first, roster.newest_at[unit], np.roll(at, 1))
    before_lon = np.where(first, roster.newest_lon[unit], np.roll(lon, 1))
    before_lat = np.where(first, roster.newest_lat[unit], np.roll(lat, 1))
    comparable = (before_at != NEVER) & (before_at < at)
    seconds = np.where(comparable, at - before_at, 1) / 1e6
    # Positions are only so good: what lies within the accuracy stated is no movement.
    unsure = np.nan_to_num(work["accuracy_m"], nan=10.0)
    metres = distance_m(before_lon, before_lat, lon, lat) - 2 * unsure
    work.counts["implausible"] = work.per_batch(comparable & (metres > IMPLAUSIBLE_MPS * seconds))


def in_area(work: Work, known: Known) -> None:
    """The narrowest area of the boundary in force."""
    work.columns["area_id"] = known.places.locate(work["lon"], work["lat"])


def in_hex(work: Work, known: Known) -> None:
    """The H3 cell, for coverage."""
    cells = map(h3.latlng_to_cell, work["lat"].tolist(), work["lon"].tolist(), repeat(HEX_RESOLUTION))
    work.columns["hex"] = np.fromiter(cells, np.int64, len(work))


def named(work: Work, known: Known) -> None:
    """Ids and times of arrival, as the table wants them."""
    received_at = np.array([micros(headers.received_at) for headers in work.batches], np.int64)
    batch_ids = np.frombuffer(b"".join(headers.batch_id.bytes for headers in work.batches), "V16")
    work.columns["received_at"] = received_at[work["batch"]]
    work.columns["batch_id"] = batch_ids[work["batch"]]
    work.columns["unit_id"] = known.roster.ids[work["unit"]]


STEPS: tuple[Step, ...] = (of_known_units, on_duty, once_each, in_wgs84, speed_noticed, in_area, in_hex, named)
"""Cheap drops first, costly columns for what is left."""


def run(work: Work, known: Known) -> Work:
    """Every step, in order."""
    for step in STEPS:
        step(work, known)
    return work


def distance_m(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> Any:
    """Great-circle distance in metres between degrees (haversine, mean radius); arrays or numbers."""
    half_lat, half_lon = np.radians(lat2 - lat1) / 2, np.radians(lon2 - lon1) / 2
    chord = np.sin(half_lat) ** 2 + np.cos(np.radians(lat1)) * np.cos(np.radians(lat2)) * np.sin(half_lon) ** 2
    return 2 * _EARTH_M * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
