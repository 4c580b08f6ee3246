"""Positions as PostgreSQL's binary COPY rows, made by numpy from columns: no object per fix.

A row of fixed widths is one structured dtype. NULL has no width, so rows are grouped by which of their
optional numbers are absent: at most eight dtypes, made once each.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack("!II", 0, 0)
TAIL = b"\xff\xff"

_FIXED: tuple[tuple[str, str], ...] = (
    ("device_at", ">i8"),
    ("received_at", ">i8"),
    ("hex", ">i8"),
    ("unit_id", "V16"),
    ("shift_id", "V16"),
    ("batch_id", "V16"),
    ("area_id", ">i4"),
)
_OPTIONAL: tuple[tuple[str, str], ...] = (("accuracy_m", ">f4"), ("speed_mps", ">f4"), ("heading", ">f4"))
# EWKB, little-endian: byte order, type point with SRID, SRID, x, y.
_POINT = np.dtype([("order", "u1"), ("type", "<u4"), ("srid", "<u4"), ("lon", "<f8"), ("lat", "<f8")])
_POINT_WITH_SRID, _WGS84 = 0x20000001, 4326
_EPOCH_2000 = 946_684_800_000_000

NAMES: tuple[str, ...] = (*(name for name, _ in (*_FIXED, *_OPTIONAL)), "geom")
"""The columns of patrol.positions in COPY order."""


def binary_rows(columns: Mapping[str, NDArray[Any]]) -> list[bytes]:
    """The COPY stream of n rows as a few buffers. Times are microseconds since 1970; NaN becomes NULL.

    `columns` holds every name of NAMES but geom, and lon, lat; each an array of shape (n,).
    """
    present = sum(np.isfinite(columns[name]).astype(np.uint8) << bit for bit, (name, _) in enumerate(_OPTIONAL))
    buffers = [HEAD]
    for pattern in np.unique(present):
        chosen = np.flatnonzero(present == pattern)
        whole = len(chosen) == len(present)
        picked = columns if whole else {name: column[chosen] for name, column in columns.items()}
        buffers.append(_rows(int(pattern), picked, len(chosen)))
    return [*buffers, TAIL]


def _rows(pattern: int, columns: Mapping[str, NDArray[Any]], count: int) -> bytes:
    rows: NDArray[np.void] = np.empty(count, _dtype(pattern))
    rows["fields"] = len(NAMES)
    for name, kind in _FIXED:
        values = columns[name]
        rows[f"{name}_width"] = np.dtype(kind).itemsize
        rows[name] = values - _EPOCH_2000 if name.endswith("_at") else values
    for bit, (name, _) in enumerate(_OPTIONAL):
        if pattern >> bit & 1:
            rows[f"{name}_width"], rows[name] = 4, columns[name]
        else:
            rows[f"{name}_width"] = -1
    rows["geom_width"] = _POINT.itemsize
    point = rows["geom"]
    point["order"], point["type"], point["srid"] = 1, _POINT_WITH_SRID, _WGS84
    point["lon"], point["lat"] = columns["lon"], columns["lat"]
    return rows.tobytes()


@functools.cache
def _dtype(pattern: int) -> np.dtype[Any]:
    """The row in which bit i of `pattern` says that optional number i is there."""
    fields: list[Any] = [("fields", ">i2")]
    for name, kind in _FIXED:
        fields += [(f"{name}_width", ">i4"), (name, kind)]
    for bit, (name, kind) in enumerate(_OPTIONAL):
        fields.append((f"{name}_width", ">i4"))
        if pattern >> bit & 1:
            fields.append((name, kind))
    return np.dtype([*fields, ("geom_width", ">i4"), ("geom", _POINT)])
