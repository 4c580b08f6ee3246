"""Messages of anybody's making in the positions queue: quarantined whole, the good ones beside them stored."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from backbone.batches import BatchPublisher
from backbone.database import transaction
from backbone.topology import POSITIONS
from contracts.patrol.positions import COLUMNS, encode
from tests.integration.patrol.duty import Duty, batch
from tests.integration.patrol.test_process import RECORDED, STORED, Ingest, ingest, wait_for

__all__ = ["ingest"]

pytestmark = pytest.mark.timeout(180)

EIGHT_MB = 8 * 1024 * 1024
WIDTH = 8 + 8 + 8 + 4 + 4 + 4 + 4

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "eight MB of zeros": bytes(EIGHT_MB),
    "10,000 arrays deep": b"[" * 10_000,
    "a fix as JSON": b'{"crs": "wgs84", "fixes": []}',
    "a head alone": struct.pack("<4sII4x", b"PGP1", 5, 1),
    "four thousand million fixes": struct.pack("<4sII4x", b"PGP1", 2**32 - 1, 2**32 - 1),
    "another magic": struct.pack("<4sII4x", b"PGP9", 0, 0),
    "a unit index without a unit": struct.pack("<4sII4x", b"PGP1", 1, 0) + b"\x01" * WIDTH,
}
HEADERS: dict[str, dict[str, Any]] = {
    "no batch id": {"batch_id": None},
    "a batch id that is a list": {"batch_id": ["a"]},
    "an account that is no id": {"account_id": "a\x00b"},
    "an unknown crs": {"crs": "mars"},
    "a crs that is a table": {"crs": {"a": 1}},
    "a time that is none": {"received_at": "yesterday"},
    "rejected beyond any number": {"rejected": 1e30},
    "rejected as a list": {"rejected": [1]},
    "rejected more than a column holds": {"rejected": 2**62},
    "names and values no JSON of a database takes": {"crs": "?", "a\x00b": "c\x00d", "blob": bytearray(b"\xff\xfe")},
}


def publish(url: str, messages: list[tuple[bytes, dict[str, Any], str]]) -> None:
    async def run() -> None:
        publisher = BatchPublisher(url)
        for body, headers, message_id in messages:
            await publisher.publish(POSITIONS, body, headers, message_id)
        await publisher.close()

    asyncio.run(run())


def test_whatever_is_no_batch_is_quarantined_and_its_neighbours_are_stored(
    ingest: Ingest, topology: str, duty: Duty
) -> None:
    walk = duty.walk(duty.east, 200)
    messages: list[tuple[bytes, dict[str, Any], str]] = []
    good = 0

    def put(body: bytes, headers: dict[str, Any], message_id: str) -> None:
        nonlocal good
        healthy = batch(walk[good : good + 1])
        good += 1
        messages.append((body, headers, message_id))
        messages.append((encode(healthy.fixes), healthy.headers.to_wire(), str(healthy.headers.batch_id)))

    for body in BODIES.values():
        put(body, batch(walk[:1]).headers.to_wire(), str(uuid4()))
    for changes in HEADERS.values():
        put(encode(batch(walk[:1]).fixes), batch(walk[:1]).headers.to_wire() | changes, "a\x00b")
    put(b"", {}, "")
    process = ingest.start()
    publish(topology, messages)
    wait_for(duty, RECORDED, good, 60)
    wait_for(duty, STORED, good)
    wait_for(duty, "SELECT count(*) FROM patrol.quarantine", len(BODIES) + len(HEADERS) + 1, 60)
    with transaction(duty.engine) as session:
        rows = list(session.execute(text("SELECT reason, error, body FROM patrol.quarantine")))
    assert {row.reason for row in rows} <= {"undecodable", "failed"}
    assert all(row.error for row in rows)
    assert {bytes(row.body) for row in rows} >= set(BODIES.values())
    assert process.poll() is None


def spoilt(duty: Duty, column: str, value: float) -> bytes:
    """One fix of a good batch whose column holds what no sender's form check lets through."""
    body = bytearray(encode(batch(duty.walk(duty.east, 1)).fixes))
    at = 16 + 16
    for name, kind in COLUMNS:
        if name == column:
            struct.pack_into({"<i8": "<q", "<f8": "<d", "<f4": "<f", "<u4": "<I"}[kind], body, at, value)
        at += int(kind[-1])
    return bytes(body)


NOWHERE = (float("nan"), float("inf"), 1e300, 500.0)
ODD: tuple[tuple[str, float], ...] = (
    *(("lon", value) for value in NOWHERE),
    *(("lat", value) for value in NOWHERE),
    *(("device_at", value) for value in (2**63 - 1, -(2**63), 0)),
    *((column, float("inf")) for column in ("accuracy_m", "speed_mps", "heading")),
)


def test_columns_that_no_form_check_let_through_harm_no_other_batch(ingest: Ingest, topology: str, duty: Duty) -> None:
    walk = duty.walk(duty.east, len(ODD) + 1, first=50)
    messages: list[tuple[bytes, dict[str, Any], str]] = []
    for n, (column, value) in enumerate(ODD):
        odd, healthy = batch(duty.walk(duty.east, 1)), batch(walk[n : n + 1])
        messages.append((spoilt(duty, column, value), odd.headers.to_wire(), str(odd.headers.batch_id)))
        messages.append((encode(healthy.fixes), healthy.headers.to_wire(), str(healthy.headers.batch_id)))
    process = ingest.start()
    publish(topology, messages)
    settled = "SELECT (SELECT count(*) FROM patrol.position_batches) + (SELECT count(*) FROM patrol.quarantine)"
    wait_for(duty, settled, 2 * len(ODD), 90)
    healthy_ids = [message_id for _, _, message_id in messages[1::2]]
    with transaction(duty.engine) as session:
        stored = session.execute(
            text("SELECT sum(stored) FROM patrol.position_batches WHERE id = ANY(CAST(:ids AS uuid[]))"),
            {"ids": healthy_ids},
        ).scalar_one()
        strange = session.execute(
            text("SELECT count(*) FROM patrol.positions WHERE NOT (ST_X(geom) BETWEEN -180 AND 180)")
        ).scalar_one()
    assert stored == len(ODD)
    assert strange == 0
    assert process.poll() is None


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_receiving_clock_ten_minutes_off_loses_no_fix(
    ingest: Ingest, topology: str, duty: Duty, minutes: int
) -> None:
    """`received_at` is the gateway's clock; a fix is judged by its device's clock alone."""
    made = batch(duty.walk(duty.east, 3))
    headers = replace(made.headers, received_at=made.headers.received_at + timedelta(minutes=minutes))
    ingest.start()
    publish(topology, [(encode(made.fixes), headers.to_wire(), str(made.headers.batch_id))])
    wait_for(duty, STORED, 3)
