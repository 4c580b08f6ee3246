"""Positions on their way in: the form of a batch, as senders write it and as it travels to ingest.

Senders write JSON `{"crs": "wgs84", "fixes": [{...}, ...]}` or NDJSON, one fix a line. `parse_json` and
`parse_ndjson` check form alone — is it a fix, are its numbers numbers, its time a time near now — because
that is the contract itself; whether a unit exists, was on duty or sent it twice is ingest's to judge.
Good fixes go on as columns, bad ones come back by index and reason. Inside, a batch is never a list of
objects: `encode` and `decode` carry the columns as they lie in memory.

A fix: `unit_id` (UUID), `device_at` (RFC 3339 with offset), `lon`, `lat` (degrees in the batch's crs), and
optionally `accuracy_m`, `speed_mps`, `heading` (degrees from north, 0-360).
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray

from contracts.patrol.errors import BatchTooLarge, MalformedBatch, MissingCrs
from contracts.refusals import InvalidField

CRS: Final = ("wgs84", "cgcs2000", "gcj02", "bd09")
MOST_FIXES: Final = 20_000
FUTURE: Final = timedelta(minutes=5)
OLDEST: Final = timedelta(days=7)

COLUMNS: Final[tuple[tuple[str, str], ...]] = (
    ("device_at", "<i8"),
    ("lon", "<f8"),
    ("lat", "<f8"),
    ("unit", "<u4"),
    ("accuracy_m", "<f4"),
    ("speed_mps", "<f4"),
    ("heading", "<f4"),
)
"""Wire order; widest first, so that each column is aligned. `device_at` is microseconds since 1970 UTC,
`unit` an index into `units`; NaN in the last three means absent."""

REASONS: Final[Mapping[str, str]] = {
    "malformed": "not a JSON object",
    "missing_field": "unit_id, device_at, lon and lat are required",
    "bad_unit_id": "unit_id is not a UUID",
    "bad_time": "device_at is not an RFC 3339 time with offset",
    "bad_number": "a number is not a finite number",
    "out_of_range": "a number is outside its range",
    "lon_lat_swapped": "lon and lat look swapped",
    "future": "device_at is more than 5 minutes ahead",
    "too_old": "device_at is more than 7 days ago",
}
"""Why one fix is rejected; the codes never change."""

_MAGIC = b"PGP1"
_HEAD = struct.Struct("<4sII4x")
_REQUIRED = itemgetter("unit_id", "device_at", "lon", "lat")
_RANGES = {"accuracy_m": (0.0, 100_000.0), "speed_mps": (0.0, 1_000.0), "heading": (0.0, 360.0)}
_NUMBERS = frozenset({float, int})
_OPTIONAL_NUMBERS = frozenset({float, int, type(None)})


@dataclass(frozen=True, slots=True, eq=False)
class Fixes:
    """n fixes as columns (arrays of shape (n,)); `units` are the distinct unit ids, 16 bytes each."""

    units: tuple[bytes, ...]
    unit: NDArray[np.uint32]
    device_at: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    accuracy_m: NDArray[np.float32]
    speed_mps: NDArray[np.float32]
    heading: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.device_at)


@dataclass(frozen=True, slots=True)
class Reject:
    """One fix that was not taken: its index in `fixes` (or its line, from 0) and a code of REASONS."""

    index: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"index": self.index, "reason": self.reason, "detail": REASONS[self.reason]}


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """A batch after the form check: what was good, what was not, in which coordinate system."""

    crs: str
    fixes: Fixes
    rejects: tuple[Reject, ...]


@dataclass(frozen=True, slots=True)
class BatchHeaders:
    """What travels beside a batch's body. `areas` are the subtrees whose units the sender may report
    besides its own agency's; `rejected` counts what the form check turned away."""

    batch_id: UUID
    account_id: UUID
    agency_id: UUID
    crs: str
    received_at: datetime
    areas: tuple[str, ...] = ()
    source: str = "api"
    rejected: int = 0

    def to_wire(self) -> dict[str, Any]:
        return {
            "batch_id": str(self.batch_id),
            "account_id": str(self.account_id),
            "agency_id": str(self.agency_id),
            "crs": self.crs,
            "received_at": self.received_at.astimezone(UTC).isoformat(),
            "areas": ",".join(self.areas),
            "source": self.source,
            "rejected": self.rejected,
        }

    @classmethod
    def from_wire(cls, headers: Mapping[str, Any]) -> BatchHeaders:
        """Raises KeyError or ValueError on malformed headers."""
        if headers["crs"] not in CRS:
            raise ValueError(f"unknown crs {headers['crs']!r}")
        return cls(
            batch_id=UUID(str(headers["batch_id"])),
            account_id=UUID(str(headers["account_id"])),
            agency_id=UUID(str(headers["agency_id"])),
            crs=str(headers["crs"]),
            received_at=datetime.fromisoformat(str(headers["received_at"])),
            areas=tuple(filter(None, str(headers.get("areas", "")).split(","))),
            source=str(headers.get("source", "api")),
            rejected=int(headers.get("rejected", 0)),
        )


