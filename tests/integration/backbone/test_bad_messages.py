"""Messages of anybody's making, straight into event queues and dead-letter queues: quarantined, and nobody stops.

Whatever body, header or content type a publisher gives, it lands in quarantine with a reason and its body whole,
and the events behind it are applied. The commands' side is in `test_bad_commands.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from amqp import Message

from backbone import topology
from contracts.grid.events import AgencyChanged
from contracts.sample import example
from tests.integration.backbone.conftest import HAZARDS, Processes, Stage, eventually

pytestmark = pytest.mark.timeout(180)

QUEUE = "hazards.on-agencies"
DEEP = 10_000
EIGHT_MB = 8 * 1024 * 1024

ODD_HEADERS: tuple[dict[str, Any], ...] = (
    {"x-delivery-count": "often"},
    {"x-delivery-count": [3]},
    {"x-death": "yesterday"},
    {"x-death": []},
    {"x-death": ["hazards.on-agencies"]},
    {"x-death": [{"queue": 5}]},
    {"x-first-death-queue": "a\x00b", "x-first-death-reason": "\ud800"},
    {"ratio": 1e308, "a\x00b": "c\x00d", "\udfff": "\ud800", "blob": b"\xff\xfe"},  # NaN the broker itself refuses
    {"deep": {"er": [{"still": [None, True, 2**62]}]}},
)


def envelope(**changes: Any) -> dict[str, Any]:
    """An AgencyChanged of an agency of its own, with fields changed."""
    made = example(AgencyChanged)
    agency = str(uuid4())
    made |= {"id": str(uuid4()), "subject": f"agency/{agency}", "entityversion": 1, **changes}
    if isinstance(made["data"], dict):
        made["data"] = {**made["data"], "agency_id": agency, "code": "fine"}
    return made


def body(**changes: Any) -> bytes:
    return json.dumps(envelope(**changes)).encode()


def put(stage: Stage, message: bytes, queue: str = QUEUE, **properties: Any) -> None:
    with stage.channel() as channel:
        channel.confirm_select()
        channel.basic_publish_confirm(Message(message, delivery_mode=2, **properties), "", queue)


def applied(stage: Stage) -> int:
    return int(stage.value("hazards", "SELECT count(*) FROM toy_effects"))


BODIES: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "eight MB of zeros": lambda: bytes(EIGHT_MB),
    "eight MB of text": lambda: b'"' + b"x" * (EIGHT_MB - 2) + b'"',
    "an envelope with eight MB too much": lambda: body(data={"blob": "x" * EIGHT_MB}, areapath="nowhere"),
    "10,000 arrays deep": lambda: b"[" * DEEP,
    "10,000 closed arrays deep": lambda: b"[" * DEEP + b"]" * DEEP,
    "10,000 objects deep": lambda: b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "an envelope whose data is 10,000 deep": lambda: body(data="DEEP").replace(
        b'"DEEP"', b'{"a":' * DEEP + b"1" + b"}" * DEEP
    ),
    "cut short": lambda: body()[:-7],
    "not UTF-8": lambda: b"\xff\xfe" + body(),
    "UTF-16": lambda: json.dumps(envelope()).encode("utf-16"),
    "a lone surrogate": lambda: body(source="\ud800"),
    "NUL in a field": lambda: body(correlationid="a\x00b"),
    "1e999": lambda: body(entityversion="N").replace(b'"N"', b"1e999"),
    "NaN": lambda: body(entityversion="N").replace(b'"N"', b"NaN"),
    "a number of 5,000 digits": lambda: body(entityversion="N").replace(b'"N"', b"1" + b"0" * 5000),
    "no data": lambda: body(data=None),
    "data that is a list": lambda: body(data=[]),
    "an unknown specversion": lambda: body(specversion="2.0"),
    "a time without offset": lambda: body(time="2026-03-02T01:30:00"),
    "a time that is none": lambda: body(occurredat="yesterday"),
    "a subject without id": lambda: body(subject="agency/" + "-" * 36),
    "no type": lambda: body(type=None),
    "an unknown version": lambda: body(type="county.grid.agency.changed.v9"),
    "an unknown event": lambda: body(type="county.grid.agency.abolished.v1"),
}


def test_bodies_that_are_no_events_are_quarantined_whole_and_the_next_event_is_applied(
    stage: Stage, processes: Processes
) -> None:
    processes.service(HAZARDS)
    sent = {name: make() for name, make in BODIES.items()}
    for message in sent.values():
        put(stage, message)
        put(stage, body())
    eventually(lambda: applied(stage) == len(sent), 60)
    held = {bytes(row.body): row for row in stage.quarantined()}
    assert [name for name, message in sent.items() if message not in held] == []
    assert len(held) == len(set(sent.values()))
    for name, message in sent.items():
        row = held[message]
        unknown = name.startswith("an unknown") and name != "an unknown specversion"
        assert row.reason == ("unknown_type" if unknown else "undecodable"), name
        assert row.error, name
        assert row.consumer == QUEUE
    assert stage.ready(QUEUE) == 0


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/octet-stream", "\ud800"])
def test_a_message_that_says_it_is_something_else_is_quarantined(
    stage: Stage, processes: Processes, media_type: str
) -> None:
    processes.service(HAZARDS)
    put(stage, body(), content_type=media_type)
    put(stage, body(), content_type="application/cloudevents+json; charset=utf-8")
    eventually(lambda: applied(stage) == 1)
    [held] = eventually(stage.quarantined)
    assert held.reason == "undecodable"
    assert held.error.startswith("content type")


def test_a_compressed_body_is_not_guessed_at(stage: Stage, processes: Processes) -> None:
    import gzip

    processes.service(HAZARDS)
    put(stage, gzip.compress(body()), content_type="application/cloudevents+json", content_encoding="gzip")
    put(stage, body())
    eventually(lambda: applied(stage) == 1)
    assert [row.reason for row in eventually(stage.quarantined)] == ["undecodable"]


def test_headers_of_any_kind_stop_no_queue(stage: Stage, processes: Processes) -> None:
    """With a good body the event is applied; with a bad one its headers are kept as far as JSON holds them."""
    processes.service(HAZARDS)
    for headers in ODD_HEADERS:
        put(stage, body(), application_headers=headers)
        put(stage, b"no event", application_headers=headers)
    put(stage, body())
    eventually(lambda: applied(stage) == len(ODD_HEADERS) + 1, 60)
    assert len(eventually(stage.quarantined)) == len(ODD_HEADERS)


def test_dead_letters_of_any_kind_are_quarantined_and_stop_no_queue(stage: Stage, processes: Processes) -> None:
    processes.service(HAZARDS)
    dead = topology.dead_queue("hazards")
    for headers in ODD_HEADERS:
        put(stage, b"[" * DEEP, dead, application_headers=headers)
    for message in (b"", bytes(EIGHT_MB), b"\xff"):
        put(stage, message, dead, content_type="image/png", content_encoding="gzip")
    put(stage, body())
    eventually(lambda: applied(stage) == 1, 60)
    held = eventually(lambda: len(stage.quarantined()) == len(ODD_HEADERS) + 3 and stage.quarantined(), 60)
    assert {row.reason for row in held} == {"dead_lettered"}
    eventually(lambda: stage.ready(dead) == 0)


def test_a_newer_minor_version_passes_and_what_it_adds_is_ignored(stage: Stage, processes: Processes) -> None:
    """Fields that today's class does not know, also such as no text column would take."""
    processes.service(HAZARDS)
    newer = envelope(sampledrate=4, partitionkey="x\x00y")
    newer["data"] |= {"added_in_v1_1": {"deep": ["\x00", "\ud83d\ude00", None]}, "another": 1e300}
    put(stage, json.dumps(newer).encode())
    eventually(lambda: applied(stage) == 1)
    assert stage.quarantined() == []


