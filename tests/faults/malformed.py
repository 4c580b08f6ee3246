"""Messages that no honest relay would send: bodies and content types by kind, seeded."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.faults.scale import SEED

JSON = "application/cloudevents+json"
BIG = 8 * 2**20
DEEP = 10_000
TYPES = ("text/xml", "application/octet-stream", "application/x-www-form-urlencoded", "application/cloudevents+avro")
VALUES: tuple[Any, ...] = (None, "", [], {}, -1, 0, 2**63, 1e308, True, "\u0000", "x" * 5000, [[[]]], {"a": {}}, "null")
# The first has a default when it is read, so that its absence alone is no mistake.
FIELDS = ("specversion", "source", "type", "subject", "time", "areapath", "sensitivity", "entityversion", "data")


@dataclass(frozen=True)
class Malformed:
    """One message; `kind` fuzz may have come out valid, every other kind must not be applied."""

    kind: str
    body: bytes
    content_type: str = JSON


def malformed(valid: bytes, count: int, big: int) -> list[Malformed]:
    """`count` messages made from the body of a valid event, `big` of them of 8 MB each; kinds take turns."""
    chance = random.Random(f"{SEED} malformed")
    messages = [_big(number, valid) for number in range(big)]
    kinds = _kinds(chance, valid)
    while len(messages) < count:
        messages.append(next(kinds))
    chance.shuffle(messages)
    return messages


def _kinds(chance: random.Random, valid: bytes) -> Iterator[Malformed]:
    makers: dict[str, Callable[[], bytes]] = {
        "empty": lambda: b"",
        "deep": lambda: _deep(chance, valid),
        "not UTF-8": lambda: valid.replace(b"fine", b"\xff\xfe\xc0", 1),
        "no JSON": lambda: chance.randbytes(chance.randint(1, 400)),
        "truncated": lambda: valid[: chance.randint(1, len(valid) - 1)],
        "unknown type": lambda: _fresh(chance, valid, type=f"county.grid.agency.{chance.choice(('burnt', 'sold'))}.v1"),
        "unknown version": lambda: _fresh(chance, valid, type=f"county.grid.agency.changed.v{chance.randint(2, 99)}"),
        "field missing": lambda: _without(chance, valid, chance.choice(FIELDS[1:])),
        "field of data missing": lambda: _without(chance, valid, chance.choice(("agency_id", "code", "kind")), True),
        "not an object": lambda: chance.choice((b"[]", b"null", b'"words"', b"17", b"{}")),
        "fuzz": lambda: _mutated(chance, valid),
        "fuzz of fields": lambda: _fresh(chance, valid, **{chance.choice(FIELDS): chance.choice(VALUES)}),
    }
    while True:
        for kind, make in makers.items():
            yield Malformed(kind, make())
        yield Malformed("content type", _fresh(chance, valid), chance.choice(TYPES))


def _big(number: int, valid: bytes) -> Malformed:
    """8 MB: nothing but one letter, one string of JSON, or an event with that in its data."""
    if number % 3 == 0:
        return Malformed("8 MB", b"x" * BIG)
    if number % 3 == 1:
        return Malformed("8 MB", b'"' + b"x" * (BIG - 2) + b'"')
    event = json.loads(valid)
    event["data"]["code"] = "x" * BIG
    return Malformed("8 MB", json.dumps(event).encode())


def _fresh(chance: random.Random, valid: bytes, **fields: Any) -> bytes:
    """The event under an id and an entity of its own, with other fields."""
    event = json.loads(valid)
    entity = str(UUID(int=chance.getrandbits(128), version=4))
    event |= {"id": str(UUID(int=chance.getrandbits(128), version=4)), "subject": f"agency/{entity}"}
    return json.dumps(event | fields).encode()


def _without(chance: random.Random, valid: bytes, field: str, in_data: bool = False) -> bytes:
    event = json.loads(_fresh(chance, valid))
    del (event["data"] if in_data else event)[field]
    return json.dumps(event).encode()


def _deep(chance: random.Random, valid: bytes) -> bytes:
    nested = chance.choice((b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b"[" * DEEP))
    return nested if chance.random() < 0.5 else _fresh(chance, valid)[:-1] + b',"extra":' + nested + b"}"


def _mutated(chance: random.Random, valid: bytes) -> bytes:
    """A few bytes flipped, taken out, put in or doubled."""
    body = bytearray(_fresh(chance, valid))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(body))
        match chance.randrange(4):
            case 0:
                body[at] = chance.randrange(256)
            case 1:
                del body[at : at + chance.randint(1, 8)]
            case 2:
                body[at:at] = chance.randbytes(chance.randint(1, 8))
            case _:
                body[at:at] = body[at : at + chance.randint(1, 30)]
    return bytes(body)