def encode(fixes: Fixes) -> bytes:
    """The body that travels through RabbitMQ: counts, unit ids, columns."""
    columns = (np.ascontiguousarray(getattr(fixes, name), kind).tobytes() for name, kind in COLUMNS)
    return b"".join((_HEAD.pack(_MAGIC, len(fixes), len(fixes.units)), *fixes.units, *columns))


def decode(body: bytes) -> Fixes:
    """Inverse of `encode`; the arrays are read-only views of `body`. Raises ValueError on anything else."""
    if len(body) < _HEAD.size:
        raise ValueError("shorter than its head")
    magic, count, unit_count = _HEAD.unpack_from(body)
    at = _HEAD.size + 16 * unit_count
    width = sum(np.dtype(kind).itemsize for _, kind in COLUMNS)
    if magic != _MAGIC or len(body) != at + count * width:
        raise ValueError("not a batch of position columns, or cut short")
    units = tuple(body[n : n + 16] for n in range(_HEAD.size, at, 16))
    columns: dict[str, Any] = {}
    for name, kind in COLUMNS:
        columns[name] = np.frombuffer(body, kind, count, at)
        at += columns[name].nbytes
    if count and int(columns["unit"].max()) >= unit_count:
        raise ValueError("a unit index without a unit")
    if not ((np.abs(columns["lon"]) <= 180).all() and (np.abs(columns["lat"]) <= 90).all()):  # NaN is outside too
        raise ValueError("a position outside the earth")
    return Fixes(units=units, **columns)


def parse_json(body: bytes, *, now: datetime, crs: str | None = None) -> Parsed:
    """A JSON object with `crs` and `fixes`, or a bare array with `crs` given beside it.

    Raises MalformedBatch, MissingCrs, InvalidField (unknown crs, no fixes) or BatchTooLarge.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        document = _lenient(body, error)
    fixes = document
    if isinstance(document, dict):
        crs, fixes = document.get("crs") or crs, document.get("fixes")
    if not isinstance(fixes, list):
        raise MalformedBatch(field="fixes", expected="an array of fixes")
    return _parse(fixes, range(len(fixes)), crs, now, [])


def parse_ndjson(body: bytes, *, now: datetime, crs: str | None = None) -> Parsed:
    """One fix a line; a first line `{"crs": "..."}` may name the coordinate system. Indexes are lines from 0.

    Raises as `parse_json`; a line that is not JSON rejects that line alone.
    """
    numbered = [(n, line) for n, line in enumerate(body.split(b"\n")) if line and not line.isspace()]
    if len(numbered) > MOST_FIXES + 1:
        raise BatchTooLarge(expected=f"at most {MOST_FIXES} fixes", fixes=len(numbered))
    rejects: list[Reject] = []
    indexes: list[int] = [n for n, _ in numbered]
    fixes: list[Any]
    try:
        fixes = [orjson.loads(line) for _, line in numbered]
    except orjson.JSONDecodeError:
        fixes = [_line(line) for _, line in numbered]
    if fixes and isinstance(fixes[0], dict) and "crs" in fixes[0] and "unit_id" not in fixes[0]:
        crs = fixes[0]["crs"] or crs
        fixes, indexes = fixes[1:], indexes[1:]
    return _parse(fixes, indexes, crs, now, rejects)


def _lenient(body: bytes, error: Exception) -> Any:
    """NaN and Infinity are no JSON, yet devices send them: they cost their own fix, not the batch."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedBatch(f"not JSON: {error}") from None


def _line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _parse(fixes: Sequence[Any], indexes: Sequence[int], crs: Any, now: datetime, rejects: list[Reject]) -> Parsed:
    if crs is None:
        raise MissingCrs(field="crs", expected=", ".join(CRS))
    if crs not in CRS:
        raise InvalidField(field="crs", expected=", ".join(CRS))
    if not fixes:
        raise InvalidField("The batch is empty.", field="fixes", expected="at least one fix")
    if len(fixes) > MOST_FIXES:
        raise BatchTooLarge(expected=f"at most {MOST_FIXES} fixes", fixes=len(fixes))
    try:
        rows = [_REQUIRED(fix) for fix in fixes]
        optional = {name: [fix.get(name) for fix in fixes] for name in _RANGES}
    except (TypeError, KeyError, AttributeError, IndexError):
        good, kept, indexes = _sort_out(fixes, indexes, rejects)
        rows, optional = kept, {name: [fix.get(name) for fix in good] for name in _RANGES}
    reasons = np.zeros(len(rows), "<U16")
    unit_ids, times, lons, lats = zip(*rows, strict=True) if rows else ((), (), (), ())
    # The first reason found stays; the order below is the order in which a sender would want to know.
    units, unit = _units(unit_ids, reasons)
    device_at = _times(times, reasons)
    lon, lat = _numbers(lons, reasons), _numbers(lats, reasons)
    numbers = {name: _numbers(values, reasons, optional=True) for name, values in optional.items()}
    _check_ranges(lon, lat, numbers, reasons)
    _check_window(device_at, now, reasons)
    rejects += [Reject(indexes[n], str(reasons[n])) for n in np.flatnonzero(reasons != "").tolist()]
    taken = reasons == ""
    return Parsed(
        crs,
        Fixes(
            units,
            unit[taken],
            device_at[taken],
            lon[taken],
            lat[taken],
            **{name: column[taken].astype(np.float32) for name, column in numbers.items()},
        ),
        tuple(sorted(rejects, key=lambda reject: reject.index)),
    )