@pytest.mark.parametrize("minutes", [-10, 10])
def test_clocks_ten_minutes_off_change_nothing_but_the_times_themselves(
    stage: Stage, processes: Processes, minutes: int
) -> None:
    """An owner's clock before or behind ours: applied in order of version, never by time."""
    processes.service(HAZARDS)
    agency = str(uuid4())
    now = datetime.now(UTC)
    for version in (1, 2, 3):
        at = now + timedelta(minutes=minutes if version == 2 else 0)
        made = envelope(subject=f"agency/{agency}", entityversion=version)
        made |= {"time": at.isoformat(), "occurredat": (at + timedelta(minutes=minutes)).isoformat()}
        put(stage, json.dumps(made).encode())
    eventually(lambda: applied(stage) == 3)
    assert [row.version for row in stage.effects()] == [1, 2, 3]
    assert stage.quarantined() == []


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_times_at_the_end_of_the_calendar_stop_nobody(stage: Stage, processes: Processes, moment: str) -> None:
    processes.service(HAZARDS)
    put(stage, body(time=moment, occurredat=moment))
    put(stage, body())
    eventually(lambda: applied(stage) == 2)


def test_a_parked_event_keeps_what_no_reader_of_today_knows(stage: Stage, processes: Processes) -> None:
    """An event behind a failed one of its entity is stored and applied later, whatever it adds."""
    processes.service(HAZARDS, PINGAN_INBOX_RETRY_FIRST_S="0.3")
    agency = str(uuid4())
    first = envelope(subject=f"agency/{agency}")
    first["data"]["code"] = "fail_thrice"
    second = envelope(subject=f"agency/{agency}", entityversion=2)
    second["data"]["added"] = "\x00\ud83d\ude00"
    put(stage, json.dumps(first).encode())
    put(stage, json.dumps(second).encode())
    eventually(lambda: [row.version for row in stage.effects()] == [1, 2], 60)
    assert stage.quarantined() == []