def _sort_out(
    fixes: Sequence[Any], indexes: Sequence[int], rejects: list[Reject]
) -> tuple[list[dict[str, Any]], list[tuple[Any, Any, Any, Any]], list[int]]:
    """The slow way, taken only when something is no fix at all."""
    good: list[dict[str, Any]] = []
    rows: list[tuple[Any, Any, Any, Any]] = []
    kept: list[int] = []
    for fix, index in zip(fixes, indexes, strict=True):
        if not isinstance(fix, dict):
            rejects.append(Reject(index, "malformed"))
        elif not {"unit_id", "device_at", "lon", "lat"} <= fix.keys():
            rejects.append(Reject(index, "missing_field"))
        else:
            good.append(fix)
            rows.append(_REQUIRED(fix))
            kept.append(index)
    return good, rows, kept


def _units(ids: Sequence[Any], reasons: NDArray[np.str_]) -> tuple[tuple[bytes, ...], NDArray[np.uint32]]:
    """Distinct ids as bytes and, per fix, the index into them; two spellings of one id are one unit."""
    if not set(map(type, ids)) <= {str}:
        ids = [each if isinstance(each, str) else "" for each in ids]
    spelled = {each: n for n, each in enumerate(dict.fromkeys(ids))}
    known: dict[bytes, int] = {}
    # One more entry than spellings: a bad id points at the last, which no fix keeps.
    index_of = np.zeros(len(spelled) + 1, np.int64)
    for text, n in spelled.items():
        try:
            index_of[n] = known.setdefault(UUID(text).bytes, len(known))
        except ValueError:
            index_of[n] = -1
    unit = index_of[np.fromiter(map(spelled.__getitem__, ids), np.int64, len(ids))]
    reasons[unit < 0] = "bad_unit_id"
    return tuple(known), np.maximum(unit, 0).astype(np.uint32)


def _times(times: Sequence[Any], reasons: NDArray[np.str_]) -> NDArray[np.int64]:
    """Microseconds since 1970 UTC."""
    parse = datetime.fromisoformat
    try:
        moments = [parse(each) for each in times]
        if None in {moment.tzinfo for moment in moments}:
            raise ValueError("a time without offset")
        seconds = [moment.timestamp() for moment in moments]
    except (ValueError, TypeError, OverflowError):
        seconds = [_time(each) for each in times]
    column = np.array(seconds, np.float64)
    bad = ~np.isfinite(column)
    reasons[bad & (reasons == "")] = "bad_time"
    column[bad] = 0
    return np.rint(column * 1e6).astype(np.int64)


def _time(value: Any) -> float:
    try:
        moment = datetime.fromisoformat(value)
        return moment.timestamp() if moment.tzinfo is not None else math.nan
    except (ValueError, TypeError, OverflowError):
        return math.nan


def _numbers(values: Sequence[Any], reasons: NDArray[np.str_], *, optional: bool = False) -> NDArray[np.float64]:
    """A float64 column; an absent optional number is NaN, a bad one NaN with its reason."""
    absent = np.zeros(len(values), bool)
    kinds = set(map(type, values))
    if kinds <= _NUMBERS:
        column = _floats(values)
    elif optional and kinds <= _OPTIONAL_NUMBERS:
        column = _floats(values)
        absent = np.fromiter((value is None for value in values), bool, len(values))
    else:
        column = _floats([value if type(value) in _NUMBERS else None for value in values])
        if optional:
            absent = np.fromiter((value is None for value in values), bool, len(values))
    reasons[~np.isfinite(column) & ~absent & (reasons == "")] = "bad_number"
    return column


def _floats(values: Iterable[Any]) -> NDArray[np.float64]:
    values = list(values)
    try:
        return np.array(values, np.float64)
    except OverflowError:  # an integer beyond float64
        return np.array([value if value is None or abs(value) < 1e18 else None for value in values], np.float64)


def _check_ranges(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    numbers: Mapping[str, NDArray[np.float64]],
    reasons: NDArray[np.str_],
) -> None:
    swapped = (np.abs(lat) > 90) & (np.abs(lat) <= 180) & (np.abs(lon) <= 90)
    reasons[swapped & (reasons == "")] = "lon_lat_swapped"
    outside = (np.abs(lon) > 180) | (np.abs(lat) > 90)
    for name, column in numbers.items():
        low, high = _RANGES[name]
        outside |= (column < low) | (column > high)
    reasons[outside & (reasons == "")] = "out_of_range"


def _check_window(device_at: NDArray[np.int64], now: datetime, reasons: NDArray[np.str_]) -> None:
    reasons[(device_at > micros(now + FUTURE)) & (reasons == "")] = "future"
    reasons[(device_at < micros(now - OLDEST)) & (reasons == "")] = "too_old"


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware time."""
    return round(moment.timestamp() * 1_000_000)
